//! Where generated tokens claim to stand, so that the compiler's errors point at what the user wrote.
//!
//! A place lends its location only: the code stays this macro's, so lints about the user's code keep silent.
//! Stable compilers cannot join two spans, but they do join the first and the last token of an expression.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;

/// A stretch of the user's source.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// Its first token.
    pub(crate) first: Span,
    /// Its last token.
    pub(crate) last: Span,
}

impl Place {
    /// Where `tokens` stand.
    pub(crate) fn of(tokens: impl ToTokens) -> Self {
        let mut spans = tokens.into_token_stream().into_iter().map(|tree| here(tree.span()));
        let first = spans.next().unwrap_or_else(Span::call_site);
        Self { first, last: spans.last().unwrap_or(first) }
    }

    /// The attribute itself.
    pub(crate) fn attribute() -> Self {
        Self { first: Span::call_site(), last: Span::call_site() }
    }
}

/// The location `span`, as code that this macro wrote.
pub(crate) fn here(span: Span) -> Span {
    Span::call_site().located_at(span)
}

/// `tokens` with everything on the outside of groups at `span`.
pub(crate) fn at(span: Span, tokens: TokenStream) -> TokenStream {
    let respan = |tree: TokenTree| match tree {
        TokenTree::Group(group) => {
            let mut moved = Group::new(group.delimiter(), group.stream());
            moved.set_span(span);
            TokenTree::Group(moved)
        }
        mut other => {
            other.set_span(other.span().located_at(span));
            other
        }
    };
    tokens.into_iter().map(respan).collect()
}

/// The name of a closure's argument; its own, so that the user's arguments called `cx` stay apart.
pub(crate) fn context() -> Ident {
    Ident::new("cx", Span::mixed_site())
}
