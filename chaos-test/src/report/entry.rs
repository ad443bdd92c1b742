use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::advice::{self, Recommendation};
use super::figures::{Dose, StreamMetrics, streams};
use super::{Report, Violation, render, show};
use crate::model::{Objectives, Severity, nth};
use crate::slo::{Evaluation, Figure, Indicator, Verdict};

/// What a summary keeps of a report: every figure and the texts made of it, and none of the samples.
///
/// A report of three thousand samples is some hundred kilobytes, an entry some ten; so that ten thousand tests can be
/// summed up. As JSON it is what `resilience_validation.json` holds per test.
///
/// ```
/// use chaos_test::report::{Entry, Report};
/// fn message(report: &Report) -> String {
///     let entry = Entry::of(report);
///     format!("{}: {}\nagain with: {}", entry.test, entry.headline, entry.rerun)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Entry {
    /// The test.
    pub test: String,
    /// The test binary.
    #[serde(default)]
    pub binary: String,
    /// The run.
    #[serde(default)]
    pub run_id: String,
    /// When it began, in seconds since 1970.
    #[serde(default)]
    pub started_at: f64,
    /// How long it took, environment and all.
    #[serde(default)]
    pub took_seconds: f64,
    /// The scenario.
    pub scenario: String,
    /// The fault's family, as catalogues name it: `network_delay`.
    #[serde(default, rename = "type")]
    pub fault: String,
    /// How hard it is: `light`, `medium` or `heavy`.
    #[serde(default)]
    pub intensity: String,
    /// The service it was aimed at.
    #[serde(default)]
    pub target: Option<String>,
    /// The SLO profile.
    #[serde(default)]
    pub slo: String,
    /// What it came to.
    pub verdict: Verdict,
    /// The same with its reason in a few words: `Inconclusive(prober starved)`.
    #[serde(default)]
    pub label: String,
    /// Whether the test passes with that.
    #[serde(default)]
    pub passed: bool,
    /// The sentence that says what happened.
    #[serde(default)]
    pub headline: String,
    /// Why it is not Pass, the weightiest reason.
    #[serde(default)]
    pub reason: Option<String>,
    /// Every objective held against every judged stream.
    #[serde(default)]
    pub objectives: Vec<Row>,
    /// The figures of every judged stream.
    pub streams: Vec<StreamMetrics>,
    /// The fault that was measured; absent where none was to be made.
    #[serde(default)]
    pub dose: Option<Dose>,
    /// What to do, each with the finding that says so.
    #[serde(default)]
    pub recommendations: Vec<Recommendation>,
    /// The command that runs just this test again.
    #[serde(default)]
    pub rerun: String,
    /// Where its record is kept.
    #[serde(default)]
    pub record: Option<String>,
    /// What its SLO profile allows; absent where it left no report.
    #[serde(skip)]
    pub allowed: Option<Objectives>,
    /// Broken bounds that decided, the one that names the cause first.
    #[serde(skip)]
    pub violations: Vec<Violation>,
    /// Broken bounds that only warn.
    #[serde(skip)]
    pub warnings: Vec<Violation>,
    /// The whole text a failing test prints.
    #[serde(skip)]
    pub text: String,
    /// Its part of the Markdown report.
    #[serde(skip)]
    pub markdown: String,
}

