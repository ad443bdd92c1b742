use std::time::Duration;

use super::figures::{Afterwards, afterwards};
use super::{Report, show};
use crate::slo::{Figure, StreamFigures};
use crate::units::show_duration;

/// The figures of every judged stream, a line each: `app: 8 ms · 10 ms · 10 ms → 208 ms · 210 ms · 210 ms (p50 · p95 ·
/// p99, baseline → chaos), p95 10 ms in recovery; 95.4 % of 1000 good in chaos, 100 % of 650 good in recovery, the last 650 in
/// a row; 2 outages, 1 flap`.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let streams = report.judgement.streams.iter().zip(afterwards(report));
    streams.map(|(stream, after)| line(stream, after.as_ref())).collect()
}

fn line(stream: &StreamFigures, after: Option<&Afterwards>) -> String {
    let three = |p50: Duration, p95: Duration, p99: Duration| [p50, p95, p99].map(show_duration).join(" · ");
    let normal = stream.baseline.map(|normal| three(normal.p50, normal.p95, normal.p99));
    let chaos = stream.chaos_latency.map(|(p50, p95, p99)| three(p50, p95, p99));
    let good = |(n, bad): (u64, u64), phase: &str| {
        if n == 0 {
            return format!("no sample in {phase}");
        }
        let share = Figure::Share(n.saturating_sub(bad) as f64 / n as f64);
        format!("{} of {n} good in {phase}", show::figure(share))
    };
    let counted = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let outages = match stream.outages.len() {
        0 => String::from("no outage"),
        n => counted(n as u64, "outage"),
    };
    let flaps: u64 = stream.outages.iter().map(|outage| u64::from(outage.flaps)).sum();
    let flaps = if flaps == 0 { String::new() } else { format!(", {}", counted(flaps, "flap")) };
    let p95 = after.and_then(|after| after.p95);
    let p95 = p95.map(|p95| format!(", p95 {} in recovery", show_duration(p95))).unwrap_or_default();
    let any_bad = stream.chaos.1 + stream.recovery.1 > 0;
    let row = after.filter(|_| any_bad).map(|after| match after.successes {
        0 => String::from(", the last one bad"),
        n => format!(", the last {n} in a row"),
    });
    let row = row.unwrap_or_default();
    format!(
        "{}: {} → {} (p50 · p95 · p99, baseline → chaos){p95}; {}, {}{row}; {outages}{flaps}",
        stream.name,
        normal.unwrap_or_else(|| "not known".into()),
        chaos.unwrap_or_else(|| "nothing answered".into()),
        good(stream.chaos, "chaos"),
        good(stream.recovery, "recovery"),
    )
}
