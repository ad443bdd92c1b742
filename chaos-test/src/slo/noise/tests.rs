mod anything;

use super::*;
use crate::model::{Catalogue, Delivery, DoseReading, DoseUnit, HostLoad, Marks, StreamKind};
use crate::slo::starvation::starved;
use crate::slo::{Finding, Indicator, Judgement, judge};

const STEP: Duration = Duration::from_millis(20);

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

/// Baseline to 2 s, chaos to 12 s, watched to 20 s; the stable time is 4 s.
fn marks() -> Marks {
    Marks {
        inject_started: Some(ms(2_000)),
        injected: Some(ms(2_020)),
        revert_started: Some(ms(12_000)),
        removed: Some(ms(12_010)),
        chaos_ended: Some(ms(12_000)),
        ended: Some(ms(20_000)),
    }
}

/// The SLO profile `staging`: p95 at most 500 ms worse, 5 % errors, recovery within 10 s.
fn objectives() -> Objectives {
    Catalogue::builtin().profile(Some("staging")).expect("it is built in").objectives
}

fn good(at: Duration, latency: Duration) -> Sample {
    Sample { at, lag: Duration::ZERO, latency, outcome: Outcome::Good }
}

/// A sample every 20 ms, as `of` says; a window every 250 ms in which the host is `late`.
fn trace(of: impl Fn(Duration) -> Sample, late: impl Fn(Duration) -> Duration) -> Trace {
    let samples: Vec<Sample> = (0..1000).map(|n| of(STEP * n)).collect();
    // The host is watched until the last answer is there.
    let noise = (0..84).map(|n| ms(250) * n).map(|at| NoiseWindow::new(at, ms(250), late(at)));
    let reading = |n: u32| DoseReading { at: ms(2_100) + STEP * n, asked: 1.0, measured: 1.0 };
    Trace {
        marks: marks(),
        streams: vec![Stream {
            name: "app".into(),
            kind: StreamKind::Probe,
            interval: STEP,
            timeout: ms(1_000),
            samples,
        }],
        noise: noise.collect(),
        delivery: Some(Delivery {
            passed_over: Vec::new(),
            mechanism: "proxy".into(),
            detail: "a fault".into(),
            unit: DoseUnit::Seconds,
            readings: (0..5).map(reading).collect(),
            failed_readings: 0,
            last_failure: None,
        }),
        ..Trace::default()
    }
}

fn judged(trace: &Trace) -> Judgement {
    judge(trace, &objectives())
}

fn quiet(_: Duration) -> Duration {
    Duration::from_micros(200)
}

/// In the chaos phase.
fn chaos(at: Duration) -> bool {
    at >= ms(2_020) && at < ms(12_000)
}

/// From the fifth second to the sixth.
fn one_second(at: Duration) -> bool {
    at >= ms(5_000) && at < ms(6_000)
}

#[test]
fn a_second_in_which_the_host_stood_still_fails_nobody() {
    // Whatever was sent then came back when the host went on: a tenth of the chaos phase is too slow.
    let stalled = |at: Duration| if one_second(at) { good(at, ms(6_008) - at) } else { good(at, ms(8)) };
    let objectives = Objectives { latency_degradation: Some(ms(100)), ..objectives() };
    let without = judge(&trace(stalled, quiet), &objectives);
    assert_eq!(without.label(), "Fail");
    let noisy = trace(stalled, |at| if one_second(at) { ms(240) } else { quiet(at) });
    let judgement = judge(&noisy, &objectives);
    assert_eq!(judgement.label(), "Inconclusive(noisy host)");
    let degradation = |judgement: &Judgement| {
        let mut evaluations = judgement.evaluations.iter();
        evaluations.find(|e| e.indicator == Indicator::LatencyDegradation).expect("it was judged").clone()
    };
    let expected = Reason::NoisyHost {
        stream: "app".into(),
        phase: Phase::Chaos,
        lag: ms(240),
        windows: 4,
        of: 76,
        pressure: None,
        steal: None,
    };
    let latency = degradation(&judgement);
    assert_eq!((latency.verdict, latency.reason), (Verdict::Inconclusive, Some(expected)));
    assert!(!judgement.is_void(), "what was measured is shown, as it was measured");
    assert_eq!(latency.measured, degradation(&without).measured);
}

