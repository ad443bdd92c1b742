//! The expansion: the original function, and a module of tests that call it.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::{Path, ReturnType};

use crate::attribute::Attribute;
use crate::errors::Errors;
use crate::function::{Attributes, Func};
use crate::locate::{Located, Site, Unusable};
use crate::place::{Place, at, context, here};
use crate::select::{self, Case};
use crate::signature::{self, Call};

/// What goes wrong, and the tokens to emit beside the errors so that the function stays known to an IDE.
pub(crate) struct Failed {
    /// Everything found.
    pub(crate) error: syn::Error,
    /// The function alone.
    pub(crate) original: TokenStream,
}

/// Expands the attribute with the arguments `attr` on `item`.
pub(crate) fn expand(attr: TokenStream, item: TokenStream, site: &Site) -> Result<TokenStream, Failed> {
    let func: Func = match syn::parse2(item.clone()) {
        Ok(func) => func,
        Err(error) => return Err(Failed { error: no_function(&item, error), original: item }),
    };
    let mut errors = Errors::default();
    let attrs = Attributes::sort(&func, &mut errors);
    let attribute = Attribute::parse(attr, &mut errors);
    if let (true, Some((_, flavor))) =
        (attrs.runtime, attribute.settings.iter().find(|(key, _)| *key == "flavor"))
    {
        errors.at(flavor.span(), "the runtime is the test attribute's: give `flavor` there");
    }
    let call = signature::call(&func.sig, &attrs, attribute.has_environment, &mut errors);
    let located = locate(&attribute, site, &mut errors);
    let (mut cases, mut slo) = (Vec::new(), None);
    if let Some(located) = &located {
        if let Some(selection) = &attribute.selection {
            cases = select::cases(selection, &located.names, &mut errors);
        }
        if let Some(literal) = &attribute.slo {
            let found = located.names.slo(&literal.value()).map(str::to_owned);
            slo = errors.keep(found.map_err(|message| syn::Error::new(literal.span(), message)));
        }
    }
    if let Err(error) = errors.into_result() {
        let original = func.original(&attrs.kept, &quote!(#[allow(dead_code)]));
        return Err(Failed { error, original });
    }
    let file = located.and_then(|located| located.file);
    let original = func.original(&attrs.kept, &quote!(#[cfg_attr(not(test), allow(dead_code))]));
    let module = Module { func: &func, attrs: &attrs, attribute: &attribute, call: &call, cases: &cases }
        .tokens(file.as_deref(), slo.as_deref());
    Ok(quote!(#original #module))
}

/// A mistake in a function's head is the parser's to tell; anything else is no function.
fn no_function(item: &TokenStream, error: syn::Error) -> syn::Error {
    let is_fn = |tree: &TokenTree| matches!(tree, TokenTree::Ident(ident) if ident == "fn");
    if item.clone().into_iter().any(|tree| is_fn(&tree)) {
        return error;
    }
    syn::Error::new_spanned(item, "`#[chaos_test]` goes on an `async fn`")
}

fn locate(attribute: &Attribute, site: &Site, errors: &mut Errors) -> Option<Located> {
    let key = attribute.catalogue.as_ref();
    match site.catalogue(key.map(syn::LitStr::value).as_deref()) {
        Ok(located) => Some(located),
        Err(Unusable(message)) => {
            errors.at(key.map_or_else(Span::call_site, syn::LitStr::span), message);
            None
        }
    }
}

struct Module<'a> {
    func: &'a Func,
    attrs: &'a Attributes<'a>,
    attribute: &'a Attribute,
    call: &'a Call,
    cases: &'a [Case],
}

impl Module<'_> {
    fn tokens(&self, file: Option<&str>, slo: Option<&str>) -> TokenStream {
        let (name, cfg) = (self.name(), &self.attrs.cfg);
        let settings = self.settings(file, slo);
        let tests = self.cases.iter().map(|case| self.test(case));
        quote! {
            #(#cfg)*
            #[cfg(test)]
            mod #name {
                #[allow(unused_imports)]
                use super::*;
                #settings
                #(#tests)*
            }
        }
    }

    /// The function's name, for what this macro writes.
    fn name(&self) -> Ident {
        let mut name = self.func.sig.ident.clone();
        name.set_span(here(name.span()));
        name
    }

    /// The library, as seen from inside the module.
    fn library(&self) -> TokenStream {
        self.attribute.krate.as_ref().map_or_else(|| quote!(::chaos_test), inside)
    }

    /// `const TEST`: what all tests of the function have in common. Only what was given is named.
    fn settings(&self, file: Option<&str>, slo: Option<&str>) -> TokenStream {
        let library = self.library();
        let some = |value: TokenStream| quote!(::core::option::Option::Some(#value));
        let mut fields = Vec::new();
        if let Some(file) = file {
            let value = some(quote!((#file, ::core::include_str!(#file))));
            fields.push(quote!(catalogue: #value,));
        }
        if self.attribute.catalogue.is_some() {
            fields.push(quote!(catalogue_named: true,));
        }
        if let Some(slo) = slo {
            let value = some(quote!(#slo));
            fields.push(quote!(slo: #value,));
        }
        for (key, literal) in &self.attribute.settings {
            let (key, value) = (format_ident!("{key}"), some(literal.to_token_stream()));
            fields.push(quote!(#key: #value,));
        }
        if self.attribute.sequential == Some(false) {
            fields.push(quote!(sequential: false,));
        }
        if self.attribute.dry_run {
            fields.push(quote!(dry_run: true,));
        }
        if !self.attribute.objectives.is_empty() {
            let bounds = self.attribute.objectives.iter().map(|(name, bound)| {
                let bound = Literal::f64_unsuffixed(*bound);
                quote!((#name, #bound))
            });
            fields.push(quote!(objectives: &[#(#bounds),*],));
        }
        quote! {
            const _: ::core::option::Option<&str> = ::core::option_env!("CHAOS_TEST_CATALOGUE");
            const TEST: #library::__private::Test = #library::__private::Test {
                module: ::core::module_path!(),
                manifest_dir: ::core::env!("CARGO_MANIFEST_DIR"),
                #(#fields)*
                ..#library::__private::Test::DEFAULT
            };
        }
    }

    fn test(&self, Case { scenario, test }: &Case) -> TokenStream {
        let (library, moved, params) = (self.library(), &self.attrs.moved, &self.call.params);
        let slug = test.to_string();
        let (environment, body) = (self.environment(), self.body());
        let arguments = quote!((&TEST, #slug, #scenario, #environment, #body));
        let mut run = if self.attrs.runtime {
            quote!(#library::__private::run_in #arguments.await)
        } else {
            quote!(#library::__private::run #arguments)
        };
        let mut output = quote!(-> #library::TestResult);
        if self.attrs.should_panic {
            run = quote!(let result = #run; #library::__private::expect_pass(result));
            output = TokenStream::new();
        }
        let asyncness = self.attrs.runtime.then(|| quote!(async));
        let marker = (!self.attrs.maker).then(|| quote!(#[test]));
        quote! {
            #marker
            #(#moved)*
            #asyncness fn #test(#(#params),*) #output { #run }
        }
    }

    /// The closure that makes the environment.
    fn environment(&self) -> TokenStream {
        let Some(path) = &self.attribute.environment else {
            let library = self.library();
            return quote!(#library::__private::no_environment);
        };
        // A test or the constant of the same name would hide it.
        let hidden = |name: &Ident| name == "TEST" || self.cases.iter().any(|case| case.test == *name);
        let mut function = inside(path);
        if path.get_ident().is_some_and(hidden) {
            function = quote!(super::#function);
        }
        let Place { first, last } = Place::of(path);
        let (pin, call) = (at(first, quote!(|| ::std::boxed::Box::pin)), at(last, quote!(())));
        let pinned = at(last, quote!((#function #call)));
        quote!(#pin #pinned)
    }

    /// The closure that runs the function once.
    fn body(&self) -> TokenStream {
        let (library, name, Call { values, cloned, uses_context, .. }) =
            (self.library(), self.name(), self.call);
        // A return type that is no outcome is told where it stands.
        let Place { first, last } = match &self.func.sig.output {
            ReturnType::Default => Place::attribute(),
            ReturnType::Type(_, ty) => Place::of(ty),
        };
        let outcome = at(first, quote!(#library::__private::outcome));
        let (callee, awaited) = (at(first, quote!(super::#name)), at(last, quote!((#(#values),*).await)));
        let run = quote!(::std::boxed::Box::pin(async move { #outcome(#callee #awaited) }));
        let cx = if *uses_context { context().into_token_stream() } else { quote!(_) };
        if cloned.is_empty() {
            return quote!(|#cx| #run);
        }
        quote! {
            move |#cx| {
                let (#(#cloned,)*) = (#(Clone::clone(&#cloned),)*);
                #run
            }
        }
    }
}

/// A path of the user's, as it must be written one module further in.
fn inside(path: &Path) -> TokenStream {
    let first = path.segments.first().map(|segment| segment.ident.to_string());
    match first.as_deref() {
        Some("super") => quote!(super::#path),
        Some("self") => {
            let rest = path.segments.iter().skip(1);
            quote!(super #(::#rest)*)
        }
        _ => path.to_token_stream(),
    }
}

#[cfg(test)]
mod tests;
