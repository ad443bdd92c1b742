//! Objectives of the test's own, in code.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use super::active::STEP;
use super::panics;
use crate::model::{CustomResult, Samples, Trace};
use crate::port::Clock;
use crate::units::show_duration;

type Look = dyn Fn(&Samples) -> Result<(), String> + Send + Sync;

/// One objective of the test's own.
#[derive(Clone)]
pub(super) struct Custom {
    pub(super) name: String,
    look: Arc<Look>,
}

impl Custom {
    pub(super) fn new(
        name: String,
        look: impl Fn(&Samples) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { name, look: Arc::new(look) }
    }
}

/// Lets them look at what was observed, one after the other; what they found becomes part of it. A run that was stopped, or
/// in which the fault was never in place, is none that they could say anything about.
pub(super) async fn look(all: &[Custom], clock: &dyn Clock, trace: &mut Trace) {
    if all.is_empty() || trace.marks.injected.is_none() || trace.abort.is_some() {
        return;
    }
    let samples = Arc::new(Samples::new(trace.marks, trace.streams.clone()));
    for Custom { name, look } in all {
        let (look, samples) = (Arc::clone(look), Arc::clone(&samples));
        let looking = tokio::task::spawn_blocking(move || guarded(|| look(&samples)));
        let broken = tokio::select! {
            biased;
            found = looking => found.unwrap_or_else(|error| Err(error.to_string())).err(),
            () = clock.sleep_until(clock.now() + STEP) => Some(format!("no answer within {}", show_duration(STEP))),
        };
        trace.custom.push(CustomResult { name: name.clone(), broken });
    }
}

fn guarded(look: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    let looked = panics::kept(|| panic::catch_unwind(AssertUnwindSafe(look)));
    match looked {
        (Ok(found), _) => found,
        (Err(_), why) => Err(format!("panicked at {why}")),
    }
}
