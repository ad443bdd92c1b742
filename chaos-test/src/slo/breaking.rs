use std::fmt;

use super::Verdict;
use crate::units::UnitError;

/// How often an experiment is run at most, unless something else is said.
const MOST: u32 = 12;
/// How far apart the two ends of a bracket may stay, as a factor.
const FACTOR: f64 = 1.5;

/// How much of a fault a service stands: bisection over the logarithm of its intensity, with a whole experiment and its
/// verdict at each point.
///
/// The ends are tried first, and then the middle of the widest gap between what held and what broke, until that gap is
/// no wider than [`to_within`](Self::to_within), or [`at_most`](Self::at_most) so many runs were made. A point that cannot tell
/// is left between, and one beside it is tried. At last whatever is still unseen of either side is looked at, where that is most
/// of it, to see whether more of the fault is worse at all. The answer is a [`Bracket`], not a number: where in between it breaks nobody has seen.
///
/// ```
/// use chaos_test::slo::{BreakingPoint, Verdict};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// // In a test: an `Experiment` with `delay: milliseconds.milliseconds()`, and the verdict of its report.
/// let verdict = async |milliseconds: f64| {
///     Ok::<_, std::io::Error>(if milliseconds <= 180.0 { Verdict::Pass } else { Verdict::Fail })
/// };
/// let found = BreakingPoint::between(20.0, 2000.0)?.to_within(1.3).find(verdict).await?;
/// assert!(found.holds_at().unwrap() <= 180.0 && found.breaks_at().unwrap() > 180.0);
/// assert_eq!(found.to_string(), "holds at 173, breaks at 200 (9 runs)");
/// # Ok(()) }) }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "nothing is run until `.find(…)` is awaited"]
pub struct BreakingPoint {
    low: f64,
    high: f64,
    factor: f64,
    most: u32,
}

impl BreakingPoint {
    /// Looks between these two intensities, in whatever unit the experiment takes them.
    ///
    /// # Errors
    /// One that is not above zero (it has no logarithm) or not finite, or a second one that is not above the first.
    pub fn between(low: f64, high: f64) -> Result<Self, UnitError> {
        if low > 0.0 && low < high && high.is_finite() {
            Ok(Self { low, high, factor: FACTOR, most: MOST })
        } else {
            Err(UnitError(format!(
                "expected two intensities above zero, the lower one first, found {low} and {high}"
            )))
        }
    }

    /// Until no intensity between what holds and what breaks is more than that many times the one below it; 1.5 unless said.
    /// Not below 1.01.
    pub fn to_within(self, factor: f64) -> Self {
        Self { factor: factor.max(1.01), ..self }
    }

    /// With so many runs at most; 12 unless said.
    pub fn at_most(self, runs: u32) -> Self {
        Self { most: runs, ..self }
    }

    /// Runs the experiment at one intensity after the other. `Fail` and `Aborted` are what breaks; what is `Inconclusive`,
    /// `Error` or `Skipped` says nothing about that intensity.
    ///
    /// # Errors
    /// The first one that the experiment returns, which ends the search.
    pub async fn find<E>(
        self,
        mut verdict_at: impl AsyncFnMut(f64) -> Result<Verdict, E>,
    ) -> Result<Bracket, E> {
        let mut found = Bracket { points: Vec::new() };
        while let Some(intensity) = self.next(&found) {
            let verdict = verdict_at(intensity).await?;
            let at = found.points.partition_point(|(known, _)| *known < intensity);
            found.points.insert(at, (intensity, verdict));
        }
        Ok(found)
    }

