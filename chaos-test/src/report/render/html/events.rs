use std::collections::BTreeMap;
use std::time::Duration;

use maud::{Markup, html};

use super::legible::{clipped, px};
use super::scale::{LEFT, Times};
use crate::model::EventKind;
use crate::report::Report;
use crate::units::show_duration;

/// How many events are listed; all of them are in the record.
const LISTED: usize = 40;
/// How high their row is.
pub(super) const ROW: f64 = 16.0;

/// An event as it is drawn: what it is called, and its shape around the middle of the row.
fn look(kind: EventKind) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        // The bands show them.
        EventKind::Phase => return None,
        EventKind::Fault => ("fault", "m-4 4h8l-4-8z"),
        EventKind::Service => ("service", "m0-5l5 5-5 5-5-5z"),
        EventKind::Alert => ("alert", "m-4-4h8l-4 8z"),
        EventKind::Note => ("note", "m-3-3h6v6h-6z"),
    })
}

/// What is drawn of the events: those of a kind that fall on one spot share a mark.
pub(super) fn marks(report: &Report, times: Times) -> Option<Markup> {
    let mut found: BTreeMap<(i32, &str), (&str, &str, usize)> = BTreeMap::new();
    for event in report.trace.events.iter().filter(|event| times.has(event.at)) {
        let Some((name, shape)) = look(event.kind) else { continue };
        let spot = ((times.x(event.at) / 6.0) as i32, name);
        found.entry(spot).or_insert((shape, &event.text, 0)).2 += 1;
    }
    (!found.is_empty()).then(|| {
        html! {
            @for ((column, name), (shape, text, count)) in &found {
                path class={ "ev " (name) } d={ "M" (column * 6 + 3) " 8" (shape) } {
                    title {
                        (name) ": " (short(text))
                        @if *count > 1 { " and " (count - 1) " more" }
                    }
                }
            }
        }
    })
}

/// A word or some, where there is no room for more.
fn short(text: &str) -> String {
    let mut chars = text.chars();
    let begin: String = chars.by_ref().take(120).collect();
    if chars.next().is_some() { begin + "…" } else { begin }
}

/// Where the run was stopped: a line through everything.
pub(super) fn abort(report: &Report, times: Times, height: f64) -> Option<Markup> {
    let abort = report.trace.abort.as_ref()?;
    let x = times.x(abort.at);
    // The word stands where there is room for it.
    let left = x > LEFT + 90.0;
    Some(html! {
        path.abort d={ "M" (px(x)) " 18V" (px(height)) } {
            title { "aborted after " (show_duration(abort.at)) ": " (clipped(&abort.cause.to_string())) }
        }
        text class={ "halo abort " (if left { "e" } else { "t" }) } x=(px(if left { x - 5.0 } else { x + 5.0 })) y="31" { "■ aborted" }
    })
}

/// The events as a list, for all who do not see the drawing, and for those who do.
pub(super) fn list(report: &Report) -> Markup {
    let mut told: Vec<(Duration, &str, &str)> = report
        .trace
        .events
        .iter()
        .filter_map(|event| Some((event.at, look(event.kind)?.0, event.text.as_str())))
        .collect();
    let cause = report.trace.abort.as_ref().map(|abort| (abort.at, abort.cause.to_string()));
    told.extend(cause.as_ref().map(|(at, cause)| (*at, "abort", cause.as_str())));
    told.sort_by_key(|(at, ..)| *at);
    let more = told.len().saturating_sub(LISTED);
    html! {
        @if !told.is_empty() {
            h4 { "Events" }
            ol.events {
                @for (at, name, text) in told.iter().take(LISTED) {
                    li { span.at { (show_duration(*at)) } " " b { (name) } " " (clipped(text)) }
                }
                @if more > 0 { li { "and " (more) " more, in the record" } }
            }
        }
    }
}
