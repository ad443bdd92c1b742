use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One scheduled observation. All times count from the start of the baseline.
///
/// ```
/// use chaos_test::model::{Outcome, Sample};
/// use chaos_test::units::TimeUnits;
///
/// let sample = Sample { at: 3.seconds(), lag: 1.ms(), latency: 12.ms(), outcome: Outcome::BadStatus(503) };
/// assert!(!sample.is_good());
/// assert_eq!(serde_json::to_string(&sample).unwrap(), "[3000000,1000,12000,503]");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When it was scheduled; this decides its phase.
    pub at: Duration,
    /// How long after that it was really sent.
    pub lag: Duration,
    /// From the schedule (not from the sending) to the answer.
    pub latency: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

impl Sample {
    /// Whether it counts as a success.
    pub fn is_good(&self) -> bool {
        self.outcome == Outcome::Good
    }

    /// The sample at the resolution of the record, whole microseconds: what is judged is what is stored.
    #[must_use]
    pub fn at_resolution(self) -> Self {
        let whole = |span: Duration| Duration::from_micros(micros(span));
        Self { at: whole(self.at), lag: whole(self.lag), latency: whole(self.latency), outcome: self.outcome }
    }
}

/// What came of a sample. Slow but right is `Good`: latency is judged apart.
///
/// ```
/// use chaos_test::model::Outcome;
///
/// fn was_answered(outcome: Outcome) -> bool {
///     matches!(outcome, Outcome::Good | Outcome::BadStatus(_) | Outcome::BadBody)
/// }
/// assert!(was_answered(Outcome::BadStatus(503)) && !was_answered(Outcome::Timeout));
/// assert_eq!(Outcome::BadStatus(503).to_string(), "status 503");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The expected answer.
    Good,
    /// No connection, or it broke.
    ConnectError,
    /// No answer in time, or nobody waited for it any longer.
    Timeout,
    /// An answer with a status that was not expected.
    BadStatus(u16),
    /// An answer whose body failed its check.
    BadBody,
    /// A transaction, or a probe of the user's own, returned an error.
    Failed,
    /// A transaction, or a probe of the user's own, panicked.
    Panicked,
    /// Not sent, because too many before it were still waiting for an answer.
    Dropped,
}

impl Outcome {
    /// The code used in records: 0 is good, 100 to 999 an unexpected status.
    pub fn code(self) -> u16 {
        match self {
            Self::Good => 0,
            Self::ConnectError => 1,
            Self::Timeout => 2,
            Self::BadBody => 3,
            Self::Failed => 4,
            Self::Panicked => 5,
            Self::Dropped => 6,
            Self::BadStatus(status) => status,
        }
    }

    /// Reads a code back; `None` for one that no version has written.
    pub fn from_code(code: u16) -> Option<Self> {
        Some(match code {
            0 => Self::Good,
            1 => Self::ConnectError,
            2 => Self::Timeout,
            3 => Self::BadBody,
            4 => Self::Failed,
            5 => Self::Panicked,
            6 => Self::Dropped,
            100..=999 => Self::BadStatus(code),
            _ => return None,
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::ConnectError => f.write_str("connection failed"),
            Self::Timeout => f.write_str("timed out"),
            Self::BadStatus(status) => write!(f, "status {status}"),
            Self::BadBody => f.write_str("wrong body"),
            Self::Failed => f.write_str("failed"),
            Self::Panicked => f.write_str("panicked"),
            Self::Dropped => f.write_str("dropped"),
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// A sample is stored as `[at, lag, latency, code]`, times in whole microseconds.
impl Serialize for Sample {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (micros(self.at), micros(self.lag), micros(self.latency), self.outcome.code()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, lag, latency, code) = <(u64, u64, u64, u16)>::deserialize(deserializer)?;
        let outcome = Outcome::from_code(code)
            .ok_or_else(|| serde::de::Error::custom(format_args!("unknown outcome code {code}")))?;
        Ok(Self {
            at: Duration::from_micros(at),
            lag: Duration::from_micros(lag),
            latency: Duration::from_micros(latency),
            outcome,
        })
    }
}

/// The samples of one source, in the order of their schedule.
///
/// ```
/// use chaos_test::model::{Outcome, Sample, Stream, StreamKind};
/// use chaos_test::units::TimeUnits;
///
/// // Five seconds of a service that is well, to try an objective of your own on.
/// let sample = |n: u32| Sample { at: 50.ms() * n, lag: 0.ms(), latency: 8.ms(), outcome: Outcome::Good };
/// let (kind, interval, timeout) = (StreamKind::Probe, 50.ms(), 1.seconds());
/// let app = Stream { name: "app".into(), kind, interval, timeout, samples: (0..100).map(sample).collect() };
/// assert_eq!(app.samples[99].at, 4950.ms());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Stream {
    /// Whose samples: a service's name (of its second probe `app (2)`), `body`, `requests` or an endpoint.
    pub name: String,
    /// What one sample is.
    pub kind: StreamKind,
    /// Time from one scheduled sample to the next.
    pub interval: Duration,
    /// How long an answer may take.
    pub timeout: Duration,
    /// The samples.
    pub samples: Vec<Sample>,
}

/// What one sample of a stream is.
///
/// ```
/// use chaos_test::model::{Stream, StreamKind};
///
/// fn on_schedule(streams: &[Stream]) -> Vec<&str> {
///     streams.iter().filter(|stream| stream.kind.is_scheduled()).map(|stream| stream.name.as_str()).collect()
/// }
/// assert!(on_schedule(&[]).is_empty());
/// assert!(StreamKind::Transaction.is_scheduled() && !StreamKind::Request.is_scheduled());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StreamKind {
    /// A probe of a service, on an open-loop schedule.
    Probe,
    /// One run of the test body, on an open-loop schedule.
    Transaction,
    /// A request that the test body made on its own account. Not on a schedule.
    Request,
    /// One of those requests, to an endpoint that has bounds of its own. Not on a schedule.
    Endpoint,
}

impl StreamKind {
    /// Whether its samples come on a schedule that does not wait for answers.
    pub fn is_scheduled(self) -> bool {
        matches!(self, Self::Probe | Self::Transaction)
    }
}
