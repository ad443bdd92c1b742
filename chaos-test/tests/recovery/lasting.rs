//! What has not come back, or has not stayed: what is named, and what is not.

use std::time::Duration;

use chaos_test::model::{Objectives, Phase, Trace};
use chaos_test::slo::{
    Figure, Finding, Indicator, NonRecovery, Reason, Rules, StepState, Verdict, judge, judge_by,
};

use crate::service::{Mood, Spell, no_objectives, run, secs, stream};

const INTERVAL: Duration = Duration::from_millis(20);
const REMOVED: f64 = 10.0;

/// Under the fault until 10 s, and those spells; watched until `ended`.
fn watched(ended: f64, spells: &[Spell]) -> Trace {
    run(stream(1, INTERVAL, ended, spells), REMOVED, ended)
}

/// What was named, without a limit on anything.
fn named(ended: f64, spells: &[Spell]) -> Option<NonRecovery> {
    let judgement = judge(&watched(ended, spells), &no_objectives());
    let finding = judgement.findings.iter().find_map(|finding| match finding {
        Finding::Metastable { stream, kind } => {
            assert_eq!(stream, "app");
            Some(*kind)
        }
        _ => None,
    });
    // A finding and its reason, a Fail, go together.
    assert_eq!(finding.is_some(), judgement.label() == "Fail(metastable)", "{judgement:?}");
    assert_eq!(finding.is_some(), judgement.verdict == Verdict::Fail);
    finding
}

#[test]
fn every_kind_of_non_recovery_is_named_without_any_limit() {
    let from = REMOVED - 2.0;
    assert_eq!(named(34.0, &[(from, 99.0, Mood::Down)]), Some(NonRecovery::Down));
    assert_eq!(named(34.0, &[(from, 99.0, Mood::Failing(0.4))]), Some(NonRecovery::Failing));
    assert_eq!(named(34.0, &[(from, 99.0, Mood::Slow)]), Some(NonRecovery::Slow));
    let comes_and_goes: Vec<Spell> =
        (0..12).map(|n| 9.0 + 3.0 * f64::from(n)).map(|at| (at, at + 1.4, Mood::Down)).collect();
    assert_eq!(named(34.0, &comes_and_goes), Some(NonRecovery::Flapping));
    // Down at first, slow in the end: how it ends is what it is.
    assert_eq!(named(34.0, &[(from, 16.0, Mood::Down), (16.0, 99.0, Mood::Slow)]), Some(NonRecovery::Slow));
}

#[test]
fn what_came_back_or_was_not_watched_long_enough_is_not_named() {
    let from = REMOVED - 2.0;
    for mood in [Mood::Down, Mood::Slow, Mood::Failing(0.4)] {
        assert_eq!(named(34.0, &[(from, REMOVED + 0.5, mood)]), None, "soon");
        assert_eq!(named(34.0, &[(from, 28.0, mood)]), None, "late");
        // Twice the 10 s that recovery takes unless something else was said; a moment less says nothing.
        assert_eq!(named(29.9, &[(from, 99.0, mood)]), None, "{mood:?}");
        assert!(named(30.1, &[(from, 99.0, mood)]).is_some(), "{mood:?}");
        // Back a second before the end, and a stable window is four.
        assert_eq!(named(34.0, &[(from, 32.9, mood)]), None, "{mood:?}");
        assert_eq!(named(34.0, &[]), None);
    }
}

#[test]
fn what_was_not_named_and_not_seen_to_recover_is_a_finding() {
    let judgement = judge(&watched(13.0, &[(8.0, 99.0, Mood::Down)]), &no_objectives());
    assert_eq!((judgement.verdict, judgement.findings.as_slice()), (Verdict::Pass, &[Finding::StillBad][..]));
}

#[test]
fn a_limit_on_the_recovery_time_says_how_long_to_watch() {
    let mut objectives = no_objectives();
    objectives.recovery.time = Some(secs(3.0));
    let label = |ended| judge(&watched(ended, &[(8.0, 99.0, Mood::Slow)]), &objectives).label();
    assert_eq!(label(15.0), "Fail", "the limit is broken, and that is all that can be said");
    assert_eq!(label(16.5), "Fail(metastable)");
}

