use std::collections::BTreeMap;

use super::{Dose, Entry, Row, Unit};
use crate::slo::{Indicator, Verdict, show_dose};

/// What changed from one summary to another, test by test.
///
/// A figure counts as worse or better only where the two intervals do not touch. Each holds the true value with the
/// confidence of its judgement (99.9 % per scenario), so two that are apart by chance alone are rarer than that. Where
/// nothing was down, the availability and the worst time to recover are known exactly; a time that was not over when
/// the watch ended is at least that long. Any other figure without an interval, and one that was measured under another
/// mechanism of the fault or another dose, is not compared.
///
/// What is measured on one event, or against a baseline, varies from run to run by more than its interval says: times to
/// recover, availability and degradation. Two of them count as different only if they are apart by a quarter of the larger
/// and by a twentieth of what the limit allows as well, which is a rule of thumb and no confidence. Where one of them has no
/// interval (nothing was down; a time that was not over) any difference counts.
///
/// ```
/// use chaos_test::report::{Comparison, Summary};
/// fn worse_than(base: &Summary, now: &Summary) -> Vec<String> {
///     let comparison = Comparison::of(&base.tests, &now.tests);
///     comparison.regressions().map(|change| change.test.clone()).collect()
/// }
/// assert!(worse_than(&Summary::default(), &Summary::default()).is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Comparison {
    /// Tests that are in both, those with something worse first, then by name.
    pub tests: Vec<Change>,
    /// Tests that only the base has.
    pub gone: Vec<String>,
    /// Tests that the base does not have.
    pub new: Vec<String>,
}

/// One test, then and now.
///
/// ```
/// use chaos_test::report::{Change, Comparison};
/// fn other_verdicts(comparison: &Comparison) -> Vec<String> {
///     let line = |one: &Change| format!("{}: {}, was {}", one.test, one.is.1, one.was.1);
///     comparison.tests.iter().filter(|one| one.has_other_verdict()).map(line).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The test.
    pub test: String,
    /// Its scenario.
    pub scenario: String,
    /// What it came to in the base, with its reason.
    pub was: (Verdict, String),
    /// What it came to now.
    pub is: (Verdict, String),
    /// Every objective that both have.
    pub figures: Vec<FigureChange>,
    /// Why the figures are not compared, if they are not: `another mechanism: proxy, was netem`.
    pub not_compared: Option<String>,
}

/// One objective of one test, then and now.
///
/// ```
/// use chaos_test::report::{Change, FigureChange, Shift};
/// fn worse(change: &Change) -> Vec<String> {
///     let line = |one: &FigureChange| format!("{}: {}, was {}", one.objective, one.is, one.was);
///     change.figures.iter().filter(|one| one.shift == Shift::Worse).map(line).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FigureChange {
    /// The objective, with its stream where there are several.
    pub objective: String,
    /// What the base measured, for people.
    pub was: String,
    /// What was measured now.
    pub is: String,
    /// Whether that is a change.
    pub shift: Shift,
}

/// Whether a figure changed by more than chance.
///
/// ```
/// use chaos_test::report::{Change, Shift};
/// fn worst_first(change: &mut Change) {
///     change.figures.sort_by_key(|figure| figure.shift);
/// }
/// assert!(Shift::Worse < Shift::Better && Shift::Better < Shift::Same);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Shift {
    /// The intervals are apart, by more than such figures are from run to run anyway, and it is worse.
    Worse,
    /// The same, and it is better.
    Better,
    /// They touch, or are nearer to each other than that.
    Same,
    /// One of them is not known.
    Unknown,
}

impl Comparison {
    /// What changed since a base. A test is known by its binary and name; of several runs of it the last one counts.
    pub fn of(base: &[Entry], now: &[Entry]) -> Self {
        let (before, after) = (last_of_each(base), last_of_each(now));
        let only = |these: &ByTest<'_>, others: &ByTest<'_>| {
            let names = these.iter().filter(|(key, _)| !others.contains_key(*key));
            let mut names: Vec<String> = names.map(|(_, entry)| entry.test.clone()).collect();
            names.sort();
            names
        };
        let both = after.iter().filter_map(|(key, entry)| Some((before.get(key)?, entry)));
        let mut tests: Vec<Change> = both.map(|(was, is)| Change::of(was, is)).collect();
        tests.sort_by(|a, b| a.rank().cmp(&b.rank()).then_with(|| a.test.cmp(&b.test)));
        Self { tests, gone: only(&before, &after), new: only(&after, &before) }
    }

    /// The tests with a figure that is worse.
    pub fn regressions(&self) -> impl Iterator<Item = &Change> {
        self.tests.iter().filter(|change| change.is_worse())
    }
}

impl Change {
    fn of(base: &Entry, now: &Entry) -> Self {
        let not_compared = incomparable(base, now);
        let figures = if not_compared.is_some() { Vec::new() } else { figures(base, now) };
        Self {
            test: now.test.clone(),
            scenario: now.scenario.clone(),
            was: (base.verdict, base.label.clone()),
            is: (now.verdict, now.label.clone()),
            figures,
            not_compared,
        }
    }

    /// Whether a figure is worse, by more than chance.
    pub fn is_worse(&self) -> bool {
        self.figures.iter().any(|figure| figure.shift == Shift::Worse)
    }

    /// Whether it came to something else.
    pub fn has_other_verdict(&self) -> bool {
        self.was.0 != self.is.0
    }

    /// Whether there is anything to tell.
    pub fn is_change(&self) -> bool {
        let moved = |figure: &FigureChange| matches!(figure.shift, Shift::Worse | Shift::Better);
        self.has_other_verdict() || self.figures.iter().any(moved)
    }

