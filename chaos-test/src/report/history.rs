use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Entry, Row, Summary, Unit};
use crate::slo::Verdict;

/// The version of a line's format. It grows when a field changes its meaning or goes.
///
/// ```
/// use chaos_test::report::{HISTORY_VERSION, HistoryLine};
/// let version = HISTORY_VERSION + 1;
/// let line = format!(r#"{{"format_version": {version}, "timestamp": 0.0, "runs": [], "tests": []}}"#);
/// assert!(HistoryLine::from_json(&line).is_err());
/// ```
pub const HISTORY_VERSION: u32 = 1;

/// So many of the latest runs a trend shows.
const SHOWN: usize = 30;

/// One run in a history file, a line of JSON.
///
/// ```
/// use chaos_test::report::{HistoryLine, Summary};
/// let line = HistoryLine::of(&Summary::default(), 1_750_000_000.0, Some("1a2b3c".into()));
/// let json = serde_json::to_string(&line)?;
/// let read = HistoryLine::from_json(&json);
/// assert!(read.is_ok_and(|read| read.is_of_the_same(&line)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryLine {
    /// [`HISTORY_VERSION`] of the writer.
    pub format_version: u32,
    /// When it was written, in seconds since 1970.
    pub timestamp: f64,
    /// What was tested, as its author calls it: a commit.
    pub revision: Option<String>,
    /// The runs in it.
    pub runs: Vec<String>,
    /// What each test came to.
    pub tests: Vec<HistoryTest>,
}

/// One test of a run in a history.
///
/// ```
/// use chaos_test::report::{HistoryLine, HistoryTest};
/// use chaos_test::slo::Verdict;
/// fn failures<'h>(history: &'h [HistoryLine], name: &str) -> Vec<&'h HistoryTest> {
///     let runs = history.iter().flat_map(|line| &line.tests);
///     runs.filter(|run| run.test == name && run.verdict == Verdict::Fail).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryTest {
    /// The test binary.
    pub binary: String,
    /// The test.
    pub test: String,
    /// The scenario.
    pub scenario: String,
    /// What it came to.
    pub verdict: Verdict,
    /// The rung of the ladder that was used.
    pub mechanism: Option<String>,
    /// What each objective came to, where it is known.
    pub figures: Vec<HistoryFigure>,
}

/// One objective of a test in a history.
///
/// ```
/// use chaos_test::report::{HistoryFigure, HistoryTest};
/// fn error_rates(runs: &[HistoryTest]) -> Vec<f64> {
///     let figures = runs.iter().flat_map(|run| &run.figures);
///     let rates = figures.filter(|figure| figure.indicator == "error_rate");
///     rates.map(|figure: &HistoryFigure| figure.measured).collect()
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryFigure {
    /// The indicator, as records name it.
    pub indicator: String,
    /// The stream.
    pub stream: String,
    /// What the numbers are counted in.
    pub unit: Unit,
    /// What it may be.
    pub limit: f64,
    /// What it was.
    pub measured: f64,
    /// What it was at least and at most.
    pub interval: Option<(f64, f64)>,
}

/// How a test fared over the runs of a history, the oldest first.
///
/// ```
/// use chaos_test::report::Trend;
/// fn goes_back_and_forth(trend: &Trend) -> bool {
///     let changes = trend.verdicts.windows(2).filter(|pair| pair[0] != pair[1]);
///     changes.count() > 2
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Trend {
    /// The test binary.
    pub binary: String,
    /// The test.
    pub test: String,
    /// What it came to, run by run.
    pub verdicts: Vec<Verdict>,
    /// The objective that is nearest to its limit in the latest run; absent where nothing is known of any.
    pub tightest: Option<Tightest>,
}

/// The objective nearest to its limit, run by run.
///
/// ```
/// use chaos_test::report::Tightest;
/// fn never_falls(tightest: &Tightest) -> bool {
///     let known: Vec<f64> = tightest.measured.iter().flatten().copied().collect();
///     known.len() > 2 && known.is_sorted()
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Tightest {
    /// Its name.
    pub objective: String,
    /// What the numbers are counted in.
    pub unit: Unit,
    /// What it may be, now.
    pub limit: f64,
    /// What it was in each run of the trend; absent where that is not known, or where another mechanism made the fault.
    pub measured: Vec<Option<f64>>,
}

