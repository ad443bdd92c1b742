use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestRerun};

use super::{line, properties, visible};
use crate::report::{Entry, Retried, Summary};
use crate::slo::Verdict;

/// A test as a test case: its figures as properties, its text as the text of what went wrong.
pub(in crate::report) fn case(entry: &Entry, summary: &Summary) -> TestCase {
    let retried = summary.retried.iter().find(|retried| is_of(retried, entry));
    let mut case = TestCase::new(line(&entry.test), status(entry, retried));
    case.set_classname(line(&entry.binary));
    case.time = Duration::try_from_secs_f64(entry.took_seconds).ok();
    case.timestamp = instant(entry.started_at);
    case.add_properties(properties(entry, retried));
    // Of what passes there is no text elsewhere, and not every reader shows properties.
    let all_the_same = match entry.verdict {
        Verdict::Inconclusive if entry.passed => Some("The test allows that, so it passes."),
        Verdict::Pass if !entry.warnings.is_empty() => Some("A warning fails no test, so it passes."),
        _ => None,
    };
    if let Some(why) = all_the_same {
        case.set_system_out(format!("{}\n\n{why}", visible(&entry.text)));
    }
    case
}

fn is_of(retried: &Retried, entry: &Entry) -> bool {
    (&retried.run_id, &retried.binary, &retried.test) == (&entry.run_id, &entry.binary, &entry.test)
}

/// What a verdict is in JUnit.
fn status(entry: &Entry, retried: Option<&Retried>) -> TestCaseStatus {
    let label = if entry.label.is_empty() { entry.verdict.to_string() } else { entry.label.clone() };
    let headline = line(&entry.headline);
    let mut status = match (entry.verdict, entry.passed) {
        (Verdict::Skipped, _) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(headline);
            status.set_type(line(&label));
            return status;
        }
        (_, true) => TestCaseStatus::success(),
        (Verdict::Error, false) => TestCaseStatus::non_success(NonSuccessKind::Error),
        (_, false) => TestCaseStatus::non_success(NonSuccessKind::Failure),
    };
    // As nextest shows a test that returns an error.
    status.set_message(format!("Error: {headline}"));
    status.set_type(line(&label));
    status.set_description(visible(&entry.text));
    if let Some(retried) = retried {
        status.add_reruns(tries(retried));
    }
    status
}

/// The tries before the last one that did not pass. Of them the summary keeps no more than the verdict.
fn tries(retried: &Retried) -> impl Iterator<Item = TestRerun> + '_ {
    let all = retried.verdicts.len();
    let before = retried.verdicts.iter().take(all.saturating_sub(1)).enumerate();
    let bad = before.filter(|(_, verdict)| !matches!(verdict, Verdict::Pass | Verdict::Skipped));
    bad.map(move |(n, verdict)| {
        let kind = match verdict {
            Verdict::Error => NonSuccessKind::Error,
            _ => NonSuccessKind::Failure,
        };
        let mut rerun = TestRerun::new(kind);
        rerun.set_type(verdict.to_string());
        rerun.set_message(format!("try {} of {all} came to {verdict}; the last one counts", n + 1));
        rerun
    })
}

/// An instant that JUnit can write; a damaged record may say any number.
fn instant(since_1970: f64) -> Option<DateTime<FixedOffset>> {
    // The first second of the year 10000.
    let known = since_1970 > 0.0 && since_1970 < 253_402_300_800.0;
    known.then(|| DateTime::from_timestamp_millis((since_1970 * 1e3) as i64)).flatten().map(Into::into)
}
