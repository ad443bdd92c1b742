use chaos_test::report::render::{Extras, HtmlDetails, html_with};
use chaos_test::report::{Comparison, HistoryLine, Summary, trends};

use crate::hostile::{HOSTILE, assert_tame};
use crate::markup::text;
use crate::{pass, slow};

/// A page of a test that got worse, after two runs in which it was well.
fn page(test: &str) -> String {
    let base = Summary::of(vec![pass(test).report()]);
    let now = Summary::of(vec![slow(test).report()]);
    let line = |summary: &Summary, at: f64| HistoryLine::of(summary, at, None);
    let history = [line(&base, 1.0), line(&base, 2.0), line(&now, 3.0)];
    let extras = Extras {
        comparison: Some((test.to_owned(), Comparison::of(&base.tests, &now.tests))),
        trends: trends(&now, &history),
    };
    html_with(&now, &HtmlDetails::default(), &extras, 1_750_000_000.0)
}

#[test]
fn what_changed_and_how_it_fared_are_told_and_drawn() {
    let page = page("checkout");
    let shown = text(&page);
    for told in [
        "Compared with checkout 1 figure worse, 0 better",
        "checkout verdict Pass Fail worse",
        "checkout p95 degradation 200 ms 804 ms worse",
        "History",
        "200 ms, 200 ms, 804 ms",
        "804 ms (limit 500 ms)",
    ] {
        assert!(shown.contains(told), "{told} in {shown}");
    }
    // Three runs are a line of three points.
    let path = page.split("class=\"spark\"").nth(1).unwrap().split("<path d=\"").nth(1).unwrap();
    let path = path.split('"').next().unwrap();
    assert_eq!((path.matches('M').count(), path.matches('L').count()), (1, 2), "{path}");
}

#[test]
fn a_page_without_a_past_says_nothing_of_it() {
    let summary = Summary::of(vec![pass("checkout").report()]);
    let page = html_with(&summary, &HtmlDetails::default(), &Extras::default(), 0.0);
    assert!(!page.contains("Compared with") && !page.contains("class=\"spark\""));
}

#[test]
fn names_of_tests_and_bases_become_no_markup() {
    assert_tame(&page(HOSTILE));
}