impl HistoryLine {
    /// What a history keeps of a summary.
    pub fn of(summary: &Summary, timestamp: f64, revision: Option<String>) -> Self {
        let mut runs: Vec<String> = summary.tests.iter().map(|test| test.run_id.clone()).collect();
        runs.sort();
        runs.dedup();
        let tests = summary.tests.iter().map(HistoryTest::of).collect();
        Self { format_version: HISTORY_VERSION, timestamp, revision, runs, tests }
    }

    /// Reads a line; what is wrong with it, for people.
    pub fn from_json(line: &str) -> Result<Self, String> {
        let line: Self = serde_json::from_str(line).map_err(|error| error.to_string())?;
        if line.format_version > HISTORY_VERSION {
            return Err(format!(
                "of format {}, and this version reads formats up to {HISTORY_VERSION}",
                line.format_version
            ));
        }
        Ok(line)
    }

    /// Whether another line is of the same runs and tests, however often it was written.
    pub fn is_of_the_same(&self, other: &Self) -> bool {
        self.runs == other.runs && self.tests == other.tests
    }
}

impl HistoryTest {
    fn of(entry: &Entry) -> Self {
        let figures = entry.objectives.iter().filter(|row| !row.void).filter_map(|row| {
            Some(HistoryFigure {
                indicator: row.indicator.clone(),
                stream: row.stream.clone(),
                unit: row.unit,
                limit: row.limit,
                measured: row.measured?,
                interval: row.interval,
            })
        });
        Self {
            binary: entry.binary.clone(),
            test: entry.test.clone(),
            scenario: entry.scenario.clone(),
            verdict: entry.verdict,
            mechanism: entry.dose.as_ref().map(|dose| dose.mechanism.clone()),
            figures: figures.collect(),
        }
    }
}

/// How each test of a summary fared over a history, whose last line is the summary's own.
///
/// ```
/// use chaos_test::report::{HistoryLine, Merge, trends};
/// let json = r#"{"test": "checkout", "scenario": "Medium CPU Stress", "verdict": "pass", "streams": []}"#;
/// let mut merge = Merge::default();
/// merge.add_entry(serde_json::from_str(json)?);
/// let summary = merge.finish();
/// let line = HistoryLine::of(&summary, 1_750_000_000.0, None);
/// assert!(trends(&summary, &[line.clone()]).is_empty()); // one run is no trend
/// assert_eq!(trends(&summary, &[line.clone(), line])[0].verdicts.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn trends(summary: &Summary, history: &[HistoryLine]) -> Vec<Trend> {
    let lines: Vec<ByName<'_>> = history.iter().map(by_name).collect();
    summary.tests.iter().filter_map(|entry| trend(entry, &lines)).collect()
}

/// The tests of a line by binary, test and scenario.
type ByName<'h> = HashMap<(&'h str, &'h str, &'h str), &'h HistoryTest>;

fn by_name(line: &HistoryLine) -> ByName<'_> {
    // Of two alike the first one comes last, and so it is the one.
    line.tests.iter().rev().map(|test| ((&*test.binary, &*test.test, &*test.scenario), test)).collect()
}

fn trend(entry: &Entry, lines: &[ByName<'_>]) -> Option<Trend> {
    let key = (&*entry.binary, &*entry.test, &*entry.scenario);
    let mut runs: Vec<&HistoryTest> =
        lines.iter().rev().filter_map(|line| line.get(&key).copied()).take(SHOWN).collect();
    runs.reverse();
    // One run is no trend.
    if runs.len() < 2 {
        return None;
    }
    let rows = entry.objectives.iter().filter(|row| row.used().is_some());
    let tightest = rows.max_by(|a, b| a.used().unwrap_or(0.0).total_cmp(&b.used().unwrap_or(0.0)));
    let mechanism = entry.dose.as_ref().map(|dose| &dose.mechanism);
    Some(Trend {
        binary: entry.binary.clone(),
        test: entry.test.clone(),
        verdicts: runs.iter().map(|run| run.verdict).collect(),
        tightest: tightest.map(|row| Tightest {
            objective: row.objective.clone(),
            unit: row.unit,
            limit: row.limit,
            measured: runs.iter().map(|run| measured(run, row, mechanism)).collect(),
        }),
    })
}

fn measured(run: &HistoryTest, row: &Row, mechanism: Option<&String>) -> Option<f64> {
    let figure =
        run.figures.iter().find(|figure| figure.indicator == row.indicator && figure.stream == row.stream)?;
    (run.mechanism.as_ref() == mechanism && figure.unit == row.unit).then_some(figure.measured)
}
