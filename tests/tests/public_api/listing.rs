//! Every public item of a crate, a line each.
//!
//! An item that can be reached by several paths is told in full under the shortest that is not of a prelude, and
//! as a `pub use` under the others. What a macro makes, and what is another crate's, is told as the `pub use` that
//! has it. A default value, a body and the value of a constant are not told.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, MetaNameValue, Visibility};

use crate::impls;
use crate::items::describe;
use crate::modules::{Crate, DEEPEST, Found, Leaf, attrs, brought_in, named};
use crate::text::{Conditions, conditions, with};

/// An item by the module it is in and its name there.
pub(crate) type Key = (usize, String);

/// Where an item can be reached, and when.
#[derive(Clone)]
pub(crate) struct Export {
    pub(crate) path: String,
    pub(crate) conditions: Conditions,
}

/// One line, and what it is sorted by.
pub(crate) struct Line {
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) conditions: Conditions,
}

impl Line {
    pub(crate) fn new(key: &str, text: String, conditions: &Conditions) -> Self {
        Self { key: key.to_owned(), text, conditions: conditions.clone() }
    }

    fn show(&self) -> (String, String) {
        let conditions: Vec<&str> = self.conditions.iter().map(String::as_str).collect();
        let conditions = conditions.join(", ");
        let end = if conditions.is_empty() { conditions } else { format!("  [{conditions}]") };
        (self.key.clone(), format!("{}{end}", self.text))
    }
}

/// The listing, with the name the crate has for others.
pub(crate) fn listing(krate: &Crate, name: &str) -> String {
    let (homes, mut lines) = homes(krate, name);
    for ((module, name), home) in &homes {
        if let Some(item) = krate.item(*module, name) {
            lines.extend(describe(item, home));
        }
    }
    lines.extend(impls::lines(krate, &homes));
    let lines: BTreeSet<(String, String)> = lines.iter().map(Line::show).collect();
    lines.into_iter().map(|(_, text)| text + "\n").collect()
}

/// The items whose own documentation has no example in Rust; what a macro makes is not seen.
pub(crate) fn without_example(krate: &Crate, name: &str) -> Vec<String> {
    let (homes, _) = homes(krate, name);
    let lacking = homes.into_iter().filter(|((module, name), _)| {
        krate.item(*module, name).is_some_and(|item| !has_example(&documentation(attrs(item))))
    });
    lacking.map(|(_, home)| home.path).collect()
}

/// Whether a block begins that rustdoc takes for Rust.
fn has_example(documentation: &str) -> bool {
    let mut fences = documentation.lines().filter_map(|line| line.trim().strip_prefix("```"));
    // Every other one ends a block.
    let mut begins = std::iter::from_fn(|| Some((fences.next()?, fences.next())));
    begins.any(|(tags, _)| {
        tags.split(',').all(|tag| matches!(tag.trim(), "" | "rust" | "no_run" | "should_panic"))
    })
}

fn documentation(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(MetaNameValue {
            path,
            value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }),
            ..
        }) if path.is_ident("doc") => Some(text.value() + "\n"),
        _ => None,
    });
    lines.collect()
}

/// Where each public item is at home, and the lines of modules and of what is exported once more.
fn homes(krate: &Crate, name: &str) -> (BTreeMap<Key, Export>, Vec<Line>) {
    let mut walk = Walk { krate, exports: BTreeMap::new(), lines: Vec::new() };
    walk.module(0, name, &Conditions::new(), 0);
    let Walk { exports, mut lines, .. } = walk;
    let mut homes = BTreeMap::new();
    for (key, mut found) in exports {
        found.sort_by_key(|export| {
            let path = &export.path;
            (path.contains("::prelude::"), path.matches("::").count(), path.clone())
        });
        found.dedup_by(|second, first| second.path == first.path);
        let home = found.remove(0);
        for other in found {
            let text = format!("pub use {} = {}", other.path, home.path);
            lines.push(Line::new(&other.path, text, &other.conditions));
        }
        homes.insert(key, home);
    }
    (homes, lines)
}

struct Walk<'a> {
    krate: &'a Crate,
    exports: BTreeMap<Key, Vec<Export>>,
    lines: Vec<Line>,
}

impl Walk<'_> {
    /// What is public in a module that can be reached by this path.
    fn module(&mut self, module: usize, path: &str, around: &Conditions, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let krate = self.krate;
        for (place, child) in krate.children(module) {
            if child.public {
                self.named_module(place, &format!("{path}::{}", child.name), around, depth);
            }
        }
        for item in &krate.modules[module].items {
            let conditions = with(around, &conditions(attrs(item)).unwrap_or_default());
            match (item, named(item)) {
                (Item::Use(found), _) if matches!(found.vis, Visibility::Public(_)) => {
                    for leaf in brought_in(item) {
                        self.reexport(module, &leaf, path, &conditions, depth);
                    }
                }
                (_, Some((ident, Visibility::Public(_)))) => {
                    let key = (module, ident.to_string());
                    self.export(key, format!("{path}::{ident}"), conditions);
                }
                _ => {}
            }
        }
    }

    fn named_module(&mut self, module: usize, path: &str, around: &Conditions, depth: usize) {
        let conditions = with(around, &self.krate.modules[module].conditions);
        self.lines.push(Line::new(path, format!("pub mod {path}"), &conditions));
        self.module(module, path, &conditions, depth + 1);
    }

    fn reexport(&mut self, module: usize, leaf: &Leaf, path: &str, around: &Conditions, depth: usize) {
        let krate = self.krate;
        match (krate.find(module, &leaf.path), &leaf.name) {
            (Some(Found::Module(found)), Some(name)) => {
                self.named_module(found, &format!("{path}::{name}"), around, depth);
            }
            (Some(Found::Module(found)), None) => {
                let conditions = with(around, &krate.modules[found].conditions);
                self.module(found, path, &conditions, depth + 1);
            }
            (Some(Found::Item(home, item)), Some(name)) => {
                let own = krate.item(home, &item).and_then(|item| conditions(attrs(item)));
                let conditions = with(around, &krate.modules[home].conditions);
                let conditions = with(&conditions, &own.unwrap_or_default());
                self.export((home, item), format!("{path}::{name}"), conditions);
            }
            (_, name) => {
                let path = format!("{path}::{}", name.as_deref().unwrap_or("*"));
                let text = format!("pub use {path} = {}", leaf.path.join("::"));
                self.lines.push(Line::new(&path, text, around));
            }
        }
    }

    fn export(&mut self, key: Key, path: String, conditions: Conditions) {
        self.exports.entry(key).or_default().push(Export { path, conditions });
    }
}
