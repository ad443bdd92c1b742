use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{UnitError, number_and_suffix};

/// A percentage from 0 to 100.
///
/// ```
/// use chaos_test::units::Percent;
/// let limit = Percent::new(5.0).unwrap();
/// assert_eq!(limit.to_string(), "5 %");
/// assert_eq!(limit.ratio(), 0.05);
/// assert!(Percent::new(105.0).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Percent(f64);

impl Percent {
    /// All of it.
    pub const HUNDRED: Self = Self(100.0);

    /// Nothing of it.
    pub const ZERO: Self = Self(0.0);

    /// A percentage; an error when it is outside 0 to 100 or not a number.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        if (0.0..=100.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(UnitError(format!("expected a percentage from 0 to 100, found {value}")))
        }
    }

    /// The share this is, from 0 to 1.
    pub fn ratio(self) -> f64 {
        self.0 / 100.0
    }

    /// The number before the percent sign, from 0 to 100.
    pub fn value(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Percent {
    type Error = UnitError;
    fn try_from(value: f64) -> Result<Self, UnitError> {
        Self::new(value)
    }
}

impl From<Percent> for f64 {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

impl FromStr for Percent {
    type Err = UnitError;

    /// Reads `5`, `5.0`, `5%` or `5 %`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        match number_and_suffix(text) {
            Some((number, "" | "%")) => Self::new(number),
            _ => Err(UnitError(format!("expected a percentage from 0 to 100, found `{text}`"))),
        }
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}