    /// Where to look next.
    fn next(&self, found: &Bracket) -> Option<f64> {
        let points = &found.points;
        if points.len() >= self.most as usize {
            return None;
        }
        let at = |intensity: f64| points.iter().find(|(known, _)| *known == intensity).map(|point| point.1);
        match (at(self.low), at(self.high)) {
            (None, _) => return Some(self.low),
            (Some(verdict), _) if is_broken(verdict) => return None,
            (_, None) => return Some(self.high),
            (_, Some(Verdict::Pass)) => return None,
            _ => {}
        }
        let (low, high) = (found.holds_at().unwrap_or(self.low), found.breaks_at().unwrap_or(self.high));
        let within: Vec<f64> =
            points.iter().map(|point| point.0).filter(|known| (low..=high).contains(known)).collect();
        let gap = |two: &&[f64]| two[1] / two[0];
        let widest = within.windows(2).max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
        if gap(&widest) > self.factor {
            return Some(middle(widest[0], widest[1]));
        }
        // Is it worse beyond, and better below? Looked at where more than half of either side is unseen.
        let unseen = |from: f64, to: f64| {
            let side: Vec<f64> =
                points.iter().map(|point| point.0).filter(|known| (from..=to).contains(known)).collect();
            let widest = side.windows(2).max_by(|a, b| gap(a).total_cmp(&gap(b)))?;
            (gap(&widest) > (to / from).sqrt() * 1.0001).then(|| middle(widest[0], widest[1]))
        };
        unseen(high, self.high).or_else(|| unseen(self.low, low))
    }
}

/// The middle of two, in their logarithm.
fn middle(low: f64, high: f64) -> f64 {
    (low.ln().midpoint(high.ln())).exp()
}

/// Three digits.
fn short(intensity: f64) -> String {
    let decimals = (2.0 - intensity.log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{intensity:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn is_broken(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Fail | Verdict::Aborted)
}

/// Between which intensities a service breaks.
///
/// ```
/// use chaos_test::slo::{BreakingPoint, Bracket, Verdict};
/// fn told(bracket: &Bracket) -> String {
///     let runs = bracket.points().iter().map(|(intensity, verdict)| format!("{intensity:.0}: {verdict}"));
///     runs.collect::<Vec<_>>().join(", ")
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bracket {
    /// In order of the intensity.
    points: Vec<(f64, Verdict)>,
}

impl Bracket {
    /// The least intensity at which it broke.
    pub fn breaks_at(&self) -> Option<f64> {
        self.points.iter().find(|(_, verdict)| is_broken(*verdict)).map(|point| point.0)
    }

    /// The greatest intensity below that at which it held.
    pub fn holds_at(&self) -> Option<f64> {
        let below = self.points.iter().take_while(|(_, verdict)| !is_broken(*verdict));
        below.filter(|(_, verdict)| *verdict == Verdict::Pass).last().map(|point| point.0)
    }

    /// Whether nothing held at more than what it broke at. Where something did, there is no one breaking point, or the
    /// experiment is not the same twice.
    pub fn is_monotone(&self) -> bool {
        let after = self.points.iter().skip_while(|(_, verdict)| !is_broken(*verdict));
        after.filter(|(_, verdict)| *verdict == Verdict::Pass).count() == 0
    }

    /// Every run: its intensity and what it came to, by intensity.
    pub fn points(&self) -> &[(f64, Verdict)] {
        &self.points
    }
}

impl fmt::Display for Bracket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.holds_at(), self.breaks_at()) {
            (Some(holds), Some(breaks)) => {
                write!(f, "holds at {}, breaks at {}", short(holds), short(breaks))?
            }
            (None, Some(breaks)) => write!(f, "breaks at {} already", short(breaks))?,
            (Some(holds), None) => write!(f, "holds at {}, and was not seen to break", short(holds))?,
            (None, None) => f.write_str("neither holds nor breaks")?,
        }
        let runs = self.points.len();
        let unclear =
            self.points.iter().filter(|(_, verdict)| *verdict != Verdict::Pass && !is_broken(*verdict));
        write!(f, " ({runs} run{}", if runs == 1 { "" } else { "s" })?;
        match unclear.count() {
            0 => f.write_str(")")?,
            unclear => write!(f, ", {unclear} of them could not tell)")?,
        }
        if !self.is_monotone() {
            f.write_str("; it held at more than that again: there is no one breaking point")?;
        }
        Ok(())
    }
}