/// A limit that the watch did not outlast is not seen to be broken, however the service is.
#[test]
fn a_watch_shorter_than_the_limit_fails_nobody() {
    let mut objectives = no_objectives();
    objectives.recovery.time = Some(secs(10.0));
    let judged = |ended, spells: &[Spell]| {
        let judgement = judge(&watched(ended, spells), &objectives);
        let verdict = judgement.verdict;
        let measured = judgement.evaluations.into_iter().find(|one| one.indicator == Indicator::RecoveryTime);
        let Some(Figure::Seconds(measured)) = measured.expect("it is judged").measured else {
            panic!("a time")
        };
        (verdict, measured)
    };
    let inconclusive = |(verdict, measured): (Verdict, f64), truth: f64| {
        assert_eq!(verdict, Verdict::Inconclusive);
        assert!((measured - truth).abs() < 0.03, "{measured}, and not {truth}");
    };
    // Well all the time, and watched for less than stable service takes to show.
    inconclusive(judged(13.0, &[]), 0.0);
    inconclusive(judged(13.0, &[(8.0, 99.0, Mood::Down)]), 3.0);
    // Back before the limit, and not for long enough by the end of the watch.
    inconclusive(judged(21.0, &[(8.0, 19.0, Mood::Slow)]), 9.0);
    // Back after it: how long it went on is known by when it came.
    let (verdict, measured) = judged(26.0, &[(8.0, 24.0, Mood::Slow)]);
    assert_eq!(verdict, Verdict::Fail);
    assert!((measured - 14.0).abs() < 0.03, "{measured}");
    // One bad answer since then leaves room for a stable window, a run of them does not.
    let (_, measured) = judged(21.0, &[(8.0, 17.0, Mood::Down), (19.5, 19.52, Mood::Down)]);
    assert!((measured - 7.0).abs() < 0.03, "{measured}");
    let (_, measured) = judged(21.0, &[(8.0, 17.0, Mood::Down), (19.5, 20.0, Mood::Down)]);
    assert!((measured - 10.0).abs() < 0.03, "{measured}");
}

#[test]
fn the_reason_says_what_and_for_how_long() {
    let said = |spells: &[Spell]| {
        let judgement = judge(&watched(34.0, spells), &no_objectives());
        judgement.weightiest().expect("it fails").to_string()
    };
    let slow = said(&[(8.0, 99.0, Mood::Slow)]);
    assert!(slow.starts_with("metastable: app still slow 24 s after the fault was gone (p95 40"), "{slow}");
    assert!(slow.ends_with(" ms, baseline 7.6 ms)"), "{slow}");
    assert_eq!(
        said(&[(8.0, 99.0, Mood::Down)]),
        "metastable: app still down 24 s after the fault was gone (200 of its last 200 samples bad)"
    );
    let again = said(&[(8.0, 11.0, Mood::Down), (20.0, 22.0, Mood::Down)]);
    assert!(again.starts_with("relapse: app went down again 9"), "{again}");
    assert!(again.ends_with(" s after it had recovered, for 2 s"), "{again}");
}

#[test]
fn a_relapse_fails_with_and_without_a_limit() {
    let relapse = watched(34.0, &[(8.0, 11.0, Mood::Down), (20.0, 22.0, Mood::Down)]);
    let free = judge(&relapse, &no_objectives());
    assert_eq!((free.label().as_str(), free.findings.as_slice()), ("Fail(relapse)", &[Finding::Relapse][..]));
    assert!(free.broken().is_empty());
    let mut objectives = no_objectives();
    objectives.recovery.time = Some(secs(5.0));
    let limited = judge(&relapse, &objectives);
    assert_eq!(limited.label(), "Fail(relapse)");
    assert_eq!(limited.reasons[0], Reason::ObjectiveBroken);
}

