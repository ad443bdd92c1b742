use std::time::Duration;

use maud::{Markup, html};

use super::panel::{Line, Panel, limit, lines, plot};
use super::scale::{Axis, LEFT, Times, WIDTH};
use super::{bands, dots, events, evidence, legible};
use crate::model::{ResourceSample, Severity, Stream};
use crate::report::{Report, render, show};
use crate::slo::{Evaluation, Figure, Indicator, StreamFigures, show_dose};
use crate::units::{ByteSize, show_duration};

/// Not more streams than this are drawn, and lines of services.
const MOST: usize = 6;
/// Looks of the lines of a panel, in words.
const LOOKS: [(&str, &str); 4] = [("a", "solid"), ("b", "dashed"), ("c", "dotted"), ("d", "long dashes")];
/// Latencies beyond are at the edge.
const LATENCIES: (f64, f64) = (1e-5, 1e3);

/// The run as a drawing: all panels share one time axis. `None` where nothing was observed.
pub(super) fn timeline(report: &Report, id: &str) -> Option<Markup> {
    let times = Times::of(report)?;
    let rows = rows(report, times);
    let streams = drawn(report).map(|stream| samples(report, stream, times));
    let panels: Vec<Panel> = rows
        .into_iter()
        .chain(streams)
        .chain(dose(report, times))
        .chain(resources(report, times))
        .chain(evidence::panels(report, times))
        .collect();
    let height = bands::HEAD + panels.iter().map(|panel| panel.height).sum::<f64>();
    let mut y = bands::HEAD;
    let placed = panels.into_iter().map(|panel| {
        let at = y;
        y += panel.height;
        (at, panel.markup)
    });
    let described = format!("{id}-d");
    Some(html! {
        div.scroll.drawing role="region" tabindex="0" aria-label={ "timeline of " (report.test) } {
            svg viewBox={ "0 0 " (WIDTH) " " (height + 22.0) } role="img" aria-label="timeline" aria-describedby=(described) {
                desc id=(described) { (description(report)) }
                (bands::phases(report, times, height))
                @for (x, name) in times.ticks() {
                    path.grid d={ "M" (legible::px(x)) " " (bands::HEAD) "V" (height) } {}
                    text.m x=(legible::px(x)) y=(height + 15.0) { (name) }
                }
                @for (at, markup) in placed { g transform={ "translate(0 " (legible::px(at)) ")" } { (markup) } }
                @if let Some(abort) = events::abort(report, times, height) { (abort) }
            }
        }
    })
}

/// The streams that are drawn; of those without a sample there is nothing to see.
pub(super) fn drawn(report: &Report) -> impl Iterator<Item = &Stream> {
    report.trace.streams.iter().filter(|stream| !stream.samples.is_empty()).take(MOST)
}

/// How many streams have samples and are not drawn.
pub(super) fn undrawn(report: &Report) -> usize {
    report.trace.streams.iter().filter(|stream| !stream.samples.is_empty()).count().saturating_sub(MOST)
}

/// What the drawing shows, in a sentence or two.
fn description(report: &Report) -> String {
    let mut parts: Vec<String> = render::timeline_of(report).into_iter().collect();
    parts.extend(drawn(report).map(|stream| {
        let bad = stream.samples.iter().filter(|sample| !sample.is_good()).count();
        format!("{}: {} samples, {bad} of them bad", stream.name, stream.samples.len())
    }));
    parts.extend(
        report.trace.abort.as_ref().map(|abort| format!("aborted after {}", show_duration(abort.at))),
    );
    parts.join(". ") + ". The tables below have the figures."
}

/// The rows of marks above the plots: events, and a late host.
fn rows(report: &Report, times: Times) -> Vec<Panel> {
    let row = |name: &str, height: f64, marks: Markup| Panel {
        height,
        markup: html! { text.e x=(LEFT - 5.0) y=(height / 2.0 + 4.0) { (name) } (marks) },
    };
    let mut rows = Vec::new();
    rows.extend(events::marks(report, times).map(|marks| row("events", events::ROW, marks)));
    rows.extend(bands::late_host(report, times).map(|marks| row("late host", 11.0, marks)));
    rows
}

/// The samples of a stream over time, its outages above them.
fn samples(report: &Report, stream: &Stream, times: Times) -> Panel {
    let figures = report.judgement.streams.iter().find(|of| of.name == stream.name && of.kind == stream.kind);
    let bound = figures.and_then(|figures| bound(report, figures));
    let latencies = stream.samples.iter().map(|sample| sample.latency.as_secs_f64());
    let axis = Axis::log(latencies.chain(bound.as_ref().map(|(at, _)| *at)), LATENCIES, 150.0);
    let name = |seconds: f64| Duration::try_from_secs_f64(seconds).map_or_else(|_| String::new(), tick);
    let inside = html! {
        (dots::dots(stream, times, axis))
        @if let Some((at, name)) = &bound { (limit(*at, name, axis)) }
    };
    let every = if stream.kind.is_scheduled() {
        format!(" every {}", show_duration(stream.interval))
    } else {
        String::new()
    };
    let title = format!("{}: latency, {}{every}", stream.name, bands::kind(stream.kind));
    let ended = report.trace.marks.ended.unwrap_or_default();
    let down = figures.filter(|figures| !figures.outages.is_empty()).map(|figures| {
        let bars = html! {
            text.e x=(LEFT - 5.0) y="10" { "down" }
            (bands::outages(&figures.outages, stream.interval, times, ended))
        };
        (bands::BAR, bars)
    });
    plot(&title, down, axis, &name, &inside)
}

