//! The annotated function: its body as raw tokens, its attributes sorted by where they belong.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Visibility, token};

use crate::errors::Errors;

/// A function whose body is never parsed, so that no token of it changes its place.
pub(crate) struct Func {
    /// All attributes but the one being expanded.
    pub(crate) attrs: Vec<Attribute>,
    /// `pub`
    pub(crate) vis: Visibility,
    /// From `async` to the return type.
    pub(crate) sig: Signature,
    /// `{ … }`
    pub(crate) body: TokenStream,
}

impl Parse for Func {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = Attribute::parse_outer(input)?;
        let vis = input.parse()?;
        let sig: Signature = input.parse()?;
        if !input.peek(token::Brace) {
            return Err(input.error("`#[chaos_test]` needs a function with a body"));
        }
        Ok(Self { attrs, vis, sig, body: input.parse()? })
    }
}

impl Func {
    /// The function as it was written, with `attrs` in place of its attributes and plain parameters.
    pub(crate) fn original(&self, attrs: &[&Attribute], extra: &TokenStream) -> TokenStream {
        let Self { vis, body, .. } = self;
        let mut sig = self.sig.clone();
        for input in &mut sig.inputs {
            if let syn::FnArg::Typed(argument) = input {
                argument.attrs.retain(stays);
            }
        }
        quote!(#(#attrs)* #extra #vis #sig #body)
    }
}

/// The attributes of a function, by where they belong.
#[derive(Default)]
pub(crate) struct Attributes<'a> {
    /// On the function itself: `doc`, `allow`, `cfg`, …
    pub(crate) kept: Vec<&'a Attribute>,
    /// On the module as well.
    pub(crate) cfg: Vec<&'a Attribute>,
    /// On every generated test.
    pub(crate) moved: Vec<&'a Attribute>,
    /// One of `moved` makes a test of an async function: `tokio::test`.
    pub(crate) runtime: bool,
    /// One of `moved` makes tests itself: `rstest`, or a runtime's.
    pub(crate) maker: bool,
    /// `should_panic` is among `moved`.
    pub(crate) should_panic: bool,
    /// A test attribute above ours has changed the function already.
    pub(crate) spoiled: bool,
}

impl<'a> Attributes<'a> {
    /// Sorts the attributes of `func`.
    pub(crate) fn sort(func: &'a Func, errors: &mut Errors) -> Self {
        let mut this = Self::default();
        for attr in &func.attrs {
            let path: Vec<String> = attr.path().segments.iter().map(|part| part.ident.to_string()).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            match path.as_slice() {
                ["core" | "std", "prelude", _, "test"] => {
                    this.spoiled = true;
                    let message = "second test attribute: put `#[chaos_test]` above it\n  help: a test attribute \
                                   above has made a test of this function already; move `#[chaos_test(…)]` to the top";
                    errors.over(attr, message);
                }
                ["test"] => {
                    let message = "remove `#[test]`: `#[chaos_test]` makes the tests\n  help: if another attribute \
                                   has made it, put `#[chaos_test(…)]` above that one";
                    errors.over(attr, message);
                }
                [.., "chaos_test"] => {
                    let message = "second `#[chaos_test]` on one function\n  help: list the scenarios in one: \
                                   `scenarios = [\"…\", \"…\"]`";
                    errors.over(attr, message);
                }
                ["cfg"] => {
                    this.kept.push(attr);
                    this.cfg.push(attr);
                }
                _ if stays(attr) => this.kept.push(attr),
                ["should_panic"] if matches!(attr.meta, syn::Meta::Path(_)) => {
                    let message = "`#[should_panic]` alone is green for a service that does not start, too\n  help: \
                                   say which failure is meant: `#[should_panic(expected = \"breached\")]`";
                    errors.over(attr, message);
                }
                path => {
                    this.moved.push(attr);
                    this.should_panic |= path == ["should_panic"];
                    // Without an argument test_log makes plain tests, so it takes no async function.
                    let logs_only = path == ["test_log", "test"] && matches!(attr.meta, syn::Meta::Path(_));
                    let runtime = matches!(path, [_, .., "test"]);
                    this.runtime |= runtime && !logs_only;
                    this.maker |= runtime || path.last() == Some(&"rstest");
                }
            }
        }
        this
    }
}

/// Whether an attribute says something about the code it stands on, and nothing about tests.
fn stays(attr: &Attribute) -> bool {
    const ABOUT_CODE: [&str; 13] = [
        "doc",
        "allow",
        "expect",
        "warn",
        "deny",
        "forbid",
        "cfg",
        "must_use",
        "inline",
        "cold",
        "track_caller",
        "deprecated",
        "instrument",
    ];
    let segments = &attr.path().segments;
    let tool = segments.len() > 1
        && segments.first().is_some_and(|tool| {
            ["clippy", "rustfmt", "rustc", "rust_analyzer", "diagnostic"]
                .iter()
                .any(|name| tool.ident == name)
        });
    tool || segments.last().is_some_and(|last| ABOUT_CODE.iter().any(|name| last.ident == name))
}

/// What an argument's own attribute looks like to the user: `#[case]`.
pub(crate) fn shown(attr: &Attribute) -> String {
    format!("#[{}]", attr.path().to_token_stream().to_string().replace(' ', ""))
}

/// The attributes of an argument that are another macro's business.
pub(crate) fn foreign(attrs: &[Attribute]) -> Vec<&Attribute> {
    attrs.iter().filter(|attr| !stays(attr)).collect()
}
