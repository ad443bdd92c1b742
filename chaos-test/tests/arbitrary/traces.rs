use std::time::Duration;

use chaos_test::model::{
    Abort, AbortCause, BodyEnd, Carried, CarriedShare, CountRule, CustomResult, Delivery, DoorCheck,
    DoseReading, DoseUnit, Event, EventKind, Marks, NoiseWindow, Outcome, ResourceSample, Sample,
    ServiceResources, Sham, Stage, Stream, StreamKind, Trace, Trouble,
};
use chaos_test::units::Percent;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::synthetic::Story;

const MS: Duration = Duration::from_millis(1);

/// Mostly within half a minute, sometimes anything that a clock or a damaged record can say.
pub(super) fn span() -> impl Strategy<Value = Duration> {
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

pub(super) fn stream() -> impl Strategy<Value = Stream> {
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

/// Whether shares were weighed in order, and what was seen of them before.
fn in_order() -> impl Strategy<Value = (CountRule, Option<Carried>, bool)> {
    let indicator = select(vec!["error_rate", "latency_degradation", "none"]);
    let share = (select(vec!["t", "app", "body"]), indicator, any::<u64>(), any::<u64>(), any::<u64>());
    let small = |seen: u64| if seen.is_multiple_of(4) { seen } else { seen % 3000 };
    let share = share.prop_map(move |(stream, indicator, samples, bad, runs)| CarriedShare {
        stream: stream.into(),
        indicator: indicator.into(),
        samples: small(samples),
        bad: small(bad),
        runs: small(runs),
    });
    let tries = prop_oneof![4 => 0_u32..4, 1 => any::<u32>()];
    let carried = (tries, 0_u32..9, option::of("[a-z]{1,6}"), vec(share, 0..3))
        .prop_map(|(tries, looks, mechanism, shares)| Carried { tries, looks, mechanism, shares });
    let rule = select(vec![CountRule::WholePhase, CountRule::Sequential]);
    (rule, option::weighted(0.3, carried), any::<bool>())
}

pub(crate) fn trace() -> impl Strategy<Value = Trace> {
    (prop_oneof![1 => chaotic().boxed(), 2 => bent().boxed()].boxed(), in_order().boxed())
        .prop_map(|(trace, (count_rule, carried, extended))| Trace { count_rule, carried, extended, ..trace })
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
    let late = (0_u32..250, any::<(bool, bool)>(), vec((any::<Index>(), window()), 0..4));
    (replaced, bad, spans, marked, option::of(body()), late).prop_map(
        |(
            replaced,
            bad,
            (interval, timeout, latency),
            marked,
            body,
            (lag, (noise_is_fault, elsewhere), windows),
        )| {
            let mut trace = Story::new("t").trace;
            let of = |n: u32| NoiseWindow::new(250 * MS * n, 250 * MS, lag / 8 * (1 + n % 8) * MS);
            trace.noise = (0..172).map(of).collect();
            trace.noise_is_fault = noise_is_fault;
            trace.elsewhere = elsewhere.then(|| trace.streams[0].name.clone()).into_iter().collect();
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
