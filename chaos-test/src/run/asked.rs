//! What an experiment asks for beside its SLO profile.

use std::time::Duration;

use super::custom::Custom;
use super::experiment::{BodyKind, Experiment};
use super::objective::Objective;
use crate::error::Error;
use crate::model::{Bounds, Endpoint, Objectives, Samples, SloProfile};
use crate::port::ProbeSpec;
use crate::units::Rate;

/// The bounds and objectives of one experiment, as they were given to its builder.
#[derive(Default)]
pub(super) struct Asked {
    overrides: Vec<Objective>,
    warnings: Vec<Objective>,
    endpoints: Vec<(String, Objective)>,
    pub(super) custom: Vec<Custom>,
}

impl Experiment {
    /// A bound that replaces the profile's.
    pub fn objective(mut self, objective: Objective) -> Self {
        self.asked.overrides.push(objective);
        self
    }

    /// A bound of which breaking it is told and fails nothing: on standard error, in the record and in every report.
    ///
    /// It stands beside the bound of the profile that fails, and replaces the catalogue's `slo_severity.warning`.
    pub fn warn(mut self, objective: Objective) -> Self {
        self.asked.warnings.push(objective);
        self
    }

    /// A bound on the body's own requests to one endpoint, a method and a path: `GET /orders/{id}`, where `{id}` or `*`
    /// stands for any one segment and the query does not count. Its error rate and its latencies can be bound.
    ///
    /// Requests count that are made through [`Chaos::client`](super::Chaos::client). An endpoint that sees none in the
    /// chaos phase makes the verdict Inconclusive.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), chaos_test::Error> {
    /// use chaos_test::prelude::*;
    /// let experiment = Experiment::scenario("Medium Network Delay")?
    ///     .against("http://127.0.0.1:8000")
    ///     .repeat_with(20.per_second(), |chaos| async move {
    ///         chaos.client("target").post("/orders").body("1 x tea").send().await.map(drop)
    ///     })
    ///     .endpoint("POST /orders", Objective::ErrorRate(Percent::new(1.0).unwrap()))
    ///     .endpoint("POST /orders", Objective::LatencyP95(400.ms()));
    /// # Ok(()) }
    /// ```
    pub fn endpoint(mut self, endpoint: impl Into<String>, objective: Objective) -> Self {
        self.asked.endpoints.push((endpoint.into(), objective));
        self
    }

    /// An objective of your own: it looks at all samples when the run is over, and an `Err` says why it is broken. So does
    /// its panic, and 10 s without an answer.
    ///
    /// It is not looked at where the fault was never in place or the run was stopped. What it found is in the record.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), chaos_test::Error> {
    /// use chaos_test::prelude::*;
    /// let experiment = Experiment::scenario("Medium Network Delay")?
    ///     .against("http://127.0.0.1:8000")
    ///     .custom_objective("no gap over 2 s", |samples: &Samples| {
    ///         let target = samples.stream("target")?;
    ///         let good: Vec<_> = target.all().iter().filter(|s| s.is_good()).map(|s| s.at).collect();
    ///         match good.windows(2).find(|pair| pair[1] - pair[0] > 2.seconds()) {
    ///             Some(gap) => Err(format!("nothing was good from {:?} to {:?}", gap[0], gap[1])),
    ///             None => Ok(()),
    ///         }
    ///     });
    /// # Ok(()) }
    /// ```
    pub fn custom_objective<F>(mut self, name: impl Into<String>, look: F) -> Self
    where
        F: Fn(&Samples) -> Result<(), String> + Send + Sync + 'static,
    {
        self.asked.custom.push(Custom::new(name.into(), look));
        self
    }

    /// The profile to judge by, overrides applied.
    pub(super) fn profile(&self) -> Result<SloProfile, Error> {
        let mut profile = self.located.catalogue.profile(self.slo.as_deref()).map_err(Error::input)?;
        profile.objectives = self.asked.over(profile.objectives, !matches!(self.body, BodyKind::None))?;
        check_error_rates(&profile.objectives.bounds())?;
        if let Some(allowed) = &profile.allowed_scenarios
            && !allowed.contains(&self.scenario.name)
        {
            return Err(Error::input(format!(
                "\"{}\" may not run under the SLO profile \"{}\": its `allowed_scenarios` are {}",
                self.scenario.name,
                profile.name,
                allowed.join(", ")
            )));
        }
        Ok(profile)
    }

