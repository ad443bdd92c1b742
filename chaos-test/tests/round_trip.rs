//! Whatever was observed: it is judged without a panic, and a stored record says the same as the run did.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod synthetic;

use std::time::Duration;

use chaos_test::model::{
    Abort, AbortCause, BodyEnd, Bounds, CustomResult, Delivery, DoorCheck, DoseReading, DoseUnit,
    EndpointBounds, Event, EventKind, LatencyBounds, Marks, NoiseWindow, Objectives, Outcome, Recovery,
    ResourceSample, Sample, ServiceResources, Sham, Stage, Stream, StreamKind, Trace, Trouble,
};
use chaos_test::report::{Report, Summary, Verification, render};
use chaos_test::slo::judge;
use chaos_test::units::{Percent, Rate};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use synthetic::Story;

const MS: Duration = Duration::from_millis(1);

/// Mostly within half a minute, sometimes anything that a clock or a damaged record can say.
fn span() -> impl Strategy<Value = Duration> {
    prop_oneof![
        8 => (0_u64..30_000_000).prop_map(Duration::from_micros),
        1 => any::<u64>().prop_map(Duration::from_micros),
        1 => select(vec![Duration::ZERO, Duration::from_nanos(1), Duration::MAX]),
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    let bad = [
        Outcome::ConnectError,
        Outcome::Timeout,
        Outcome::BadBody,
        Outcome::Failed,
        Outcome::Panicked,
        Outcome::Dropped,
    ];
    prop_oneof![
        6 => Just(Outcome::Good),
        2 => select(bad.to_vec()),
        1 => (100_u16..=999).prop_map(Outcome::BadStatus),
    ]
}

fn sample() -> impl Strategy<Value = Sample> {
    (span(), span(), span(), outcome()).prop_map(|(at, lag, latency, outcome)| Sample {
        at,
        lag,
        latency,
        outcome,
    })
}

fn stream() -> impl Strategy<Value = Stream> {
    let kind =
        select(vec![StreamKind::Probe, StreamKind::Transaction, StreamKind::Request, StreamKind::Endpoint]);
    let samples = (vec(sample(), 0..120), any::<bool>()).prop_map(|(mut samples, sorted)| {
        if sorted {
            samples.sort_by_key(|sample| sample.at);
        }
        samples
    });
    ("[a-z]{1,6}", kind, span(), span(), samples).prop_map(|(name, kind, interval, timeout, samples)| {
        Stream { name, kind, interval, timeout, samples }
    })
}

fn marks() -> impl Strategy<Value = Marks> {
    let any = (vec(option::weighted(0.8, span()), 6), any::<bool>());
    any.prop_map(|(mut marks, in_order)| {
        if in_order {
            marks.sort_by_key(|mark| mark.unwrap_or(Duration::MAX));
        }
        Marks {
            inject_started: marks[0],
            injected: marks[1],
            revert_started: marks[2],
            removed: marks[3],
            chaos_ended: marks[4],
            ended: marks[5],
        }
    })
}

fn delivery() -> impl Strategy<Value = Delivery> {
    let number =
        || prop_oneof![4 => 0.0..10.0_f64, 1 => any::<f64>().prop_filter("finite", |f| f.is_finite())];
    let reading =
        (span(), number(), number()).prop_map(|(at, asked, measured)| DoseReading { at, asked, measured });
    let unit = select(vec![DoseUnit::Seconds, DoseUnit::Cores, DoseUnit::Down]);
    let failures = (0_u32..4, option::of(".{0,12}"));
    ("[a-z]{1,6}", ".{0,20}", unit, vec(reading, 0..12), failures).prop_map(
        |(mechanism, detail, unit, readings, (failed_readings, last_failure))| Delivery {
            passed_over: Vec::new(),
            mechanism,
            detail,
            unit,
            readings,
            failed_readings,
            last_failure,
        },
    )
}

fn body() -> impl Strategy<Value = BodyEnd> {
    prop_oneof![
        Just(BodyEnd::Ok),
        "(?s).{0,20}".prop_map(BodyEnd::Failed),
        "(?s).{0,20}".prop_map(BodyEnd::Panicked),
        span().prop_map(BodyEnd::TimedOut),
    ]
}

fn abort() -> impl Strategy<Value = Abort> {
    let stream = || "[a-z]{1,6}";
    let cause = prop_oneof![
        (stream(), any::<u64>(), any::<u64>(), span(), 0.0..=100.0_f64).prop_map(
            |(stream, bad, of, within, limit)| {
                let limit = Percent::new(limit).unwrap();
                AbortCause::ErrorRate { stream, bad, of, within, limit }
            }
        ),
        (stream(), any::<u64>(), span(), any::<u32>()).prop_map(|(stream, count, lasting, limit)| {
            AbortCause::ConsecutiveFailures { stream, count, lasting, limit }
        }),
        (stream(), span(), any::<bool>(), span()).prop_map(|(stream, took, pending, limit)| {
            AbortCause::ResponseTime { stream, took, pending, limit }
        }),
        "(?s).{0,12}".prop_map(AbortCause::Signal),
        Just(AbortCause::RunnerGone),
        "(?s).{0,12}".prop_map(AbortCause::Deadline),
        Just(AbortCause::Dropped),
    ];
    (span(), cause).prop_map(|(at, cause)| Abort { at, cause })
}

/// Anything at all.
fn chaotic() -> impl Strategy<Value = Trace> {
    let kind = select(vec![
        EventKind::Phase,
        EventKind::Fault,
        EventKind::Service,
        EventKind::Alert,
        EventKind::Note,
    ]);
    let event = (span(), kind, "(?s).{0,12}").prop_map(|(at, kind, text)| Event { at, kind, text });
    let stage = select(vec![Stage::Setup, Stage::Injection, Stage::Cleanup, Stage::Killed]);
    let trouble = (stage, "(?s).{0,20}").prop_map(|(stage, message)| Trouble { stage, message });
    (
        marks(),
        vec(stream(), 0..4),
        vec(event, 0..4),
        option::weighted(0.9, delivery()),
        option::of(body()),
        option::weighted(0.1, trouble),
        option::weighted(0.2, "(?s).{0,12}"),
        option::weighted(0.1, abort()),
        (
            prop_oneof![4 => Just(Vec::new()), 1 => vec("(?s).{0,20}", 1..3)],
            vec(resources(), 0..3),
            (vec(custom(), 0..3), vec(window(), 0..8), any::<bool>()),
            (option::of(sham()), vec((span(), span()), 0..4)),
        ),
    )
        .prop_map(|(marks, streams, events, delivery, body, trouble, skipped, abort, more)| {
            let (residue, resources, (custom, noise, noise_is_fault), (sham, door)) = more;
            let door = door.into_iter().map(|(direct, through)| DoorCheck { direct, through });
            Trace {
                marks,
                streams,
                events,
                delivery,
                body,
                trouble,
                skipped,
                abort,
                residue,
                resources,
                custom,
                noise,
                noise_is_fault,
                sham,
                door: door.map(DoorCheck::at_resolution).collect(),
                ..Trace::default()
            }
        })
}

fn sham() -> impl Strategy<Value = Sham> {
    let in_place = ("(?s).{0,12}", span(), span(), span())
        .prop_map(|(detail, began, from, to)| Sham::InPlace { detail, began, from, to });
    prop_oneof!["(?s).{0,12}".prop_map(Sham::None), in_place]
}

fn window() -> impl Strategy<Value = NoiseWindow> {
    let share = || option::of(prop_oneof![4 => 0.0..=1.0_f64, 1 => any::<f64>()]);
    (span(), span(), span(), share(), share(), option::of(any::<u32>())).prop_map(
        |(at, over, lag, pressure, steal, running)| NoiseWindow { at, over, lag, pressure, steal, running },
    )
}

fn custom() -> impl Strategy<Value = CustomResult> {
    ("(?s).{0,12}", option::of("(?s).{0,20}")).prop_map(|(name, broken)| CustomResult { name, broken })
}

fn resources() -> impl Strategy<Value = ServiceResources> {
    let sample = (span(), span(), 0.0..1e6_f64, any::<(u64, u64, u64, u32)>());
    let sample = sample.prop_map(|(at, over, cpu, (resident, read, written, processes))| ResourceSample {
        at,
        over,
        cpu,
        resident,
        read,
        written,
        processes,
    });
    ("(?s).{0,12}", vec(sample, 0..4)).prop_map(|(service, samples)| ServiceResources { service, samples })
}

/// A run as it should be, with a few things in it that should not: chaos alone is seldom healthy enough to be judged.
fn bent() -> impl Strategy<Value = Trace> {
    let replaced = vec((any::<Index>(), sample()), 0..30);
    let bad = option::of((any::<Index>(), 1_usize..400, outcome()));
    let spans = (option::weighted(0.3, span()), option::weighted(0.3, span()), option::weighted(0.1, span()));
    let marked = vec(option::weighted(0.15, option::weighted(0.9, span())), 6);
    let late = (0_u32..250, any::<bool>(), vec((any::<Index>(), window()), 0..4));
    (replaced, bad, spans, marked, option::of(body()), late).prop_map(
        |(replaced, bad, (interval, timeout, latency), marked, body, (lag, noise_is_fault, windows))| {
            let mut trace = Story::new("t").trace;
            let of = |n: u32| NoiseWindow::new(250 * MS * n, 250 * MS, lag / 8 * (1 + n % 8) * MS);
            trace.noise = (0..172).map(of).collect();
            trace.noise_is_fault = noise_is_fault;
            for (index, window) in windows {
                *index.get_mut(&mut trace.noise) = window;
            }
            let stream = &mut trace.streams[0];
            if let Some(latency) = latency {
                stream.samples.iter_mut().for_each(|sample| sample.latency = latency);
            }
            if let Some((from, length, outcome)) = bad {
                let from = from.index(stream.samples.len());
                stream.samples[from..].iter_mut().take(length).for_each(|sample| sample.outcome = outcome);
            }
            for (index, sample) in replaced {
                *index.get_mut(&mut stream.samples) = sample;
            }
            stream.interval = interval.unwrap_or(stream.interval);
            stream.timeout = timeout.unwrap_or(stream.timeout);
            let marks = &mut trace.marks;
            let fields = [
                &mut marks.inject_started,
                &mut marks.injected,
                &mut marks.revert_started,
                &mut marks.removed,
                &mut marks.chaos_ended,
                &mut marks.ended,
            ];
            for (field, mark) in fields.into_iter().zip(marked) {
                *field = mark.unwrap_or(*field);
            }
            trace.body = body;
            let mut orders = trace.streams[0].clone();
            (orders.name, orders.kind) = ("POST /orders".into(), StreamKind::Endpoint);
            trace.streams.push(orders);
            trace
        },
    )
}

fn trace() -> impl Strategy<Value = Trace> {
    prop_oneof![1 => chaotic(), 2 => bent()]
}

fn percent() -> impl Strategy<Value = Option<Percent>> {
    option::of((0.0..=100.0_f64).prop_map(|value| Percent::new(value).unwrap()))
}

fn latency_bounds() -> impl Strategy<Value = LatencyBounds> {
    let limit = || option::weighted(0.3, span());
    (limit(), limit(), limit()).prop_map(|(p50, p95, p99)| LatencyBounds { p50, p95, p99 })
}

/// Also of the streams that there are.
fn endpoint_bounds() -> impl Strategy<Value = EndpointBounds> {
    let endpoint = select(vec!["GET /", "POST /orders", "GET /orders/{id}"]);
    (endpoint, percent(), latency_bounds()).prop_map(|(endpoint, error_rate, latency)| EndpointBounds {
        endpoint: endpoint.parse().unwrap(),
        error_rate,
        latency,
    })
}

/// Any bound may be missing; a damaged record may hold any bound.
fn bounds() -> impl Strategy<Value = Bounds> {
    let rate = option::of((0.02..=1000.0_f64).prop_map(|rate| Rate::per_second(rate).unwrap()));
    let times = (option::of(span()), option::of(span()), option::of(span()));
    (times, percent(), percent(), latency_bounds(), rate, vec(endpoint_bounds(), 0..3)).prop_map(
        |(
            (time_to_recover, latency_degradation, recovery_time),
            error_rate,
            availability,
            latency,
            throughput,
            endpoints,
        )| Bounds {
            time_to_recover,
            error_rate,
            availability,
            latency_degradation,
            recovery_time,
            latency,
            throughput,
            endpoints,
        },
    )
}

fn objectives() -> impl Strategy<Value = Objectives> {
    let checks = (any::<u32>(), span());
    (bounds(), prop_oneof![Just(Bounds::default()), bounds()], checks).prop_map(
        |(bounds, warnings, checks)| {
            let recovery = Recovery {
                time: None,
                required_health_checks: checks.0 % 4 * (checks.0 / 4),
                health_check_interval: checks.1,
            };
            Objectives { recovery, warnings, ..Objectives::default() }.with_bounds(bounds)
        },
    )
}

/// The trace as a run leaves it: samples at the resolution of the record.
fn at_resolution(mut trace: Trace) -> Trace {
    for stream in &mut trace.streams {
        stream.samples.iter_mut().for_each(|sample| *sample = sample.at_resolution());
    }
    trace.noise.iter_mut().for_each(|window| *window = window.at_resolution());
    trace
}

fn report(trace: Trace, objectives: Option<Objectives>) -> Report {
    let story = Story::new("t").with(|story| {
        story.trace = trace;
        story.slo.objectives = objectives.unwrap_or_else(|| story.slo.objectives.clone());
    });
    story.report()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_record_read_back_is_the_record(trace in trace(), objectives in option::of(objectives())) {
        let written = report(at_resolution(trace), objectives);
        let json = written.to_json().unwrap();
        let read = Report::from_json(json.as_bytes()).unwrap();
        prop_assert_eq!(&read, &written);
        // And judged again it comes to the same.
        prop_assert_eq!(judge(&read.trace, &read.slo.objectives), written.judgement);
        // (What is not in order of time is told as damaged instead.)
        if let Ok(verified) = Verification::of_json(json.as_bytes()) {
            prop_assert_eq!(verified.differences, []);
        }
    }

    #[test]
    fn anything_can_be_judged_and_shown(trace in trace(), objectives in option::of(objectives())) {
        let report = report(trace, objectives);
        prop_assert_eq!(report.headline().lines().count().max(1), 1);
        prop_assert!(report.text().contains("rerun"));
        let summary = Summary::of(vec![report]);
        render::markdown(&summary);
        render::validation_json(&summary, 0.0).unwrap();
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Report::from_json(&bytes).is_err());
    }

    /// Cut anywhere, a record is an error and not a shorter record.
    #[test]
    fn half_a_record_is_an_error(cut in 0.0..1.0_f64) {
        let json = Story::new("t").report().to_json().unwrap();
        let bytes = json.as_bytes();
        prop_assert!(Report::from_json(&bytes[..(bytes.len() as f64 * cut) as usize]).is_err());
    }
}

/// A witness that reads nonsense must not prove a fault, and its record must stay readable.
#[test]
fn what_is_not_a_number_proves_nothing() {
    let story = Story::new("t").with(|story| {
        let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
        readings.iter_mut().for_each(|reading| reading.measured = f64::NAN);
    });
    let written = story.report();
    assert_eq!(written.judgement.label(), "Inconclusive(fault not delivered)");
    let read = Report::from_json(written.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(judge(&read.trace, &read.slo.objectives), written.judgement);
}
