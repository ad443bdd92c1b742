//! Bounds of which breaking one is told and fails nothing.

use super::endpoint::endpoints;
use super::evaluate::Subject;
use super::{Baseline, Evaluation, Judgement, Rules, Verdict};
use crate::model::{Bounds, Objectives, Severity, StreamKind, Trace};

/// The warning bounds against what was seen. What an outage is and what normal is are the same for them as for the
/// others.
pub(super) fn warnings(
    trace: &Trace,
    objectives: &Objectives,
    baselines: &[Baseline],
    (tail, rules): (f64, Rules),
) -> Vec<Evaluation> {
    let bounds = &objectives.warnings;
    if *bounds == Bounds::default() {
        return Vec::new();
    }
    let repeated = trace.streams.iter().any(|stream| stream.kind == StreamKind::Transaction);
    let mut evaluations = Vec::new();
    let mut baselines = baselines.iter();
    for stream in &trace.streams {
        let subject = Subject {
            stream,
            trace,
            objectives,
            bounds,
            severity: Severity::Warning,
            tail,
            on_the_way: false,
            rules,
        };
        if stream.kind == StreamKind::Request && !repeated {
            evaluations.extend(subject.error_rate());
        } else if stream.kind.is_scheduled()
            && let Some(normal) = baselines.next()
        {
            evaluations.extend(subject.all(normal, &subject.outages()));
        }
    }
    evaluations.extend(endpoints(trace, objectives, (&bounds.endpoints, Severity::Warning), tail));
    evaluations
}

impl Judgement {
    /// The warning bounds that were broken, causes before effects. None when the evaluations
    /// [are void](Self::is_void), and an unclear one is none.
    pub fn warnings(&self) -> Vec<&Evaluation> {
        self.past_bounds(Severity::Warning)
    }

    /// The evaluations of that severity whose bounds were broken.
    pub(super) fn past_bounds(&self, severity: Severity) -> Vec<&Evaluation> {
        if self.is_void() {
            return Vec::new();
        }
        let past =
            |evaluation: &&Evaluation| evaluation.severity == severity && evaluation.verdict == Verdict::Fail;
        let mut broken: Vec<&Evaluation> = self.evaluations.iter().filter(past).collect();
        broken.sort_by_key(|evaluation| evaluation.indicator.place());
        broken
    }
}