#[test]
fn time_outs_while_the_host_stood_still_do_not_count() {
    let lost = |at: Duration| {
        let outcome = if one_second(at) { Outcome::Timeout } else { Outcome::Good };
        Sample { outcome, ..good(at, if one_second(at) { ms(1_000) } else { ms(8) }) }
    };
    let without = judged(&trace(lost, quiet));
    assert_eq!(without.verdict, Verdict::Fail);
    let late = |late: u64| {
        judged(&trace(lost, move |at| if at >= ms(5_000) && at < ms(7_000) { ms(late) } else { quiet(at) }))
    };
    assert_eq!(late(130).label(), "Inconclusive(noisy host)", "half of each time-out was the host's");
    assert_eq!(late(120).label(), "Fail", "and here a little less");
    // A connection that was refused was refused by somebody.
    let refused = |at| Sample {
        outcome: if one_second(at) { Outcome::ConnectError } else { Outcome::Good },
        ..lost(at)
    };
    assert_eq!(judged(&trace(refused, |_| ms(40))).verdict, Verdict::Fail);
}

#[test]
fn who_is_twice_over_the_limit_fails_beside_a_hog() {
    let weak = |at| good(at, if chaos(at) { ms(1_008) } else { ms(8) });
    // A busy host of two processors is some ten milliseconds late all the time, and more now and then.
    let hog = |at: Duration| if at.as_millis().is_multiple_of(1000) { ms(60) } else { ms(12) };
    assert_eq!(judged(&trace(weak, hog)).label(), "Fail");
    let little = |at| good(at, if chaos(at) { ms(530) } else { ms(8) });
    assert_eq!(judged(&trace(little, quiet)).label(), "Fail");
    assert_eq!(
        judged(&trace(little, hog)).label(),
        "Inconclusive(noisy host)",
        "30 ms over is within the noise"
    );
}

#[test]
fn down_for_too_long_on_a_quiet_host_fails_and_on_a_dead_one_does_not() {
    // Down from 11 s on: not recovered when the watch ended.
    let down = |at: Duration| {
        let outcome = if at >= ms(11_000) { Outcome::Timeout } else { Outcome::Good };
        Sample { outcome, ..good(at, if at >= ms(11_000) { ms(1_000) } else { ms(8) }) }
    };
    let judgement = judged(&trace(down, quiet));
    assert_eq!((judgement.verdict, judgement.findings.as_slice()), (Verdict::Fail, &[Finding::StillBad][..]));
    assert_eq!(
        judged(&trace(down, |at| if at >= ms(11_000) { ms(249) } else { quiet(at) })).label(),
        "Inconclusive(noisy host)"
    );
    // A host that was late before that excuses nothing.
    assert_eq!(judged(&trace(down, |at| if at < ms(9_000) { ms(45) } else { quiet(at) })).label(), "Fail");
}

#[test]
fn a_prober_that_was_late_excuses_its_own_samples() {
    let late = |at: Duration| {
        let lag = if one_second(at) { ms(90) } else { Duration::ZERO };
        Sample { lag, ..good(at, ms(8) + lag) }
    };
    let objectives = Objectives { latency_degradation: Some(ms(50)), ..objectives() };
    let mut own = trace(late, quiet);
    assert!(starved(&own.streams[0], &own.marks, Phase::Chaos).is_some());
    // In a stream whose interval is longer it is no starvation, and breaks the limit all the same.
    own.streams[0].interval = ms(100);
    let judgement = judge(&own, &objectives);
    assert_eq!(judgement.label(), "Inconclusive(noisy host)");
    let text = judgement.reasons[0].to_string();
    assert!(text.contains("late by up to 90 ms, in 0 of 76"), "{text}");
}

