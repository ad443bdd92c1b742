//! A service that follows a script, simulated: probed on the schedule of a run, jitter and all, in no time.

use std::time::Duration;

use chaos_test::model::{
    Catalogue, Delivery, DoseReading, DoseUnit, Marks, Objectives, Outcome, Sample, Stream, StreamKind, Trace,
};
use chaos_test::stats::SplitMix;

/// What the service does for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Mood {
    /// It refuses every connection.
    Down,
    /// It answers, 400 ms later than usual.
    Slow,
    /// That share of its answers is an error.
    Failing(f64),
}

/// Not well from one instant to another, in seconds.
pub(crate) type Spell = (f64, f64, Mood);

pub(crate) fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// Sampled every `interval` and up to a quarter of it later; well but for those spells.
pub(crate) fn stream(seed: u64, interval: Duration, ended: f64, spells: &[Spell]) -> Stream {
    let mut random = SplitMix::new(seed);
    let count = (ended / interval.as_secs_f64()).floor() as u32;
    let samples = (0..count).map(|n| {
        let at = interval * n + interval.mul_f64(random.unit() / 4.0);
        let mood =
            spells.iter().find(|(from, to, _)| at >= secs(*from) && at < secs(*to)).map(|spell| spell.2);
        let usual = secs(0.002 + 0.006 * random.unit());
        let (latency, outcome) = match mood {
            None => (usual, Outcome::Good),
            Some(Mood::Down) => (secs(0.000_3), Outcome::ConnectError),
            Some(Mood::Slow) => (usual + secs(0.4), Outcome::Good),
            Some(Mood::Failing(share)) if random.unit() < share => (usual, Outcome::BadStatus(503)),
            Some(Mood::Failing(_)) => (usual, Outcome::Good),
        };
        Sample { at, lag: Duration::from_micros(90), latency, outcome }.at_resolution()
    });
    Stream {
        name: "app".into(),
        kind: StreamKind::Probe,
        interval,
        timeout: secs(1.0),
        samples: samples.collect(),
    }
}

/// A run with 3 s of baseline, its fault in place from 3 s to `removed`, watched until `ended`.
pub(crate) fn run(stream: Stream, removed: f64, ended: f64) -> Trace {
    let reading = |n: u32| DoseReading { at: secs(3.2) + n * secs(0.1), asked: 1.0, measured: 1.0 };
    Trace {
        marks: Marks {
            inject_started: Some(secs(3.0)),
            injected: Some(secs(3.01)),
            revert_started: Some(secs(removed - 0.001)),
            removed: Some(secs(removed)),
            chaos_ended: Some(secs(removed - 0.001)),
            ended: Some(secs(ended)),
        },
        streams: vec![stream],
        delivery: Some(Delivery {
            passed_over: Vec::new(),
            mechanism: "script".into(),
            detail: "a script".into(),
            unit: DoseUnit::Down,
            readings: (0..5).map(reading).collect(),
            failed_readings: 0,
            last_failure: None,
        }),
        ..Trace::default()
    }
}

/// Nothing is limited; service is stable after 4 s.
pub(crate) fn no_objectives() -> Objectives {
    let mut objectives = Catalogue::builtin().profile(Some("staging")).expect("it is built in").objectives;
    objectives.time_to_recover = None;
    objectives.error_rate = None;
    objectives.availability = None;
    objectives.latency_degradation = None;
    objectives.recovery.time = None;
    objectives
}
