//! Quantities that users write and reports show, as types.
//!
//! Purpose: a percentage, a size, a rate and a time span each have one parser and one way to be
//! printed, and a value of the type is always in range. A name never carries a unit (`delay`, not
//! `delay_ms`): the unit is in the type.
//!
//! Invariants: every parser is total (no panic, no overflow) and its error says what was expected.
//! Not here: what a quantity means (that is [`crate::model`]).

mod bytes;
mod duration;
mod percent;
mod rate;
#[cfg(feature = "schema")]
mod schema;

pub use bytes::ByteSize;
pub use duration::{TimeUnits, parse_duration, seconds, show_duration};
pub use percent::Percent;
pub use rate::{Rate, RateUnits};

/// A text that is not the quantity it should be; the message says what was expected.
///
/// ```
/// use chaos_test::units::{Percent, UnitError};
/// let error: UnitError = "105 %".parse::<Percent>().unwrap_err();
/// assert_eq!(error.to_string(), "expected a percentage from 0 to 100, found 105");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(pub(crate) String);

/// Splits `"1.5 GB"` into its number and its suffix. Refuses signs, exponents and non-finite numbers.
fn number_and_suffix(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    number.is_finite().then(|| (number, text[end..].trim()))
}
