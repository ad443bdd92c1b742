use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use super::super::changes::Extras;
use super::details::{HtmlDetails, id_of};
use super::legible::{legible, moment};
use super::{over_time, overview, remarks, test};
use crate::report::Summary;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// Nothing is loaded, and nothing runs but this style and this script, by their SHA-256 digests; whatever a record holds,
/// a browser takes no part of it for a script.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; \
    style-src 'sha256-VFcyTxFjPPC7b0abKe4/s117HtVkc6gFttBiCzcUBhY='; script-src 'sha256-7lJKJu0MzSZNtG2xa08QzqJFQ1fhryTSQafmdF1sYEo='";

/// A summary as one HTML page that needs nothing else, stamped with a time in seconds since 1970: the verdict, all tests in
/// a table, and the details of each of them that [`HtmlDetails`] has.
///
/// Without a script all of it can be read; with one it can be filtered and sorted.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{HtmlDetails, html};
///
/// let page = html(&Summary::of(Vec::new()), &HtmlDetails::default(), 1_750_000_000.0);
/// assert!(page.contains("<title>Chaos report: nothing ran</title>"));
/// assert!(page.contains("Written 2025-06-15 15:06:40 UTC"));
/// ```
pub fn html(summary: &Summary, details: &HtmlDetails, timestamp: f64) -> String {
    html_with(summary, details, &Extras::default(), timestamp)
}

/// The same with what changed since a base, and how the tests fared over their history.
///
/// ```
/// use chaos_test::report::render::{Extras, HtmlDetails, html_with};
/// use chaos_test::report::{Comparison, Summary};
///
/// fn page(main: &Summary, now: &Summary, details: &HtmlDetails, time: f64) -> String {
///     let comparison = Comparison::of(&main.tests, &now.tests);
///     let extras = Extras { comparison: Some(("main".into(), comparison)), ..Extras::default() };
///     html_with(now, details, &extras, time)
/// }
/// let none = Summary::of(Vec::new());
/// assert!(page(&none, &none, &HtmlDetails::default(), 0.0).contains("Compared with main"));
/// ```
pub fn html_with(summary: &Summary, details: &HtmlDetails, extras: &Extras, timestamp: f64) -> String {
    let word = summary.word();
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Chaos report: " (word) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#tests" { "To the tests" }
                header {
                    h1 { "Chaos report: " span class={ "word " (outcome(summary)) } { (word) } }
                    p.sentence { (summary.sentence()) }
                    p.muted { "Written " (moment(timestamp)) }
                    button #theme type="button" hidden { "Dark" }
                }
                main {
                    (remarks::remarks(summary))
                    (remarks::past("Violations", summary, |entry| &entry.violations))
                    (remarks::past("Warnings", summary, |entry| &entry.warnings))
                    (remarks::recommendations(summary))
                    (over_time::over_time(extras))
                    @if !summary.tests.is_empty() { (tests(summary, details)) }
                }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    legible(page.into_string())
}

fn outcome(summary: &Summary) -> &'static str {
    match summary.word() {
        "passed" => "pass",
        "failed" => "fail",
        _ => "inconclusive",
    }
}

fn tests(summary: &Summary, details: &HtmlDetails) -> Markup {
    let kept: Vec<Option<&str>> = summary.tests.iter().map(|entry| details.of(entry)).collect();
    let left_out = kept.iter().filter(|record| record.is_none()).count();
    markup! {
        section {
            h2 #h-tests { "Tests " span.count { (summary.tests.len()) } }
            (controls(summary))
            (overview::table(summary))
        }
        section #details {
            h2 { "Details" }
            @if left_out > 0 {
                p.muted {
                    "Of " (left_out) " of " (summary.tests.len()) " tests only the figures are here, to keep this page \
                     small; those that did not pass come first. A page of some records alone has all of them: "
                    code { "cargo chaos report --html one.html --results RECORD…" }
                }
            }
            @for (entry, record) in summary.tests.iter().zip(kept) { (test::section(entry, &id_of(entry), record)) }
        }
    }
}

/// What only works with a script, and is not seen without one.
fn controls(summary: &Summary) -> Markup {
    markup! {
        div.controls hidden role="group" aria-label="filter and expand" {
            label { span.sr { "Filter tests by text" } input #filter type="search" placeholder="Filter: test, scenario, text" autocomplete="off"; }
            div.chips role="group" aria-label="show only these verdicts" {
                @for verdict in overview::VERDICTS {
                    @match summary.count(verdict) {
                        0 => {}
                        count => button type="button" class={ "chip " (overview::class(verdict)) }
                            data-v=(overview::class(verdict)) aria-pressed="false" {
                            span aria-hidden="true" { (overview::sign(verdict)) } " " (verdict) " " (count)
                        }
                    }
                }
            }
            button #open type="button" { "Expand all" }
            button #close type="button" { "Collapse all" }
            p #shown role="status" {}
        }
    }
}
