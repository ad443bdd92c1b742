use std::time::Duration;

use super::experiment::{BodyKind, Experiment};
use crate::error::Error;
use crate::model::SloProfile;
use crate::port::ProbeSpec;
use crate::report::Planned;
use crate::slo::STABLE_SAMPLES;
use crate::units::show_duration;

/// No phase is longer than this; what is was mistyped.
const LONGEST_PHASE: Duration = Duration::from_secs(24 * 3600);
/// A baseline of fewer samples than this would not be believed, and a few may be lost at its edges.
const BASELINE_SAMPLES: u32 = 25;

/// How long the phases are to be.
pub(super) fn planned(experiment: &Experiment, profile: &SloProfile) -> Result<Planned, Error> {
    let chaos = experiment.scenario.duration;
    let objectives = &profile.objectives;
    let recovery = objectives.recovery.limit_or_usual();
    let longest_outage = objectives.time_to_recover.unwrap_or_default();
    let stable = objectives.recovery.stable_for();
    let enough = match &experiment.body {
        BodyKind::Repeat(rate, _) => rate.interval() * BASELINE_SAMPLES,
        BodyKind::None | BodyKind::Once(_) => Duration::ZERO,
    };
    // Evidence that is weighed as it comes in makes do with a shorter look at what is normal.
    let most = Duration::from_secs(if experiment.sequential { 4 } else { 10 });
    let usual = (chaos / 3).clamp(Duration::from_secs(2), most).max(enough);
    let planned = Planned {
        baseline: experiment.baseline.unwrap_or(usual),
        chaos,
        watch: experiment
            .watch
            .unwrap_or_else(|| recovery.saturating_mul(2).max(longest_outage).saturating_add(stable)),
    };
    let phases = [("baseline", planned.baseline), ("duration", planned.chaos), ("watch", planned.watch)];
    match phases.into_iter().find(|(_, length)| *length > LONGEST_PHASE) {
        Some((name, length)) => Err(Error::input(format!(
            "the {name} is {}, and a phase lasts a day at most",
            show_duration(length)
        ))),
        None => Ok(planned),
    }
}

/// The same, now that the probes are known. One may be too slow for the usual baseline; what was asked for is left as it
/// is.
///
/// The same of the watch: a slow probe takes longer to show that the service is stable.
pub(super) fn for_probes(
    mut planned: Planned,
    experiment: &Experiment,
    profile: &SloProfile,
    probes: &[ProbeSpec],
) -> Planned {
    let slowest = probes.iter().map(|probe| probe.interval).max().unwrap_or_default();
    let seldom = match &experiment.body {
        BodyKind::Repeat(rate, _) => slowest.max(rate.interval()),
        BodyKind::None | BodyKind::Once(_) => slowest,
    };
    if experiment.baseline.is_none() {
        planned.baseline = planned.baseline.max(slowest.saturating_mul(BASELINE_SAMPLES));
    }
    if experiment.watch.is_none() {
        planned.watch = planned.watch.saturating_add(longer_until_stable(profile, seldom)).min(LONGEST_PHASE);
    }
    planned
}

/// How much longer than usual a stable window is where samples come that seldom.
fn longer_until_stable(profile: &SloProfile, interval: Duration) -> Duration {
    let usual = profile.objectives.recovery.stable_for();
    interval.saturating_mul(STABLE_SAMPLES).saturating_sub(usual)
}
