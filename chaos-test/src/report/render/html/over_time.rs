use maud::{Markup, html};

use super::super::changes::{Extras, figure, sentence};
use super::legible::clipped;
use super::overview;
use crate::report::{Change, Shift, Tightest, Trend};

/// A list on top of a page is read to its end, or it is too long.
const MOST: usize = 200;

/// What changed since a base, regressions first, and how the tests fared over their history.
pub(super) fn over_time(extras: &Extras) -> Markup {
    html! {
        @if let Some((base, comparison)) = &extras.comparison {
            @let changed: Vec<&Change> = comparison.tests.iter().filter(|change| change.is_change()).collect();
            section {
                h2 { "Compared with " (clipped(base)) }
                p { (sentence(comparison)) }
                @if !changed.is_empty() {
                    div.scroll role="region" tabindex="0" aria-label="what changed" {
                        table.past {
                            thead { tr {
                                th scope="col" { "test" } th scope="col" { "what" } th.n scope="col" { "before" }
                                th.n scope="col" { "now" } th scope="col" { "change" }
                            } }
                            tbody { @for change in changed.into_iter().take(MOST) { (rows(change)) } }
                        }
                    }
                }
                ul.remarks {
                    @for change in comparison.tests.iter().take(MOST) {
                        @if let Some(why) = &change.not_compared {
                            li { code { (change.test) } " is not compared: " (clipped(why)) }
                        }
                    }
                    @for name in comparison.new.iter().take(MOST) { li { code { (name) } " is new" } }
                    @for name in comparison.gone.iter().take(MOST) { li { code { (name) } " was not run" } }
                }
            }
        }
        @if !extras.trends.is_empty() { (history(&extras.trends)) }
    }
}

fn rows(change: &Change) -> Markup {
    let worse = |worse: bool| if worse { ("fail", "worse") } else { ("pass", "better") };
    let row = |what: &str, was: &str, is: &str, (class, word): (&str, &str)| {
        html! {
            tr {
                th scope="row" { (change.test) }
                td { (clipped(what)) } td.n { (clipped(was)) } td.n { (clipped(is)) } td class=(class) { (word) }
            }
        }
    };
    html! {
        @if change.has_other_verdict() {
            (row("verdict", &change.was.1, &change.is.1, change.has_worse_verdict().map_or(("", "not compared"), worse)))
        }
        @for moved in &change.figures {
            @if matches!(moved.shift, Shift::Worse | Shift::Better) {
                (row(&moved.objective, &moved.was, &moved.is, worse(moved.shift == Shift::Worse)))
            }
        }
    }
}

fn history(trends: &[Trend]) -> Markup {
    html! {
        section {
            h2 { "History" }
            p.muted { "The latest run is the last. The line is the limit." }
            div.scroll role="region" tabindex="0" aria-label="history" {
                table.past {
                    thead { tr {
                        th scope="col" { "test" } th scope="col" { "verdicts" }
                        th scope="col" { "nearest to its limit" } th scope="col" { "run by run" } th.n scope="col" { "now" }
                    } }
                    tbody {
                        @for trend in trends.iter().take(MOST) {
                            tr {
                                th scope="row" { (trend.test) }
                                td { @for verdict in &trend.verdicts {
                                    span class=(overview::class(*verdict)) title=(verdict) { (overview::sign(*verdict)) } " "
                                } }
                                @if let Some(tightest) = &trend.tightest {
                                    td { (clipped(&tightest.objective)) } td { (sparkline(tightest)) }
                                    td.n { (now(tightest)) }
                                } @else { td {} td {} td.n {} }
                            }
                        }
                    }
                }
                @if trends.len() > MOST { p.muted { "and " (trends.len() - MOST) " more" } }
            }
        }
    }
}

fn now(tightest: &Tightest) -> String {
    let now = tightest.measured.last().copied().flatten();
    let now = now.map_or_else(|| "not known".into(), |now| figure(now, tightest.unit));
    format!("{now} (limit {})", figure(tightest.limit, tightest.unit))
}

/// Width and height of a sparkline, in its own units.
const SIZE: (f64, f64) = (120.0, 28.0);
/// What is kept free around it, so that no dot is cut.
const MARGIN: f64 = 3.0;

/// The figure run by run as a line, a gap where it is not known, and the limit across it.
fn sparkline(tightest: &Tightest) -> Markup {
    let known = tightest.measured.iter().flatten().copied().chain([tightest.limit]).filter(|x| x.is_finite());
    let (low, high) = known.fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)));
    let (width, height) = (SIZE.0 - 2.0 * MARGIN, SIZE.1 - 2.0 * MARGIN);
    let y = |x: f64| {
        let share = if high > low { (x - low) / (high - low) } else { 0.5 };
        MARGIN + (1.0 - share) * height
    };
    let steps = tightest.measured.len().saturating_sub(1).max(1) as f64;
    let points: Vec<Option<(f64, f64)>> = tightest
        .measured
        .iter()
        .enumerate()
        .map(|(n, x)| x.filter(|x| x.is_finite()).map(|x| (MARGIN + n as f64 / steps * width, y(x))))
        .collect();
    let mut path = String::new();
    for (n, point) in points.iter().enumerate() {
        if let Some((x, y)) = point {
            let joined = n > 0 && points[n - 1].is_some();
            path += &format!("{}{x:.1} {y:.1}", if joined { "L" } else { "M" });
            // A run with a gap on both sides is a dot.
            path += if joined { "" } else { "h0" };
        }
    }
    let told: Vec<String> = tightest
        .measured
        .iter()
        .map(|x| x.map_or_else(|| "not known".into(), |x| figure(x, tightest.unit)))
        .collect();
    html! {
        svg.spark role="img" viewBox={ "0 0 " (SIZE.0) " " (SIZE.1) } width=(SIZE.0) height=(SIZE.1) {
            title { (told.join(", ")) }
            @if tightest.limit.is_finite() {
                path.limit d=(format!("M0 {0:.1}L{1} {0:.1}", y(tightest.limit), SIZE.0)) {}
            }
            path d=(path) {}
        }
    }
}