#[test]
fn where_the_fault_is_the_noise_only_stolen_time_excuses() {
    let slow = |at: Duration| good(at, if chaos(at) { ms(608) } else { ms(8) });
    let hog = |at| if chaos(at) { ms(200) } else { quiet(at) };
    let mut beside = trace(slow, hog);
    assert_eq!(judged(&beside).label(), "Inconclusive(noisy host)");
    beside.noise_is_fault = true;
    assert_eq!(judged(&beside).label(), "Fail", "it has to cope with that");
    let elsewhere = Trace { elsewhere: vec!["app".into()], ..beside.clone() };
    assert_eq!(judged(&elsewhere).label(), "Inconclusive(noisy host)", "a service elsewhere has not");
    let load = HostLoad { steal: Some(0.4), pressure: Some(0.9), running: Some(9) };
    beside.noise.iter_mut().for_each(|window| *window = window.with(load));
    assert_eq!(judged(&beside).label(), "Inconclusive(noisy host)", "but not with other machines");
    // Once the fault is gone a late host is noise again.
    let after = |at: Duration| good(at, if at >= ms(11_990) { ms(208) } else { ms(8) });
    let mut still_slow = trace(after, |at| if at >= ms(11_750) { ms(200) } else { quiet(at) });
    still_slow.noise_is_fault = true;
    let mut limited = objectives();
    limited.recovery.time = Some(ms(5_000));
    assert_eq!(judge(&still_slow, &limited).label(), "Inconclusive(noisy host)");
}

#[test]
fn a_noisy_baseline_says_nothing_about_what_is_normal() {
    let baseline = |windows: u64| {
        let late = move |at: Duration| if at < ms(250) * windows as u32 { ms(51) } else { quiet(at) };
        trace(|at| good(at, ms(8)), late)
    };
    assert_eq!(judged(&baseline(4)).label(), "Pass", "four of eight");
    let judgement = judged(&baseline(5));
    assert_eq!(judgement.label(), "Inconclusive(noisy host)");
    assert!(judgement.is_void());
    let text = judgement.reasons[0].to_string();
    assert!(
        text.contains("late by up to 51 ms in the baseline, too late in 5 of 8 quarter seconds"),
        "{text}"
    );
    // What is too late depends on what is looked at.
    assert_eq!(noisy_from(STEP, &objectives()), ms(50));
    assert_eq!(noisy_from(ms(80), &objectives()), ms(80));
    let no_limit = Objectives { latency_degradation: None, ..objectives() };
    assert_eq!(noisy_from(STEP, &no_limit), STEP);
    // Starvation is told first.
    let mut both = baseline(8);
    both.streams[0].samples.iter_mut().for_each(|sample| sample.lag = ms(30));
    assert_eq!(judged(&both).label(), "Inconclusive(prober starved)");
}

#[test]
fn a_sample_is_excused_for_as_many_windows_as_it_is_long() {
    let calm = trace(|at| good(at, ms(8)), |at| ms(10 + at.as_millis() as u64 / 250));
    let host = Host::of(&calm);
    let taken = |at, latency| host.taken(&good(ms(at), ms(latency)), ms(1_000), true);
    assert_eq!(taken(0, 100), ms(10));
    assert_eq!(taken(0, 4), ms(4), "no more than it lived");
    assert_eq!(taken(200, 100), ms(11), "the worse of two");
    assert_eq!(taken(200, 300), ms(11) + ms(10), "both");
    assert_eq!(taken(200, 251), ms(11) + ms(10));
    assert_eq!(taken(0, 1_000), ms(10 + 11 + 12 + 13));
    assert_eq!(taken(30_000, 100), Duration::ZERO, "after the last window");
    let lagging = Sample { lag: ms(60), ..good(ms(200), ms(100)) };
    assert_eq!(
        host.taken(&lagging, ms(1_000), true),
        ms(60) + ms(11),
        "what it waited before is not counted twice"
    );
    let dropped = Sample { outcome: Outcome::Dropped, ..good(ms(1_000), ms(1_000)) };
    assert_eq!(
        host.taken(&dropped, ms(1_000), true),
        ms(10 + 11 + 12 + 13),
        "those before it held its place"
    );
}

#[test]
fn the_host_of_a_run_is_summed_up() {
    let mut run = trace(|at| good(at, ms(8)), |at| if one_second(at) { ms(90) } else { ms(1) });
    let load = HostLoad { pressure: Some(0.3), steal: Some(0.01), running: Some(2) };
    run.noise[0] = run.noise[0].with(load);
    run.noise[1] = run.noise[1].with(HostLoad { pressure: Some(0.5), ..load });
    let expected = HostNoise {
        windows: 84,
        noisy: 4,
        worst: ms(90),
        median: ms(1),
        pressure: Some(0.4),
        steal: Some(0.01),
    };
    assert_eq!(host_noise(&run, &objectives()), Some(expected));
    assert_eq!(host_noise(&Trace::default(), &objectives()), None);
}
