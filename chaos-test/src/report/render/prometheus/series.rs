use std::collections::BTreeMap;

use super::super::super::{Dose, Entry, Row, StreamMetrics, Summary, show};
use super::exposition::Labels;
use super::metrics::{Metric, Of};
use crate::slo::Indicator;

/// A test and the labels that all its series have.
pub(super) struct Labelled<'s> {
    entry: &'s Entry,
    labels: Labels,
}

/// The tests of a summary, of those with the same labels the one that began last: whole, for a figure of an earlier run
/// beside those of a later one would be nobody's.
pub(super) fn one_of_each(summary: &Summary) -> Vec<Labelled<'_>> {
    let mut tests: Vec<&Entry> = summary.tests.iter().collect();
    let age = |entry: &Entry| (entry.started_at, entry.run_id.clone());
    tests.sort_by(|a, b| {
        let ((a, a_run), (b, b_run)) = (age(a), age(b));
        a.total_cmp(&b).then(a_run.cmp(&b_run))
    });
    let labelled = tests.into_iter().map(|entry| {
        let labels = labels(entry);
        (labels.text(), Labelled { entry, labels })
    });
    labelled.collect::<BTreeMap<_, _>>().into_values().collect()
}

/// The binary belongs to it whether or not another has a test of that name: a series keeps its identity, whoever else
/// is in the report.
fn labels(entry: &Entry) -> Labels {
    Labels::default()
        .with("scenario", &entry.scenario)
        .with("type", &entry.fault)
        .with("intensity", &entry.intensity)
        .with("environment", &entry.slo)
        .with("test", &entry.test)
        .with("binary", &entry.binary)
}

impl Metric {
    /// Its series for those tests. What is not known has none; the value of a series may still be no number.
    pub(super) fn series(&self, tests: &[Labelled<'_>], summary: &Summary) -> Vec<(Labels, f64)> {
        match self.of {
            Of::Test(value) => {
                let of = |test: &Labelled<'_>| Some((test.labels.clone(), value(test.entry)?));
                tests.iter().filter_map(of).collect()
            }
            Of::Verdict => {
                let verdict = |test: &Labelled<'_>| test.entry.verdict.key();
                tests.iter().map(|test| (test.labels.clone().with("verdict", verdict(test)), 1.0)).collect()
            }
            Of::Dose(value) => {
                let of = |test: &Labelled<'_>| {
                    let dose = test.entry.dose.as_ref()?;
                    Some((dose_labels(&test.labels, dose), value(dose)?))
                };
                tests.iter().filter_map(of).collect()
            }
            Of::Stream(value) => parts(tests, |entry| &entry.streams, stream_labels, value),
            Of::Objective(value) => parts(tests, |entry| &entry.objectives, row_labels, value),
            Of::Environment(count) => {
                let mut environments: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
                for test in tests {
                    environments.entry(&test.entry.slo).or_default().push(test.entry);
                }
                let one = |(name, entries): (&str, Vec<&Entry>)| {
                    let counted = entries.into_iter().filter(|entry| count(entry)).count();
                    (Labels::default().with("environment", name), counted as f64)
                };
                environments.into_iter().map(one).collect()
            }
            Of::Unreadable => vec![(Labels::default(), summary.unreadable.len() as f64)],
            Of::Superseded => vec![(Labels::default(), (summary.tests.len() - tests.len()) as f64)],
        }
    }
}

/// A series for every part of every test.
fn parts<'s, Part: 's>(
    tests: &[Labelled<'s>],
    parts: fn(&Entry) -> &Vec<Part>,
    labels: fn(&Labels, &Part) -> Labels,
    value: fn(&Part) -> Option<f64>,
) -> Vec<(Labels, f64)> {
    let of_test = |test: &Labelled<'s>| {
        let one = |part: &Part| Some((labels(&test.labels, part), value(part)?));
        parts(test.entry).iter().filter_map(one).collect::<Vec<_>>()
    };
    tests.iter().flat_map(of_test).collect()
}

fn stream_labels(labels: &Labels, stream: &StreamMetrics) -> Labels {
    labels.clone().with("stream", &stream.stream)
}

fn dose_labels(labels: &Labels, dose: &Dose) -> Labels {
    labels.clone().with("mechanism", &dose.mechanism).with("unit", show::key(&dose.unit))
}

fn row_labels(labels: &Labels, row: &Row) -> Labels {
    // A limit is the most that may be, unless more is better.
    let bound = if row.is_floor() || row.indicator == Indicator::Custom.key() { "min" } else { "max" };
    labels
        .clone()
        .with("stream", &row.stream)
        .with("objective", &row.indicator)
        .with("severity", show::key(&row.severity))
        .with("bound", bound)
        .with("unit", show::key(&row.unit))
}
