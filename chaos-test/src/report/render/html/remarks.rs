use maud::{Markup, html};

use super::details::id_of;
use super::legible::{clipped, name};
use crate::report::summary::Given;
use crate::report::{Entry, Summary, Violation};

/// A list on top of a page is read to its end, or it is too long.
const MOST: usize = 200;
/// So many broken bounds are seen at once: below them come the tests.
const FIRST: usize = 10;

/// What the verdicts alone do not tell: tries that do not count, records that are missing.
pub(super) fn remarks(summary: &Summary) -> Markup {
    html! {
        @if !(summary.retried.is_empty() && summary.unreadable.is_empty()) {
            ul.remarks {
                @for retried in summary.retried.iter().take(MOST) {
                    @let verdicts: Vec<String> = retried.verdicts.iter().map(ToString::to_string).collect();
                    li {
                        code { (retried.test) } " was tried " (verdicts.len()) " times: " (verdicts.join(", then "))
                        "; the last one counts"
                    }
                }
                (more(summary.retried.len()))
                @for unreadable in summary.unreadable.iter().take(MOST) {
                    li { code { (unreadable.file) } " could not be read and is missing here: " (clipped(&unreadable.reason)) }
                }
                (more(summary.unreadable.len()))
            }
        }
    }
}

fn more(of: usize) -> Markup {
    html! { @if of > MOST { li { "and " (of - MOST) " more" } } }
}

/// The bounds that were broken, of one severity.
pub(super) fn past(title: &str, summary: &Summary, of: fn(&Entry) -> &[Violation]) -> Markup {
    let violations: Vec<(&Entry, &Violation)> = summary
        .tests
        .iter()
        .flat_map(|entry| of(entry).iter().map(move |violation| (entry, violation)))
        .collect();
    let (first, more) = violations[..violations.len().min(MOST)].split_at(violations.len().min(FIRST));
    html! {
        @if !violations.is_empty() {
            section {
                h2 { (title) " " span.count { (violations.len()) } }
                (bounds(title, first))
                @if !more.is_empty() {
                    details.more {
                        summary { "and " (violations.len() - first.len()) " more" }
                        (bounds(title, more))
                        @if violations.len() > MOST { p.muted { "and others, at the tests" } }
                    }
                }
            }
        }
    }
}

fn bounds(title: &str, violations: &[(&Entry, &Violation)]) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label=(title) {
            table.past {
                thead { tr {
                    th scope="col" { "test" } th scope="col" { "objective" }
                    th.n scope="col" { "limit" } th.n scope="col" { "measured" }
                } }
                tbody {
                    @for (entry, violation) in violations {
                        tr {
                            th scope="row" { a href={ "#" (id_of(entry)) } { (name(&violation.test)) } }
                            td { (clipped(&violation.objective)) }
                            td.n { (violation.limit) }
                            td.n { (clipped(&violation.measured)) }
                        }
                    }
                }
            }
        }
    }
}

/// What to do, and what says so; the same advice is given once, with the first finding that led to it.
pub(super) fn recommendations(summary: &Summary) -> Markup {
    let given = summary.recommendations();
    html! {
        @if !given.is_empty() {
            section {
                h2 { "Recommendations" }
                ul.advice {
                    @for Given { recommendation, test, times } in given.iter().take(Given::MOST) {
                        li {
                            (recommendation.what) " "
                            span.muted {
                                "because: " (clipped(&recommendation.because)) ", in " code { (test) }
                                @if *times > 1 { " and " (times - 1) " more" }
                            }
                        }
                    }
                    @if given.len() > Given::MOST { li { "and " (given.len() - Given::MOST) " more, at the tests" } }
                }
            }
        }
    }
}
