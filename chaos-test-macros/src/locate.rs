//! Where the repository's own catalogue is, and its names: the only file here that sees disk and environment.
//!
//! The compiler tells the crate's directory; under trybuild that is a generated crate, so the directories above
//! the source file are asked when nothing is found there. A parsed file is remembered for the other tests of the
//! compilation (and for an IDE, which keeps this library loaded) until its time or its length changes.
#![allow(clippy::disallowed_methods)]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use std::{env, fs};

use crate::names::Names;

/// More than this is no catalogue.
const MOST_BYTES: u64 = 1 << 20;

/// Where the catalogue may be, under a package or a workspace.
const PLACES: [&str; 2] = ["chaos_scenarios.yml", "scenarios/chaos_scenarios.yml"];

/// Where the expansion happens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Site {
    /// `CARGO_MANIFEST_DIR`
    pub(crate) manifest_dir: Option<PathBuf>,
    /// `CHAOS_TEST_CATALOGUE`
    pub(crate) variable: Option<PathBuf>,
    /// The file that holds the attribute.
    pub(crate) source: Option<PathBuf>,
}

/// What could not be found or read.
#[derive(Debug, PartialEq)]
pub(crate) struct Unusable(pub(crate) String);

/// A catalogue: all names that may be used, and the repository's own file if there is one.
#[derive(Debug)]
pub(crate) struct Located {
    /// The built-in names, extended by those of `file`.
    pub(crate) names: Arc<Names>,
    /// The repository's own catalogue, as an absolute path.
    pub(crate) file: Option<String>,
}

impl Site {
    /// As the compiler that runs us says.
    pub(crate) fn of_the_compiler(source: Option<PathBuf>) -> Self {
        let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            manifest_dir: variable("CARGO_MANIFEST_DIR"),
            variable: variable("CHAOS_TEST_CATALOGUE"),
            source,
        }
    }

    /// The names that hold here; `key` is the attribute's `catalogue`.
    pub(crate) fn catalogue(&self, key: Option<&str>) -> Result<Located, Unusable> {
        let Some(file) = self.find(key)? else {
            return Ok(Located { names: Arc::new(Names::built_in().clone()), file: None });
        };
        let names = read(&file)?;
        let Some(file) = file.to_str() else {
            return Err(Unusable(format!("the path of the catalogue {} is not UTF-8", file.display())));
        };
        Ok(Located { names, file: Some(file.to_owned()) })
    }

    fn find(&self, key: Option<&str>) -> Result<Option<PathBuf>, Unusable> {
        let packages =
            [self.manifest_dir.as_deref().map(absolute), self.source.as_deref().and_then(package_of)];
        let packages: Vec<&Path> = packages.iter().flatten().map(PathBuf::as_path).collect();
        let named = |file: &Path, bases: &mut dyn Iterator<Item = &Path>| {
            bases.map(|base| absolute(&base.join(file))).find(|file| file.is_file())
        };
        if let Some(key) = key {
            let file = named(key.as_ref(), &mut packages.iter().copied());
            let beside = packages.first().copied().unwrap_or(Path::new("")).join(key);
            return file.map(Some).ok_or_else(|| Unusable(format!("no catalogue at {}", beside.display())));
        }
        if let Some(variable) = &self.variable {
            let mut bases =
                packages.iter().flat_map(|package| [Some(*package), workspace_root(package)]).flatten();
            let missing =
                || Unusable(format!("CHAOS_TEST_CATALOGUE: no catalogue at {}", variable.display()));
            return named(variable, &mut bases).map(Some).ok_or_else(missing);
        }
        Ok(packages.into_iter().find_map(search))
    }
}

/// The package that a source file belongs to.
fn package_of(source: &Path) -> Option<PathBuf> {
    // Absolute by the compiler's directory, and without `..`, so that its ancestors are real ones.
    let source = fs::canonicalize(source).ok()?;
    source.ancestors().skip(1).find(|dir| dir.join("Cargo.toml").is_file()).map(Path::to_owned)
}

/// The catalogue of a package, or else of its workspace.
fn search(package: &Path) -> Option<PathBuf> {
    let dirs = [Some(package), workspace_root(package)].into_iter().flatten();
    dirs.flat_map(|dir| PLACES.map(|place| dir.join(place))).find(|file| file.is_file())
}

/// The nearest directory, this one or above, whose Cargo.toml has a workspace.
fn workspace_root(package: &Path) -> Option<&Path> {
    package.ancestors().find(|dir| {
        let manifest = fs::read_to_string(dir.join("Cargo.toml")).unwrap_or_default();
        manifest.lines().any(|line| line.trim_start().starts_with("[workspace"))
    })
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The built-in names extended by those of `file`.
fn read(file: &Path) -> Result<Arc<Names>, Unusable> {
    type Known = HashMap<PathBuf, (SystemTime, u64, Arc<Names>)>;
    static KNOWN: Mutex<Option<Known>> = Mutex::new(None);

    let unusable = |why: &dyn std::fmt::Display| {
        let file = file.display();
        Unusable(format!(
            "the catalogue {file} cannot be used: {why}\n  help: run `cargo chaos check {file}`"
        ))
    };
    let meta = fs::metadata(file).map_err(|error| unusable(&error))?;
    let changed = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
    if meta.len() > MOST_BYTES {
        return Err(unusable(&"it is larger than 1 MiB"));
    }
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some((time, len, names)) = known.get(file)
        && (*time, *len) == (changed, meta.len())
    {
        return Ok(Arc::clone(names));
    }
    let text = fs::read_to_string(file).map_err(|error| unusable(&error))?;
    let own = Names::parse(&text).map_err(|message| unusable(&message))?;
    let names = Arc::new(Names::built_in().extended_by(&own));
    known.insert(file.to_owned(), (changed, meta.len(), Arc::clone(&names)));
    Ok(names)
}

#[cfg(test)]
mod tests;
