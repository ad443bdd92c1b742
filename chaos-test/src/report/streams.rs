use std::time::Duration;

use super::{Report, show};
use crate::slo::{Figure, StreamFigures};
use crate::units::show_duration;

/// The figures of every judged stream, a line each: `app: 8 ms · 10 ms · 10 ms → 208 ms · 210 ms · 210 ms (p50 · p95 ·
/// p99, baseline → chaos); 95.4 % of 1000 good in chaos, 100 % of 650 good in recovery; 2 outages, 1 flap`.
pub(super) fn lines(report: &Report) -> Vec<String> {
    report.judgement.streams.iter().map(line).collect()
}

fn line(stream: &StreamFigures) -> String {
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
    format!(
        "{}: {} → {} (p50 · p95 · p99, baseline → chaos); {}, {}; {outages}{flaps}",
        stream.name,
        normal.unwrap_or_else(|| "not known".into()),
        chaos.unwrap_or_else(|| "nothing answered".into()),
        good(stream.chaos, "chaos"),
        good(stream.recovery, "recovery"),
    )
}
