use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Whether a part of the baseline was measured with the machinery of the fault in place and at rest.
///
/// ```
/// use chaos_test::model::Sham;
/// use chaos_test::units::TimeUnits;
///
/// let (began, from, to) = (5.seconds(), 6.seconds(), 9.seconds());
/// let sham = Sham::InPlace { detail: "workers, at rest".into(), began, from, to };
/// assert_eq!(sham.spans(), Some((began, from, to)));
/// assert_eq!(Sham::None("dry run".into()).spans(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sham {
    /// It was.
    InPlace {
        /// What was in place, in a phrase: `workers for cpu_exhaust 2 workers, at rest`.
        detail: String,
        /// When it began to be put in place: what was before is the bare half.
        began: Duration,
        /// From when on all of it was there.
        from: Duration,
        /// Until when.
        to: Duration,
    },
    /// It was not, and why.
    None(String),
}

impl Sham {
    /// The bare part of the baseline ends at the first of these; the part with the machinery is between the others.
    pub fn spans(&self) -> Option<(Duration, Duration, Duration)> {
        match self {
            Self::InPlace { began, from, to, .. } => Some((*began, *from, *to)),
            Self::None(_) => None,
        }
    }
}

/// One check past a service's front door, and one through it, shortly after each other.
///
/// ```
/// use chaos_test::model::DoorCheck;
/// use chaos_test::units::TimeUnits;
/// use std::time::Duration;
///
/// fn dearest(checks: &[DoorCheck]) -> Option<Duration> {
///     checks.iter().map(|check| check.through.saturating_sub(check.direct)).max()
/// }
/// assert_eq!(dearest(&[DoorCheck { direct: 2.ms(), through: 3.ms() }]), Some(1.ms()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoorCheck {
    /// How long the one past it took.
    pub direct: Duration,
    /// How long the one through it took.
    pub through: Duration,
}

impl DoorCheck {
    /// The check at the resolution of the record, whole microseconds.
    #[must_use]
    pub fn at_resolution(self) -> Self {
        let whole = |span: Duration| Duration::from_micros(micros(span));
        Self { direct: whole(self.direct), through: whole(self.through) }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// A pair is stored as `[direct, through]`, in whole microseconds.
impl Serialize for DoorCheck {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (micros(self.direct), micros(self.through)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DoorCheck {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (direct, through) = <(u64, u64)>::deserialize(deserializer)?;
        Ok(Self { direct: Duration::from_micros(direct), through: Duration::from_micros(through) })
    }
}
