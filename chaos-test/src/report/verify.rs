use serde::Deserialize;
use serde_json::Value;

use super::{FORMAT_VERSION, Report};
use crate::slo::{Judgement, Rules, judge_by};

/// What a record says about itself, held against what its samples come to.
///
/// ```
/// use chaos_test::report::Verification;
/// fn says_what_was_measured(record: &[u8]) -> Result<bool, String> {
///     let verification = Verification::of_json(record)?;
///     Ok(verification.differences.is_empty())
/// }
/// assert!(says_what_was_measured(b"{}").is_err());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verification {
    /// The record.
    pub report: Report,
    /// Where the judgement in the record is not the one its samples come to.
    pub differences: Vec<Difference>,
}

/// One thing that the record says otherwise.
///
/// ```
/// use chaos_test::report::{Difference, Verification};
/// fn told(verification: &Verification) -> Vec<String> {
///     let json = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".into());
///     let line = |Difference { field, stored, recomputed, .. }: &Difference| {
///         format!("{field}: the record says {}, its samples {}", json(stored), json(recomputed))
///     };
///     verification.differences.iter().map(line).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Where in the judgement: `verdict`, `evaluations[3].measured.seconds`.
    pub field: String,
    /// What the record says, as JSON; absent where it does not say anything.
    pub stored: Option<String>,
    /// What its samples come to; absent where they come to nothing of the kind.
    pub recomputed: Option<String>,
}

/// Numbers as near as this to each other are the same, above 1 as near as this share of them: another machine may round
/// otherwise.
const SAME: f64 = 1e-9;

impl Report {
    /// The judgement made again from the samples, by the rules of the record's format.
    pub fn rejudged(&self) -> Judgement {
        judge_by(&self.trace, &self.slo.objectives, Rules::of_format(self.format_version))
    }
}

impl Verification {
    /// Reads a record, judges it again, and compares everything the judgement holds.
    ///
    /// A record of an older format may lack what its judgement did not hold then; what it has must be the same.
    ///
    /// # Errors
    /// As [`Report::from_json`], and samples that are not in the order of their schedule.
    pub fn of_json(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Stored {
            judgement: Value,
        }
        let report = Report::from_json(bytes)?;
        if let Some(stream) =
            report.trace.streams.iter().find(|stream| !stream.samples.is_sorted_by_key(|s| s.at))
        {
            let name = &stream.name;
            return Err(format!(
                "a damaged record: the samples of {name} are not in the order of their schedule"
            ));
        }
        let stored: Stored =
            serde_json::from_slice(bytes).map_err(|error| format!("a damaged record: {error}"))?;
        let recomputed = serde_json::to_value(report.rejudged())
            .map_err(|error| format!("its judgement cannot be written as JSON: {error}"))?;
        let mut comparison =
            Comparison { may_lack: report.format_version < FORMAT_VERSION, found: Vec::new() };
        comparison.compare("", &stored.judgement, &recomputed);
        Ok(Self { report, differences: comparison.found })
    }
}

/// Compares what is stored with what was recomputed, whatever a judgement is made of.
struct Comparison {
    may_lack: bool,
    found: Vec<Difference>,
}

impl Comparison {
    fn compare(&mut self, at: &str, stored: &Value, recomputed: &Value) {
        match (stored, recomputed) {
            (Value::Object(stored), Value::Object(recomputed)) if have_common_ground(stored, recomputed) => {
                let join = |key: &str| if at.is_empty() { key.to_owned() } else { format!("{at}.{key}") };
                for (key, value) in recomputed {
                    match stored.get(key) {
                        Some(old) => self.compare(&join(key), old, value),
                        None if self.may_lack || value.is_null() => {}
                        None => self.differ(&join(key), None, Some(value)),
                    }
                }
                for (key, value) in stored.iter().filter(|(key, _)| !recomputed.contains_key(*key)) {
                    self.differ(&join(key), Some(value), None);
                }
            }
            (Value::Array(stored), Value::Array(recomputed)) => {
                for n in 0..stored.len().max(recomputed.len()) {
                    let at = format!("{at}[{n}]");
                    match (stored.get(n), recomputed.get(n)) {
                        (Some(old), Some(new)) => self.compare(&at, old, new),
                        (old, new) => self.differ(&at, old, new),
                    }
                }
            }
            (Value::Number(one), Value::Number(other)) if same_number(one, other) => {}
            (one, other) if one == other => {}
            _ => self.differ(at, Some(stored), Some(recomputed)),
        }
    }

    fn differ(&mut self, field: &str, stored: Option<&Value>, recomputed: Option<&Value>) {
        self.found.push(Difference {
            field: field.to_owned(),
            stored: stored.map(ToString::to_string),
            recomputed: recomputed.map(ToString::to_string),
        });
    }
}

/// Two choices with a value each have nothing in common if they are not the same choice.
fn have_common_ground(
    stored: &serde_json::Map<String, Value>,
    recomputed: &serde_json::Map<String, Value>,
) -> bool {
    stored.keys().any(|key| recomputed.contains_key(key)) || (stored.is_empty() && recomputed.is_empty())
}

fn same_number(one: &serde_json::Number, other: &serde_json::Number) -> bool {
    if one == other {
        return true;
    }
    match (one.as_f64(), other.as_f64()) {
        // Whole numbers are counts, and counts are exact.
        (Some(one), Some(other)) => {
            (one.fract() != 0.0 || other.fract() != 0.0)
                && (one - other).abs() <= SAME * one.abs().max(other.abs()).max(1.0)
        }
        _ => false,
    }
}
