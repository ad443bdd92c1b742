//! Records of anything at all: of what a run can leave, and of what only a damaged file says.
#![allow(dead_code, reason = "each test binary uses a part")]

mod limits;
mod traces;

use chaos_test::model::{Objectives, Trace};
use chaos_test::report::Report;

use crate::synthetic::Story;
pub(crate) use limits::objectives;
pub(crate) use traces::trace;

/// The trace as a run leaves it: samples at the resolution of the record.
pub(crate) fn at_resolution(mut trace: Trace) -> Trace {
    for stream in &mut trace.streams {
        stream.samples.iter_mut().for_each(|sample| *sample = sample.at_resolution());
    }
    trace.noise.iter_mut().for_each(|window| *window = window.at_resolution());
    trace
}

pub(crate) fn report(trace: Trace, objectives: Option<Objectives>) -> Report {
    let story = Story::new("t").with(|story| {
        story.trace = trace;
        story.slo.objectives = objectives.unwrap_or_else(|| story.slo.objectives.clone());
    });
    story.report()
}
