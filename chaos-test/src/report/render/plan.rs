use std::fmt::Write;

use crate::model::{AbortConditions, StreamKind};
use crate::report::{PlannedInjection, PlannedService, PlannedStream, RunPlan};
use crate::units::show_duration;

/// A plan as numbered steps: what is done, by which mechanism, what it touches, what undoes it and who does if the
/// process of the run dies.
///
/// ```
/// use chaos_test::report::{Report, render};
///
/// /// What a dry run would have done; nothing if it ended before that was known.
/// fn told(report: &Report) -> Option<String> {
///     report.plan.as_ref().map(render::plan)
/// }
/// ```
pub fn plan(plan: &RunPlan) -> String {
    let impossible = matches!(plan.injection, PlannedInjection::Impossible(_));
    let (what, note) = match plan.dry_run {
        true if impossible => ("Dry run", ": it would not run"),
        true => ("Dry run", ": from step 3 on told, and not carried out"),
        false => ("Plan", ""),
    };
    let mut out =
        format!("{what} of \"{}\" on {}, SLO \"{}\"{note}\n\n", plan.scenario, plan.target, plan.slo);
    step(&mut out, "1 environment", plan.services.iter().map(service).collect());
    step(&mut out, "2 baseline", baseline(plan));
    step(&mut out, "3 inject", inject(plan));
    if !impossible {
        step(&mut out, "4 chaos", chaos(plan));
        step(&mut out, "5 revert", revert(plan));
        step(&mut out, "6 recovery", recovery(plan));
    }
    if !plan.may_touch.is_empty() {
        step(&mut out, "may touch", plan.may_touch.clone());
    }
    out.trim_end().to_owned()
}

fn step(out: &mut String, name: &str, lines: Vec<String>) {
    for (n, line) in lines.iter().flat_map(|line| line.lines()).enumerate() {
        let _ = writeln!(out, "  {:<14} {line}", if n == 0 { name } else { "" });
    }
}

fn service(service: &PlannedService) -> String {
    let ours = if service.started_here {
        "started by this run and ended with it"
    } else {
        "already running, and left running"
    };
    format!("{}: {} behind {}, {ours}", service.name, service.kind, service.address)
}

fn baseline(plan: &RunPlan) -> Vec<String> {
    let mut lines = vec![format!(
        "{} of normal; unless it is healthy nothing is injected",
        show_duration(plan.phases.baseline)
    )];
    lines.extend(plan.streams.iter().map(stream));
    if plan.streams.is_empty() {
        lines.push("nothing is measured: the verdict will be Inconclusive(no samples)".into());
    }
    lines
}

fn stream(stream: &PlannedStream) -> String {
    let (interval, timeout) = (show_duration(stream.interval), show_duration(stream.timeout));
    let what = match stream.kind {
        StreamKind::Transaction => "the test body as a transaction".into(),
        _ => format!("a probe of {}", stream.name),
    };
    format!("{what} every {interval}, each for {timeout} at most; through all phases")
}

fn inject(plan: &RunPlan) -> Vec<String> {
    match &plan.injection {
        PlannedInjection::NotAsked => {
            vec![format!("{}: not worked out, because the run ended before", plan.fault)]
        }
        PlannedInjection::Impossible(why) => {
            vec![format!("{} would not run: {why}", plan.fault), "so there are no further steps".into()]
        }
        PlannedInjection::Possible { mechanism, detail, passed_over, steps, .. } => {
            let mut lines = vec![format!("{detail}; mechanism `{mechanism}`")];
            lines
                .extend(passed_over.iter().map(|rung| format!("not by {}: {}", rung.mechanism, rung.reason)));
            for step in steps {
                lines.push(format!("does     {}", step.action));
                lines.push(format!("touches  {}", step.touches));
                lines.push(format!("undo     {}", step.undo));
            }
            if steps.is_empty() {
                lines.push("the injector does not tell its steps".into());
            }
            lines.push("the way back is written down first; then the witness must see the fault".into());
            lines
        }
    }
}

fn chaos(plan: &RunPlan) -> Vec<String> {
    let length = show_duration(plan.phases.chaos);
    let mut lines = vec![if plan.held < plan.phases.chaos {
        format!("{length}, of which the fault is held for {}", show_duration(plan.held))
    } else {
        match plan.at_most {
            None => format!("{length} under the fault"),
            Some(most) if most <= plan.phases.chaos => {
                format!("{length} under the fault at most: less where the evidence suffices before")
            }
            Some(most) => format!(
                "{length} under the fault: less where the evidence suffices before, up to {} where it does not",
                show_duration(most)
            ),
        }
    }];
    if plan.body_once {
        lines.push("the test body starts, and runs once".into());
    }
    let conditions = conditions(&plan.abort);
    if !conditions.is_empty() {
        lines.push(format!("abort conditions: {}", conditions.join(", ")));
    }
    lines
}

fn conditions(abort: &AbortConditions) -> Vec<String> {
    let share = abort.error_rate.map(|limit| format!("more than {limit} bad samples"));
    let row = abort.consecutive_failures.map(|limit| format!("{limit} bad samples in a row"));
    let slow = abort.response_time.map(|limit| format!("an answer after more than {}", show_duration(limit)));
    [share, row, slow].into_iter().flatten().collect()
}

fn revert(plan: &RunPlan) -> Vec<String> {
    let mut lines = vec![
        format!(
            "after {}{}, and on every other way out of the run",
            show_duration(plan.at_most.unwrap_or(plan.held).max(plan.held)),
            if plan.at_most.is_some() { " at most" } else { "" }
        ),
        "by this process; the witness must see the fault gone, or the verdict is Error(cleanup)".into(),
    ];
    if let PlannedInjection::Possible { if_this_process_dies: undo, .. } = &plan.injection {
        lines.push(if undo.is_empty() {
            "if this process dies: as told above; nothing more is owed".into()
        } else {
            format!("if this process dies: the reaper pays what the ledger owes: {}", undo.join(", then "))
        });
    }
    lines
}

fn recovery(plan: &RunPlan) -> Vec<String> {
    let mut lines =
        vec![format!("watched until service is stable, {} at most", show_duration(plan.phases.watch))];
    let told = [("judged", plan.objectives.bounds()), ("warned of", plan.objectives.warnings.clone())];
    for (what, bounds) in told {
        let phrases = bounds.phrases();
        if !phrases.is_empty() {
            lines.push(format!("{what}: {}", phrases.join(", ")));
        }
    }
    lines
}
