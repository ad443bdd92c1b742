use std::fmt::Write;

use super::super::Summary;
use super::changes::{self, Extras};
use super::markdown::{all_of_them, code, escape, recommendations, remarks, symbol};

/// What a comment in a pull request is found by, so that it is updated in place.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{COMMENT_MARKER, Extras, comment};
///
/// let ours = comment(&Summary::of(Vec::new()), &Extras::default());
/// let comments = ["Looks good to me.".to_owned(), ours];
/// let to_update = comments.iter().position(|text| text.contains(COMMENT_MARKER));
/// assert_eq!(to_update, Some(1));
/// ```
pub const COMMENT_MARKER: &str = "<!-- chaos-test report -->";

/// GitHub takes comments of up to 65 536 characters.
const LONGEST: usize = 60_000;

/// The body of a comment in a pull request: the outcome, what did not pass, what changed; no longer than it may be.
///
/// ```
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{Extras, comment};
///
/// let body = comment(&Summary::of(Vec::new()), &Extras::default());
/// assert_eq!(body.lines().nth(1), Some("### Chaos tests: nothing ran"));
/// ```
pub fn comment(summary: &Summary, extras: &Extras) -> String {
    let mut out = format!(
        "{COMMENT_MARKER}\n### Chaos tests: {}\n\n{}\n\n",
        summary.word(),
        escape(&summary.sentence())
    );
    let failing: Vec<_> = summary.tests.iter().filter(|test| !test.passed).collect();
    if !failing.is_empty() {
        out.push_str("| test | scenario | verdict | what happened |\n|---|---|---|---|\n");
    }
    for test in &failing {
        let verdict = format!("{} {}", symbol(test.verdict), escape(&test.label));
        let cells = [code(&test.test), escape(&test.scenario), verdict, escape(&test.headline)];
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    if !failing.is_empty() {
        out.push('\n');
    }
    remarks(&mut out, summary);
    if let Some((base, comparison)) = &extras.comparison {
        changes::comparison(&mut out, base, comparison);
    }
    recommendations(&mut out, summary);
    if let Some(test) = failing.first() {
        let _ = writeln!(out, "To run the first of them again: {}", code(&test.rerun));
    }
    cut(out, LONGEST)
}

/// GitHub takes step summaries of up to 1 MiB.
const LARGEST: usize = 1_000_000;

/// A summary of a CI step: the whole overview, and the details of what did not pass, as long as there is room.
///
/// ```no_run
/// use chaos_test::report::Summary;
/// use chaos_test::report::render::{Extras, step_summary};
/// use std::{fs::File, io::Write, path::Path};
///
/// /// `to` is the file that `$GITHUB_STEP_SUMMARY` names.
/// fn tell(summary: &Summary, to: &Path) -> std::io::Result<()> {
///     let mut file = File::options().append(true).create(true).open(to)?;
///     file.write_all(step_summary(summary, &Extras::default()).as_bytes())
/// }
/// ```
pub fn step_summary(summary: &Summary, extras: &Extras) -> String {
    let mut out = all_of_them(summary, extras);
    summary.tests.iter().filter(|test| !test.passed).for_each(|test| out.push_str(&test.markdown));
    cut(out, LARGEST)
}

/// The text as far as it may go, whole lines of it, and a word on what is missing.
fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        // A newline is one byte, and never a part of another character.
        let end = text.as_bytes()[..most].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        text.truncate(end);
        text.push_str("\n… cut here: the whole report is chaos_report.md\n");
    }
    text
}
