//! Objectives of the test's own: what its code found is in the trace, and stands.

use super::{Evaluation, Figure, Indicator, Verdict};
use crate::model::{CustomResult, Severity, Trace};

/// One evaluation each, under the name the test gave it.
pub(super) fn custom(trace: &Trace) -> Vec<Evaluation> {
    trace.custom.iter().map(evaluation).collect()
}

fn evaluation(result: &CustomResult) -> Evaluation {
    let held = result.broken.is_none();
    Evaluation {
        measured: Some(Figure::Holds(held)),
        note: result.broken.clone(),
        verdict: if held { Verdict::Pass } else { Verdict::Fail },
        ..Evaluation::new(Indicator::Custom, &result.name, Figure::Holds(true), Severity::Blocking)
    }
}
