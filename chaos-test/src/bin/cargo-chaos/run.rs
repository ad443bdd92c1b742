use std::path::PathBuf;
use std::time::Duration;

use chaos_test::__cli::{self as support, Found};
use chaos_test::model::{HealthCheck, Scenario, SloProfile};
use chaos_test::report::{Merge, Report, render};
use chaos_test::slo::Verdict;
use chaos_test::units::{parse_duration, seconds, show_duration};
use chaos_test::{Error, Experiment, Probe};

use crate::against::{Against, Start};
use crate::choose::{Selection, chosen, refused};
use crate::exit::{Exit, Stop};
use crate::outcome::{self, HEADS};
use crate::output;
use crate::table::{aligned, row};

/// Runs scenarios without a test: against a command that it starts, or something already running.
///
/// Every scenario is measured through a front door of its own, on 127.0.0.1, by a health check (--health):
/// baseline, fault, recovery. A command is ready when that answers; it is started anew for every
/// scenario, and any fault may be aimed at it (some with an option below). What is already running is not
/// touched: faults are made on the way to it, and on this host only if --stress-host agrees. What cannot be
/// run is named with the reason; `cargo chaos doctor` shows what can.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    #[command(flatten)]
    against: Against,

    #[command(flatten)]
    start: Start,

    /// One scenario: its name, or a part that no other name has
    #[arg(long, value_name = "NAME", group = "selection")]
    scenario: Option<String>,

    /// All scenarios of a group; short names as smoke are accepted
    #[arg(long, value_name = "NAME", group = "selection")]
    group: Option<String>,

    /// The group smoke_test, standard_test or stress_test
    #[arg(long, value_enum, group = "selection")]
    intensity: Option<Intensity>,

    /// The built-in catalogue extended by this file [default: the catalogue that applies here]
    #[arg(long, visible_alias = "catalogue", value_name = "FILE")]
    config: Option<PathBuf>,

    /// The SLO profile to judge by, such as staging [default: the catalogue's base targets]
    #[arg(long, value_name = "PROFILE")]
    slo: Option<String>,

    /// A path that answers 200 when all is well [default: the catalogue's health check]
    #[arg(long, value_name = "PATH", value_parser = path)]
    health: Option<String>,

    /// How long every chaos phase lasts, such as 5 or 5s [default: as the scenario says]
    #[arg(long, value_name = "S", value_parser = span)]
    duration: Option<Duration>,

    /// Let faults take processor time and memory of this host, on which --target must be
    #[arg(long, requires = "target")]
    stress_host: bool,

    /// Let every fault last its whole time, though the evidence may suffice before
    #[arg(long)]
    fixed_length: bool,

    /// Measure the baseline, print the plan and inject nothing
    #[arg(long)]
    dry_run: bool,

    /// Confirm the faults that need a confirmation
    #[arg(long)]
    yes: bool,

    /// Write all records, merged, to this file [chaos_results.json if FILE is left out]
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "chaos_results.json")]
    output: Option<PathBuf>,

    /// Print the whole text of every scenario, not only of those that did not pass
    #[arg(long)]
    verbose: bool,

    /// How many samples the baseline has, 50 a second [default: 2 s to 4 s; fixed-length: to 10 s]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(25..=1_000_000))]
    baseline_samples: Option<u32>,

    /// How long recovery is watched at most, such as 30 or 30s [default: by the SLO profile]
    #[arg(long, value_name = "S", value_parser = span)]
    monitor_duration: Option<Duration>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Intensity {
    Smoke,
    Standard,
    Stress,
}

const HELP: &str = "\
Without --scenario, --group or --intensity, everything in the catalogue that can be run is run, one
after the other, with the catalogue's `safety.cooldown_seconds` in between. Each leaves a record
where `cargo chaos report` finds it. Progress is told on stderr, the summary on stdout.

Exit codes:
  0  every scenario that ran passed, or was skipped by a dry run
  1  a scenario did not pass: Fail, Inconclusive, Aborted or Error
  2  wrong usage, a catalogue with mistakes, nothing could be run, or an output that cannot be written

