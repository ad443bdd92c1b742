use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{UnitError, number_and_suffix};

/// How often something is done per second, from one a minute to a thousand a second.
///
/// ```
/// use chaos_test::units::{Rate, RateUnits};
/// let rate: Rate = "20/s".parse().unwrap();
/// assert_eq!(rate, 20.per_second());
/// assert_eq!(rate.interval(), std::time::Duration::from_millis(50));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Rate(f64);

impl Rate {
    /// A rate per second; an error outside 1/60 to 1000.
    pub fn per_second(value: f64) -> Result<Self, UnitError> {
        if (1.0 / 60.0..=1000.0).contains(&value) {
            Ok(Self(value))
        } else {
            Err(UnitError(format!("expected a rate from 1/min to 1000/s, found {value}/s")))
        }
    }

    /// The time from one to the next.
    pub fn interval(self) -> Duration {
        Duration::from_secs_f64(1.0 / self.0)
    }
}

impl TryFrom<f64> for Rate {
    type Error = UnitError;
    fn try_from(value: f64) -> Result<Self, UnitError> {
        Self::per_second(value)
    }
}

impl From<Rate> for f64 {
    fn from(rate: Rate) -> Self {
        rate.0
    }
}

impl FromStr for Rate {
    type Err = UnitError;

    /// Reads `20/s`, `0.5/s` or `30/min`.
    fn from_str(text: &str) -> Result<Self, UnitError> {
        match number_and_suffix(text) {
            Some((number, "/s" | "/sec" | "/second")) => Self::per_second(number),
            Some((number, "/m" | "/min" | "/minute")) => Self::per_second(number / 60.0),
            _ => Err(UnitError(format!("expected a rate such as \"20/s\" or \"30/min\", found `{text}`"))),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", (self.0 * 100.0).round() / 100.0)
    }
}

/// Rates read as they are said: `20.per_second()`.
///
/// ```
/// use chaos_test::units::{RateUnits, TimeUnits};
/// assert_eq!(20.per_second().interval(), 50.ms());
/// assert_eq!(5_000.per_second(), 1_000.per_second(), "no more than that");
/// ```
pub trait RateUnits {
    /// That many per second, held between 1 and 1000.
    fn per_second(self) -> Rate;
}

impl RateUnits for u32 {
    fn per_second(self) -> Rate {
        Rate(f64::from(self.clamp(1, 1000)))
    }
}
