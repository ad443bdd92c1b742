//! Indicators against known truth, on synthetic samples: exact, without a clock.

use std::time::Duration;

use chaos_test::model::{
    Catalogue, Delivery, DoseReading, DoseUnit, Marks, Objectives, Outcome, Sample, Stream, StreamKind, Trace,
};
use chaos_test::slo::{self, Finding, Indicator, Reason, RecoveryTime, Verdict, has_settled, judge, outages};

const INTERVAL: Duration = Duration::from_millis(20);
const STABLE: Duration = Duration::from_secs(4);

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A sample every 20 ms until `ended`; bad between those instants.
fn stream(ended: f64, down: &[(f64, f64)]) -> Stream {
    let samples = (0..(ended / 0.02).round() as u32).map(|n| {
        let at = INTERVAL * n;
        let bad = down.iter().any(|(from, to)| at >= secs(*from) && at < secs(*to));
        let outcome = if bad { Outcome::ConnectError } else { Outcome::Good };
        Sample { at, lag: Duration::ZERO, latency: Duration::from_millis(2), outcome }
    });
    Stream {
        name: "app".into(),
        kind: StreamKind::Probe,
        interval: INTERVAL,
        timeout: secs(1.0),
        samples: samples.collect(),
    }
}

/// Baseline until 2 s, chaos from 2.1 s to 12.1 s, the fault removed at `removed`.
fn marks(removed: f64, ended: f64) -> Marks {
    Marks {
        inject_started: Some(secs(2.0)),
        injected: Some(secs(2.1)),
        revert_started: Some(secs(removed)),
        removed: Some(secs(removed)),
        chaos_ended: Some(secs(12.1)),
        ended: Some(secs(ended)),
    }
}

fn objectives() -> Objectives {
    let profile = Catalogue::builtin().profile(Some("staging")).expect("it is built in");
    let mut objectives = profile.objectives;
    // A crash of some seconds is no breach of these; what is judged here is what comes after it.
    objectives.error_rate = Some(chaos_test::units::Percent::new(60.0).unwrap());
    objectives.availability = Some(chaos_test::units::Percent::new(40.0).unwrap());
    objectives
}

fn trace(stream: Stream, marks: Marks) -> Trace {
    let reading = |n: u32| DoseReading { at: secs(2.2) + INTERVAL * n, asked: 1.0, measured: 1.0 };
    Trace {
        marks,
        streams: vec![stream],
        delivery: Some(Delivery {
            passed_over: Vec::new(),
            mechanism: "sigkill".into(),
            detail: "a crash".into(),
            unit: DoseUnit::Down,
            readings: (0..5).map(reading).collect(),
            failed_readings: 0,
            last_failure: None,
        }),
        ..Trace::default()
    }
}

fn evaluated(judgement: &slo::Judgement, indicator: Indicator) -> &slo::Evaluation {
    judgement.evaluations.iter().find(|e| e.indicator == indicator).expect("it was judged")
}

#[test]
fn a_short_run_of_bad_samples_is_no_outage() {
    let found = outages(&stream(20.0, &[(5.0, 5.28)]), secs(2.0), secs(20.0), STABLE, 0.05);
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_good_spell_that_does_not_last_belongs_to_the_outage() {
    let found =
        outages(&stream(20.0, &[(5.0, 6.0), (7.0, 8.0), (9.0, 9.5)]), secs(2.0), secs(20.0), STABLE, 0.05);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].start, found[0].end, found[0].flaps), (secs(5.0), Some(secs(9.5)), 2));
}

#[test]
fn two_outages_far_apart_are_two_and_the_worst_one_counts() {
    let stream = stream(25.0, &[(3.0, 4.0), (10.0, 12.0)]);
    let judgement = judge(&trace(stream, marks(4.0, 25.0)), &objectives());
    let figures = &judgement.streams[0];
    assert_eq!(figures.outages.len(), 2);
    assert_eq!(figures.mean_time_to_recover, Some(secs(1.5)));
    let worst = evaluated(&judgement, Indicator::WorstTimeToRecover);
    assert_eq!(worst.measured, Some(slo::Figure::Seconds(2.0)));
}

