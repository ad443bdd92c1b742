use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How much of the fault was there, by a measurement that is independent of the injection.
///
/// ```
/// use chaos_test::model::Delivery;
/// use chaos_test::slo::{median, show_dose};
///
/// fn told(delivery: &Delivery) -> String {
///     format!("{}: {} measured", delivery.mechanism, show_dose(delivery.unit, median(&delivery.readings)))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Delivery {
    /// The rung of the ladder that was used: `proxy`, `workers`, `sigkill`.
    pub mechanism: String,
    /// The fault and how it was made, in a phrase: `by proxy (stream) on app`.
    pub detail: String,
    /// The better rungs of the ladder that could not be used, and why.
    #[serde(default)]
    pub passed_over: Vec<PassedOver>,
    /// What a dose is counted in.
    pub unit: DoseUnit,
    /// Every reading of the witness while the fault was meant to be in force; the last look, if it never saw the fault.
    pub readings: Vec<DoseReading>,
    /// Readings that failed, with the reason of the last one.
    pub failed_readings: u32,
    /// Why the last failed reading failed.
    pub last_failure: Option<String>,
}

/// A rung of the ladder that was not used.
///
/// ```
/// use chaos_test::model::PassedOver;
///
/// fn why_not<'a>(passed_over: &'a [PassedOver], mechanism: &str) -> Option<&'a str> {
///     passed_over.iter().find(|rung| rung.mechanism == mechanism).map(|rung| rung.reason.as_str())
/// }
/// let passed_over = [PassedOver { mechanism: "netem".into(), reason: "no tc".into() }];
/// assert_eq!(why_not(&passed_over, "netem"), Some("no tc"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PassedOver {
    /// Its mechanism.
    pub mechanism: String,
    /// Why it was not used.
    pub reason: String,
}

/// What a dose is counted in.
///
/// ```
/// use chaos_test::model::DoseUnit;
/// use chaos_test::slo::show_dose;
///
/// assert_eq!(show_dose(DoseUnit::Cores, 1.98), "1.98 cores");
/// assert_eq!(show_dose(DoseUnit::Seconds, 0.2004), "200.4 ms");
/// assert_eq!(show_dose(DoseUnit::Down, 1.0), "down");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DoseUnit {
    /// Seconds.
    Seconds,
    /// Processor cores' worth of demand.
    Cores,
    /// 1 while the target is down, 0 while it is not.
    Down,
    /// Bytes.
    Bytes,
    /// A share, from 0 to 1.
    Share,
    /// Workers at work.
    Workers,
}

/// One reading of the witness.
///
/// ```
/// use chaos_test::model::DoseReading;
/// use chaos_test::units::TimeUnits;
///
/// let most = DoseReading { at: 12.seconds(), asked: 2.0, measured: 1.9 };
/// let half = DoseReading { measured: 1.0, ..most };
/// assert!(most.is_enough() && !half.is_enough());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DoseReading {
    /// When, from the start of the baseline.
    pub at: Duration,
    /// What was asked for, in the unit of the delivery.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::number_or_null"))]
    pub asked: f64,
    /// What was measured.
    #[serde(deserialize_with = "number")]
    #[cfg_attr(feature = "schema", schemars(schema_with = "super::schema::number_or_null"))]
    pub measured: f64,
}

impl DoseReading {
    /// A fault counts as there from more than this share of its dose on: half of it, and a tenth of that for the error of
    /// the witness, so that exactly half of a dose never counts.
    pub const ENOUGH: f64 = 0.55;

    /// Fewer readings than this prove nothing.
    pub const FEWEST: usize = 3;

    /// Whether enough of the dose asked for was measured. What is not a number saw nothing.
    pub fn is_enough(&self) -> bool {
        self.measured > self.asked * Self::ENOUGH
    }
}

/// JSON has no word for what is not a number: it is written as `null`.
pub(super) fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
}
