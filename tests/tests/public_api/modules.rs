//! The modules of a crate as its sources have them, with every feature on, and what a path means in one of them.

use std::path::{Path, PathBuf};

use syn::{Attribute, Ident, Item, UseTree, Visibility};

use crate::text::{Conditions, conditions, path_attribute, with};

/// Reads a file, if there is one.
pub(crate) type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// How deep re-exports may be nested.
pub(crate) const DEEPEST: usize = 16;

pub(crate) struct Module {
    pub(crate) name: String,
    pub(crate) parent: usize,
    pub(crate) public: bool,
    /// Of the module and of those around it.
    pub(crate) conditions: Conditions,
    /// All but its modules, and without what is no part of any API.
    pub(crate) items: Vec<Item>,
}

/// The modules, each named by its place in the list. The first is the root.
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
}

/// Where the files of a module's own modules are.
struct Place {
    /// Those with a `#[path]`.
    beside: PathBuf,
    /// The others.
    below: PathBuf,
}

impl Place {
    fn of(file: &Path, owns_folder: bool) -> Self {
        let beside = file.parent().expect("a file is in a folder").to_path_buf();
        let owns_folder = owns_folder || file.ends_with("mod.rs");
        let below = if owns_folder { beside.clone() } else { file.with_extension("") };
        Self { beside, below }
    }
}

/// What a path means: a module, or a named item and the module it is in.
pub(crate) enum Found {
    Module(usize),
    Item(usize, String),
}

/// One name that a `use` brings in; without a name, all of them.
pub(crate) struct Leaf {
    pub(crate) path: Vec<String>,
    pub(crate) name: Option<String>,
}

impl Crate {
    pub(crate) fn read(root: &Path, read: Read<'_>) -> Self {
        let mut krate = Self { modules: Vec::new() };
        let name = "crate".to_owned();
        let conditions = Conditions::new();
        let top = Module { name, parent: 0, public: true, conditions, items: Vec::new() };
        krate.add(top, parse(root, read).expect("the root is there"), &Place::of(root, true), read);
        krate
    }

    fn add(&mut self, module: Module, items: Vec<Item>, place: &Place, read: Read<'_>) {
        let this = self.modules.len();
        let around = module.conditions.clone();
        self.modules.push(module);
        for item in items {
            let Some(own) = conditions(attrs(&item)) else { continue };
            match item {
                Item::Mod(found) => {
                    let name = found.ident.to_string();
                    let (items, place) = match found.content {
                        Some((_, items)) => {
                            let below = place.below.join(&name);
                            (items, Place { beside: below.clone(), below })
                        }
                        None => load(&name, path_attribute(&found.attrs), place, read),
                    };
                    let public = matches!(found.vis, Visibility::Public(_));
                    let conditions = with(&around, &own);
                    let module = Module { name, parent: this, public, conditions, items: Vec::new() };
                    self.add(module, items, &place, read);
                }
                other => self.modules[this].items.push(other),
            }
        }
    }

    pub(crate) fn children(&self, of: usize) -> impl Iterator<Item = (usize, &Module)> {
        self.modules.iter().enumerate().skip(1).filter(move |(_, module)| module.parent == of)
    }

    /// The item of that name in a module.
    pub(crate) fn item(&self, module: usize, name: &str) -> Option<&Item> {
        self.modules[module].items.iter().find(|item| named(item).is_some_and(|(ident, _)| ident == name))
    }

    /// What a path means in a module. `None` for what another crate has, or a macro makes.
    pub(crate) fn find(&self, module: usize, path: &[String]) -> Option<Found> {
        self.find_at(module, path, 0)
    }

    fn find_at(&self, module: usize, path: &[String], depth: usize) -> Option<Found> {
        if depth > DEEPEST {
            return None;
        }
        let mut at = module;
        for (n, name) in path.iter().enumerate() {
            match name.as_str() {
                "crate" => at = 0,
                "self" => {}
                "super" => at = self.modules[at].parent,
                name => {
                    let last = n + 1 == path.len();
                    match self.find_name(at, name, last, depth + 1)? {
                        Found::Module(found) => at = found,
                        item if last => return Some(item),
                        Found::Item(..) => return None,
                    }
                }
            }
        }
        Some(Found::Module(at))
    }

