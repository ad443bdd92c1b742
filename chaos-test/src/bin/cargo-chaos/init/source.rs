use std::path::{Component, Path, PathBuf};

use chaos_test::__cli as files;

use super::Args;
use super::change::{self, Changes};
use super::manifest::{self, Source};
use super::project::Package;
use crate::exit::Stop;
use crate::output;

/// Where chaos-test comes from: as it was said, as the package has it, as the workspace has it, else the registry.
pub(super) fn of(args: &Args, package: &Package, root: &Path, changes: &mut Changes) -> Result<Source, Stop> {
    if let Some(path) = &args.path {
        let real = files::real(path)
            .map_err(|error| Stop::usage(format!("--path {}: {error}", output::name(path))))?;
        if !files::is_file(&real.join("Cargo.toml")) {
            return Err(Stop::usage(format!("--path {}: there is no Cargo.toml in it", output::name(path))));
        }
        return Ok(Source::Path(real.display().to_string()));
    }
    if let Some(url) = &args.git {
        return Ok(Source::Git { url: url.clone(), at: None });
    }
    if let Some(there) = of_package(package)? {
        return Ok(there);
    }
    if of_workspace(root)?.is_some() {
        return Ok(Source::Workspace);
    }
    // Goes with the first release.
    changes.notes.push(format!(
        "version {} of chaos-test is not published yet, so Cargo will not find it: say --git URL or --path DIR",
        short()
    ));
    Ok(registry())
}

/// What the manifest of a package says, if chaos-test is in it.
pub(super) fn of_package(package: &Package) -> Result<Option<Source>, Stop> {
    named_in(&package.manifest_path, manifest::source_of_package)
}

/// What a workspace says for its members.
pub(super) fn of_workspace(root: &Path) -> Result<Option<Source>, Stop> {
    named_in(&root.join("Cargo.toml"), manifest::source_of_workspace)
}

/// What a manifest says, a path in it counted from where it is.
fn named_in(file: &Path, read: fn(&str) -> Result<Option<Source>, String>) -> Result<Option<Source>, Stop> {
    let text = change::read(file)?.unwrap_or_default();
    let named = read(&text).map_err(|reason| Stop::usage(format!("{} {reason}", output::name(file))))?;
    Ok(named.map(|source| match source {
        Source::Path(path) => {
            let whole = file.parent().unwrap_or(Path::new("")).join(path);
            Source::Path(files::real(&whole).unwrap_or(whole).display().to_string())
        }
        source => source,
    }))
}

pub(super) fn registry() -> Source {
    Source::Version(short().to_owned())
}

/// `0.1` of `0.1.0`
fn short() -> &'static str {
    let version = env!("CARGO_PKG_VERSION");
    version.rsplit_once('.').map_or(version, |(short, _)| short)
}

/// The same as a manifest in that directory has it: a folder of this repository counts from there, since in another
/// clone it is somewhere else.
pub(super) fn as_written(source: &Source, dir: &Path, repository: &Path) -> Source {
    match source {
        Source::Path(path) if Path::new(path).starts_with(repository) && dir.starts_with(repository) => {
            Source::Path(between(dir, Path::new(path)).display().to_string())
        }
        source => source.clone(),
    }
}

/// The way from one directory to another; neither has links or dots in it.
fn between(from: &Path, to: &Path) -> PathBuf {
    let shared = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(to.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::manifest::Source;
    use super::as_written;

    #[test]
    fn a_folder_of_the_same_repository_counts_from_the_manifest() {
        for (dir, path, expected) in [
            ("/srv/shop", "/srv/shop/vendor/chaos-test", "vendor/chaos-test"),
            ("/srv/shop/a/shop", "/srv/shop/a/chaos-test", "../chaos-test"),
            ("/srv/shop/a/b", "/srv/shop/chaos-test", "../../chaos-test"),
            // What is outside may be anywhere in another clone.
            ("/srv/shop", "/srv/shop-2/chaos-test", "/srv/shop-2/chaos-test"),
            ("/srv/shop/a", "/srv/chaos-test", "/srv/chaos-test"),
        ] {
            let written = as_written(&Source::Path(path.into()), Path::new(dir), Path::new("/srv/shop"));
            assert_eq!(written, Source::Path(expected.into()), "{path} from {dir}");
        }
        let git = Source::Git { url: "https://example.org/x".into(), at: None };
        assert_eq!(as_written(&git, Path::new("/srv/shop"), Path::new("/srv/shop")), git);
    }
}
