//! The function's signature: what each argument is given, and what cannot be a chaos test.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, GenericParam, Lifetime, Pat, PatType, Safety, Signature, Type};

use crate::errors::Errors;
use crate::function::{Attributes, foreign, shown};
use crate::place::{Place, at, context};

/// How the generated tests call the function.
#[derive(Default)]
pub(crate) struct Call {
    /// What is passed, in order.
    pub(crate) values: Vec<TokenStream>,
    /// Parameters of the generated tests, for another macro to fill.
    pub(crate) params: Vec<TokenStream>,
    /// The names of `params`, to be cloned for every call.
    pub(crate) cloned: Vec<Ident>,
    /// Whether `values` use the context.
    pub(crate) uses_context: bool,
}

/// Checks the signature and finds out how to call the function.
pub(crate) fn call(sig: &Signature, attrs: &Attributes<'_>, environment: bool, errors: &mut Errors) -> Call {
    qualifiers(sig, attrs, errors);
    let mut call = Call::default();
    let (mut chaos, mut env) = (false, false);
    for input in &sig.inputs {
        let argument = match input {
            FnArg::Receiver(receiver) => {
                errors.over(receiver, "a chaos test is a free function: it has no `self`");
                continue;
            }
            FnArg::Typed(argument) => argument,
        };
        if let Some(cfg) = argument.attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
            errors.over(cfg, "`#[cfg]` on an argument is not supported\n  help: write two functions");
            continue;
        }
        if let Some(first) = foreign(&argument.attrs).first() {
            if attrs
                .moved
                .iter()
                .all(|attr| attr.path().is_ident("ignore") || attr.path().is_ident("should_panic"))
            {
                let message = format!(
                    "nothing here reads `{}`\n  help: add its macro, for example `#[rstest]`, below \
                                       `#[chaos_test]`",
                    shown(first)
                );
                errors.over(first, message);
            }
            call.parameter(argument);
            continue;
        }
        match Kind::of(&argument.ty) {
            Kind::Chaos(_) if std::mem::replace(&mut chaos, true) => {
                errors.over(&argument.ty, "a second `Chaos` argument: there is only one experiment");
            }
            Kind::Environment(_) if std::mem::replace(&mut env, true) => {
                let message = "a second environment argument: a test has at most one\n  help: `Chaos` has the rest: \
                               `chaos: Chaos`";
                errors.over(&argument.ty, message);
            }
            Kind::Environment(_) if !environment => {
                let message = "there is no environment to make this argument from\n  help: give \
                               `environment = path::to::fn`, or take `chaos: Chaos`";
                errors.over(&argument.ty, message);
            }
            Kind::Exclusive => {
                let message =
                    "the repeated and concurrent runs of a test share its arguments: `&mut` is not possible";
                errors.over(&argument.ty, message);
            }
            Kind::Chaos(method) | Kind::Environment(method) => {
                let (cx, method) = (context(), format_ident!("{method}"));
                let Place { first, last } = Place::of(&argument.ty);
                let (receiver, call_it) = (at(first, quote!(#cx.#method)), at(last, quote!(())));
                call.values.push(quote!(#receiver #call_it));
                call.uses_context = true;
            }
        }
    }
    call
}

/// What precedes and follows the arguments.
fn qualifiers(sig: &Signature, attrs: &Attributes<'_>, errors: &mut Errors) {
    let name = &sig.ident;
    if sig.asyncness.is_none() && !attrs.spoiled {
        let fn_token = sig.fn_token;
        let message = format!("a chaos test must be async\n  help: `async fn {name}`");
        errors.over(quote!(#fn_token #name), message);
    }
    if let Some(token) = sig.constness {
        errors.over(token, "a chaos test cannot be `const`");
    }
    match &sig.safety {
        Safety::Default => {}
        unsafe_or_safe => {
            errors.over(unsafe_or_safe, "a chaos test cannot be `unsafe`: the harness calls it")
        }
    }
    if let Some(abi) = &sig.abi {
        errors.over(abi, "a chaos test cannot be `extern`");
    }
    if let Some(variadic) = &sig.variadic {
        errors.over(variadic, "a chaos test has no variadic arguments");
    }
    for param in &sig.generics.params {
        if !matches!(param, GenericParam::Lifetime(_)) {
            let message = "a chaos test cannot be generic: nobody could choose the type\n  help: call a generic \
                           function from it";
            errors.over(param, message);
        }
    }
}

/// What an argument is, by its type; the harness's method that gives it.
enum Kind {
    Chaos(&'static str),
    Environment(&'static str),
    Exclusive,
}

impl Kind {
    fn of(ty: &Type) -> Self {
        match ty {
            Type::Group(group) => Self::of(&group.elem),
            Type::Paren(paren) => Self::of(&paren.elem),
            Type::Reference(reference) if reference.mutability.is_some() => Self::Exclusive,
            Type::Reference(reference) if is_chaos(&reference.elem) => Self::Chaos("chaos_ref"),
            Type::Reference(_) => Self::Environment("environment"),
            ty if is_chaos(ty) => Self::Chaos("chaos"),
            _ => Self::Environment("shared_environment"),
        }
    }
}

fn is_chaos(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_chaos(&group.elem),
        Type::Paren(paren) => is_chaos(&paren.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Chaos"),
        _ => false,
    }
}

impl Call {
    /// Makes `argument` a parameter of the generated tests.
    fn parameter(&mut self, argument: &PatType) {
        let name = match &*argument.pat {
            Pat::Ident(pattern) => pattern.ident.clone(),
            _ => format_ident!("argument_{}", self.params.len()),
        };
        let attrs = foreign(&argument.attrs);
        let mut ty = argument.ty.clone();
        if let Type::Reference(reference) = &mut *ty
            && reference.lifetime.is_none()
        {
            // The test runs its body in tasks, so what it is given lives as long as they do.
            reference.lifetime = Some(Lifetime::new("'static", reference.and_token.span()));
        }
        self.params.push(quote!(#(#attrs)* #name: #ty));
        self.values.push(quote!(#name));
        self.cloned.push(name);
    }
}
