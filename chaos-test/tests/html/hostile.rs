use std::collections::BTreeSet;
use std::sync::LazyLock;

use chaos_test::model::{Abort, AbortCause, BodyEnd, Event, EventKind, PassedOver, StreamKind};
use chaos_test::report::Report;
use chaos_test::report::Summary;
use chaos_test::report::Unreadable;
use chaos_test::report::render::{HtmlDetails, html};
use proptest::option;
use proptest::prelude::*;

use super::arbitrary::{objectives, report, trace};
use super::markup::{document, tags};
use super::synthetic::{Story, ms};
use super::{page, pass, slow};

/// All that could end what it stands in, and more.
pub(crate) const HOSTILE: &str = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\" ' onload=x </title></style>--><!-- \
     &lt;b&gt; \u{0}\u{1b}[31m\r\n\u{7f}\u{85}\u{202e}gpj.exe\u{2066} {{x}} ${y} javascript:alert(1)";

/// The names of tags and of attributes that the page of ordinary records has.
static USUAL: LazyLock<(BTreeSet<String>, BTreeSet<String>)> = LazyLock::new(|| {
    let reports = [slow("a::b_c").report(), everything("b", "word")];
    names(&(page(&reports) + &page(&[Story::new("dry").dry().report()])))
});

fn names(page: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let tags = tags(page);
    let attributes = tags.iter().flat_map(|(_, attributes)| attributes).cloned().collect();
    (tags.into_iter().map(|(name, _)| name).collect(), attributes)
}

pub(crate) fn assert_tame(page: &str) {
    let (tags, attributes) = names(page);
    let (usual_tags, usual_attributes) = &*USUAL;
    assert_eq!(tags.difference(usual_tags).collect::<Vec<_>>(), Vec::<&String>::new());
    assert_eq!(attributes.difference(usual_attributes).collect::<Vec<_>>(), Vec::<&String>::new());
    assert!(!usual_attributes.iter().any(|name| name.starts_with("on") || name == "style" || name == "src"));
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("<style").count(), 1);
    let hidden = page.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
    assert_eq!(hidden, None);
    assert!(!document(page).contains(['\u{202e}', '\u{2066}']));
}

/// A report in which that text stands wherever a record has one.
fn everything(test: &str, text: &str) -> Report {
    let story = pass(test).chaos(|n, sample| {
        if n < 100 {
            sample.outcome = chaos_test::model::Outcome::Failed;
        }
    });
    let mut report = story
        .body(BodyEnd::Failed(text.into()))
        .with(|story| {
            story.log = vec![text.into(), "second".into()];
            story.trace.abort = Some(Abort { at: ms(29_000), cause: AbortCause::Deadline(text.into()) });
            for kind in [EventKind::Fault, EventKind::Service, EventKind::Alert, EventKind::Note] {
                story.trace.events.push(Event { at: ms(12_000), kind, text: text.into() });
            }
            let mut more = story.trace.streams[0].clone();
            (more.name, more.kind) = (text.into(), StreamKind::Endpoint);
            story.trace.streams.push(more);
            story.trace.streams[0].name = text.into();
            story.trace.residue = vec![text.into()];
            story.scenario.name = text.into();
            story.slo.name = text.into();
            let delivery = story.trace.delivery.as_mut().unwrap();
            (delivery.detail, delivery.mechanism) = (text.into(), text.into());
            delivery.passed_over = vec![PassedOver { mechanism: text.into(), reason: text.into() }];
        })
        .report();
    report.binary = text.into();
    report.run_id = text.into();
    report.rerun = text.into();
    report.path = Some(text.into());
    report.catalogue = Some(text.into());
    report.housekeeping = vec![text.into()];
    report.host.system = text.into();
    let service = &mut report.services[0];
    (service.name, service.kind, service.address) = (text.into(), text.into(), text.into());
    service.log_file = Some(text.into());
    report
}

#[test]
fn nothing_that_a_record_holds_becomes_markup() {
    let reports = [everything(HOSTILE, HOSTILE), everything("x", HOSTILE)];
    let page = page(&reports);
    assert_tame(&page);
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "it is shown as the text that it is");
    // The same of what is no record.
    let unreadable = Unreadable { file: HOSTILE.into(), reason: HOSTILE.into() };
    let summary = Summary::of(reports.to_vec()).with_unreadable(vec![unreadable]);
    assert_tame(&html(&summary, &HtmlDetails::new(0), f64::INFINITY));
}

#[test]
fn figures_that_are_none_are_no_trouble() {
    let report = pass("t").with(|story| {
        let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
        readings[0].measured = f64::NAN;
        readings[1].asked = f64::INFINITY;
        readings[2].measured = -1e300;
    });
    let mut report = report.report();
    (report.started_at, report.took) = (f64::NAN, std::time::Duration::MAX);
    let page = page(&[report]);
    assert_tame(&page);
    for number in ["NaN", "inf"] {
        assert!(!page.contains(&format!(" {number}")) && !page.contains(&format!("\"{number}")), "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn anything_can_be_shown(trace in trace(), objectives in option::of(objectives()), test in "(?s).{0,30}") {
        let mut report = report(trace, objectives);
        report.test = test;
        assert_tame(&page(&[report]));
    }
}
