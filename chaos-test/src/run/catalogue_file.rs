use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::model::Catalogue;
use crate::sys::{env, files};

/// Catalogues above this are refused before they are parsed; the parser says so, one byte more is enough to tell it.
const MOST: u64 = 1024 * 1024;

/// A catalogue and the file beside the built-in one that it was read from.
#[derive(Debug, Clone)]
pub(crate) struct Located {
    pub(crate) catalogue: Catalogue,
    pub(crate) file: Option<String>,
}

/// The repo's own catalogue, in the order the attribute macro looks for it: `CHAOS_TEST_CATALOGUE`, then
/// `chaos_scenarios.yml` or `scenarios/chaos_scenarios.yml` in the package, then in the workspace root.
fn find(package: &Path) -> Option<PathBuf> {
    let in_folder = |dir: &Path| {
        ["chaos_scenarios.yml", "scenarios/chaos_scenarios.yml"]
            .into_iter()
            .map(|name| dir.join(name))
            .find(|path| files::is_file(path))
    };
    if let Some(given) = env::var("CHAOS_TEST_CATALOGUE") {
        let given = PathBuf::from(given);
        let root = workspace_root(package);
        let candidates = [Some(package.join(&given)), root.map(|root| root.join(&given)), Some(given)];
        return candidates.into_iter().flatten().find(|path| files::is_file(path));
    }
    in_folder(package).or_else(|| in_folder(&workspace_root(package)?))
}

/// The nearest folder from the package up whose Cargo.toml begins a workspace.
pub(crate) fn workspace_root(package: &Path) -> Option<PathBuf> {
    let is_root = |dir: &&Path| {
        files::has_line(&dir.join("Cargo.toml"), |line| line.trim_start().starts_with("[workspace"))
    };
    package.ancestors().find(is_root).map(Path::to_path_buf)
}

/// The folder of the package that is being tested, as cargo and nextest tell it; else the current one.
fn package_dir() -> PathBuf {
    env::var("CARGO_MANIFEST_DIR").map_or_else(env::current_dir, PathBuf::from)
}

/// The catalogue that applies here: the repo's own over the built-in one, or the built-in one.
pub(crate) fn locate() -> Result<Located, Error> {
    locate_in(&package_dir())
}

/// The catalogue that applies to the tests of that package.
pub(crate) fn locate_in(package: &Path) -> Result<Located, Error> {
    if let Some(named) = env::var("CHAOS_TEST_CATALOGUE") {
        let path = find(package);
        let path = path.ok_or_else(|| {
            Error::input(format!("CHAOS_TEST_CATALOGUE names {named}, and there is no such file"))
        })?;
        return read(&path);
    }
    match find(package) {
        Some(path) => read(&path),
        None => Ok(Located { catalogue: Catalogue::builtin().clone(), file: None }),
    }
}

/// The catalogue of that file, over the built-in one.
pub(crate) fn read(path: &Path) -> Result<Located, Error> {
    let shown = path.display().to_string();
    let bytes = files::read_at_most(path, MOST)
        .map_err(|error| Error::input(format!("cannot read {shown}: {error}")))?;
    let catalogue = Catalogue::read(&shown, &bytes).map_err(Error::input)?;
    Ok(Located { catalogue, file: Some(shown) })
}

/// The catalogue that a test was compiled with, if it is still the one on the disk.
///
/// The macro checked the names against this text. A file that has been added since does not recompile the test, so it
/// is looked for here: a test that runs by an old catalogue would be green for the wrong reason.
pub(crate) fn embedded(
    manifest_dir: &str,
    embedded: Option<(&str, &str)>,
    named: bool,
) -> Result<Located, Error> {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_else(|| manifest_dir.to_owned());
    let stale = |path: &Path, what: &str| {
        Error::input(format!(
            "{} {what} since this test was compiled: touch the test's file and run again \
             (`println!(\"cargo::rerun-if-changed=scenarios\")` in a build.rs does so by itself)",
            path.display()
        ))
    };
    match embedded {
        Some((path, text)) => {
            let on_disk = files::read_at_most(Path::new(path), MOST);
            // Without the file (a test archive run elsewhere) the compiled text is all there is, and enough.
            if on_disk.is_ok_and(|bytes| bytes != text.as_bytes()) {
                return Err(stale(Path::new(path), "has changed"));
            }
            // One that would have been found first, had it been there. (A file named by the attribute is no such find.)
            let found = find(Path::new(&package)).filter(|_| !named);
            if let Some(first) = found.filter(|first| files::differ(first, Path::new(path))) {
                return Err(stale(&first, "was added"));
            }
            let catalogue = Catalogue::read(path, text.as_bytes()).map_err(Error::input)?;
            Ok(Located { catalogue, file: Some(path.to_owned()) })
        }
        None => match find(Path::new(&package)) {
            Some(path) => Err(stale(&path, "was added")),
            None => Ok(Located { catalogue: Catalogue::builtin().clone(), file: None }),
        },
    }
}
