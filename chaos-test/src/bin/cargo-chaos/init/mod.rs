//! `cargo chaos init`: a service's repository gets its first chaos test and what belongs to it.
//!
//! Purpose: everything is worked out and shown first, then written; whatever is there already stays.
//! Invariants: a second call finds nothing to do; no file of somebody's is replaced, only added to.
//! Not here: what the tests do (that is the library).

mod ask;
mod change;
mod first_test;
mod guess;
mod ignored;
mod manifest;
mod nextest;
mod pipeline;
mod project;
mod service;
mod source;

use std::path::{Path, PathBuf};

use chaos_test::__cli as files;

use self::ask::Asked;
use self::change::Changes;
use self::first_test::Service;
use self::manifest::Source;
use self::project::{Package, Workspace};
use crate::exit::{Exit, Stop};
use crate::output;

const CATALOGUE: &str = include_str!("../../../../assets/init/chaos_scenarios.yml");

/// Adds a first chaos test to a service's repository, and what belongs to it.
///
/// Writes tests/chaos.rs, chaos_scenarios.yml, a profile of nextest, and adds chaos-test to the
/// dev-dependencies; with --github, --gitlab and --grafana also a pipeline and dashboards. What is to be
/// written is shown first, as a diff. A file that is there stays; to Cargo.toml, .config/nextest.toml and
/// .gitignore only what is missing is added. A second call finds nothing to do.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    /// The directory of the service's package, or of its workspace
    #[arg(value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// The package that is the service [default: the one in DIR, else the only one with a binary]
    #[arg(short, long, value_name = "NAME")]
    package: Option<String>,

    /// The binary that is the service [default: the package's default-run, else its only one]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["image", "url"])]
    bin: Option<String>,

    /// How the binary is told its port, such as '--port {port}' [default: as its source looks, else the variable PORT]
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true, conflicts_with_all = ["image", "url"])]
    port_arg: Option<String>,

    /// A container image instead of a binary
    #[arg(long, value_name = "NAME:TAG", requires = "port", conflicts_with = "url")]
    image: Option<String>,

    /// The port that the image listens on
    #[arg(long, value_name = "N", requires = "image")]
    port: Option<u16>,

    /// Something already running instead: `http://HOST:PORT`
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    /// A path that answers 200 when all is well [default: as the source looks, else /health]
    #[arg(long, value_name = "PATH", value_parser = crate::run::path)]
    health: Option<String>,

    /// Take chaos-test from this folder instead of the registry
    #[arg(long, value_name = "DIR", conflicts_with = "git")]
    path: Option<PathBuf>,

    /// Take chaos-test from this git repository instead of the registry
    #[arg(long, value_name = "URL")]
    git: Option<String>,

    /// Add a workflow for GitHub
    #[arg(long)]
    github: bool,

    /// Add a pipeline for GitLab
    #[arg(long)]
    gitlab: bool,

    /// Add a dashboard for Grafana and alert rules for Prometheus
    #[arg(long)]
    grafana: bool,

    /// Write without asking
    #[arg(short, long)]
    yes: bool,
}

const HELP: &str = "\
Without --yes it asks on a terminal: which package or binary is the service where there are several, what it
is where there is no binary, and whether to write. Elsewhere it shows what it would write, and writes nothing.

Exit codes:
  0  written, or nothing to do
  2  wrong usage, nothing written, or a file that cannot be read or written

Examples:
  cargo chaos init
  cargo chaos init --yes --github
  cargo chaos init --bin shop --port-arg '--listen 127.0.0.1:{port}' --health /api/health
  cargo chaos init --image shop:1.2 --port 8080";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let dir = files::real(&args.dir)
        .map_err(|error| Stop::usage(format!("{}: {error}; name a directory", output::name(&args.dir))))?;
    let workspace = Workspace::of(&dir)?;
    let asked = Asked::of(args.yes);
    let package = workspace.package(args.package.as_deref(), &dir, asked)?;
    let changes = plan(args, &workspace, package, asked)?;
    for note in &changes.notes {
        output::tell(&format!("note: {note}"));
    }
    if changes.changes.is_empty() {
        output::print("nothing to do: everything is there\n")?;
        return Ok(Exit::Done);
    }
    let base = workspace.repository();
    output::print(&changes.diff(base))?;
    if !args.yes && !asked.agrees(&format!("write {}?", counted(changes.changes.len())))? {
        output::tell("nothing was written; --yes writes it");
        return Ok(Exit::Usage);
    }
    changes.write()?;
    output::print(&done(&changes, base))?;
    Ok(Exit::Done)
}

