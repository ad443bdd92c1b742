//! What the `cargo-chaos` binary needs and users do not: its files, its clock, the catalogue that applies.
//!
//! Purpose: the binary goes through here to the same code as a run, so the two cannot disagree about where records
//! are kept or which catalogue applies. Outside semver.
//! Not here: arguments, texts, exit codes (that is `src/bin/cargo-chaos`).

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Deserialize;

use crate::error::Error;
use crate::model::{Catalogue, Scenario, slug};
use crate::reaper;
use crate::run::{self, Experiment, Identity, Located};
#[cfg(feature = "containers")]
use crate::sys::docker;
#[cfg(feature = "containers")]
pub use crate::sys::docker::OwnImage;
use crate::sys::{clock, env, files, run_folder, run_start, workspace};

/// No record of a run is larger; a file that is was not written by us.
const MOST: u64 = 512 * 1024 * 1024;

/// The folder all runs of this workspace are kept in: `$CHAOS_TEST_DIR`, else `target/chaos-test`.
pub fn results_dir() -> PathBuf {
    env::var("CHAOS_TEST_DIR").map_or_else(
        || {
            let here = env::current_dir();
            let package = workspace::package_dir(&here);
            let target = workspace::target_dir()
                .unwrap_or_else(|| run::workspace_root(&package).unwrap_or(package).join("target"));
            from_here(target.join("chaos-test"))
        },
        PathBuf::from,
    )
}

/// A path as people type it.
fn from_here(path: PathBuf) -> PathBuf {
    path.strip_prefix(env::current_dir()).map(Path::to_path_buf).unwrap_or(path)
}

/// The entries of a directory, sorted by name.
pub fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    files::list(dir)
}

/// Whether there is a directory of that name.
pub fn is_dir(path: &Path) -> bool {
    files::is_dir(path)
}

/// When the run in a folder began, if it says so.
pub fn began(run: &Path) -> Option<SystemTime> {
    run_start::began(run).and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
}

/// When a file was last changed.
pub fn modified(path: &Path) -> Option<SystemTime> {
    files::modified(path)
}

/// The bytes of a record.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    match files::read_regular(path, MOST) {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err("larger than 512 MiB, which no record is".into()),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// The first bytes of a file, as many at most; none of what is no regular file or cannot be read.
pub fn head(path: &Path, most: u64) -> Vec<u8> {
    if !files::is_file(path) {
        return Vec::new();
    }
    files::read_at_most(path, most).unwrap_or_default()
}

/// The bytes of any file that is no larger than that.
pub fn read_at_most(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    match files::read_at_most(path, most) {
        Ok(bytes) if bytes.len() as u64 > most => Err(format!("larger than {} MiB", most >> 20)),
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(format!("cannot be read: {error}")),
    }
}

/// Whether a text is a path that a catalogue takes for its health check.
pub fn is_path(text: &str) -> bool {
    crate::model::is_path(text)
}

/// What is tested, where a CI says so: its commit.
pub fn revision() -> Option<String> {
    env::var("GITHUB_SHA").or_else(|| env::var("CI_COMMIT_SHA"))
}

/// Where GitHub reads what a step has to say.
pub fn step_summary_file() -> Option<PathBuf> {
    env::var("GITHUB_STEP_SUMMARY").map(PathBuf::from)
}

/// Whether people asked for no colours: <https://no-color.org>.
pub fn no_color() -> bool {
    env::var("NO_COLOR").is_some()
}

/// Appends a line to a file of lines, unless whoever is given the text of the file says that it is there. Others that do
/// the same wait; a line that a dead process has left half written stays a line of its own.
///
/// # Errors
/// The file is larger than that, is no UTF-8, is held by somebody for longer than ten seconds, or cannot be written.
pub fn append_unless(
    path: &Path,
    line: &str,
    most: u64,
    known: &mut dyn FnMut(&str) -> bool,
) -> Result<(), String> {
    files::append_unless(path, line, most, known).map_err(|error| error.to_string())
}

/// Appends to a file.
pub fn append(path: &Path, text: &str) -> io::Result<()> {
    files::append(path, text)
}

/// Writes a file so that a reader sees the old one or the whole new one, with the directories above it.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    files::write(path, bytes)
}

/// The same piece by piece, for what is too large to be held: whoever is given writes all of it.
pub fn write_by(path: &Path, write: &mut dyn FnMut(&mut dyn io::Write) -> io::Result<()>) -> io::Result<()> {
    files::write_by(path, write)
}

/// The time, in seconds since 1970.
pub fn now() -> f64 {
    clock::unix_time().as_secs_f64()
}

/// A variable of the environment that is set and not empty.
pub fn var(name: &str) -> Option<String> {
    env::var(name)
}

/// What Cargo says of the workspace that a directory is in, as JSON, without its dependencies.
///
/// # Errors
/// What Cargo says instead.
pub fn cargo_metadata(dir: &Path) -> Result<Vec<u8>, String> {
    workspace::metadata(dir)
}

/// A path without links and dots.
///
/// # Errors
/// There is nothing at it.
pub fn real(path: &Path) -> io::Result<PathBuf> {
    files::real(path)
}

/// Whether there is a file of that name.
pub fn is_file(path: &Path) -> bool {
    files::is_file(path)
}

