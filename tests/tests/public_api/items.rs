//! What is told of an item: its head, its fields and variants, the items of a trait.

use syn::punctuated::Punctuated;
use syn::{Attribute, Field, Fields, Generics, Item, Meta, Path, Signature, Token, TraitItem, Visibility};

use crate::listing::{Export, Line};
use crate::text::{Conditions, conditions, metas, tidy, with};

/// The lines of an item.
pub(crate) fn describe(item: &Item, home: &Export) -> Vec<Line> {
    let path = &home.path;
    let mut lines = Lines { lines: Vec::new(), around: &home.conditions };
    match item {
        Item::Const(item) => lines.push(path, format!("pub const {path}: {}", tidy(&item.ty)), &[]),
        Item::Static(item) => lines.push(path, format!("pub static {path}: {}", tidy(&item.ty)), &[]),
        Item::Type(item) => {
            let generics = parameters(&item.generics);
            lines.push(path, format!("pub type {path}{generics} = {}", tidy(&item.ty)), &[]);
        }
        Item::Fn(item) => lines.push(path, format!("pub {}", signature(&item.sig, path)), &[]),
        Item::Struct(item) => {
            let private = item.fields.iter().any(|field| !matches!(field.vis, Visibility::Public(_)));
            let rest = if private { " { .. }" } else { "" };
            let head = head("struct", path, &item.generics, &item.attrs);
            lines.push(path, format!("{head}{rest}"), &[]);
            lines.fields(path, &item.fields, false);
        }
        Item::Enum(item) => {
            lines.push(path, head("enum", path, &item.generics, &item.attrs), &[]);
            for variant in &item.variants {
                let path = format!("{path}::{}", variant.ident);
                let mark = mark(&variant.attrs);
                match &variant.fields {
                    Fields::Unnamed(fields) => {
                        let types: Vec<String> = fields.unnamed.iter().map(|field| tidy(&field.ty)).collect();
                        lines.push(&path, format!("{mark}{path}({})", types.join(", ")), &variant.attrs);
                    }
                    fields => {
                        lines.push(&path, format!("{mark}{path}"), &variant.attrs);
                        lines.fields(&path, fields, true);
                    }
                }
            }
        }
        Item::Trait(item) => {
            let mut head = head("trait", path, &item.generics, &item.attrs);
            if !item.supertraits.is_empty() {
                head = format!("{head}: {}", tidy(&item.supertraits));
            }
            lines.push(path, head, &[]);
            item.items.iter().for_each(|item| lines.of_trait(path, item));
        }
        _ => {}
    }
    lines.lines
}

struct Lines<'a> {
    lines: Vec<Line>,
    around: &'a Conditions,
}

impl Lines<'_> {
    /// Unless the attributes say that it is hidden.
    fn push(&mut self, key: &str, text: String, attrs: &[Attribute]) {
        if let Some(own) = conditions(attrs) {
            self.lines.push(Line::new(key, text, &with(self.around, &own)));
        }
    }

    /// Those that are public, as all are in a variant.
    fn fields(&mut self, path: &str, fields: &Fields, all: bool) {
        for (n, field) in fields.iter().enumerate() {
            if all || matches!(field.vis, Visibility::Public(_)) {
                let path = format!("{path}::{}", field_name(n, field));
                self.push(&path, format!("pub {path}: {}", tidy(&field.ty)), &field.attrs);
            }
        }
    }

    fn of_trait(&mut self, path: &str, item: &TraitItem) {
        match item {
            TraitItem::Fn(item) => {
                let path = format!("{path}::{}", item.sig.ident);
                let provided = if item.default.is_some() { " { .. }" } else { "" };
                self.push(&path, format!("{}{provided}", signature(&item.sig, &path)), &item.attrs);
            }
            TraitItem::Const(item) => {
                let path = format!("{path}::{}", item.ident);
                let provided = if item.default.is_some() { " = .." } else { "" };
                self.push(&path, format!("const {path}: {}{provided}", tidy(&item.ty)), &item.attrs);
            }
            TraitItem::Type(item) => {
                let path = format!("{path}::{}", item.ident);
                let bounds = tidy(&item.bounds);
                let bounds = if bounds.is_empty() { bounds } else { format!(": {bounds}") };
                self.push(&path, format!("type {path}{bounds}"), &item.attrs);
            }
            _ => {}
        }
    }
}

fn field_name(n: usize, field: &Field) -> String {
    field.ident.as_ref().map_or_else(|| n.to_string(), ToString::to_string)
}

/// Whether others must be ready for more.
fn mark(attrs: &[Attribute]) -> &'static str {
    let open = metas(attrs).iter().any(|(_, meta)| meta.path().is_ident("non_exhaustive"));
    if open { "#[non_exhaustive] " } else { "" }
}

fn head(kind: &str, path: &str, generics: &Generics, attrs: &[Attribute]) -> String {
    format!("{}pub {kind} {path}{}", mark(attrs), parameters(generics))
}

/// The parameters and the bounds.
fn parameters(generics: &Generics) -> String {
    let bounds = tidy(&generics.where_clause);
    let space = if bounds.is_empty() { "" } else { " " };
    format!("{}{space}{bounds}", tidy(generics))
}

/// A signature, with its name in full.
pub(crate) fn signature(signature: &Signature, path: &str) -> String {
    let name = format!("fn {}", signature.ident);
    tidy(signature).replacen(&name, &format!("fn {path}"), 1)
}

/// The traits an item derives.
pub(crate) fn derived(attrs: &[Attribute]) -> Vec<(Option<String>, String)> {
    let mut found = Vec::new();
    for (condition, meta) in metas(attrs) {
        if let Meta::List(list) = meta
            && list.path.is_ident("derive")
        {
            let paths = list
                .parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
                .expect("the compiler has read it");
            for path in paths {
                let name = path.segments.last().map(|segment| segment.ident.to_string());
                found.push((condition.clone(), name.unwrap_or_default()));
            }
        }
    }
    found
}