Examples:
  cargo chaos run --command 'target/debug/shop --port {port}' --group smoke --duration 5
  cargo chaos run --command 'target/debug/tea --port {port}' --health /health --scenario 'Light Network Delay'
  cargo chaos run --target http://127.0.0.1:8000 --scenario 'Light Network Delay' --dry-run
  cargo chaos run --target http://127.0.0.1:8000 --intensity smoke --slo staging
  cargo chaos run --target http://127.0.0.1:8000 --group own --config chaos_scenarios.yml
  cargo chaos run --target http://127.0.0.1:8000 && cargo chaos report --report chaos_report.md";

/// How often the target is looked at.
const EVERY: Duration = Duration::from_millis(20);
/// How long one look may take at most; a slower answer is no answer.
const LONGEST_LOOK: Duration = Duration::from_secs(1);

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let found = support::catalogue(args.config.as_deref()).map_err(|mistakes| Stop::mistaken(&mistakes))?;
    let scenarios = chosen(&found.catalogue, &args.selection()).map_err(Stop::usage)?;
    let profile =
        found.catalogue.profile(args.slo.as_deref()).map_err(|unknown| Stop::usage(unknown.to_string()))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::usage(format!("cannot start a runtime: {error}")))?;
    let folder = support::own_run();
    let ended = runtime.block_on(all(args, &found, &scenarios, &profile))?;

    let rows = ended.rows;
    let mut merge = Merge::default();
    ended.reports.iter().for_each(|report| merge.add(report));
    let summary = merge.finish();
    output::print(&format!("\n{}\n", aligned(&rows)))?;
    let mut line = summary.sentence();
    if ended.not_run > 0 {
        line += &format!(", {} not run", ended.not_run);
    }
    output::print(&format!("{line}; records: {}\n", folder.display()))?;
    if let Some(file) = &args.output {
        let json = render::results_json(&ended.reports, &summary)
            .map_err(|error| Stop::usage(format!("the results cannot be written as JSON: {error}")))?;
        support::write(file, (json + "\n").as_bytes()).map_err(|error| {
            Stop::usage(format!("cannot write {}: {error}; name another file with --output", file.display()))
        })?;
    }
    let passed = !ended.failed && summary.tests.iter().all(|test| test.passed);
    Ok(if passed { Exit::Done } else { Exit::Violation })
}

/// What came of all of them.
#[derive(Default)]
struct Ended {
    reports: Vec<Report>,
    rows: Vec<Vec<String>>,
    not_run: usize,
    /// Whether one of them left no report.
    failed: bool,
}

async fn all(
    args: &Args,
    found: &Found,
    scenarios: &[&Scenario],
    profile: &SloProfile,
) -> Result<Ended, Stop> {
    let (looked_at, mut target) =
        args.against.look(args.start.clone(), args.probe(&found.catalogue.monitoring().health_check)).await?;
    target.shares_host |= args.stress_host;
    let mut ended = Ended { rows: vec![row(HEADS)], ..Ended::default() };
    let mut runnable = Vec::new();
    for scenario in scenarios {
        match refused(scenario, profile, &target) {
            None => runnable.push(*scenario),
            Some(why) => {
                output::tell(&format!("not run: {}: {why}", scenario.name));
                ended.rows.push(outcome::without(&scenario.name, "not run", &why));
                ended.not_run += 1;
            }
        }
    }
    drop(looked_at);
    if runnable.is_empty() {
        return Err(Stop::usage(
            "nothing could be run against this target, for the reasons above; `cargo chaos list` shows what there is",
        ));
    }
    let refusals = ended.rows.split_off(1);
    let mut injected = false;
    for (n, scenario) in runnable.iter().enumerate() {
        if injected {
            cool_down(found.catalogue.safety().cooldown).await;
        }
        output::tell(&format!("[{} of {}] {}: {}", n + 1, runnable.len(), scenario.name, scenario.fault));
        match one(args, found, scenario).await {
            Ok(report) => {
                injected = report.verdict() != Verdict::Skipped;
                let whole = args.verbose || !report.passed();
                output::tell(&if whole { report.text() } else { report.headline() });
                ended.rows.push(outcome::ended(&report));
                ended.reports.push(report);
            }
            Err(error) => {
                output::tell(&format!("error: {error}"));
                ended.rows.push(outcome::without(&scenario.name, "Error", &error.to_string()));
                ended.failed = true;
            }
        }
    }
    ended.rows.extend(refusals);
    Ok(ended)
}

