use std::time::Duration;

use maud::{Markup, html};

use super::legible::px;
use super::scale::Times;
use crate::model::StreamKind;
use crate::report::Report;
use crate::slo::{Outage, noisy_from};
use crate::units::show_duration;

/// Of a hostile record's outages not more than this are drawn.
const MOST: usize = 200;

/// A phase of the run, where it is on the time axis.
struct Band {
    name: &'static str,
    class: &'static str,
    from: Duration,
    to: Duration,
}

fn bands(report: &Report) -> Vec<Band> {
    let marks = &report.trace.marks;
    let end = marks.ended.unwrap_or(Duration::MAX);
    let baseline_end = marks.inject_started.unwrap_or(end);
    let inject_end = marks.injected.or(marks.revert_started);
    let watched_from = marks.removed.or(marks.chaos_ended);
    let span = |name, class, from: Option<Duration>, to: Option<Duration>| {
        Some(Band { name, class, from: from?, to: to? }).filter(|band| band.from <= band.to)
    };
    let all = [
        span("baseline", "b", Some(Duration::ZERO), Some(baseline_end)),
        span("inject", "i", marks.inject_started, inject_end),
        span("chaos", "c", marks.injected, marks.chaos_ended.or(marks.ended)),
        span("revert", "i", marks.revert_started, marks.removed),
        span("recovery", "r", watched_from, marks.ended),
    ];
    all.into_iter().flatten().collect()
}

/// How high the names of the phases stand.
pub(super) const HEAD: f64 = 20.0;

/// The phases as bands behind everything, each with its name on top if it is wide enough.
pub(super) fn phases(report: &Report, times: Times, height: f64) -> Markup {
    html! {
        @for band in bands(report) {
            @let from = times.x(band.from);
            // What took no time is still seen.
            @let width = (times.x(band.to) - from).max(1.0);
            @let length = show_duration(band.to.saturating_sub(band.from));
            rect class={ "band " (band.class) } x=(px(from)) width=(px(width)) height=(px(height)) {
                title { (band.name) " " (length) }
            }
            @if width > 8.0 * band.name.len() as f64 {
                text.m x=(px(from + width / 2.0)) y="14" {
                    (band.name)
                    @if width > 8.0 * (band.name.len() + length.len() + 1) as f64 { " " (length) }
                }
            }
        }
    }
}

/// How high the row of outages is: their bars, and room for the axis below.
pub(super) const BAR: f64 = 20.0;

/// The outages of a stream as bars. A beginning and an end are known to one interval: that much is drawn as a whisker.
pub(super) fn outages(outages: &[Outage], interval: Duration, times: Times, ended: Duration) -> Markup {
    html! {
        @for outage in outages.iter().take(MOST) {
            @let (from, to) = (times.x(outage.start), times.x(outage.end.unwrap_or(ended)));
            @let least = times.x(outage.start.saturating_sub(interval));
            @let sure = times.x(outage.end.unwrap_or(ended).saturating_sub(interval));
            g {
                title { (told(outage, interval, ended)) }
                rect.down x=(px(from)) y="3" width=(px((to - from).max(1.5))) height="6" {}
                path.whisker d={ "M" (px(least)) " 6H" (px(from)) "M" (px(least)) " 2v8" } {}
                @if outage.end.is_some() {
                    path.whisker d={ "M" (px(sure)) " 6H" (px(to)) "M" (px(to)) " 2v8M" (px(sure)) " 2v8" } {}
                } @else {
                    // It was not over: an arrow and no end.
                    path.down d={ "M" (px(to - 7.0)) " 0l8 6-8 6z" } {}
                }
            }
        }
    }
}

/// An outage in words: `down 2.1 s ± 20 ms, from 10.1 s to 12.2 s`.
pub(super) fn told(outage: &Outage, interval: Duration, ended: Duration) -> String {
    let (start, length) = (show_duration(outage.start), show_duration(outage.length(ended)));
    let step = show_duration(interval);
    let flaps = match outage.flaps {
        0 => String::new(),
        1 => ", once seemingly over".into(),
        n => format!(", {n} times seemingly over"),
    };
    match outage.end {
        Some(end) => format!("down {length} ± {step}, from {start} to {}{flaps}", show_duration(end)),
        None => format!("down from {start}; not seen to be over when the watch ended, {length} later{flaps}"),
    }
}

/// Where the host woke the prober too late, as marks in a row of their own; how many there are, `None` without any.
pub(super) fn late_host(report: &Report, times: Times) -> Option<Markup> {
    let scheduled = report.trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let bound = scheduled.map(|stream| noisy_from(stream.interval, &report.slo.objectives)).min()?;
    let mut spans: Vec<(f64, f64)> = Vec::new();
    for window in report.trace.noise.iter().filter(|window| window.lag > bound && times.has(window.at)) {
        let (from, to) = (times.x(window.at), times.x(window.end()));
        match spans.last_mut() {
            Some((_, end)) if from <= *end + 1.0 => *end = end.max(to),
            _ => spans.push((from, to)),
        }
    }
    spans.truncate(MOST);
    (!spans.is_empty()).then(|| {
        html! {
            g {
                title { "the host was late by more than " (show_duration(bound)) }
                @for (from, to) in spans {
                    rect.late x=(px(from)) y="2" width=(px((to - from).max(1.5))) height="5" {}
                }
            }
        }
    })
}

/// What a stream of that kind is called beside its name.
pub(super) fn kind(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Probe => "probe",
        StreamKind::Transaction => "the test body as a transaction",
        StreamKind::Request => "requests of the test body",
        StreamKind::Endpoint => "requests of the test body to this endpoint",
    }
}