#[test]
fn going_down_again_after_recovery_is_a_relapse_and_fails() {
    // Back 0.1 s after the fault was removed, for six seconds; then down once more.
    let stream = stream(25.0, &[(2.2, 4.1), (10.0, 12.0)]);
    let judgement = judge(&trace(stream, marks(4.0, 25.0)), &objectives());
    assert_eq!(judgement.verdict, Verdict::Fail);
    assert_eq!(judgement.findings, [Finding::Relapse]);
    let recovery = evaluated(&judgement, Indicator::RecoveryTime);
    assert_eq!((recovery.verdict, recovery.note.as_deref()), (Verdict::Fail, Some("and then down again")));
}

#[test]
fn a_watch_does_not_end_while_something_is_down() {
    let objectives = objectives();
    let settled = |ended: f64, down: &[(f64, f64)]| {
        let trace = trace(stream(ended, down), marks(4.0, ended));
        let normal = slo::baseline(&trace, &objectives).expect("it is healthy");
        has_settled(&trace.streams[0], &normal[0], &trace.marks, &objectives)
    };
    // Recovered early in the chaos phase, and four seconds have passed since its end.
    assert!(settled(16.2, &[(2.2, 4.1)]));
    assert!(!settled(15.0, &[(2.2, 4.1)]), "stable service takes four seconds to show");
    // Fell over at the end of the chaos phase, and stays down.
    assert!(!settled(16.2, &[(2.2, 4.1), (11.0, 99.0)]));
    assert!(!settled(16.2, &[(2.2, 4.1), (11.0, 13.0)]), "back for three seconds");
    assert!(settled(17.2, &[(2.2, 4.1), (11.0, 13.0)]));
}

#[test]
fn never_coming_back_fails_with_at_least_what_was_watched() {
    let judgement = judge(&trace(stream(40.0, &[(2.2, 99.0)]), marks(4.0, 40.0)), &objectives());
    assert_eq!(judgement.verdict, Verdict::Fail);
    assert_eq!(judgement.streams[0].recovery_time, Some(RecoveryTime::NotWithin(secs(36.0))));
    let outage = evaluated(&judgement, Indicator::WorstTimeToRecover);
    // 37.8 s down and still going, of 45 s allowed: nobody can say yet.
    assert_eq!(outage.reason, Some(Reason::StillDown));
}

/// Down once, near the end of a watch that ends at 50 s.
fn down_at_the_end(second: (f64, f64)) -> slo::Judgement {
    let mut objectives = objectives();
    objectives.availability = Some(chaos_test::units::Percent::new(97.0).unwrap());
    objectives.time_to_recover = Some(secs(1.5));
    judge(&trace(stream(50.0, &[second]), marks(4.0, 50.0)), &objectives)
}

#[test]
fn an_outage_whose_end_was_not_seen_is_only_as_long_as_it_must_have_been() {
    // Back after half a second, and for one second when the watch ends: no stable window, and none that is broken.
    let judgement = down_at_the_end((48.0, 48.5));
    assert_eq!(judgement.streams[0].outages[0].end, None);
    let outage = evaluated(&judgement, Indicator::WorstTimeToRecover);
    assert_eq!((outage.verdict, outage.reason.as_ref()), (Verdict::Inconclusive, Some(&Reason::StillDown)));
    assert_eq!(outage.measured, Some(slo::Figure::Seconds(0.5)));
    // 0.5 s of 48 are allowed, 2 s are not: it is one of the two.
    let availability = evaluated(&judgement, Indicator::Availability);
    assert_eq!(
        (availability.verdict, availability.reason.as_ref()),
        (Verdict::Inconclusive, Some(&Reason::StillDown))
    );

    // Never back: what was seen is too long.
    let judgement = down_at_the_end((48.0, 99.0));
    assert_eq!(evaluated(&judgement, Indicator::WorstTimeToRecover).verdict, Verdict::Fail);
    assert_eq!(evaluated(&judgement, Indicator::Availability).verdict, Verdict::Fail);
}

