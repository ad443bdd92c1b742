//! What public types can do: their public methods, and the traits they implement.

use std::collections::BTreeMap;

use syn::{ImplItem, Item, ItemImpl, Path, PathArguments, Type, Visibility};

use crate::items::{derived, signature};
use crate::listing::{Export, Key, Line};
use crate::modules::{Crate, Found, attrs};
use crate::text::{Conditions, conditions, tidy, with};

type Homes = BTreeMap<Key, Export>;

/// The lines of all `impl` blocks and derives of what is public.
pub(crate) fn lines(krate: &Crate, homes: &Homes) -> Vec<Line> {
    let mut lines = Vec::new();
    for ((module, name), home) in homes {
        let Some(item) = krate.item(*module, name) else { continue };
        for (condition, name) in derived(attrs(item)) {
            let conditions = with(&home.conditions, &condition.into_iter().collect());
            lines.push(Line::new(&key(&home.path), format!("impl {name} for {}", home.path), &conditions));
        }
    }
    for (place, module) in krate.modules.iter().enumerate() {
        for item in &module.items {
            if let Item::Impl(found) = item {
                let own = conditions(&found.attrs).unwrap_or_default();
                let around = with(&module.conditions, &own);
                lines.extend(of_block(krate, homes, place, found, &around));
            }
        }
    }
    lines
}

/// After the item, and before its methods.
fn key(path: &str) -> String {
    format!("{path} impl")
}

/// What is known of a path in a module.
enum Known<'a> {
    Public(&'a Export),
    Private,
    Foreign,
}

fn known<'a>(krate: &Crate, homes: &'a Homes, module: usize, path: &Path) -> Known<'a> {
    let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    match krate.find(module, &names) {
        Some(Found::Item(home, name)) => homes.get(&(home, name)).map_or(Known::Private, Known::Public),
        _ => Known::Foreign,
    }
}

/// The path by which others know it, with the arguments it has here.
fn in_full(path: &Path, home: &Export) -> String {
    match path.segments.last().map(|segment| &segment.arguments) {
        Some(PathArguments::None) | None => home.path.clone(),
        Some(arguments) => format!("{}{}", home.path, tidy(arguments)),
    }
}

fn of_block(krate: &Crate, homes: &Homes, module: usize, block: &ItemImpl, around: &Conditions) -> Vec<Line> {
    let of_type = match &*block.self_ty {
        Type::Path(found) if found.qself.is_none() => {
            Some((&found.path, known(krate, homes, module, &found.path)))
        }
        _ => None,
    };
    let of_trait = block.trait_.as_ref().map(|(path, _)| (path, known(krate, homes, module, path)));
    let generics = &block.generics;
    let bounds = tidy(&generics.where_clause);
    let bounds = if bounds.is_empty() { bounds } else { format!(" {bounds}") };
    match (&of_type, &of_trait) {
        (Some((_, Known::Private)), _) | (_, Some((_, Known::Private))) => Vec::new(),
        (Some((path, Known::Public(home))), None) => {
            let around = with(around, &home.conditions);
            let full = in_full(path, home);
            let of = if generics.params.is_empty() {
                String::new()
            } else {
                format!("  (impl{} {full}{bounds})", tidy(generics))
            };
            block.items.iter().filter_map(|item| of_type_itself(item, &home.path, &of, &around)).collect()
        }
        (_, None) => Vec::new(),
        (of_type, Some((path, of_trait))) => {
            let (home, this) = match of_type {
                Some((path, Known::Public(home))) => (Some(*home), in_full(path, home)),
                _ => (None, tidy(&block.self_ty)),
            };
            let (home, name) = match of_trait {
                Known::Public(export) => (home.or(Some(*export)), in_full(path, export)),
                _ => (home, tidy(path)),
            };
            // A foreign trait of a foreign type cannot be.
            let Some(home) = home else { return Vec::new() };
            let around = with(around, &home.conditions);
            let head = format!("impl{} {name} for {this}{bounds}", tidy(generics));
            let types = block.items.iter().filter_map(|item| match item {
                ImplItem::Type(item) => Some(format!("{head}: type {} = {}", item.ident, tidy(&item.ty))),
                _ => None,
            });
            let texts = std::iter::once(head.clone()).chain(types);
            texts.map(|text| Line::new(&key(&home.path), text, &around)).collect()
        }
    }
}

fn of_type_itself(item: &ImplItem, path: &str, of: &str, around: &Conditions) -> Option<Line> {
    let (attrs, vis, ident) = match item {
        ImplItem::Fn(item) => (&item.attrs, &item.vis, &item.sig.ident),
        ImplItem::Const(item) => (&item.attrs, &item.vis, &item.ident),
        _ => return None,
    };
    if !matches!(vis, Visibility::Public(_)) {
        return None;
    }
    let conditions = with(around, &conditions(attrs)?);
    let path = format!("{path}::{ident}");
    let text = match item {
        ImplItem::Fn(item) => format!("pub {}{of}", signature(&item.sig, &path)),
        ImplItem::Const(item) => format!("pub const {path}: {}{of}", tidy(&item.ty)),
        _ => return None,
    };
    Some(Line::new(&path, text, &conditions))
}