/// Everything that is to be written, worked out before anything is.
fn plan(args: &Args, workspace: &Workspace, package: &Package, asked: Asked) -> Result<Changes, Stop> {
    let mut changes = Changes::default();
    let dir = package.dir().unwrap_or(&workspace.workspace_root);
    let (root, repository) = (workspace.workspace_root.as_path(), workspace.repository());

    // Chaos tests that are there know the service. Only one that is named is looked for beside them.
    let is_named = args.bin.is_some() || args.image.is_some() || args.url.is_some();
    let subject = if package.chaos_test().is_some() && !is_named {
        None
    } else {
        let sources = package.sources();
        let service = service::of(args, package, asked, &sources, &mut changes)?;
        let health = service::health(args, &service, &sources, &mut changes);
        Some((service, health))
    };
    let is_new = source::of_package(package)?.is_none();
    let source = source::of(args, package, root, &mut changes)?;
    let features: &[&str] = match &subject {
        Some((Service::Image { .. }, _)) => &["containers"],
        _ => &[],
    };
    let (mut finds_tests, mut lacks) = (true, false);
    changes.extend(package.manifest_path.clone(), |text| {
        finds_tests = manifest::finds_tests(text)?;
        lacks = manifest::lacks(text, features)?;
        manifest::with_dependency(text, &source::as_written(&source, dir, repository), features)
    })?;
    if lacks {
        changes.notes.push(format!(
            "package {:?} has chaos-test without the feature {}, which a test of an image needs: add it in its Cargo.toml",
            package.name,
            features.join(", ")
        ));
    }
    if !finds_tests && package.chaos_test().is_none() {
        changes.notes.push(format!(
            "package {:?} has `autotests = false`: add `[[test]] name = \"chaos\"` to its Cargo.toml",
            package.name
        ));
    }

    let health = subject.as_ref().map(|(_, health)| health).or(args.health.as_ref());
    catalogue(&mut changes, dir, health.map(String::as_str))?;
    let first = dir.join("tests/chaos.rs");
    match (package.chaos_test(), subject) {
        // Beside a tests/chaos/main.rs it would be a second target of its name, and Cargo would read the manifest no more.
        (Some(name), _) if !files::is_file(&first) => changes.notes.push(format!(
            "package {:?} has chaos tests already, {name:?}: no first one is written",
            package.name
        )),
        (_, Some((service, health))) => changes.create(first, first_test::render(&service, &health))?,
        (_, None) if is_new => {
            changes.notes.push(format!("{} is there and stays as it is", output::name(&first)));
        }
        (_, None) => {}
    }
    changes.extend(root.join(".config/nextest.toml"), nextest::with_profile)?;
    changes.extend(root.join(".gitignore"), |text| Ok(ignored::with_lines(text)))?;
    if (args.github || args.gitlab) && repository != root {
        changes.notes.push(format!(
            "the pipeline runs at the repository's root, and the workspace is in {}: let its jobs run there",
            output::name(root.strip_prefix(repository).unwrap_or(root))
        ));
    }
    // The command line comes from where the library does.
    let source = match source {
        Source::Workspace => source::of_workspace(root)?.unwrap_or_else(source::registry),
        source => source,
    };
    if args.github {
        pipeline::github(&mut changes, repository, &package.name, &source)?;
    }
    if args.gitlab {
        pipeline::gitlab(&mut changes, repository, &package.name, &source)?;
    }
    if args.grafana {
        pipeline::grafana(&mut changes, repository)?;
    }
    Ok(changes)
}

/// A catalogue of the repository's own, unless it has one; with the service's health path, where that is not the usual one.
fn catalogue(changes: &mut Changes, dir: &Path, health: Option<&str>) -> Result<(), Stop> {
    let found = files::catalogue_of(dir).map_err(|mistakes| Stop::mistaken(&mistakes))?;
    let usual = &found.catalogue.monitoring().health_check.endpoint;
    let other = health.filter(|health| health != usual).map(serde_json::Value::from);
    if let Some(file) = &found.file {
        if let Some(path) = other {
            changes.notes.push(format!(
                "{file} is there and stays as it is: `cargo chaos run` asks {usual}, unless you write \
                 `monitoring: {{health_check: {{endpoint: {path}}}}}` into it"
            ));
        }
        return Ok(());
    }
    // `cargo chaos run` has no test to tell it what the test asks.
    let monitoring = other.map_or_else(String::new, |path| {
        format!(
            "\n# What is measured by where no test says so, as by `cargo chaos run`.\n\
             monitoring:\n  health_check:\n    endpoint: {path}\n"
        )
    });
    changes.create(dir.join("chaos_scenarios.yml"), CATALOGUE.to_owned() + &monitoring)
}

fn done(changes: &Changes, base: &Path) -> String {
    let mut out = format!("\nwrote {}:\n", counted(changes.changes.len()));
    for change in &changes.changes {
        out += &format!("  {}\n", output::name(change.path.strip_prefix(base).unwrap_or(&change.path)));
    }
    out += "\nnext:\n  \
            cargo nextest run --profile chaos    run it\n  \
            cargo chaos report                   read what it found\n";
    if changes.changes.iter().any(|change| change.path.ends_with("tests/chaos.rs")) {
        out += "  tests/chaos.rs                       let its body do what a customer does\n";
    }
    out
}

fn counted(files: usize) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}
