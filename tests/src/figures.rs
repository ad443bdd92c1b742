//! Small tools for the benches: lists of times, and tables of them.

use std::time::Duration;

/// A list of times, to be summed up.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Takes a list in any order.
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The mean, in milliseconds.
    pub fn mean_ms(&self) -> f64 {
        self.0.iter().map(Duration::as_secs_f64).sum::<f64>() * 1e3 / self.0.len().max(1) as f64
    }

    /// A quantile, in milliseconds.
    pub fn quantile_ms(&self, p: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((p * last as f64).round() as usize).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// The median of a few figures.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Whether a bench was asked for: `cargo bench` says so, `cargo test --benches` does not.
pub fn asked() -> bool {
    std::env::args().any(|arg| arg == "--bench")
}