    /// Whether what it came to is worse; nothing where it is the same, or one of the two was skipped, which says nothing.
    pub(in crate::report) fn has_worse_verdict(&self) -> Option<bool> {
        let skipped = [self.was.0, self.is.0].contains(&Verdict::Skipped);
        (self.has_other_verdict() && !skipped).then_some(self.is.0 > self.was.0)
    }

    fn rank(&self) -> (bool, bool, bool) {
        (!self.is_worse(), self.has_worse_verdict() != Some(true), !self.is_change())
    }
}

/// Entries by binary and test.
type ByTest<'e> = BTreeMap<(&'e str, &'e str), &'e Entry>;

/// The last run of each test.
fn last_of_each(entries: &[Entry]) -> ByTest<'_> {
    let mut last = ByTest::new();
    for entry in entries {
        let known = last.entry((&entry.binary, &entry.test)).or_insert(entry);
        if known.started_at < entry.started_at {
            *known = entry;
        }
    }
    last
}

/// Why the figures of two runs of a test say nothing about each other.
fn incomparable(base: &Entry, now: &Entry) -> Option<String> {
    if base.scenario.is_empty() || now.scenario.is_empty() {
        return Some("one of the two left no record".into());
    }
    if base.scenario != now.scenario {
        return Some(format!("another scenario: {}, was {}", now.scenario, base.scenario));
    }
    let mechanism = |entry: &Entry| entry.dose.as_ref().map(|dose| dose.mechanism.clone());
    match (mechanism(base), mechanism(now)) {
        (Some(was), Some(is)) if was != is => Some(format!("another mechanism: {is}, was {was}")),
        (Some(_), Some(_)) => another_dose(base.dose.as_ref()?, now.dose.as_ref()?),
        _ => Some("one of the two had no fault".into()),
    }
}

/// Where another dose was asked for, so many percent apart or more: what some faults ask for depends on the host.
fn another_dose(was: &Dose, is: &Dose) -> Option<String> {
    const APART: f64 = 0.05;
    let (before, after) = (was.asked?, is.asked?);
    let apart = (before - after).abs() > APART * before.abs().max(after.abs());
    let shown = |dose: &Dose, asked| show_dose(dose.unit, asked);
    (was.unit != is.unit || apart)
        .then(|| format!("another dose: {}, was {}", shown(is, after), shown(was, before)))
}

fn figures(base: &Entry, now: &Entry) -> Vec<FigureChange> {
    let same = |row: &&Row, other: &Row| {
        (&row.indicator, &row.stream, row.severity) == (&other.indicator, &other.stream, other.severity)
    };
    let pairs = now.objectives.iter().filter_map(|row| {
        let before = base.objectives.iter().find(|before| same(before, row))?;
        Some((before, row))
    });
    let change = |(was, is): (&Row, &Row)| FigureChange {
        objective: is.objective.clone(),
        was: was.shown.measured.clone(),
        is: is.shown.measured.clone(),
        shift: shift(was, is),
    };
    pairs.map(change).collect()
}

/// What a figure was at least and at most; `None` where that is not known.
fn known(row: &Row) -> Option<(f64, f64)> {
    let is = |indicator: Indicator| row.indicator == indicator.key();
    let between = match (row.interval, row.measured) {
        (Some(interval), _) => Some(interval),
        // Without an outage nothing is left that could be known to one interval only.
        (None, Some(share)) if is(Indicator::Availability) => Some((share, share)).filter(|_| share >= 100.0),
        (None, None) if is(Indicator::WorstTimeToRecover) => Some((0.0, 0.0)),
        // It was not over when the watch ended.
        (None, Some(seen)) if is(Indicator::WorstTimeToRecover) || is(Indicator::RecoveryTime) => {
            Some((seen, f64::INFINITY))
        }
        _ => None,
    };
    between.filter(|(low, high)| low <= high && !row.void)
}

/// Whether two figures whose intervals do not hold all that varies from run to run are too near to each other to be called
/// different. What is exact, or was not over, is not among them.
fn is_close(was: &Row, is: &Row) -> bool {
    const OF_THE_LARGER: f64 = 0.25;
    const OF_WHAT_IS_ALLOWED: f64 = 0.05;
    let of_one_event = [
        Indicator::WorstTimeToRecover,
        Indicator::RecoveryTime,
        Indicator::Availability,
        Indicator::LatencyDegradation,
    ];
    if !of_one_event.iter().any(|indicator| indicator.key() == is.indicator) {
        return false;
    }
    let of_limit = |row: &Row| row.interval.and(row.measured).and_then(|value| is.used_by(value));
    let (Some(before), Some(after)) = (of_limit(was), of_limit(is)) else { return false };
    let apart = (after - before).abs();
    apart < OF_WHAT_IS_ALLOWED || apart < OF_THE_LARGER * before.abs().max(after.abs())
}

fn shift(was: &Row, is: &Row) -> Shift {
    let (Some(was_at), Some(is_at)) = (known(was), known(is)) else { return Shift::Unknown };
    if was.unit != is.unit || is.unit == Unit::Holds {
        return Shift::Unknown;
    }
    if is_close(was, is) {
        return Shift::Same;
    }
    let (lower, higher) = (is_at.1 < was_at.0, is_at.0 > was_at.1);
    match (lower, higher, is.is_floor()) {
        (false, false, _) => Shift::Same,
        (true, _, false) | (_, true, true) => Shift::Better,
        _ => Shift::Worse,
    }
}