/// Of a decade as an axis names it: `100 µs` would be `0.10 ms` elsewhere.
fn tick(at: Duration) -> String {
    if at < Duration::from_millis(1) { format!("{} µs", at.as_micros()) } else { show_duration(at) }
}

/// The latency up to which the 95th percentile may go, where an objective says so.
fn bound(report: &Report, figures: &StreamFigures) -> Option<(f64, String)> {
    let of_stream = |one: &&Evaluation| one.stream == figures.name && one.severity == Severity::Blocking;
    report.judgement.evaluations.iter().filter(of_stream).find_map(|one| {
        let Figure::Seconds(limit) = one.limit else { return None };
        let (at, what) = match one.indicator {
            Indicator::LatencyDegradation => (figures.baseline?.p95.as_secs_f64() + limit, "p95"),
            Indicator::LatencyP50 | Indicator::EndpointLatencyP50 => (limit, "p50"),
            Indicator::LatencyP95 | Indicator::EndpointLatencyP95 => (limit, "p95"),
            Indicator::LatencyP99 | Indicator::EndpointLatencyP99 => (limit, "p99"),
            _ => return None,
        };
        Some((at, format!("limit of {what}: {}", show::figure(Figure::Seconds(at)))))
    })
}

/// The dose asked for and the dose that the witness measured.
fn dose(report: &Report, times: Times) -> Option<Panel> {
    let delivery = report.trace.delivery.as_ref().filter(|delivery| !delivery.readings.is_empty())?;
    let of = |value: fn(&crate::model::DoseReading) -> f64| -> Vec<(Duration, f64)> {
        delivery.readings.iter().map(|reading| (reading.at, value(reading))).collect()
    };
    let both = [
        Line { name: "asked", class: "b", points: of(|reading| reading.asked), stepped: true },
        Line { name: "measured", class: "a", points: of(|reading| reading.measured), stepped: true },
    ];
    let axis = Axis::linear(both.iter().flat_map(|line| &line.points).map(|(_, value)| *value), 40.0);
    let name = |dose: f64| show_dose(delivery.unit, dose);
    Some(plot("fault: asked (dashed), measured (solid)", None, axis, &name, &lines(&both, times, axis)))
}

/// What the services used: a panel for processors, one for memory, and one each for what they read and wrote, if they
/// did.
fn resources(report: &Report, times: Times) -> Vec<Panel> {
    let services = || report.trace.resources.iter().filter(|of| !of.samples.is_empty()).take(LOOKS.len());
    if services().next().is_none() {
        return Vec::new();
    }
    let several = services().count() > 1;
    let names: Vec<String> = services()
        .zip(LOOKS)
        .map(|(of, (_, look))| if several { format!("{} ({look})", of.service) } else { of.service.clone() })
        .collect();
    let panel = |what: &str, value: fn(&ResourceSample) -> f64, name: &dyn Fn(f64) -> String| {
        let of_services: Vec<Line<'_>> = services()
            .zip(LOOKS)
            .map(|(of, (class, _))| Line {
                name: &of.service,
                class,
                points: of.samples.iter().map(|sample| (sample.at, value(sample))).collect(),
                stepped: false,
            })
            .collect();
        let axis =
            Axis::linear(of_services.iter().flat_map(|line| &line.points).map(|(_, value)| *value), 44.0);
        plot(&format!("{what}: {}", names.join(", ")), None, axis, name, &lines(&of_services, times, axis))
    };
    let mut panels = vec![
        panel("processors used", |sample| sample.cpu, &|cpu| {
            // Of a service that hardly works one digit would be none.
            if cpu < 0.1 { format!("{cpu:.3}") } else { format!("{cpu:.2}") }
        }),
        panel("resident memory", |sample| sample.resident as f64, &|bytes| {
            ByteSize::new(bytes as u64).to_string()
        }),
    ];
    let storage: [(&str, Value); 2] = [
        ("read from storage, a second", |sample| per_second(sample.read, sample.over)),
        ("written to storage, a second", |sample| per_second(sample.written, sample.over)),
    ];
    for (what, value) in storage {
        if services().flat_map(|of| &of.samples).any(|sample| value(sample) > 0.0) {
            panels.push(panel(what, value, &|bytes| ByteSize::new(bytes.round() as u64).to_string()));
        }
    }
    panels
}

/// What a panel shows of a sample.
type Value = fn(&ResourceSample) -> f64;

fn per_second(bytes: u64, over: Duration) -> f64 {
    if over.is_zero() { 0.0 } else { bytes as f64 / over.as_secs_f64() }
}