/// The files below a directory, to that many levels.
pub fn files_below(dir: &Path, levels: u32) -> Vec<PathBuf> {
    files::below(dir, levels)
}

/// The catalogue that applies to the tests of that package.
///
/// # Errors
/// As for [`catalogue`].
pub fn catalogue_of(package: &Path) -> Result<Found, Error> {
    Ok(found(run::locate_in(package)?))
}

/// A catalogue and where it comes from.
#[derive(Debug)]
pub struct Found {
    /// The built-in catalogue with what the file replaces and adds.
    pub catalogue: Catalogue,
    /// The file beside the built-in catalogue, if there is one.
    pub file: Option<String>,
    /// The scenarios that the file itself describes; all of them without a file.
    pub own: Vec<String>,
}

/// The catalogue in that file; without one, the catalogue that applies to the tests here.
///
/// # Errors
/// Every mistake in it at once, each with its place and the way out; or why the file could not be read.
pub fn catalogue(file: Option<&Path>) -> Result<Found, Error> {
    let located = match file {
        Some(file) => run::read(file)?,
        None => run::locate_in(&workspace::package_dir(&env::current_dir()))?,
    };
    Ok(found(located))
}

fn found(located: Located) -> Found {
    let all = || located.catalogue.scenarios().iter().map(|scenario| scenario.name.clone()).collect();
    let own = located.file.as_deref().and_then(|file| described(Path::new(file))).unwrap_or_else(all);
    let file = located.file.map(|file| from_here(file.into()).display().to_string());
    Found { own, catalogue: located.catalogue, file }
}

/// An experiment with a scenario of that catalogue, for a command; `again` is the command line that repeats it.
///
/// # Errors
/// The catalogue has no such scenario.
pub fn experiment(found: &Found, scenario: &Scenario, again: String) -> Result<Experiment, Error> {
    let located = Located { catalogue: found.catalogue.clone(), file: found.file.clone() };
    let identity = Identity::of_command(slug(&scenario.name), again);
    Ok(Experiment::of(&scenario.name, located)?.identified(identity).warnings_told())
}

/// Makes what this process runs a run of its own, kept where [`results_dir`] says; returns its folder.
pub fn own_run() -> PathBuf {
    from_here(run_folder::make_own(results_dir()))
}

/// The names of the scenarios that a valid file describes.
fn described(file: &Path) -> Option<Vec<String>> {
    #[derive(Deserialize)]
    struct Names {
        #[serde(default)]
        scenarios: Vec<Name>,
    }
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let bytes = files::read_at_most(file, MOST).ok()?;
    let names: Names = serde_yaml::from_str(std::str::from_utf8(&bytes).ok()?).ok()?;
    Some(names.scenarios.into_iter().map(|scenario| scenario.name).collect())
}

/// How many processors there are for this process.
pub fn processors() -> usize {
    env::processors()
}

/// This host in a line, as far as it decides on what can be injected.
pub fn this_host() -> String {
    let kernel = files::read_at_most(Path::new("/proc/sys/kernel/osrelease"), 256).unwrap_or_default();
    let kernel = String::from_utf8_lossy(&kernel);
    let user = if env::is_root() { "root" } else { "no root" };
    format!("Linux {}, {} processors, {user}", kernel.trim(), env::processors())
}

/// Why there is nothing to be had of a container engine, and what would help.
#[cfg(feature = "containers")]
#[derive(Debug)]
pub struct NoEngine {
    /// What is not as it would have to be.
    pub reason: String,
    /// What would make it work; may be empty.
    pub fix: String,
}

/// An image of this program, for as long as it is held.
///
/// # Errors
/// There is no engine, or it does not take the image.
#[cfg(feature = "containers")]
pub async fn own_image() -> Result<OwnImage, NoEngine> {
    if let Some(docker::Refused { reason, fix }) = docker::refused().await {
        return Err(NoEngine { reason, fix });
    }
    let failed = |error| NoEngine {
        reason: format!("the container engine takes no image of this program: {error}"),
        fix: "see that this user may import images (`docker import`), and that the engine has room for them"
            .into(),
    };
    OwnImage::make().await.map_err(failed)
}

/// What dead runs owe, for people.
#[derive(Debug)]
pub struct Debts {
    found: Vec<reaper::Found>,
    /// What there is to pay, a line each.
    pub lines: Vec<String>,
    /// What was seen and is not touched, and why.
    pub untouched: Vec<String>,
}

/// What came of paying.
#[derive(Debug)]
pub struct Payment {
    /// What was done.
    pub done: Vec<String>,
    /// What could not be.
    pub failed: Vec<String>,
}

/// What dead runs owe whose folders are below these directories. Touches nothing.
pub fn debts(results: &[PathBuf]) -> Debts {
    let mut found: Vec<reaper::Found> = results.iter().map(|dir| reaper::find_debts(dir)).collect();
    found.push(reaper::find_strays());
    found.push(reaper::find_contained());
    let lines = found.iter().flat_map(reaper::Found::lines).collect();
    let untouched = found.iter().flat_map(reaper::Found::untouched).collect();
    Debts { found, lines, untouched }
}

/// Pays them.
pub fn pay(debts: Debts) -> Payment {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for found in debts.found {
        let (more, left) = reaper::sweep(found);
        done.extend(more);
        failed.extend(left);
    }
    Payment { done, failed }
}
