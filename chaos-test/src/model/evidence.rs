use serde::{Deserialize, Serialize};

/// When a share of samples is decided.
///
/// ```
/// use chaos_test::model::CountRule;
/// use chaos_test::report::Report;
/// fn may_end_early(report: &Report) -> bool {
///     report.trace.count_rule == CountRule::Sequential
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CountRule {
    /// By exact limits, once the whole chaos phase is over.
    #[default]
    WholePhase,
    /// As soon as the evidence suffices. Only where the fault is the same from its beginning to its end.
    Sequential,
}

/// What earlier tries of a test have seen and could not decide; this one goes on from there.
///
/// ```
/// use chaos_test::report::Report;
/// fn which_try(report: &Report) -> u32 {
///     report.trace.carried.as_ref().map_or(1, |carried| carried.tries + 1)
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Carried {
    /// How many tries there were.
    pub tries: u32,
    /// How often it was asked at the end of a phase what all of it came to: once a try, and once more where the phase was
    /// then made longer. Each of these looks could have erred. Older records do not say, and have one a try.
    #[serde(default)]
    pub looks: u32,
    /// The mechanism of the fault that they saw. What another rung of the ladder came to says nothing of this one.
    #[serde(default)]
    pub mechanism: Option<String>,
    /// What they have seen in all.
    pub shares: Vec<CarriedShare>,
}

impl Carried {
    /// How many looks there were, also by a record that does not say.
    pub(crate) fn all_looks(&self) -> u32 {
        self.looks.max(self.tries)
    }
}

/// What was seen of one share.
///
/// ```
/// use chaos_test::model::{Carried, CarriedShare};
/// fn bad_before(carried: &Carried, stream: &str) -> Option<u64> {
///     let error_rate = |share: &&CarriedShare| share.stream == stream && share.indicator == "error_rate";
///     carried.shares.iter().find(error_rate).map(|share| share.bad)
/// }
/// let share = CarriedShare { stream: "app".into(), indicator: "error_rate".into(), samples: 400, bad: 9, runs: 4 };
/// let carried = Carried { tries: 1, looks: 1, mechanism: Some("proxy".into()), shares: vec![share] };
/// assert_eq!(bad_before(&carried, "app"), Some(9));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CarriedShare {
    /// The stream.
    pub stream: String,
    /// The indicator, as records name it: `error_rate`.
    pub indicator: String,
    /// How many samples there were.
    pub samples: u64,
    /// How many of them were bad, or too slow.
    pub bad: u64,
    /// How many runs those came in.
    pub runs: u64,
}
