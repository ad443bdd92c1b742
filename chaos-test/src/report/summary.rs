use serde::{Deserialize, Serialize};

use super::{Report, show};
use crate::slo::Verdict;

/// Many reports, merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The reports, the worst verdict first, then by name.
    pub reports: Vec<Report>,
}

/// One broken objective of one test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Violation {
    /// The test.
    pub test: String,
    /// The scenario.
    pub scenario: String,
    /// The SLO profile.
    pub slo: String,
    /// The objective.
    pub objective: String,
    /// What it may be, with its unit.
    pub limit: String,
    /// What it was, with its unit and interval.
    pub measured: String,
}

impl Summary {
    /// Merges reports. Of several records of one test in one run (retries), the last one counts.
    pub fn of(mut reports: Vec<Report>) -> Self {
        let key = |report: &Report| (report.run_id.clone(), report.binary.clone(), report.test.clone());
        reports.sort_by(|a, b| key(a).cmp(&key(b)).then(b.started_at.total_cmp(&a.started_at)));
        reports.dedup_by_key(|report| key(report));
        reports.sort_by(|a, b| b.verdict().cmp(&a.verdict()).then_with(|| a.test.cmp(&b.test)));
        Self { reports }
    }

    /// The worst verdict of all; `None` without a report.
    pub fn verdict(&self) -> Option<Verdict> {
        self.reports.iter().map(Report::verdict).max()
    }

    /// Whether every test passed. No test at all is no pass.
    pub fn passed(&self) -> bool {
        !self.reports.is_empty() && self.reports.iter().all(Report::passed)
    }

    /// How many tests came to a verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.reports.iter().filter(|report| report.verdict() == verdict).count()
    }

    /// Every broken objective.
    pub fn violations(&self) -> Vec<Violation> {
        let of = |report: &Report| {
            let several = report.judgement.streams.len() > 1;
            let one = |evaluation: &crate::slo::Evaluation| Violation {
                test: report.test.clone(),
                scenario: report.scenario.name.clone(),
                slo: report.slo.name.clone(),
                objective: show::name(evaluation, several),
                limit: show::limit(evaluation),
                measured: show::measured(evaluation),
            };
            report.judgement.broken().into_iter().map(one).collect::<Vec<_>>()
        };
        self.reports.iter().filter(|report| report.verdict() == Verdict::Fail).flat_map(of).collect()
    }
}
