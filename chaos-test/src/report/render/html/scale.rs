use std::time::Duration;

use crate::report::Report;
use crate::units::show_duration;

/// How wide a timeline is, in the units of its drawing.
pub(super) const WIDTH: f64 = 900.0;
/// Left of the plots: the labels of their axes.
pub(super) const LEFT: f64 = 66.0;
/// How wide the plots are.
pub(super) const PLOT: f64 = WIDTH - LEFT - 10.0;

/// Where on the time axis an instant is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// The end of what was observed, in seconds.
    end: f64,
}

impl Times {
    /// From the start of the baseline to the end of what was observed; `None` where that is no time at all.
    pub(super) fn of(report: &Report) -> Option<Self> {
        let trace = &report.trace;
        let last = || trace.streams.iter().filter_map(|stream| Some(stream.samples.last()?.at)).max();
        let end = trace.marks.ended.or_else(last)?.as_secs_f64();
        (end > 1e-3).then_some(Self { end })
    }

    /// The place of an instant; what is past the end is at the end.
    pub(super) fn x(self, at: Duration) -> f64 {
        LEFT + (at.as_secs_f64() / self.end).min(1.0) * PLOT
    }

    /// Whether an instant is within what was observed.
    pub(super) fn has(self, at: Duration) -> bool {
        at.as_secs_f64() <= self.end
    }

    /// Round instants with their names, not more than a dozen.
    pub(super) fn ticks(self) -> Vec<(f64, String)> {
        let step = round_step(self.end / 8.0);
        let count = (self.end / step).floor().min(20.0) as u32;
        let name =
            |at: f64| Duration::try_from_secs_f64(at).map_or_else(|_| format!("{at:e} s"), show_duration);
        (0..=count).map(|n| f64::from(n) * step).map(|at| (LEFT + at / self.end * PLOT, name(at))).collect()
    }
}

/// A round number that is not less: 1, 2, 5, 10, 20, …
fn round_step(least: f64) -> f64 {
    let decade = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0].into_iter().map(|step| step * decade).find(|step| *step >= least).unwrap_or(decade * 10.0)
}

/// A vertical axis: what is shown at its foot and at its top, by the logarithm or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    height: f64,
    by_log: bool,
}

impl Axis {
    /// From nothing to a bit more than the most of these.
    pub(super) fn linear(values: impl Iterator<Item = f64>, height: f64) -> Self {
        let most = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        Self { low: 0.0, high: if most > 0.0 { most * 1.1 } else { 1.0 }, height, by_log: false }
    }

    /// Whole decades around these, within bounds that are told.
    pub(super) fn log(values: impl Iterator<Item = f64>, bounds: (f64, f64), height: f64) -> Self {
        let values = values.filter(|value| *value > 0.0).map(|value| value.clamp(bounds.0, bounds.1));
        let (low, high) = values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
        let (low, high) = if low > high { (bounds.0, bounds.0) } else { (low, high) };
        // A little more than the values, so that none of them is on the edge.
        let low = (low * 0.8).log10().floor();
        let high = (high * 1.2).log10().ceil().max(low + 1.0);
        Self { low, high, height, by_log: true }
    }

    /// How far below the top a value is; what is off the axis is at its edge.
    pub(super) fn y(self, value: f64) -> f64 {
        let value = if self.by_log { value.max(f64::MIN_POSITIVE).log10() } else { value };
        let share = (value - self.low) / (self.high - self.low);
        // What is not a number is at the foot.
        (1.0 - if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }) * self.height
    }

    /// Round values: the decades of a logarithmic axis, the foot and the most of another one.
    pub(super) fn ticks(self) -> Vec<f64> {
        if !self.by_log {
            return vec![0.0, self.high / 1.1];
        }
        (self.low as i32..=self.high as i32).map(|decade| 10_f64.powi(decade)).collect()
    }

    /// How high it is.
    pub(super) fn height(self) -> f64 {
        self.height
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for end in [0.002, 0.7, 9.9, 43.0, 100.0, 86_400.0, 1e15] {
            let times = Times { end };
            let ticks = times.ticks();
            assert!((3..=9).contains(&ticks.len()), "{end}: {ticks:?}");
            assert!(ticks.iter().all(|(x, _)| (LEFT..=LEFT + PLOT).contains(x)), "{end}: {ticks:?}");
        }
        let names: Vec<String> = Times { end: 43.0 }.ticks().into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["0 s", "10 s", "20 s", "30 s", "40 s"]);
    }

    #[test]
    fn decades_hold_their_values() {
        let axis = Axis::log([0.006, 0.2].into_iter(), (1e-5, 1e3), 100.0);
        assert_eq!(axis.ticks(), [1e-3, 1e-2, 1e-1, 1.0]);
        assert!(axis.y(0.006) > axis.y(0.2) && axis.y(0.0) == 100.0 && axis.y(f64::INFINITY) == 0.0);
        assert_eq!(axis.y(f64::NAN), 100.0);
        let empty = Axis::log(std::iter::empty(), (1e-5, 1e3), 100.0);
        assert!(empty.ticks().len() >= 2);
        let flat = Axis::linear([0.0, f64::NAN].into_iter(), 50.0);
        assert_eq!((flat.y(0.0), flat.y(1.0)), (50.0, 50.0 - 50.0));
    }
}
