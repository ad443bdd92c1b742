use chaos_test::model::{BodyEnd, Outcome, Sample};
use chaos_test::report::{Summary, render};

use crate::synthetic::{Story, ms};

/// Slow until the watch ends, with a limit of 5 s on the recovery time.
fn stays_slow() -> Story {
    let slow = |_: usize, sample: &mut Sample| sample.latency += ms(804);
    let story = Story::new("survives").chaos(slow).recovery(slow);
    story.with(|story| story.slo.objectives.recovery.time = Some(ms(5000)))
}

#[test]
fn a_service_that_stays_slow_is_metastable_and_its_curve_shows_it() {
    let report = stays_slow().report();
    let metastable = "metastable: app still slow 13 s after the fault was gone (p95 814 ms, baseline 10 ms)";
    assert_eq!(
        report.headline(),
        format!(
            "SLO \"staging\" breached under \"Medium Network Delay\": p95 latency degradation 804 ms > 500 ms, recovery \
             time over 13 s (limit 5 s); {metastable}"
        )
    );
    let text = report.text();
    let curve =
        "  curve      app: ~~~~~~~~~~~~~~~~~~~~|~~~~~~~~~~~~  (1.08 s a step; | fault gone, ~ slow)\n";
    assert!(text.contains(curve), "{text}");
    assert_eq!(text.matches("metastable").count(), 1, "{text}");
    assert!(text.contains("  hint       Metastable: look for retries without a budget"), "{text}");
    let markdown = render::markdown(&Summary::of(vec![report]));
    assert!(markdown.contains("❌ Fail(metastable) |"), "{markdown}");
    assert!(
        markdown.contains("- finding: metastable: the fault is gone and app is still slow\n"),
        "{markdown}"
    );
}

/// A limit of 10 s is not broken by a recovery after 6 ms, but by what came then.
#[test]
fn what_was_back_in_time_and_did_not_stay_is_said_to_have_gone_down_again() {
    let report = Story::new("survives").recovery(|n, sample| {
        if (300..400).contains(&n) {
            sample.outcome = Outcome::ConnectError;
        }
    });
    let headline = report.report().headline();
    assert!(headline.contains("recovery time under 20 ms, and then down again (limit 10 s)"), "{headline}");
    assert!(
        headline.contains("relapse: app went down again 6 s after it had recovered, for 2 s"),
        "{headline}"
    );
}

#[test]
fn without_any_limit_what_has_not_come_back_is_the_whole_sentence() {
    let unlimited = |story: Story| {
        story.with(|story| {
            let objectives = &mut story.slo.objectives;
            objectives.recovery.time = None;
            objectives.latency_degradation = None;
            // The watch is long enough for 10 s.
            story.trace.marks.removed = Some(story.trace.marks.ended.unwrap() - ms(20_500));
        })
    };
    let report = unlimited(stays_slow()).report();
    assert_eq!(
        report.headline(),
        "Fail(metastable) under \"Medium Network Delay\": app still slow 20.5 s after the fault was gone (p95 814 ms, \
         baseline 10 ms)"
    );
    let report = unlimited(stays_slow()).body(BodyEnd::Failed("lost".into())).report();
    assert!(
        report.headline().ends_with(" ms, baseline 10 ms); the test body failed too: lost"),
        "{}",
        report.headline()
    );
    let report = unlimited(stays_slow()).with(|story| story.trace.residue.push("a worker".into())).report();
    let apart = "; apart from that: Fail(metastable): app still slow 20.5 s after the fault was gone (";
    assert!(report.headline().contains(apart), "{}", report.headline());
}
