use crate::model::{Phase, ServiceResources, Used};
use crate::report::Report;
use crate::units::ByteSize;

/// What each service used, a line each: `app: 0.02 → 1.94 → 0.03 processors, at most 12 → 14 → 14 MiB, … (baseline →
/// chaos → recovery)`.
pub(super) fn lines(report: &Report) -> Vec<String> {
    report.trace.resources.iter().filter_map(|resources| line(resources, report)).collect()
}

fn line(resources: &ServiceResources, report: &Report) -> Option<String> {
    let phases = [Phase::Baseline, Phase::Chaos, Phase::Recovery];
    let used: Vec<(Phase, Used)> = phases
        .into_iter()
        .filter_map(|phase| Some((phase, resources.used_in(phase, &report.trace.marks)?)))
        .collect();
    if used.is_empty() {
        return None;
    }
    let each = |show: &dyn Fn(&Used) -> String| {
        let shown: Vec<String> = used.iter().map(|(_, used)| show(used)).collect();
        shown.join(" → ")
    };
    let names: Vec<String> = used.iter().map(|(phase, _)| phase.to_string()).collect();
    let processors = each(&|used| format!("{:.2}", used.cpu));
    let memory = each(&|used| size(used.resident));
    let total = |of: fn(&Used) -> u64| used.iter().map(|(_, used)| of(used)).fold(0, u64::saturating_add);
    let storage = match (total(|used| used.read), total(|used| used.written)) {
        (0, 0) => String::new(),
        (read, written) => format!(", {} read and {} written", size(read), size(written)),
    };
    Some(format!(
        "{}: {processors} processors, {memory} resident at most{storage} ({})",
        resources.service,
        names.join(" → ")
    ))
}

/// A size that is short: hundredths of a MiB say nothing about a service.
fn size(bytes: u64) -> String {
    let mib = bytes >> 20;
    if mib >= 10 { format!("{mib} MiB") } else { ByteSize::new(bytes).to_string() }
}

/// The alerts of a run in order, at most eight, and how many more there were.
pub(super) fn alerts(report: &Report) -> Vec<String> {
    const SHOWN: usize = 8;
    let alerts = report.trace.events.iter().filter(|event| event.kind == crate::model::EventKind::Alert);
    let mut lines: Vec<String> =
        alerts.map(|event| format!("{:.1} s: {}", event.at.as_secs_f64(), event.text)).collect();
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    lines.extend((more > 0).then(|| format!("and {more} more, in the record")));
    lines
}