async fn one(args: &Args, found: &Found, scenario: &Scenario) -> Result<Report, Error> {
    let probe = args.probe(&found.catalogue.monitoring().health_check);
    let name = scenario.service().unwrap_or("target").to_owned();
    let (against, start) = (args.against.clone(), args.start.clone());
    let mut experiment: Experiment = support::experiment(found, scenario, args.again(scenario))?
        .environment(move || async move { against.environment(start, &name, probe).await })
        .dry_run(args.dry_run)
        .confirmed(args.yes)
        .stress_host(args.stress_host)
        .sequential(!args.fixed_length)
        .progress(true);
    if let Some(slo) = &args.slo {
        experiment = experiment.slo(slo);
    }
    if let Some(duration) = args.duration {
        experiment = experiment.duration(duration);
    }
    if let Some(samples) = args.baseline_samples {
        experiment = experiment.baseline(EVERY * samples);
    }
    if let Some(longest) = args.monitor_duration {
        experiment = experiment.watch(longest);
    }
    experiment.run().await
}

async fn cool_down(cooldown: Duration) {
    if !cooldown.is_zero() {
        output::tell(&format!("leaving the target alone for {}", show_duration(cooldown)));
        tokio::time::sleep(cooldown).await;
    }
}

/// A number of seconds, or a number with its unit.
pub(crate) fn span(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(number) => seconds(number).map_err(|error| error.to_string()),
        Err(_) => parse_duration(text).map_err(|error| error.to_string()),
    }
}

/// A path that is asked, as the catalogue takes it for `endpoint`.
pub(crate) fn path(text: &str) -> Result<String, String> {
    let rule =
        "a path begins with /, names no host, and has no space and at most 100 characters in it: /health";
    support::is_path(text).then(|| text.to_owned()).ok_or_else(|| rule.to_owned())
}

impl Args {
    /// The health check, often enough to measure by.
    fn probe(&self, check: &HealthCheck) -> Probe {
        let path = self.health.as_ref().unwrap_or(&check.endpoint);
        Probe::http(path.clone()).every(EVERY).timeout(check.timeout.min(LONGEST_LOOK)).into()
    }

    fn selection(&self) -> Selection {
        let group = self.intensity.map(|intensity| match intensity {
            Intensity::Smoke => "smoke_test",
            Intensity::Standard => "standard_test",
            Intensity::Stress => "stress_test",
        });
        match (&self.scenario, self.group.as_deref().or(group)) {
            (Some(name), _) => Selection::Scenario(name.clone()),
            (None, Some(group)) => Selection::Group(group.to_owned()),
            (None, None) => Selection::Everything,
        }
    }

    /// The command that runs just this scenario again.
    fn again(&self, scenario: &Scenario) -> String {
        let mut command = format!(
            "cargo chaos run {} --scenario {}",
            self.against.typed(&self.start),
            output::quoted(&scenario.name)
        );
        for (said, flag) in [
            (self.dry_run, " --dry-run"),
            (self.yes, " --yes"),
            (self.fixed_length, " --fixed-length"),
            (self.stress_host, " --stress-host"),
        ] {
            command += if said { flag } else { "" };
        }
        if let Some(path) = &self.health {
            command += &format!(" --health {}", output::quoted(path));
        }
        if let Some(samples) = self.baseline_samples {
            command += &format!(" --baseline-samples {samples}");
        }
        for (option, span) in [("--duration", self.duration), ("--monitor-duration", self.monitor_duration)] {
            command += &span.map_or_else(String::new, |span| format!(" {option} {}", span.as_secs_f64()));
        }
        if let Some(file) = &self.config {
            command += &format!(" --config {}", output::quoted(&file.display().to_string()));
        }
        if let Some(slo) = &self.slo {
            command += &format!(" --slo {}", output::quoted(slo));
        }
        command
    }
}
