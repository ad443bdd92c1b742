use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How the host did for about a quarter of a second: how late it woke a thread that wanted nothing but to be woken.
///
/// The windows of a run follow one another without a gap. One that the host slept through is as long as it slept.
///
/// ```
/// use chaos_test::model::NoiseWindow;
/// use chaos_test::report::Report;
/// fn latest_waking(report: &Report) -> Option<&NoiseWindow> {
///     report.trace.noise.iter().max_by_key(|window| window.lag)
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoiseWindow {
    /// When it began, from the start of the baseline.
    pub at: Duration,
    /// How long it was.
    pub over: Duration,
    /// The latest waking in it.
    pub lag: Duration,
    /// The share of that second in which somebody waited for a processor, from 0 to 1; absent where the kernel does not
    /// say.
    pub pressure: Option<f64>,
    /// The share of that second's processor time that went to other machines on the same iron, from 0 to 1.
    pub steal: Option<f64>,
    /// How many threads of the host were running or wanted to, at the end of that second.
    pub running: Option<u32>,
}

/// What the kernel says of a second: a thousandth is what is kept of a share.
///
/// ```
/// use chaos_test::model::{HostLoad, NoiseWindow};
/// use chaos_test::units::TimeUnits;
/// let load = HostLoad { pressure: Some(0.25), running: Some(4), ..HostLoad::default() };
/// let window = NoiseWindow::new(10.seconds(), 250.ms(), 3.ms()).with(load);
/// assert_eq!((window.pressure, window.steal, window.running), (Some(0.25), None, Some(4)));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct HostLoad {
    /// See [`NoiseWindow::pressure`].
    pub pressure: Option<f64>,
    /// See [`NoiseWindow::steal`].
    pub steal: Option<f64>,
    /// See [`NoiseWindow::running`].
    pub running: Option<u32>,
}

impl NoiseWindow {
    /// A window of which only the lateness is known.
    pub fn new(at: Duration, over: Duration, lag: Duration) -> Self {
        Self { at, over, lag, pressure: None, steal: None, running: None }
    }

    /// When it ended.
    pub fn end(&self) -> Duration {
        self.at.saturating_add(self.over)
    }

    /// The same, with what the kernel says of its second.
    #[must_use]
    pub fn with(self, load: HostLoad) -> Self {
        let HostLoad { pressure, steal, running } = load;
        Self { pressure, steal, running, ..self }
    }

    /// The window at the resolution of the record, whole microseconds and thousandths: what is judged is what is stored.
    #[must_use]
    pub fn at_resolution(self) -> Self {
        let whole = |span: Duration| Duration::from_micros(micros(span));
        let share = |share: Option<f64>| share.map(|share| of_thousandths(thousandths(share)));
        Self {
            at: whole(self.at),
            over: whole(self.over),
            lag: whole(self.lag),
            pressure: share(self.pressure),
            steal: share(self.steal),
            running: self.running,
        }
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn thousandths(share: f64) -> u16 {
    // What is not a number becomes nothing.
    (share.clamp(0.0, 1.0) * 1e3).round() as u16
}

fn of_thousandths(share: u16) -> f64 {
    f64::from(share.min(1000)) / 1e3
}

/// The fields of a window as they are stored.
type Stored = (u64, u64, u64, Option<u16>, Option<u16>, Option<u32>);

/// A window is stored as `[at, over, lag, pressure, steal, running]`: times in whole microseconds, shares in thousandths.
impl Serialize for NoiseWindow {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let stored: Stored = (
            micros(self.at),
            micros(self.over),
            micros(self.lag),
            self.pressure.map(thousandths),
            self.steal.map(thousandths),
            self.running,
        );
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NoiseWindow {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (at, over, lag, pressure, steal, running) = Stored::deserialize(deserializer)?;
        Ok(Self {
            at: Duration::from_micros(at),
            over: Duration::from_micros(over),
            lag: Duration::from_micros(lag),
            pressure: pressure.map(of_thousandths),
            steal: steal.map(of_thousandths),
            running,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_stored_in_one_short_line() {
        let window = NoiseWindow::new(
            Duration::from_millis(1250),
            Duration::from_millis(250),
            Duration::from_micros(1234),
        )
        .with(HostLoad { pressure: Some(0.123_456), steal: Some(f64::NAN), running: Some(3) });
        let json = serde_json::to_string(&window).expect("numbers");
        assert_eq!(json, "[1250000,250000,1234,123,0,3]");
        let read: NoiseWindow = serde_json::from_str(&json).expect("it was written so");
        assert_eq!(read, window.at_resolution());
        assert_eq!(read.end(), Duration::from_millis(1500));
    }
}
