use std::time::Duration;

use maud::{Markup, html};

use super::bands;
use crate::report::figures::{Afterwards, afterwards};
use crate::report::{Report, show};
use crate::slo::{RecoveryTime, StreamFigures};
use crate::units::show_duration;

/// Of a hostile record's streams and outages not more than this are told.
const MOST: usize = 50;

/// The figures of every judged stream: latency before and under the fault, bad samples, the way back.
pub(super) fn table(report: &Report) -> Markup {
    let streams = &report.judgement.streams;
    html! {
        @if !streams.is_empty() {
            h4 { "Streams" }
            div.scroll role="region" tabindex="0" aria-label="streams" {
                table {
                    thead { tr {
                        th scope="col" { "stream" }
                        th.n scope="col" { "baseline p50 · p95 · p99" }
                        th.n scope="col" { "chaos p50 · p95 · p99" }
                        th.n scope="col" { "recovery p95" }
                        th.n scope="col" { "bad in chaos" }
                        th.n scope="col" { "bad in recovery" }
                        th.n scope="col" { "good" }
                        th.n scope="col" { "last in a row" }
                        th.n scope="col" { "recovered" }
                    } }
                    tbody { @for (stream, after) in streams.iter().zip(afterwards(report)).take(MOST) {
                        (row(report, stream, after.as_ref()))
                    } }
                }
            }
        }
        (outages(report))
    }
}

fn row(report: &Report, stream: &StreamFigures, after: Option<&Afterwards>) -> Markup {
    let three = |p50: Duration, p95: Duration, p99: Duration| [p50, p95, p99].map(show_duration).join(" · ");
    let normal = stream.baseline.map(|normal| three(normal.p50, normal.p95, normal.p99));
    let chaos = stream.chaos_latency.map(|(p50, p95, p99)| three(p50, p95, p99));
    let recovered = stream.recovery_time.map(|time| match time {
        RecoveryTime::After(time) => show::recovered(time, show::interval_of(report, stream)),
        RecoveryTime::NotWithin(time) => format!("not within {}", show_duration(time)),
    });
    let of = |(n, bad): (u64, u64)| format!("{bad} of {n}");
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".into());
    html! {
        tr {
            th scope="row" { (stream.name) " " span.muted { (bands::kind(stream.kind)) } }
            td.n { (or_none(normal)) }
            td.n { (or_none(chaos)) }
            td.n { (or_none(after.and_then(|after| after.p95).map(show_duration))) }
            td.n { (of(stream.chaos)) }
            td.n { (of(stream.recovery)) }
            td.n { (format!("{:.2} %", stream.good_share * 100.0)) }
            td.n { (or_none(after.map(|after| after.successes.to_string()))) }
            td.n { (or_none(recovered)) @if stream.relapsed { ", then down again" } }
        }
    }
}

/// Every outage in words; the same as the bars show.
fn outages(report: &Report) -> Markup {
    let ended = report.trace.marks.ended.unwrap_or_default();
    let all = report
        .judgement
        .streams
        .iter()
        .flat_map(|stream| stream.outages.iter().map(move |outage| (stream, outage)));
    let more = all.clone().count().saturating_sub(MOST);
    html! {
        @if report.judgement.streams.iter().any(|stream| !stream.outages.is_empty()) {
            h4 { "Outages" }
            ul {
                @for (stream, outage) in all.take(MOST) {
                    li { b { (stream.name) } " " (bands::told(outage, show::interval_of(report, stream), ended)) }
                }
                @if more > 0 { li { "and " (more) " more, in the record" } }
            }
        }
    }
}