/// One objective held against one stream, as numbers and as shown to people.
///
/// ```
/// use chaos_test::report::Row;
/// let json = r#"{"objective": "error rate", "indicator": "error_rate", "stream": "app", "severity": "blocking",
///     "verdict": "pass", "unit": "percent", "limit": 5.0, "measured": 4.0, "interval": [2.8, 4.9]}"#;
/// let row: Row = serde_json::from_str(json)?;
/// assert!(!row.is_floor());
/// assert_eq!(row.used(), Some(0.8)); // it holds, with a fifth of its limit to spare
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Row {
    /// Its name, with its stream where there are several: `error rate (stock), warning`.
    pub objective: String,
    /// The indicator, as records name it: `error_rate`.
    pub indicator: String,
    /// The stream; of an objective in code, its name.
    pub stream: String,
    /// Whether it decides.
    pub severity: Severity,
    /// What it came to: Pass, Inconclusive or Fail.
    pub verdict: Verdict,
    /// Whether the run was such that it decides nothing, however good it looks.
    #[serde(default)]
    pub void: bool,
    /// What the numbers are counted in.
    pub unit: Unit,
    /// What it may be.
    pub limit: f64,
    /// What it was; absent when it cannot be known.
    pub measured: Option<f64>,
    /// What it was at least and at most, with the confidence of the judgement.
    pub interval: Option<(f64, f64)>,
    /// The limit with its direction, the measured value with its interval, the verdict and the samples, for people.
    #[serde(default)]
    pub shown: Shown,
}

/// A row as people see it.
///
/// ```
/// use chaos_test::report::{Entry, Shown};
/// fn table(entry: &Entry) {
///     for row in &entry.objectives {
///         let Shown { limit, measured, verdict, .. } = &row.shown;
///         println!("{:<24} {limit:>10}  {measured:<28} {verdict}", row.objective);
///     }
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Shown {
    /// `≤ 5 %`
    pub limit: String,
    /// `0.4 % (0.1 % … 1.2 %)`
    pub measured: String,
    /// `pass`, `FAIL`, `WARNING`, `void`
    pub verdict: String,
    /// `n = 900, 4 bad`
    pub samples: String,
}

/// What the numbers of a row are counted in.
///
/// ```
/// use chaos_test::report::Unit;
/// fn of_an_axis(unit: Unit) -> &'static str {
///     match unit {
///         Unit::Percent => "%",
///         Unit::Seconds => "s",
///         Unit::PerSecond => "1/s",
///         _ => "",
///     }
/// }
/// assert_eq!(of_an_axis(Unit::Seconds), "s");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// From 0 to 100.
    Percent,
    /// Seconds.
    Seconds,
    /// How often a second.
    PerSecond,
    /// 1 where an objective in code holds, else 0.
    Holds,
}

impl Entry {
    /// What a summary keeps of a report.
    pub fn of(report: &Report) -> Self {
        let judgement = &report.judgement;
        let several = judgement.streams.len() > 1;
        let row = |evaluation: &Evaluation| Row::of(report, evaluation, several);
        let failed = judgement.apart_from_cleanup.unwrap_or(judgement.verdict) == Verdict::Fail;
        let broken = if failed { judgement.broken() } else { Vec::new() };
        let objectives = told_apart(judgement.evaluations.iter().map(row).collect());
        let names: HashMap<*const Evaluation, &str> = judgement
            .evaluations
            .iter()
            .zip(&objectives)
            .map(|(evaluation, row)| (std::ptr::from_ref(evaluation), row.objective.as_str()))
            .collect();
        let (broken, warned) =
            (violations(report, broken, &names), violations(report, judgement.warnings(), &names));
        Self {
            test: report.test.clone(),
            binary: report.binary.clone(),
            run_id: report.run_id.clone(),
            started_at: report.started_at,
            took_seconds: report.took.as_secs_f64(),
            scenario: report.scenario.name.clone(),
            fault: report.scenario.fault.kind().name().to_owned(),
            intensity: report.scenario.intensity.name().to_owned(),
            target: report.target().map(str::to_owned),
            slo: report.slo.name.clone(),
            verdict: report.verdict(),
            label: judgement.label(),
            passed: report.passed(),
            headline: report.headline(),
            reason: judgement.weightiest().map(ToString::to_string),
            objectives,
            streams: streams(report),
            dose: Dose::of(report),
            recommendations: advice::of(report),
            rerun: report.rerun.clone(),
            record: report.path.clone(),
            allowed: Some(report.slo.objectives.clone()),
            violations: broken,
            warnings: warned,
            text: report.text(),
            markdown: render::markdown_of(report),
        }
    }

