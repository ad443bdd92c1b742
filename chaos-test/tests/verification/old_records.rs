//! Records that earlier versions wrote: all of them can be read, shown, and judged again as they were.

use std::fs;
use std::path::{Path, PathBuf};

use chaos_test::report::{Report, Summary, Verification, render};
use chaos_test::slo::{Finding, Verdict};

/// What was kept of format 1, each by its verdict.
const FIRST: [(&str, Verdict); 7] = [
    ("aborted", Verdict::Aborted),
    ("error", Verdict::Error),
    ("fail", Verdict::Fail),
    ("inconclusive", Verdict::Inconclusive),
    ("pass", Verdict::Pass),
    ("skipped", Verdict::Skipped),
    ("still_bad", Verdict::Fail),
];

fn records(format: u32) -> Vec<(String, Vec<u8>)> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/records/v{format}"));
    let mut files: Vec<PathBuf> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let named =
        |file: PathBuf| (file.file_stem().unwrap().to_string_lossy().into_owned(), fs::read(file).unwrap());
    files.into_iter().map(named).collect()
}

#[test]
fn every_record_of_format_1_can_be_read_shown_and_judged_again() {
    let mut reports = Vec::new();
    for (name, bytes) in records(1) {
        let verification = Verification::of_json(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let report = &verification.report;
        assert_eq!(report.format_version, 1, "{name}");
        let expected = FIRST.iter().find(|(known, _)| *known == name).expect("a known record");
        assert_eq!(report.verdict(), expected.1, "{name}");
        assert_eq!(verification.differences, [], "{name}");
        assert!(report.text().contains(&report.headline()) && report.text().contains("rerun"), "{name}");
        reports.push(verification.report);
    }
    assert_eq!(reports.len(), FIRST.len(), "one of each");
    let summary = Summary::of(reports);
    let markdown = render::markdown(&summary);
    assert!(summary.tests.iter().all(|test| markdown.contains(&test.rerun)));
    render::validation_json(&summary, 0.0).unwrap();
}

#[test]
fn what_was_still_bad_then_would_be_metastable_now() {
    let (_, bytes) = records(1).into_iter().find(|(name, _)| name == "still_bad").expect("it is kept");
    let report = Report::from_json(&bytes).unwrap();
    assert_eq!(report.judgement.findings, [Finding::StillBad]);
    assert_eq!(report.rejudged().label(), "Fail");
    let now = Report { format_version: 2, ..report };
    assert_eq!(now.rejudged().label(), "Fail(metastable)");
}
