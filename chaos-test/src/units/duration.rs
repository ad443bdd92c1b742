use std::time::Duration;

use super::{UnitError, number_and_suffix};

/// A time span longer than this is a mistake in a file, not a test.
const LONGEST: f64 = 31_536_000.0;

/// Reads `45`, `45s`, `1.5s`, `200ms`, `2m` or `1h`; a plain number is seconds.
///
/// ```
/// use chaos_test::units::parse_duration;
/// use std::time::Duration;
/// assert_eq!(parse_duration("1.5s").unwrap(), Duration::from_millis(1500));
/// assert!(parse_duration("-3s").is_err());
/// ```
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    let expected =
        || UnitError(format!("expected a time span such as \"45s\", \"200ms\" or \"2m\", found `{text}`"));
    let (number, suffix) = number_and_suffix(text).ok_or_else(expected)?;
    let factor = match suffix {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "" | "s" | "sec" | "secs" => 1.0,
        "m" | "min" | "mins" => 60.0,
        "h" => 3600.0,
        _ => {
            return Err(UnitError(format!(
                "unknown time unit `{suffix}` in `{text}`: use us, ms, s, m or h"
            )));
        }
    };
    seconds(number * factor)
}

/// A time span of that many seconds; an error when it is negative, not a number or over a year.
///
/// ```
/// use chaos_test::units::seconds;
/// use std::time::Duration;
/// assert_eq!(seconds(0.25).unwrap(), Duration::from_millis(250));
/// assert!(seconds(-1.0).is_err());
/// assert!(seconds(f64::NAN).is_err());
/// ```
pub fn seconds(value: f64) -> Result<Duration, UnitError> {
    if !(0.0..=LONGEST).contains(&value) {
        return Err(UnitError(format!("expected a time span from 0 s to one year, found {value} s")));
    }
    Ok(Duration::from_secs_f64(value))
}

/// The span as people read it: `1.5 s`, `812 ms`, `0.12 ms`, `2 min 5 s`.
///
/// ```
/// use chaos_test::units::show_duration;
/// use std::time::Duration;
/// assert_eq!(show_duration(Duration::from_millis(400)), "400 ms");
/// assert_eq!(show_duration(Duration::from_millis(1500)), "1.5 s");
/// assert_eq!(show_duration(Duration::from_secs(125)), "2 min 5 s");
/// ```
pub fn show_duration(span: Duration) -> String {
    let secs = span.as_secs_f64();
    if span.is_zero() {
        "0 s".into()
    } else if secs < 0.001 {
        format!("{:.2} ms", secs * 1e3)
    } else if secs < 0.01 {
        trimmed(secs * 1e3, 1) + " ms"
    } else if secs < 1.0 {
        format!("{:.0} ms", secs * 1e3)
    } else if secs < 120.0 {
        trimmed(secs, 2) + " s"
    } else {
        format!("{} min {} s", span.as_secs() / 60, span.as_secs() % 60)
    }
}

fn trimmed(number: f64, digits: usize) -> String {
    let text = format!("{number:.digits$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Time spans read as they are said: `20.ms()`, `3.seconds()`.
///
/// ```
/// use chaos_test::units::TimeUnits;
/// assert_eq!(20.ms(), std::time::Duration::from_millis(20));
/// ```
pub trait TimeUnits {
    /// That many milliseconds.
    fn ms(self) -> Duration;
    /// That many seconds.
    fn seconds(self) -> Duration;
}

impl TimeUnits for u32 {
    fn ms(self) -> Duration {
        Duration::from_millis(u64::from(self))
    }
    fn seconds(self) -> Duration {
        Duration::from_secs(u64::from(self))
    }
}