    /// What makes two entries those of one test in one run.
    pub(super) fn key(&self) -> (&str, &str, &str) {
        (&self.run_id, &self.binary, &self.test)
    }
}

/// Rows of the same on streams of the same name, which records of before have for two probes of one service, get a number as
/// those of today do: the second is on `app (2)`.
fn told_apart(mut rows: Vec<Row>) -> Vec<Row> {
    let mut known: BTreeMap<(String, String, bool), u32> = BTreeMap::new();
    for row in &mut rows {
        let key = (row.indicator.clone(), row.stream.clone(), row.severity == Severity::Blocking);
        let n = known.entry(key).and_modify(|n| *n += 1).or_insert(1);
        let stream = nth(&row.stream, *n);
        if row.stream != stream && row.indicator != Indicator::Custom.key() {
            let told = (format!("({})", row.stream), format!("({stream})"));
            row.objective = row.objective.replacen(&told.0, &told.1, 1);
            row.stream = stream;
        }
    }
    rows
}

impl Row {
    fn of(report: &Report, evaluation: &Evaluation, several: bool) -> Self {
        let (unit, limit) = number(evaluation.limit);
        let value = |figure: Figure| number(figure).1;
        Self {
            objective: show::name(evaluation, several),
            indicator: evaluation.indicator.key(),
            stream: evaluation.stream.clone(),
            severity: evaluation.severity,
            verdict: evaluation.verdict,
            void: report.judgement.is_void(),
            unit,
            limit,
            measured: evaluation.measured.map(value),
            interval: evaluation.interval.map(|(low, high)| (value(low), value(high))),
            shown: Shown {
                limit: show::limit(evaluation),
                measured: show::measured_in(report, evaluation),
                verdict: show::verdict(evaluation, &report.judgement),
                samples: show::counts(evaluation),
            },
        }
    }
}

impl Row {
    /// Whether its limit is the least that it may be.
    pub fn is_floor(&self) -> bool {
        [Indicator::Availability, Indicator::Throughput].iter().any(|floor| floor.key() == self.indicator)
    }

    /// How much of what its limit allows was used: at 1 it is at the limit, beyond it is broken. Of a floor of 95 %, what is
    /// allowed are the 5 % below 100. Absent where that is not known, or nothing is allowed.
    pub fn used(&self) -> Option<f64> {
        Some(self.used_by(self.measured.filter(|_| !self.void)?)?.max(0.0))
    }

    /// The same of any value, whatever the run was like; less than nothing where that is so.
    pub(in crate::report) fn used_by(&self, value: f64) -> Option<f64> {
        let used = match (self.is_floor(), self.unit) {
            (true, Unit::Percent) => (100.0 - value) / (100.0 - self.limit),
            (true, _) => self.limit / value,
            (false, _) => value / self.limit,
        };
        (self.unit != Unit::Holds && used.is_finite()).then_some(used)
    }
}

fn number(figure: Figure) -> (Unit, f64) {
    match figure {
        // A damaged record may hold any share, and JSON has no word for what is not a number.
        Figure::Share(share) => (Unit::Percent, (share * 100.0).clamp(f64::MIN, f64::MAX)),
        Figure::Seconds(seconds) => (Unit::Seconds, seconds),
        Figure::PerSecond(rate) => (Unit::PerSecond, rate),
        Figure::Holds(holds) => (Unit::Holds, f64::from(u8::from(holds))),
    }
}

/// Broken bounds, by the names that their rows have.
fn violations(
    report: &Report,
    broken: Vec<&Evaluation>,
    names: &HashMap<*const Evaluation, &str>,
) -> Vec<Violation> {
    let one = |evaluation: &Evaluation| Violation {
        test: report.test.clone(),
        scenario: report.scenario.name.clone(),
        slo: report.slo.name.clone(),
        objective: names.get(&std::ptr::from_ref(evaluation)).copied().unwrap_or_default().to_owned(),
        limit: show::limit(evaluation),
        measured: show::measured_in(report, evaluation),
    };
    broken.into_iter().map(one).collect()
}
