//! What is made of an input, and what always holds of it.

use chaos_test::model::Catalogue;
use chaos_test::report::{Comparison, HistoryLine, Report, Summary, Verification, render, trends};
use chaos_test::units::show_duration;

/// A message that is longer tells nobody anything.
const LONGEST_MESSAGE: usize = 64 * 1024;

/// Reads a record and makes everything of it that there is to be made.
pub(crate) fn record(bytes: &[u8]) -> String {
    let _ = Verification::of_json(bytes);
    let report = match Report::from_json(bytes) {
        Ok(report) => report,
        Err(message) => {
            assert!(!message.is_empty() && message.len() < 4096, "a message of {} bytes", message.len());
            assert_printable(&message, false);
            return message;
        }
    };
    // What was read can be written, and read again.
    let json = report.to_json().expect("it can be written");
    let again = Report::from_json(json.as_bytes()).expect("what was written can be read");
    assert_eq!(again.to_json().expect("it can be written"), json);
    // Judged again, too.
    let now = Report { judgement: report.rejudged(), ..report.clone() };
    let json = now.to_json().expect("it can be written");
    Report::from_json(json.as_bytes()).expect("what was judged again can be read");

    let headline = report.headline();
    assert!(headline.lines().count() <= 1, "{headline:?}");
    assert_printable(&headline, false);
    for report in [&report, &now] {
        assert!(report.text().contains("rerun"));
        assert_printable(&render::markdown_of(report), true);
        let _ = (report.passed(), report.target(), show_duration(report.took));
    }
    let found =
        format!("{} {} {:?}", report.judgement.label(), now.judgement.label(), now.judgement.findings);
    #[cfg(feature = "reports")]
    page(&report);
    outputs(&Summary::of(vec![report, now]));
    found
}

/// Everything that is made of a summary.
fn outputs(summary: &Summary) {
    assert!(summary.sentence().lines().count() <= 1);
    assert_printable(&render::markdown(summary), true);
    let json = render::validation_json(summary, 0.0).expect("it can be written");
    let read: render::Validation = serde_json::from_str(&json).expect("what was written can be read");
    assert_eq!((read.passed, read.metrics.len()), (summary.passed(), summary.tests.len()));
    let whole = serde_json::to_string_pretty(&render::validation(summary, 0.0)).expect("it can be written");
    assert_eq!(whole, json);
    let tail = render::results_tail(summary).expect("it can be written");
    let whole = format!("{}{}", render::RESULTS_HEAD, tail);
    serde_json::from_str::<serde_json::Value>(&whole).expect("what was written is JSON");

    let line = HistoryLine::of(summary, 0.0, None);
    let json = serde_json::to_string(&line).expect("it can be written");
    let line = HistoryLine::from_json(&json).expect("what was written can be read");
    let comparison = Comparison::of(&read.metrics, &summary.tests);
    assert!(comparison.regressions().next().is_none(), "nothing is worse than itself");
    let trends = trends(summary, &[line.clone(), line]);
    let extras = render::Extras { comparison: Some(("itself".into(), comparison)), trends };
    for text in [render::comment(summary, &extras), render::step_summary(summary, &extras)] {
        assert_printable(&text, true);
    }
    let metrics = render::prometheus(summary);
    assert_printable(&metrics, true);
    assert!(metrics.lines().all(|line| line.starts_with("# ") || line.starts_with("chaos_")), "{metrics}");
    #[cfg(feature = "reports")]
    assert_printable(&render::junit(summary).expect("it can be written"), true);
}

/// What a browser shows of it.
#[cfg(feature = "reports")]
fn page(report: &Report) {
    let mut details = render::HtmlDetails::default();
    details.add(report);
    let page = render::html(&Summary::of(vec![report.clone()]), &details, 0.0);
    assert!(page.len() < 4 << 20, "a page of {} bytes", page.len());
    // The page's own script and style, and nothing that a record has brought.
    for (tag, times) in [("<script", 1), ("</script", 1), ("<style", 1), ("<img", 0), ("<iframe", 0)] {
        assert_eq!(page.matches(tag).count(), times, "{tag}");
    }
    assert!(!page.contains(|c: char| c.is_control() && c != '\n' && c != '\t'));
}

/// Nothing that a terminal obeys, and no line that begins out of place.
#[track_caller]
fn assert_printable(text: &str, lines: bool) {
    let odd = text.chars().find(|c| c.is_control() && !(lines && *c == '\n'));
    assert!(odd.is_none(), "{odd:?} in {text:?}");
}

/// Reads a catalogue and looks everything up in it, or shows what is wrong with it.
pub(crate) fn catalogue(bytes: &[u8]) -> String {
    match Catalogue::read("fuzzed.yml", bytes) {
        Ok(catalogue) => {
            assert!(catalogue.scenarios().len() >= 19, "the built-in ones are always there");
            for group in catalogue.groups() {
                for name in &group.scenarios {
                    let scenario = catalogue.scenario(name).expect("a group names what there is");
                    let _ =
                        (scenario.fault.to_string(), scenario.service(), show_duration(scenario.duration));
                }
            }
            for profile in catalogue.profiles() {
                catalogue.profile(Some(&profile.name)).expect("it is there");
            }
            let _ = (catalogue.scenario("nobody"), catalogue.profile(Some("nobody")), catalogue.safety());
            format!("{} scenarios", catalogue.scenarios().len())
        }
        Err(mistakes) => {
            let text = mistakes.to_string();
            assert!(mistakes.count() > 0 && !text.is_empty());
            assert!(text.len() < LONGEST_MESSAGE, "a message of {} bytes", text.len());
            let lines = bytes.split(|byte| *byte == b'\n').count() as u32;
            for mistake in &mistakes {
                assert!((1..=lines.max(1)).contains(&mistake.line) || bytes.contains(&b'\r'), "{mistake}");
                assert!(mistake.help.is_some(), "{mistake}");
            }
            assert!(!text.contains(['\0', '\u{1b}']), "{text:?}");
            // Of many mistakes the first says what kind of file it is.
            mistakes.into_iter().next().map(|first| first.message.clone()).unwrap_or_default()
        }
    }
}
