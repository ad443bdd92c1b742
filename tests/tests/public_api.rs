//! `docs/public-api.txt`: every public item of chaos-test, read from its sources, so that a change of the API is seen.
//!
//! With every feature on; the conditions of an item stand behind it. No compiler is asked, so what a macro makes is
//! told by its `pub use` alone.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "public_api/impls.rs"]
mod impls;
#[path = "public_api/items.rs"]
mod items;
#[path = "public_api/listing.rs"]
mod listing;
#[path = "public_api/modules.rs"]
mod modules;
#[path = "public_api/text.rs"]
mod text;

use std::fs;
use std::path::Path;

use listing::{listing, without_example};
use modules::Crate;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above")
}

fn ours() -> Crate {
    let read = |file: &Path| fs::read_to_string(file).ok();
    Crate::read(&workspace().join("chaos-test/src/lib.rs"), &read)
}

/// `UPDATE_EXPECTED=1` writes it instead of comparing it; read what it wrote.
#[test]
fn the_public_api_is_the_one_in_docs() {
    let file = workspace().join("docs/public-api.txt");
    let now = listing(&ours(), "chaos_test");
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(&file, &now).expect("docs can be written");
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    let without = |these: &str, those: &str, sign: &str| {
        let those: Vec<&str> = those.lines().collect();
        let these = these.lines().filter(|line| !those.contains(line));
        these.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    let difference = without(&there, &now, "-") + &without(&now, &there, "+");
    assert!(
        there == now,
        "docs/public-api.txt is not what the sources come to: UPDATE_EXPECTED=1 writes it\n{difference}"
    );
}

/// Every public type, trait, function and constant shows how it is used; methods and fields by the example of their type.
#[test]
fn every_public_item_has_an_example() {
    let lacking = without_example(&ours(), "chaos_test");
    assert!(lacking.is_empty(), "{} without an example:\n{}", lacking.len(), lacking.join("\n"));
}

#[test]
fn only_a_block_of_rust_is_an_example() {
    let source = "/// Text.\n/// ```text\n/// a\n/// ```\npub struct Shown;\n\
        /// ```no_run\n/// a();\n/// ```\npub struct Run;\n\
        /// ```text\n/// a\n/// ```\n/// ```\n/// a();\n/// ```\npub fn second() {}\n\
        pub trait Bare {}\n/// Private.\nstruct Hidden;";
    let krate = Crate::read(Path::new("src/lib.rs"), &|_: &Path| Some(source.to_owned()));
    assert_eq!(without_example(&krate, "k"), ["k::Bare", "k::Shown"]);
}

/// The listing of a crate `k` of these files, the first of which is its root.
#[track_caller]
fn assert_listed(files: &[(&str, &str)], expected: &[&str]) {
    let read = |file: &Path| {
        let found = files.iter().find(|(name, _)| Path::new(name) == file);
        found.map(|(_, source)| (*source).to_owned())
    };
    let krate = Crate::read(Path::new(files[0].0), &read);
    let listed = listing(&krate, "k");
    assert_eq!(listed.lines().collect::<Vec<_>>(), expected, "\n{listed}");
}

#[test]
fn a_private_item_is_listed_only_where_it_is_exported() {
    assert_listed(
        &[
            ("src/lib.rs", "mod a; pub(crate) fn f() {} fn g() {}"),
            ("src/a.rs", "pub struct S; pub fn h() {}"),
        ],
        &[],
    );
    assert_listed(
        &[("src/lib.rs", "mod a; pub use a::S;"), ("src/a.rs", "pub struct S; pub fn h() {}")],
        &["pub struct k::S"],
    );
}

#[test]
fn a_rename_counts_and_the_shortest_path_has_it_all() {
    assert_listed(
        &[(
            "src/lib.rs",
            "pub mod deep { mod m { pub struct S { pub a: u8, b: u8 } } pub use self::m::S as T; }
             pub mod prelude { pub use crate::deep::T; }
             pub mod zebra { pub use super::deep::T as Z; }",
        )],
        &[
            "pub mod k::deep",
            "pub struct k::deep::T { .. }",
            "pub k::deep::T::a: u8",
            "pub mod k::prelude",
            "pub use k::prelude::T = k::deep::T",
            "pub mod k::zebra",
            "pub use k::zebra::Z = k::deep::T",
        ],
    );
}

#[test]
fn a_glob_brings_in_what_is_public_and_a_function_may_be_named_as_its_module() {
    assert_listed(
        &[
            ("src/lib.rs", "mod all; pub use all::*; mod q; pub use q::{q, Q};"),
            ("src/all/mod.rs", "mod inner; pub use inner::A; pub fn b() {} fn c() {}"),
            ("src/all/inner.rs", "pub enum A { One, Two(u8, String), #[non_exhaustive] Three { x: bool } }"),
            ("src/q.rs", "pub fn q(a: &mut [u8], b: Option<&'static str>,) -> (u8, u8) {} pub type Q = u8;"),
        ],
        &[
            "pub enum k::A",
            "k::A::One",
            "#[non_exhaustive] k::A::Three",
            "pub k::A::Three::x: bool",
            "k::A::Two(u8, String)",
            "pub type k::Q = u8",
            "pub fn k::b()",
            "pub fn k::q(a: &mut [u8], b: Option<&'static str>) -> (u8, u8)",
        ],
    );
}

#[test]
fn a_path_attribute_leads_to_the_file_and_to_those_beside_it() {
    assert_listed(
        &[
            ("src/lib.rs", "#[path = \"other/place.rs\"] pub mod a; pub mod b { pub mod c; }"),
            ("src/other/place.rs", "pub mod next;"),
            ("src/other/next.rs", "pub const N: u8 = 1;"),
            ("src/b/c.rs", "pub static S: u8 = 1;"),
        ],
        &[
            "pub mod k::a",
            "pub mod k::a::next",
            "pub const k::a::next::N: u8",
            "pub mod k::b",
            "pub mod k::b::c",
            "pub static k::b::c::S: u8",
        ],
    );
}

#[test]
fn conditions_add_up_and_what_is_hidden_or_of_tests_is_left_out() {
    assert_listed(
        &[(
            "src/lib.rs",
            "#[cfg(feature = \"run\")] mod m { #[cfg(unix)] pub fn f() {} }
             #[cfg(feature = \"run\")] pub use m::f;
             #[cfg(not(feature = \"run\"))] pub fn g() {}
             #[cfg(test)] pub fn t() {}
             #[doc(hidden)] pub mod __private { pub fn p() {} }
             #[cfg_attr(feature = \"schema\", derive(schemars::JsonSchema))] #[derive(Debug)] pub struct S;",
        )],
        &[
            "pub struct k::S",
            "impl Debug for k::S",
            "impl JsonSchema for k::S  [feature = \"schema\"]",
            "pub fn k::f()  [feature = \"run\", unix]",
        ],
    );
}

#[test]
fn methods_and_traits_are_found_wherever_the_block_is() {
    assert_listed(
        &[
            (
                "src/lib.rs",
                "mod a; mod b; pub use a::{S, Tr};
                 pub trait Units { fn ms(self) -> u8; }
                 impl Units for u64 { fn ms(self) -> u8 { 0 } }",
            ),
            (
                "src/a.rs",
                "pub struct S<T>(pub T);
                 pub trait Tr: Send { type Out; const N: u8; fn go(&self) {} }
                 trait Own {} impl<T> Own for S<T> {}
                 struct Hidden; impl Hidden { pub fn no() {} }",
            ),
            (
                "src/b.rs",
                "use crate::a::*; use std::fmt;
                 impl<T: Send> S<T> { pub fn new(mut self, t: T) -> Self { self } fn no() {} }
                 impl fmt::Display for S<u8> { fn fmt(&self) {} }
                 impl<T> Tr for S<T> where T: Send { type Out = Vec<Vec<T>>; const N: u8 = 1; }",
            ),
        ],
        &[
            "pub struct k::S<T>",
            "impl fmt::Display for k::S<u8>",
            "impl<T> k::Tr for k::S<T> where T: Send",
            "impl<T> k::Tr for k::S<T> where T: Send: type Out = Vec<Vec<T>>",
            "pub k::S::0: T",
            "pub fn k::S::new(self, t: T) -> Self  (impl<T: Send> k::S<T>)",
            "pub trait k::Tr: Send",
            "const k::Tr::N: u8",
            "type k::Tr::Out",
            "fn k::Tr::go(&self) { .. }",
            "pub trait k::Units",
            "impl k::Units for u64",
            "fn k::Units::ms(self) -> u8",
        ],
    );
}

#[test]
fn what_is_another_crates_or_a_macros_is_told_as_it_is_exported() {
    assert_listed(
        &[(
            "src/lib.rs",
            "make!(E); pub use other; pub use other::x::Y as Z; pub mod p { pub use crate::E; }",
        )],
        &[
            "pub use k::Z = other::x::Y",
            "pub use k::other = other",
            "pub mod k::p",
            "pub use k::p::E = crate::E",
        ],
    );
}