    /// Whether the throughput that is asked for can be seen: no more samples can be good than are sent.
    pub(super) fn check_throughput(
        &self,
        objectives: &Objectives,
        probes: &[ProbeSpec],
    ) -> Result<(), Error> {
        let offered: Vec<(String, Duration)> = match &self.body {
            BodyKind::Repeat(rate, _) => vec![("the body is repeated".into(), rate.interval())],
            _ => probes.iter().map(|probe| (format!("{} is probed", probe.name), probe.interval)).collect(),
        };
        let floors = [objectives.throughput, objectives.warnings.throughput];
        floors.into_iter().flatten().try_for_each(|floor| reachable(floor, &offered))
    }
}

fn reachable(floor: Rate, offered: &[(String, Duration)]) -> Result<(), Error> {
    let too_much = |interval: &Duration| f64::from(floor) * interval.as_secs_f64() >= 1.0;
    let Some((what, interval)) = offered.iter().find(|(_, interval)| too_much(interval)) else {
        return Ok(());
    };
    let rate = (100.0 / interval.as_secs_f64()).round() / 100.0;
    Err(Error::input(format!(
        "`min_throughput_per_second` asks for {floor}, and {what} {rate} times a second: no more than that can be good, \
         and all of it cannot be shown with any number of samples. Ask for less than {rate}/s, or send more often"
    )))
}

/// Whether the error rates that are asked for can be seen. A warning may ask for none at all: the first error breaks it.
fn check_error_rates(bounds: &Bounds) -> Result<(), Error> {
    let of_endpoints = bounds.endpoints.iter().filter_map(|endpoint| endpoint.error_rate);
    if !bounds.error_rate.into_iter().chain(of_endpoints).any(|limit| limit.ratio() <= 0.0) {
        return Ok(());
    }
    Err(Error::input(
        "`max_error_rate_percent` is 0, and no number of samples shows that nothing ever fails: without an error the run \
         would be Inconclusive. Ask for a little, as 0.1 (some 8 300 samples without an error show it), or make it a \
         warning, which the first error breaks",
    ))
}

impl Asked {
    /// The objectives of a profile with what was asked for over them.
    fn over(&self, objectives: Objectives, has_body: bool) -> Result<Objectives, Error> {
        let (mut bounds, mut warnings) = (objectives.bounds(), objectives.warnings.clone());
        self.overrides.iter().for_each(|objective| objective.apply(&mut bounds));
        self.warnings.iter().for_each(|objective| objective.apply(&mut warnings));
        for (text, objective) in &self.endpoints {
            let endpoint: Endpoint =
                text.parse().map_err(|error| Error::input(format!("endpoint: {error}")))?;
            if !objective.apply_to_endpoint(bounds.of_endpoint(endpoint)) {
                return Err(Error::input(format!(
                    "{objective:?} is no bound of an endpoint ({text}): its requests have an error rate and latencies \
                     (p50, p95, p99); give it with `.objective(…)`"
                )));
            }
        }
        if let (Some((text, _)), false) = (self.endpoints.first(), has_body) {
            return Err(Error::input(format!(
                "{text} has a bound and the experiment no body: it is judged by the requests that a body makes \
                 through `chaos.client(…)`; add `.body(…)` or `.repeat_with(…)`"
            )));
        }
        if !has_body {
            // The catalogue's are for the tests that have one.
            bounds.endpoints.clear();
            warnings.endpoints.clear();
        }
        self.names_are_names()?;
        Ok(Objectives { warnings, ..objectives }.with_bounds(bounds))
    }

    fn names_are_names(&self) -> Result<(), Error> {
        for (n, custom) in self.custom.iter().enumerate() {
            let name = &custom.name;
            if name.trim().is_empty() || name.contains(char::is_control) {
                return Err(Error::input(format!(
                    "a custom objective is called {name:?}: give it a name on one line, by which reports tell it"
                )));
            }
            if self.custom[..n].iter().any(|other| other.name == *name) {
                return Err(Error::input(format!("two custom objectives are called \"{name}\": rename one")));
            }
        }
        Ok(())
    }
}
