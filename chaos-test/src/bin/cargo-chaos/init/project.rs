use std::path::{Path, PathBuf};

use chaos_test::__cli as files;
use serde::Deserialize;

use super::ask::Asked;
use super::change;
use crate::exit::Stop;
use crate::output;

/// What Cargo says of a workspace, as far as it is of use here.
#[derive(Debug, Deserialize)]
pub(super) struct Workspace {
    pub(super) workspace_root: PathBuf,
    packages: Vec<Package>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Package {
    pub(super) name: String,
    pub(super) manifest_path: PathBuf,
    default_run: Option<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Clone, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

impl Workspace {
    /// The workspace that a directory is in.
    pub(super) fn of(dir: &Path) -> Result<Self, Stop> {
        let metadata = files::cargo_metadata(dir).map_err(|why| {
            Stop::usage(format!(
                "{} is in no package of Cargo's: {}; call this in a service's repository, or name its directory",
                output::name(dir),
                output::plain(why.lines().next().unwrap_or_default())
            ))
        })?;
        serde_json::from_slice(&metadata)
            .map_err(|error| Stop::usage(format!("`cargo metadata` says what is not understood: {error}")))
    }

    /// The package that is meant: the one named, the one that the directory is in, else the only one with a binary, or the
    /// one that somebody says.
    pub(super) fn package(&self, named: Option<&str>, dir: &Path, asked: Asked) -> Result<&Package, Stop> {
        let find = |name: &str| self.packages.iter().find(|package| package.name == name);
        if let Some(named) = named {
            return find(named)
                .ok_or_else(|| Stop::usage(format!("there is no package {named:?}: {}", self.names())));
        }
        let holds = |package: &&Package| package.dir().is_some_and(|of| dir.starts_with(of));
        let deepest = self
            .packages
            .iter()
            .filter(holds)
            .max_by_key(|package| package.dir().map(|of| of.as_os_str().len()));
        let with_binary: Vec<&Package> =
            self.packages.iter().filter(|package| package.has_binary()).collect();
        match (deepest, with_binary.as_slice(), self.packages.as_slice()) {
            (Some(package), _, _) => Ok(package),
            (None, [package], _) => Ok(*package),
            (None, _, [package]) => Ok(package),
            (None, with_binary, all) => {
                let several =
                    if with_binary.is_empty() { all.iter().collect() } else { with_binary.to_vec() };
                let names: Vec<&str> = several.iter().map(|package| package.name.as_str()).collect();
                let said = asked.which("which package is the service?", &names)?;
                said.and_then(find).ok_or_else(|| {
                    let known = self.names();
                    Stop::usage(format!("which package is the service? {known}; name it with --package"))
                })
            }
        }
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.packages.iter().map(|package| format!("{:?}", package.name)).collect();
        format!("the workspace has {}", names.join(", "))
    }

    /// The root of the repository, where pipelines are looked for; of a workspace in none, its own root.
    pub(super) fn repository(&self) -> &Path {
        let root = self.workspace_root.as_path();
        let is_repository =
            |dir: &&Path| files::is_dir(&dir.join(".git")) || files::is_file(&dir.join(".git"));
        root.ancestors().find(is_repository).unwrap_or(root)
    }
}

impl Package {
    pub(super) fn dir(&self) -> Option<&Path> {
        self.manifest_path.parent()
    }

    pub(super) fn has_binary(&self) -> bool {
        self.binaries().next().is_some()
    }

    /// A test target that the profile takes for chaos tests: its name begins so.
    pub(super) fn chaos_test(&self) -> Option<&str> {
        let tests = self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "test"));
        tests.map(|target| target.name.as_str()).find(|name| name.starts_with("chaos"))
    }

    fn binaries(&self) -> impl Iterator<Item = &str> {
        let binaries = self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind == "bin"));
        binaries.map(|target| target.name.as_str())
    }

    /// The binary that is the service: the one named, the one that `cargo run` takes, else the only one, or the one that
    /// somebody says.
    pub(super) fn binary(&self, named: Option<&str>, asked: Asked) -> Result<String, Stop> {
        let all: Vec<&str> = self.binaries().collect();
        let several = || all.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
        match (named.or(self.default_run.as_deref()), all.as_slice()) {
            (Some(named), _) if all.contains(&named) => Ok(named.to_owned()),
            (_, []) => Err(Stop::usage(format!(
                "package {:?} has no binary; if the service is another package, name it with --package; if it is an image \
                 or runs already, say --image NAME:TAG --port N, or --url URL",
                self.name
            ))),
            (Some(named), _) => Err(Stop::usage(format!(
                "package {:?} has no binary {named:?}: it has {}",
                self.name,
                several()
            ))),
            (None, [only]) => Ok((*only).to_owned()),
            (None, _) => {
                let question = format!("which binary of package {:?} is the service?", self.name);
                let said = asked.which(&question, &all)?.map(str::to_owned);
                said.ok_or_else(|| {
                    Stop::usage(format!("{question} It has {}; name it with --bin", several()))
                })
            }
        }
    }

    /// The texts of its sources, as many as are needed to see how it is started.
    pub(super) fn sources(&self) -> Vec<String> {
        const MOST: usize = 500;
        const LEVELS: u32 = 6;
        let Some(dir) = self.dir() else { return Vec::new() };
        let all = files::files_below(&dir.join("src"), LEVELS);
        let rust = all.into_iter().filter(|file| file.extension().is_some_and(|end| end == "rs")).take(MOST);
        // A source that cannot be read says nothing; what could not be found is told.
        rust.filter_map(|file| change::read(&file).ok().flatten()).collect()
    }
}
