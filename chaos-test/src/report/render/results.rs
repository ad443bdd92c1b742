use serde::Serialize;

use super::super::{Report, Retried, Summary, Unreadable};

/// `chaos_results.json`: the records as they are, injection and samples, with what is known of all of them.
///
/// The records stand in the order of the summary where it is made of them, and each as its file holds it.
#[derive(Serialize)]
struct Results<'r> {
    reports: Vec<&'r Report>,
    retried: &'r [Retried],
    unreadable: &'r [Unreadable],
}

/// All records of a run in one JSON document.
///
/// ```
/// use chaos_test::report::{Report, Summary, render};
///
/// fn all_in_one(reports: &[Report]) -> serde_json::Result<String> {
///     render::results_json(reports, &Summary::of(reports.to_vec()))
/// }
/// assert_eq!(all_in_one(&[])?, r#"{"reports":[],"retried":[],"unreadable":[]}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn results_json(reports: &[Report], summary: &Summary) -> serde_json::Result<String> {
    let find = |test: &super::super::Entry| {
        reports.iter().find(|report| {
            report.test == test.test
                && report.binary == test.binary
                && report.run_id == test.run_id
                && report.started_at == test.started_at
        })
    };
    serde_json::to_string(&Results {
        reports: summary.tests.iter().filter_map(find).collect(),
        retried: &summary.retried,
        unreadable: &summary.unreadable,
    })
}

/// The beginning of such a document, for who writes it record by record: then come the records, with commas between.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{RESULTS_HEAD, results_tail};
/// use std::io::{self, Write};
///
/// fn write_all(records: &[String], summary: &Summary, mut out: impl Write) -> io::Result<()> {
///     out.write_all(RESULTS_HEAD.as_bytes())?;
///     for (n, record) in records.iter().enumerate() {
///         write!(out, "{}{record}", if n > 0 { "," } else { "" })?;
///     }
///     out.write_all(results_tail(summary)?.as_bytes())
/// }
/// ```
pub const RESULTS_HEAD: &str = "{\"reports\":[";

/// Its end.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{RESULTS_HEAD, results_json, results_tail};
///
/// let none = Summary::of(Vec::new());
/// let in_parts = format!("{RESULTS_HEAD}{}", results_tail(&none)?);
/// assert_eq!(in_parts.trim_end(), results_json(&[], &none)?);
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn results_tail(summary: &Summary) -> serde_json::Result<String> {
    let (retried, unreadable) =
        (serde_json::to_string(&summary.retried)?, serde_json::to_string(&summary.unreadable)?);
    Ok(format!("],\"retried\":{retried},\"unreadable\":{unreadable}}}\n"))
}
