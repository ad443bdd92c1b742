use std::path::PathBuf;
use std::time::Duration;

use chaos_test::__cli::{Found, catalogue};
use chaos_test::model::{Catalogue, Objectives, Scenario, SloProfile, slug};
use chaos_test::report::render;
use chaos_test::units::{Percent, show_duration};
use serde_json::{Value, json};

use crate::exit::{Exit, Stop};
use crate::output;
use crate::table::{aligned, row};

/// Lists what can be run: scenarios, groups, SLO profiles.
///
/// Shows the catalogue that applies to the tests in this directory: the built-in one with what a file
/// of your own replaces and adds. Of the mechanisms a run uses the first that the host offers; `cargo
/// chaos doctor` tells which that is.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    /// List the built-in catalogue extended by this file
    #[arg(long, value_name = "FILE")]
    catalogue: Option<PathBuf>,

    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Exit codes:
  0  done
  2  a catalogue with mistakes, or a file that cannot be read

Examples:
  cargo chaos list
  cargo chaos list --json | jq -r '.scenarios[] | select(.type == \"network_loss\") | .name'";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let found = catalogue(args.catalogue.as_deref()).map_err(|mistakes| Stop::mistaken(&mistakes))?;
    output::print(&if args.json { format!("{:#}\n", machine(&found)) } else { people(&found) })?;
    Ok(Exit::Done)
}

fn people(found: &Found) -> String {
    let catalogue = &found.catalogue;
    let from = match &found.file {
        Some(file) => format!("the built-in catalogue and {file}"),
        None => "the built-in catalogue".into(),
    };
    let mut out = format!("Scenarios of {from}\n\n{}", scenarios(catalogue));
    out += &format!("\nGroups\n\n{}", groups(catalogue));
    out += &format!("\nSLO profiles\n\n{}", profiles(catalogue));
    out
}

fn scenarios(catalogue: &Catalogue) -> String {
    let mut rows =
        vec![row(["NAME", "TYPE", "INTENSITY", "DURATION", "MECHANISMS", "TEST NAME", "DESCRIPTION"])];
    rows.extend(catalogue.scenarios().iter().map(|scenario| {
        row([
            &scenario.name,
            scenario.fault.kind().name(),
            scenario.intensity.name(),
            &show_duration(scenario.duration),
            &mechanisms(scenario).join(", "),
            &slug(&scenario.name),
            &one_line(&scenario.description),
        ])
    }));
    aligned(&rows)
}

/// The ladder of a scenario, or the one rung it is pinned to.
fn mechanisms(scenario: &Scenario) -> Vec<&str> {
    match &scenario.pin.mechanism {
        Some(pinned) => vec![pinned],
        None => scenario.fault.kind().mechanisms().to_vec(),
    }
}

fn groups(catalogue: &Catalogue) -> String {
    let mut rows = vec![row(["NAME", "SCENARIOS"])];
    for group in catalogue.groups() {
        rows.push(row([&group.name, &group.scenarios.join(", ")]));
        if !group.description.is_empty() {
            rows.push(row(["", &one_line(&group.description)]));
        }
    }
    aligned(&rows)
}

fn profiles(catalogue: &Catalogue) -> String {
    let mut rows = vec![row([
        "NAME",
        "ERROR RATE",
        "AVAILABILITY",
        "P95 DEGRADATION",
        "TIME TO RECOVER",
        "RECOVERY TIME",
        "SCENARIOS",
    ])];
    let has_more = catalogue.profiles().iter().any(|profile| !further(&profile.objectives).is_empty());
    if has_more {
        rows[0].push("MORE".into());
    }
    let share = |sign: &str, limit: Option<Percent>| {
        limit.map_or_else(|| "not judged".into(), |limit| format!("{sign} {limit}"))
    };
    let span = |limit: Option<Duration>| {
        limit.map_or_else(|| "not judged".into(), |limit| format!("≤ {}", show_duration(limit)))
    };
    rows.extend(catalogue.profiles().iter().map(|profile| {
        let objectives = &profile.objectives;
        let mut cells = row([
            &profile.name,
            &share("≤", objectives.error_rate),
            &share("≥", objectives.availability),
            &span(objectives.latency_degradation),
            &span(objectives.time_to_recover),
            &span(objectives.recovery.time),
            &profile.allowed_scenarios.as_ref().map_or_else(|| "all".into(), |names| names.join(", ")),
        ]);
        if has_more {
            cells.push(further(objectives).join("; "));
        }
        cells
    }));
    aligned(&rows)
}

/// The bounds that have no column of their own.
fn further(objectives: &Objectives) -> Vec<String> {
    let warnings = objectives.warnings.phrases();
    let warnings = warnings.into_iter().map(|phrase| format!("warns: {phrase}"));
    objectives.bounds().further_phrases().into_iter().chain(warnings).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same for programs; keys as a catalogue writes them.
fn machine(found: &Found) -> Value {
    let catalogue = &found.catalogue;
    let scenario = |scenario: &Scenario| {
        json!({
            "name": scenario.name,
            "type": scenario.fault.kind().name(),
            "intensity": scenario.intensity.name(),
            "duration_seconds": scenario.duration.as_secs_f64(),
            "fault": scenario.fault.to_string(),
            "target": scenario.service(),
            "test": slug(&scenario.name),
            "description": scenario.description,
            "expected_impact": scenario.expected_impact,
            "mechanisms": mechanisms(scenario),
            "fidelity": scenario.pin.fidelity,
        })
    };
    json!({
        "catalogue": found.file,
        "scenarios": catalogue.scenarios().iter().map(scenario).collect::<Vec<_>>(),
        "scenario_groups": catalogue.groups(),
        "slo_profiles": catalogue.profiles().iter().map(|each| profile(each, catalogue)).collect::<Vec<_>>(),
    })
}

fn profile(profile: &SloProfile, catalogue: &Catalogue) -> Value {
    let objectives = &profile.objectives;
    let mut value = json!(render::bound_keys(&objectives.bounds()));
    let more = json!({
        "name": profile.name,
        "description": catalogue.profile_description(&profile.name),
        "required_health_checks": objectives.recovery.required_health_checks,
        "health_check_interval_seconds": objectives.recovery.health_check_interval.as_secs_f64(),
        "allowed_scenarios": profile.allowed_scenarios,
        "warning": render::bound_keys(&objectives.warnings),
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}