#[test]
fn what_says_more_about_the_host_names_nobody() {
    let mut late = watched(34.0, &[(8.0, 99.0, Mood::Slow)]);
    let marks = late.marks;
    let recovery =
        late.streams[0].samples.iter_mut().filter(|s| marks.phase_of(s.at) == Some(Phase::Recovery));
    recovery.step_by(10).for_each(|sample| sample.lag = secs(0.3));
    let judgement = judge(&late, &no_objectives());
    assert_eq!(judgement.label(), "Inconclusive(prober starved)");
    assert_eq!(judgement.findings, [Finding::StillBad]);
    let mut unproven = watched(34.0, &[(8.0, 99.0, Mood::Slow)]);
    unproven.delivery = None;
    assert_eq!(judge(&unproven, &no_objectives()).label(), "Inconclusive(fault not delivered)");
    let mut stays = watched(34.0, &[(8.0, 99.0, Mood::Slow)]);
    stays.marks.removed = None;
    assert_eq!(judge(&stays, &no_objectives()).verdict, Verdict::Pass, "nobody saw the fault gone");
}

#[test]
fn the_first_rules_know_neither() {
    let first = |spells: &[Spell]| {
        let judgement = judge_by(&watched(34.0, spells), &no_objectives(), Rules::First);
        assert_eq!((judgement.verdict, judgement.reasons.len()), (Verdict::Pass, 0));
        judgement.findings
    };
    assert_eq!(first(&[(8.0, 99.0, Mood::Slow)]), [Finding::StillBad]);
    assert_eq!(first(&[(8.0, 11.0, Mood::Down), (20.0, 22.0, Mood::Down)]), [Finding::Relapse]);
    assert_eq!((Rules::of_format(1), Rules::of_format(2)), (Rules::First, Rules::CURRENT));
}

#[test]
fn a_curve_tells_step_by_step_how_it_went() {
    let spells = [(4.0, 6.0, Mood::Down), (6.0, 10.0, Mood::Failing(0.5)), (10.0, 13.0, Mood::Slow)];
    let judgement = judge(&watched(20.0, &spells), &no_objectives());
    let curve = &judgement.streams[0].curve;
    use StepState::{Down, Failing, Normal, Slow};
    let states: Vec<StepState> = curve.iter().map(|step| step.state).collect();
    let mut expected = vec![Normal, Down, Down, Failing, Failing, Failing, Failing, Slow, Slow, Slow];
    expected.resize(17, Normal);
    assert_eq!(states, expected);
    assert!(curve.iter().all(|step| (49..=51).contains(&step.n)), "a second of fifty a second: {curve:?}");
    assert_eq!((curve[1].bad, curve[1].p95), (curve[1].n, None), "a refused connection has no latency");
    assert_eq!(curve[7].at, secs(REMOVED), "the removal is where a step begins");
    assert!(curve[8].p50 > Some(secs(0.4)) && curve[12].p95 < Some(secs(0.01)));
    // Every sample of the exposed span is in one step.
    let exposed = watched(20.0, &spells).streams[0].samples.iter().filter(|s| s.at >= secs(3.0)).count();
    assert_eq!(curve.iter().map(|step| step.n).sum::<u64>(), exposed as u64);
}

#[test]
fn a_curve_is_short_however_long_the_run_and_however_rare_its_samples() {
    let steps = |interval: Duration, ended: f64, objectives: &Objectives| {
        let trace = run(stream(1, interval, ended, &[]), REMOVED, ended);
        judge(&trace, objectives).streams[0].curve.len()
    };
    assert_eq!(steps(INTERVAL, 700.0, &no_objectives()), 7 + 120);
    assert_eq!(steps(Duration::from_millis(100), 700.0, &no_objectives()), 7 + 120);
    // Every step has five intervals at least: of one second each, there is one before the removal, and four after it.
    let rare = stream(1, secs(1.0), 200.0, &[]);
    let mut trace = run(rare, 27.0, 47.5);
    trace.marks.inject_started = Some(secs(21.0));
    trace.marks.injected = Some(secs(21.1));
    assert_eq!(judge(&trace, &no_objectives()).streams[0].curve.len(), 1 + 4);
}