#[test]
fn a_worse_outage_that_ended_does_not_make_a_lasting_one_pass() {
    let mut objectives = objectives();
    objectives.time_to_recover = Some(secs(10.0));
    let judgement = judge(&trace(stream(50.0, &[(5.0, 10.0), (48.0, 99.0)]), marks(4.0, 50.0)), &objectives);
    let worst = evaluated(&judgement, Indicator::WorstTimeToRecover);
    assert_eq!(worst.measured, Some(slo::Figure::Seconds(5.0)));
    assert_eq!((worst.verdict, worst.reason.as_ref()), (Verdict::Inconclusive, Some(&Reason::StillDown)));
}

#[test]
fn a_fault_that_changes_nothing_is_said_to_change_nothing() {
    let judgement = judge(&trace(stream(20.0, &[]), marks(12.1, 20.0)), &objectives());
    assert_eq!(
        (judgement.verdict, judgement.findings.as_slice()),
        (Verdict::Pass, &[Finding::NoVisibleEffect][..])
    );
}

#[test]
fn samples_that_were_late_decide_nothing_in_any_phase() {
    for (from, to) in [(0.0, 2.0), (2.1, 12.1), (12.1, 20.0)] {
        let mut late = stream(20.0, &[]);
        let mut in_phase: Vec<&mut Sample> =
            late.samples.iter_mut().filter(|s| s.at >= secs(from) && s.at < secs(to)).collect();
        // One in ten of the phase: enough to move its 95th percentile.
        in_phase.iter_mut().step_by(10).for_each(|sample| sample.lag = secs(0.3));
        let judgement = judge(&trace(late, marks(12.1, 20.0)), &objectives());
        assert_eq!(judgement.label(), "Inconclusive(prober starved)", "{from} to {to}");
    }
}

#[test]
fn nothing_that_was_not_proven_passes() {
    let healthy = || stream(20.0, &[]);
    let mut unproven = trace(healthy(), marks(12.1, 20.0));
    assert_eq!(judge(&unproven, &objectives()).verdict, Verdict::Pass);
    let half = unproven.delivery.as_mut().unwrap();
    half.readings.iter_mut().for_each(|reading| reading.measured = 0.5);
    assert_eq!(judge(&unproven, &objectives()).label(), "Inconclusive(fault not delivered)");
    unproven.delivery.as_mut().unwrap().readings.truncate(2);
    assert_eq!(judge(&unproven, &objectives()).label(), "Inconclusive(fault not delivered)");
    unproven.delivery = None;
    assert_eq!(judge(&unproven, &objectives()).label(), "Inconclusive(fault not delivered)");
}

proptest::proptest! {
    /// Whenever an outage of more than 0.36 s begins and ends, its time to recover is right to one interval.
    #[test]
    fn a_time_to_recover_is_right_to_the_interval(start in 2.2_f64..8.0, length in 0.36_f64..10.0) {
        let found = outages(&stream(25.0, &[(start, start + length)]), secs(2.0), secs(25.0), STABLE, 0.05);
        proptest::prop_assert_eq!(found.len(), 1);
        let measured = found[0].end.expect("it ended") - found[0].start;
        proptest::prop_assert!(measured.abs_diff(secs(length)) <= INTERVAL);
    }

    /// More bad samples never make availability better, or an outage shorter.
    #[test]
    fn a_longer_outage_is_never_a_better_one(start in 2.2_f64..6.0, length in 0.4_f64..6.0, more in 0.0_f64..3.0) {
        let down = |length: f64| {
            let judgement = judge(&trace(stream(25.0, &[(start, start + length)]), marks(4.0, 25.0)), &objectives());
            let value = |indicator| match evaluated(&judgement, indicator).measured {
                Some(slo::Figure::Share(value) | slo::Figure::Seconds(value)) => value,
                _ => 0.0,
            };
            (value(Indicator::Availability), value(Indicator::WorstTimeToRecover))
        };
        let (short, long) = (down(length), down(length + more));
        proptest::prop_assert!(long.0 <= short.0 && long.1 >= short.1);
    }
}
