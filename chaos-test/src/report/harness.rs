use crate::model::Sham;
use crate::report::Report;
use crate::slo::{HarnessCost, door_cost, machinery_cost};

/// What the harness itself costs, where that was measured: `app +0.02 ms at p50, +0.10 ms at p95 (workers for cpu_exhaust
/// 2 workers, at rest); the front door +0.06 ms at p50, +0.09 ms at p95`.
pub(super) fn line(report: &Report) -> Option<String> {
    let trace = &report.trace;
    let machinery: Vec<String> = machinery_cost(trace).iter().map(cost).collect();
    let detail = match &trace.sham {
        Some(Sham::InPlace { detail, .. }) => format!(" ({detail})"),
        _ => String::new(),
    };
    let machinery = (!machinery.is_empty()).then(|| machinery.join(", ") + &detail);
    let door = door_cost(trace).as_ref().map(cost);
    let parts: Vec<String> = machinery.into_iter().chain(door).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn cost(cost: &HarnessCost) -> String {
    // What rounds to nothing has no sign.
    let ms = |seconds: f64| format!("{:+.2} ms", (seconds * 1e5).round() / 1e2 + 0.0);
    format!("{} {} at p50, {} at p95", cost.of, ms(cost.p50), ms(cost.p95))
}
