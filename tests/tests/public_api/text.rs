//! Tokens as somebody would have typed them, and what attributes say.

use std::collections::BTreeSet;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaNameValue, Token};

/// Under which `cfg` something is built.
pub(crate) type Conditions = BTreeSet<String>;

/// One line, however the source breaks it.
pub(crate) fn tidy(tokens: impl ToTokens) -> String {
    let mut atoms = Vec::new();
    collect(tokens.to_token_stream(), &mut atoms);
    let mut text = String::new();
    let mut last = String::new();
    for atom in atoms {
        if !last.is_empty() && is_spaced(&last, &atom) {
            text.push(' ');
        }
        text.push_str(&atom);
        last = atom;
    }
    // A comma at the end of a broken line says nothing.
    let text = text.replace(",)", ")").replace(",>", ">").replace("(mut self", "(self");
    text.trim_end_matches(',').to_owned()
}

fn collect(tokens: TokenStream, atoms: &mut Vec<String>) {
    let mut joint = false;
    for token in tokens {
        let (text, joins) = match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                atoms.push(open.to_owned());
                collect(group.stream(), atoms);
                (close.to_owned(), false)
            }
            TokenTree::Punct(punct) => (punct.as_char().to_string(), punct.spacing() == Spacing::Joint),
            other => (other.to_string(), false),
        };
        match atoms.last_mut() {
            Some(last) if joint => last.push_str(&text),
            _ => atoms.push(text),
        }
        joint = joins;
    }
}

fn is_spaced(before: &str, after: &str) -> bool {
    let clings = [",", ";", ":", ")", "]", ">", ""].contains(&after);
    if clings || ["(", "[", "<", "&", "::", "*", "#", "?", ""].contains(&before) {
        return false;
    }
    let opens = ["->", ",", ":", "=", "+", "mut", "dyn", "as", "where"].contains(&before);
    opens || !["(", "<", "::"].contains(&after)
}

/// The attributes, those in a `cfg_attr` after their condition.
pub(crate) fn metas(attrs: &[Attribute]) -> Vec<(Option<String>, Meta)> {
    let mut metas = Vec::new();
    for attr in attrs {
        match &attr.meta {
            Meta::List(list) if list.path.is_ident("cfg_attr") => {
                let parts = list
                    .parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated)
                    .expect("the compiler has read it");
                let mut parts = parts.into_iter();
                let condition = tidy(parts.next().expect("it begins with a condition"));
                metas.extend(parts.map(|meta| (Some(condition.clone()), meta)));
            }
            meta => metas.push((None, meta.clone())),
        }
    }
    metas
}

/// The conditions of something with these attributes. `None` if it is no part of the API: of tests, hidden from
/// the documentation, or what stands in for a feature that is off.
pub(crate) fn conditions(attrs: &[Attribute]) -> Option<Conditions> {
    let mut conditions = Conditions::new();
    for (_, meta) in metas(attrs) {
        let Meta::List(list) = meta else { continue };
        let text = tidy(&list.tokens);
        if list.path.is_ident("doc") && text == "hidden" {
            return None;
        }
        if list.path.is_ident("cfg") {
            let of_tests = text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == "test");
            if of_tests || (text.starts_with("not(") && text.contains("feature")) {
                return None;
            }
            conditions.insert(text);
        }
    }
    Some(conditions)
}

/// The file in `#[path = "…"]`.
pub(crate) fn path_attribute(attrs: &[Attribute]) -> Option<String> {
    metas(attrs).into_iter().find_map(|(condition, meta)| match meta {
        Meta::NameValue(MetaNameValue {
            path,
            value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }),
            ..
        }) if condition.is_none() && path.is_ident("path") => Some(text.value()),
        _ => None,
    })
}

/// Both together.
pub(crate) fn with(some: &Conditions, more: &Conditions) -> Conditions {
    some.union(more).cloned().collect()
}
