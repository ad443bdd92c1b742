use maud::{Markup, html};

use super::budget::{show_margin, worst};
use super::details::id_of;
use super::legible::name;
use crate::report::{Entry, Summary};
use crate::slo::Verdict;
use crate::units::show_duration;

/// Every verdict, the worst one first.
pub(super) const VERDICTS: [Verdict; 6] =
    [Verdict::Error, Verdict::Aborted, Verdict::Fail, Verdict::Inconclusive, Verdict::Pass, Verdict::Skipped];

/// What a verdict is called in the page's style and script.
pub(super) fn class(verdict: Verdict) -> &'static str {
    verdict.key()
}

/// A sign that tells verdicts apart where colours do not.
pub(super) fn sign(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Skipped => "–",
        Verdict::Pass => "✓",
        Verdict::Inconclusive => "?",
        Verdict::Fail => "✕",
        Verdict::Aborted => "■",
        Verdict::Error => "!",
    }
}

/// A verdict with its reason in a few words.
pub(super) fn badge(entry: &Entry) -> Markup {
    let label = if entry.label.is_empty() { entry.verdict.to_string() } else { entry.label.clone() };
    html! {
        span class={ "badge " (class(entry.verdict)) } { span aria-hidden="true" { (sign(entry.verdict)) } "\u{a0}" (label) }
    }
}

/// All tests in one table, a line each, as wide as need be.
pub(super) fn table(summary: &Summary) -> Markup {
    let columns = [
        ("verdict", ""),
        ("test", ""),
        ("scenario", ""),
        ("type", ""),
        ("SLO", ""),
        (
            "margin",
            "of the objective nearest to its limit or the furthest beyond, in percent of what its limit allows",
        ),
        ("what happened", ""),
        ("took", ""),
    ];
    html! {
        div.scroll role="region" tabindex="0" aria-label="all tests" {
            table #tests {
                thead { tr {
                    @for (name, what) in columns {
                        th scope="col" title=[Some(what).filter(|what| !what.is_empty())] {
                            button.sort type="button" { (name) }
                        }
                    }
                } }
                tbody { @for entry in &summary.tests { (row(entry)) } }
            }
        }
    }
}

fn row(entry: &Entry) -> Markup {
    let margin = worst(entry);
    let took = std::time::Duration::try_from_secs_f64(entry.took_seconds).unwrap_or_default();
    let id = id_of(entry);
    // Sorted as numbers where the texts would not do.
    html! {
        tr data-v=(class(entry.verdict)) data-t=(id) {
            td data-k=(entry.verdict as u8) { (badge(entry)) }
            th scope="row" { a href={ "#" (id) } { (name(&entry.test)) } }
            td { (entry.scenario) @if !entry.intensity.is_empty() { " " span.muted { (entry.intensity) } } }
            td { (entry.fault) }
            td { (entry.slo) }
            td.n data-k=(margin.map_or_else(|| "1e99".to_owned(), |margin| format!("{margin:.3}"))) { (show_margin(margin)) }
            td { (entry.headline) }
            td.n data-k=(format!("{:.3}", entry.took_seconds)) { (show_duration(took)) }
        }
    }
}