    /// A module and a function may have the same name: at the end of a path the function is meant.
    fn find_name(&self, module: usize, name: &str, last: bool, depth: usize) -> Option<Found> {
        let child = self.children(module).find(|(_, child)| child.name == name);
        let child = child.map(|(place, _)| Found::Module(place));
        if !last && child.is_some() {
            return child;
        }
        if self.item(module, name).is_some() {
            return Some(Found::Item(module, name.to_owned()));
        }
        let leaves: Vec<Leaf> = self.modules[module].items.iter().flat_map(brought_in).collect();
        let mut same = leaves.iter().filter(|leaf| leaf.name.as_deref() == Some(name) && leaf.path != [name]);
        let by_name = same.find_map(|leaf| self.find_at(module, &leaf.path, depth));
        by_name.or(child).or_else(|| {
            leaves.iter().filter(|leaf| leaf.name.is_none()).find_map(|leaf| {
                match self.find_at(module, &leaf.path, depth)? {
                    Found::Module(found) if found != module => self.find_name(found, name, last, depth + 1),
                    _ => None,
                }
            })
        })
    }
}

fn parse(file: &Path, read: Read<'_>) -> Option<Vec<Item>> {
    let source = read(file)?;
    let parsed = syn::parse_file(&source).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Some(parsed.items)
}

fn load(name: &str, path: Option<String>, place: &Place, read: Read<'_>) -> (Vec<Item>, Place) {
    let candidates = match &path {
        Some(path) => vec![place.beside.join(path)],
        None => vec![place.below.join(format!("{name}.rs")), place.below.join(name).join("mod.rs")],
    };
    let owns_folder = path.is_some();
    let found = candidates.iter().find_map(|file| Some((parse(file, read)?, Place::of(file, owns_folder))));
    found.unwrap_or_else(|| panic!("no file of module {name}: {candidates:?}"))
}

/// What a `use` brings in.
pub(crate) fn brought_in(item: &Item) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    if let Item::Use(found) = item {
        collect(&found.tree, &[], &mut leaves);
    }
    leaves
}

fn collect(tree: &UseTree, before: &[String], leaves: &mut Vec<Leaf>) {
    let after = |ident: &Ident| {
        let mut path = before.to_vec();
        path.push(ident.to_string());
        path
    };
    match tree {
        UseTree::Path(path) => collect(&path.tree, &after(&path.ident), leaves),
        UseTree::Group(group) => group.items.iter().for_each(|tree| collect(tree, before, leaves)),
        UseTree::Glob(_) => leaves.push(Leaf { path: before.to_vec(), name: None }),
        UseTree::Name(name) if name.ident == "self" => {
            leaves.push(Leaf { path: before.to_vec(), name: before.last().cloned() });
        }
        UseTree::Name(name) => {
            leaves.push(Leaf { path: after(&name.ident), name: Some(name.ident.to_string()) });
        }
        UseTree::Rename(renamed) => {
            let path = if renamed.ident == "self" { before.to_vec() } else { after(&renamed.ident) };
            leaves.push(Leaf { path, name: Some(renamed.rename.to_string()) });
        }
    }
}

/// The name and the visibility of what can be listed.
pub(crate) fn named(item: &Item) -> Option<(&Ident, &Visibility)> {
    Some(match item {
        Item::Const(item) => (&item.ident, &item.vis),
        Item::Enum(item) => (&item.ident, &item.vis),
        Item::Fn(item) => (&item.sig.ident, &item.vis),
        Item::Static(item) => (&item.ident, &item.vis),
        Item::Struct(item) => (&item.ident, &item.vis),
        Item::Trait(item) => (&item.ident, &item.vis),
        Item::Type(item) => (&item.ident, &item.vis),
        _ => return None,
    })
}

/// The attributes of an item.
pub(crate) fn attrs(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
