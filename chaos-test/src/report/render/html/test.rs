use maud::{Markup, PreEscaped, html};

use super::legible::{clipped, moment, name};
use super::{budget, dots, events, evidence, overview, streams, timeline};
use crate::report::{Entry, Report, render};
use crate::slo::{Verdict, show_dose};
use crate::units::show_duration;

/// The last lines of a log are enough; its file has the others.
const LINES: usize = 40;

/// What only the record of a test knows: the timeline, the streams, the texts, the logs.
pub(super) fn from_record(report: &Report, id: &str) -> Markup {
    let level = (report.judgement.confidence * 1e5).round() / 1e3;
    html! {
        @if !report.judgement.evaluations.is_empty() {
            p.muted { "Intervals are those of " (level) " % confidence; a time is known to one interval of its probe." }
        }
        @if let Some(drawing) = timeline::timeline(report, id) {
            h4 { "Timeline" }
            @if let Some(phases) = render::timeline_of(report) { p { (phases) } }
            (drawing)
            @for stream in timeline::drawn(report) {
                div.of { span { (stream.name) } (dots::legend(stream)) }
            }
            @match timeline::undrawn(report) {
                0 => {}
                more => p.muted { (more) " more streams are in the table and in the record." }
            }
        }
        (events::list(report))
        (streams::table(report))
        @if let (Verdict::Skipped, Some(plan)) = (report.verdict(), &report.plan) {
            h4 { "Plan" }
            pre { (clipped(&render::plan(plan))) }
        }
        (facts(report))
        (logs(report))
    }
}

fn facts(report: &Report) -> Markup {
    // These have a place of their own.
    let elsewhere = ["log", "record", "rerun", "timeline", "alert", "note"];
    let told = render::facts_of(report).into_iter().filter(|(label, _)| !elsewhere.contains(label));
    html! {
        h4 { "Facts" }
        dl {
            @for (label, text) in told { dt { (label) } dd { (clipped(&text)) } }
            @for line in evidence::told(report) { dt { "evidence" } dd { (line) } }
            dt { "test binary" } dd { code { (report.binary) } }
            dt { "run" } dd { code { (report.run_id) } }
            dt { "began" } dd { (moment(report.started_at)) ", took " (show_duration(report.took)) }
            dt { "machine" } dd { (report.host.system) ", " (report.host.processors) " processors" }
            @if let Some(catalogue) = &report.catalogue { dt { "catalogue" } dd { (catalogue) } }
            @for service in report.services.iter().take(20) {
                dt { "service" }
                dd {
                    (service.name) ": " (service.kind) " at " (service.address)
                    @if let Some(file) = &service.log_file { ", log in " code { (file) } }
                }
            }
        }
    }
}

fn logs(report: &Report) -> Markup {
    html! {
        @for service in report.services.iter().filter(|service| !service.log_tail.is_empty()).take(20) {
            @let from = service.log_tail.len().saturating_sub(LINES);
            h4 { "Log of " (service.name) }
            pre role="region" tabindex="0" aria-label={ "log of " (service.name) } {
                (clipped(&service.log_tail[from..].join("\n")))
            }
        }
    }
}

/// A test's details: what the entry says, and around it what only the record knows, where that was kept.
pub(super) fn section(entry: &Entry, id: &str, record: Option<&str>) -> Markup {
    html! {
        details.test id=(id) data-v=(overview::class(entry.verdict)) {
            summary {
                (overview::badge(entry)) " "
                h3 { (name(&entry.test)) } " "
                span.muted { (entry.scenario) }
            }
            div.inside {
                p.headline { (clipped(&entry.headline)) }
                (budget::table(entry, record.is_some()))
                (dose(entry))
                (advice(entry))
                @match record {
                    Some(record) => (PreEscaped(record)),
                    None => p.muted { "Its timeline and texts were left out, see above." }
                }
                (again(entry))
            }
        }
    }
}

/// The fault that was asked for and the fault that was measured.
fn dose(entry: &Entry) -> Markup {
    html! {
        @if let Some(dose) = &entry.dose {
            p {
                b { "Fault" } " " (entry.fault)
                @if let Some(target) = &entry.target { " on " (target) }
                " by " code { (dose.mechanism) } ": "
                @match (dose.asked, dose.measured) {
                    (Some(asked), Some(measured)) => {
                        "asked " b { (show_dose(dose.unit, asked)) } ", measured " b { (show_dose(dose.unit, measured)) }
                        " (median), enough of it in " (dose.enough) " of " (dose.checks) " checks"
                    }
                    _ => "never measured"
                }
            }
        }
    }
}

fn advice(entry: &Entry) -> Markup {
    html! {
        @if !entry.recommendations.is_empty() {
            ul.advice {
                @for one in &entry.recommendations {
                    li { (one.what) " " span.muted { "because: " (clipped(&one.because)) } }
                }
            }
        }
    }
}

/// How to run it again, and where its record is.
fn again(entry: &Entry) -> Markup {
    html! {
        @if let Some(record) = &entry.record { p { b { "Record" } " " code { (record) } } }
        @if !entry.rerun.is_empty() {
            div.again {
                b { "Run it again" }
                pre.cmd tabindex="0" { (entry.rerun) }
                button.copy type="button" hidden { "Copy" span.sr { " the command that runs " (entry.test) " again" } }
            }
        }
    }
}
