//! `key = value, key(…)`: the entries of an attribute, split before anything is understood.
//!
//! Splitting first means that a mistake in one entry hides no mistake in another.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{Lit, LitBool, LitStr};

use crate::errors::Errors;

/// One entry.
pub(crate) struct Entry {
    /// The key, where the user wrote it.
    pub(crate) key: Ident,
    /// What follows it.
    value: Value,
}

enum Value {
    Nothing,
    Assigned(TokenStream),
    Listed(TokenStream),
}

impl Entry {
    /// The key without `r#`.
    pub(crate) fn name(&self) -> String {
        self.key.unraw().to_string()
    }

    /// The tokens after `=`; `example` is what a right entry looks like.
    pub(crate) fn assigned(&self, example: &str) -> syn::Result<&TokenStream> {
        match &self.value {
            Value::Assigned(tokens) if !tokens.is_empty() => Ok(tokens),
            _ => Err(syn::Error::new(self.key.span(), format!("expected `{example}`"))),
        }
    }

    /// The tokens between the parentheses of `key(…)`.
    pub(crate) fn listed(&self, example: &str) -> syn::Result<&TokenStream> {
        match &self.value {
            Value::Listed(tokens) if !tokens.is_empty() => Ok(tokens),
            _ => Err(syn::Error::new(self.key.span(), format!("expected `{example}`"))),
        }
    }

    /// The value as a string.
    pub(crate) fn string(&self, example: &str) -> syn::Result<LitStr> {
        let value = self.assigned(example)?;
        syn::parse2(value.clone()).map_err(|_| wrong(value, "a string", example))
    }

    /// Whether it is set: by its name alone, or by `true` or `false`.
    pub(crate) fn flag(&self, example: &str) -> syn::Result<bool> {
        if let Value::Nothing = self.value {
            return Ok(true);
        }
        let value = self.assigned(example)?;
        let flag: syn::Result<LitBool> = syn::parse2(value.clone());
        flag.map(|flag| flag.value()).map_err(|_| wrong(value, "`true` or `false`", example))
    }

    /// The value as a list of strings, not empty; what is none is told and left out.
    pub(crate) fn strings(&self, example: &str, errors: &mut Errors) -> Option<Vec<LitStr>> {
        let value = errors.keep(self.assigned(example))?;
        let mut trees = value.clone().into_iter();
        let (Some(TokenTree::Group(list)), None) = (trees.next(), trees.next()) else {
            errors.push(wrong(value, "a list of strings", example));
            return None;
        };
        if list.delimiter() != Delimiter::Bracket {
            errors.push(wrong(value, "a list of strings", example));
            return None;
        }
        let items = split(list.stream());
        if items.is_empty() {
            errors.over(value, format!("the list is empty\n  help: for example `{example}`"));
            return None;
        }
        let string = |item: Vec<TokenTree>| {
            let tokens: TokenStream = item.into_iter().collect();
            errors
                .keep(syn::parse2::<LitStr>(tokens.clone()).map_err(|_| wrong(&tokens, "a string", example)))
        };
        Some(items.into_iter().filter_map(string).collect())
    }

    /// The value as a finite number of 0 or more.
    pub(crate) fn number(&self, example: &str) -> syn::Result<f64> {
        let value = self.assigned(example)?;
        let number = match syn::parse2::<Lit>(value.clone()) {
            Ok(Lit::Int(literal)) => literal.base10_digits().parse().ok(),
            Ok(Lit::Float(literal)) => literal.base10_digits().parse().ok(),
            _ => None,
        };
        number
            .filter(|number: &f64| number.is_finite() && *number >= 0.0)
            .ok_or_else(|| wrong(value, "a number of 0 or more", example))
    }
}

/// "Expected … here", over the value as it stands.
fn wrong(value: &TokenStream, what: &str, example: &str) -> syn::Error {
    syn::Error::new_spanned(value, format!("expected {what}: `{example}`"))
}

/// The entries of `tokens`; what is none is an error.
pub(crate) fn entries(tokens: TokenStream, errors: &mut Errors) -> Vec<Entry> {
    split(tokens).into_iter().filter_map(|chunk| errors.keep(entry(chunk))).collect()
}

fn entry(chunk: Vec<TokenTree>) -> syn::Result<Entry> {
    let all: TokenStream = chunk.iter().cloned().collect();
    let mut rest = chunk.into_iter();
    let key = match rest.next() {
        Some(TokenTree::Ident(key)) => key,
        Some(TokenTree::Literal(literal)) => {
            let message = format!("a value needs its key\n  help: `scenario = {literal}`");
            return Err(syn::Error::new_spanned(all, message));
        }
        _ => return Err(syn::Error::new_spanned(all, "expected `key = value`")),
    };
    let value = match rest.next() {
        None => Value::Nothing,
        Some(TokenTree::Punct(punct)) if punct.as_char() == '=' => Value::Assigned(rest.by_ref().collect()),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            Value::Listed(group.stream())
        }
        Some(_) => return Err(syn::Error::new_spanned(all, "expected `key = value`")),
    };
    match rest.next() {
        Some(extra) => Err(syn::Error::new_spanned(extra.into_token_stream(), "expected `,`")),
        None => Ok(Entry { key, value }),
    }
}

/// `tokens` cut at its outermost commas, without empty pieces.
fn split(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let (mut pieces, mut piece) = (Vec::new(), Vec::new());
    for tree in tokens {
        match &tree {
            TokenTree::Punct(punct) if punct.as_char() == ',' => pieces.push(std::mem::take(&mut piece)),
            _ => piece.push(tree),
        }
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.is_empty());
    pieces
}
