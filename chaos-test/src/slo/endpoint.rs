//! The body's own requests to the endpoints that have bounds of their own.

use std::time::Duration;

use super::evaluate::Subject;
use super::{Evaluation, Indicator, Reason, Rules};
use crate::model::{Bounds, EndpointBounds, Objectives, Severity, Stream, StreamKind, Trace};

/// The bounds of every endpoint against its requests. One that saw none is inconclusive: whoever gives a bound expects
/// requests, and none are no good news.
pub(super) fn endpoints(
    trace: &Trace,
    objectives: &Objectives,
    (declared, severity): (&[EndpointBounds], Severity),
    tail: f64,
) -> Vec<Evaluation> {
    declared.iter().flat_map(|declared| endpoint(trace, objectives, declared, severity, tail)).collect()
}

fn endpoint(
    trace: &Trace,
    objectives: &Objectives,
    declared: &EndpointBounds,
    severity: Severity,
    tail: f64,
) -> Vec<Evaluation> {
    let name = declared.endpoint.to_string();
    let unseen = Stream {
        name: name.clone(),
        kind: StreamKind::Endpoint,
        interval: Duration::ZERO,
        timeout: Duration::ZERO,
        samples: Vec::new(),
    };
    let its = |stream: &&Stream| stream.kind == StreamKind::Endpoint && stream.name == name;
    let bounds = Bounds { error_rate: declared.error_rate, latency: declared.latency, ..Bounds::default() };
    let subject = Subject {
        stream: trace.streams.iter().find(its).unwrap_or(&unseen),
        trace,
        objectives,
        bounds: &bounds,
        severity,
        tail,
        on_the_way: false,
        rules: Rules::CURRENT,
    };
    let requests = subject.chaos_samples();
    let mut evaluations: Vec<Evaluation> =
        subject.error_rate().into_iter().chain(subject.absolute_latency()).collect();
    for evaluation in evaluations.iter_mut().filter(|e| matches!(e.counts, Some((_, 0)))) {
        let why = if requests == 0 { "no request" } else { "nothing answered" };
        (evaluation.measured, evaluation.interval) = (None, None);
        evaluation.note = Some(why.into());
        evaluation.reason = Some(Reason::NoRequests(if requests == 0 {
            format!("the test made no request to {name} in the chaos phase")
        } else {
            format!(
                "none of {requests} requests to {name} in the chaos phase was answered, so there is no latency"
            )
        }));
    }
    evaluations
}

/// How many decisions rest on counts beside those on errors and latency degradation: each has its share of the error that
/// is allowed. Warnings decide nothing.
pub(super) fn further_counts(trace: &Trace, objectives: &Objectives) -> usize {
    let scheduled = || trace.streams.iter().filter(|stream| stream.kind.is_scheduled());
    let of_streams = objectives.latency.count() * scheduled().count();
    let carried = scheduled().filter(|stream| has_throughput(stream, trace)).count();
    let of_throughput = if objectives.throughput.is_some() { carried } else { 0 };
    of_streams + of_throughput + objectives.endpoints.iter().map(EndpointBounds::count).sum::<usize>()
}

/// Whether throughput is judged on a stream: on the transactions if the body is repeated, else on every probe.
pub(super) fn has_throughput(stream: &Stream, trace: &Trace) -> bool {
    match stream.kind {
        StreamKind::Transaction => true,
        StreamKind::Probe => trace.streams.iter().all(|other| other.kind != StreamKind::Transaction),
        StreamKind::Request | StreamKind::Endpoint => false,
    }
}

/// The indicator of a share of bad samples, by what they are.
pub(super) fn error_rate_of(kind: StreamKind) -> Indicator {
    match kind {
        StreamKind::Probe | StreamKind::Transaction => Indicator::ErrorRate,
        StreamKind::Request => Indicator::RequestErrorRate,
        StreamKind::Endpoint => Indicator::EndpointErrorRate,
    }
}
