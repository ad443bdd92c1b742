use chaos_test::model::{Abort, AbortCause, Bounds, Outcome, Stage};
use chaos_test::report::{Report, Summary, Unreadable, render};
use insta::assert_snapshot;

use crate::synthetic::{BASELINE, Story, delayed, ms};

pub(crate) fn pass(test: &str) -> Story {
    Story::new(test).chaos(delayed)
}

pub(crate) fn fail(test: &str) -> Story {
    Story::new(test).chaos(|_, sample| sample.latency += ms(804))
}

/// A test of each verdict; one that may be Inconclusive, one that was tried twice, and a file that is no record.
pub(crate) fn each() -> Summary {
    let inconclusive = |test: &str| pass(test).chaos(|_, sample| sample.lag = ms(45));
    let aborted =
        Story::new("is_aborted").chaos(|_, sample| sample.outcome = Outcome::Timeout).with(|story| {
            story.trace.abort =
                Some(Abort { at: BASELINE + ms(100), cause: AbortCause::Signal("SIGTERM".into()) });
        });
    let reports: Vec<Report> = vec![
        pass("survives").report(),
        fail("is_slow").report(),
        aborted.report(),
        Story::new("never_starts").trouble(Stage::Setup, "service `app` was not ready").report(),
        inconclusive("is_unclear").report(),
        inconclusive("may_be_unclear").with(|story| story.inconclusive_passes = true).report(),
        Story::new("is_planned").dry().report(),
        fail("is_flaky").report(),
        pass("is_flaky").with(|story| story.started_at += 60.0).report(),
    ];
    Summary::of(reports)
        .with_unreadable(vec![Unreadable { file: "runs/cut.json".into(), reason: "cut short: EOF".into() }])
}

#[test]
fn each_verdict_as_junit() {
    assert_snapshot!(render::junit(&each()).unwrap());
}

#[test]
fn a_run_id_of_nextest_is_the_uuid() {
    let mut report = pass("survives").report();
    report.run_id = "0bdd9ded-3786-4ea1-81fc-5cdf29a6c6c8".into();
    let xml = render::junit(&Summary::of(vec![report])).unwrap();
    assert!(xml.contains(r#"uuid="0bdd9ded-3786-4ea1-81fc-5cdf29a6c6c8""#), "{xml}");
    // Of other runs there is none, and nothing to report is still a report.
    assert!(!render::junit(&each()).unwrap().contains("uuid="));
    assert!(render::junit(&Summary::default()).unwrap().contains("<testsuites"));
}

#[test]
fn a_warning_is_where_every_reader_shows_it() {
    let warned = pass("survives").with(|story| {
        story.slo.objectives.warnings = Bounds { latency_degradation: Some(ms(100)), ..Bounds::default() };
    });
    let xml = render::junit(&Summary::of(vec![warned.report()])).unwrap();
    let (_, out) = xml.split_once("<system-out>").expect("there is one");
    assert!(out.contains("with a warning: p95 latency degradation 200 ms &gt; 100 ms"), "{out}");
    assert!(out.contains("\n\nA warning fails no test, so it passes.</system-out>"), "{out}");
    assert!(!xml.contains("<failure"), "{xml}");
    let plain = render::junit(&Summary::of(vec![pass("survives").report()])).unwrap();
    assert!(!plain.contains("<system-out"), "{plain}");
}

#[test]
fn what_is_not_known_has_no_property() {
    let mut report = pass("t").report();
    report.judgement.streams[0].chaos = (0, 0);
    let xml = render::junit(&Summary::of(vec![report])).unwrap();
    assert!(xml.contains("chaos.stream.app.total_requests"), "{xml}");
    for unknown in ["error_rate_percent", "availability_percent"] {
        assert!(!xml.contains(&format!("chaos.stream.app.{unknown}")), "{xml}");
    }
}
