//! What changed since another run, and how tests fare over many: only what is more than chance is called a change.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod synthetic;

use chaos_test::model::Outcome;
use chaos_test::report::render::{self, Extras};
use chaos_test::report::{Comparison, Entry, HistoryLine, Report, Shift, Summary, trends};
use insta::assert_snapshot;
use proptest::prelude::*;
use synthetic::{Story, delayed, ms};

/// A test of which one answer in so many is bad; with 0 none.
fn one_bad_in(n: usize) -> Report {
    let story = Story::new("checkout").chaos(delayed).chaos(|at, sample| {
        if n > 0 && at.is_multiple_of(n) {
            sample.outcome = Outcome::BadStatus(500);
        }
    });
    story.report()
}

fn slower_by(extra: u64) -> Report {
    Story::new("checkout").chaos(|_, sample| sample.latency += ms(extra)).report()
}

/// A test whose service is down for that long from the beginning of the fault on.
fn down(seconds: usize) -> Report {
    down_for(seconds * 50)
}

/// The same, counted in samples of 20 ms.
fn down_for(samples: usize) -> Report {
    let story = Story::new("checkout").chaos(|at, sample| {
        if at < samples {
            sample.outcome = Outcome::ConnectError;
        }
    });
    story.report()
}

/// One whose service goes down with the end of the fault, and stays down.
fn never_back() -> Report {
    Story::new("checkout").recovery(|_, sample| sample.outcome = Outcome::ConnectError).report()
}

fn compared(base: &Report, now: &Report) -> Comparison {
    Comparison::of(&[Entry::of(base)], &[Entry::of(now)])
}

fn shift_of(base: &Report, now: &Report, objective: &str) -> Shift {
    let comparison = compared(base, now);
    let figures = &comparison.tests[0].figures;
    figures.iter().find(|figure| figure.objective == objective).expect("both have it").shift
}

#[test]
fn a_run_is_the_same_as_itself() {
    for report in [one_bad_in(0), one_bad_in(20), slower_by(800)] {
        let comparison = compared(&report, &report);
        assert!(!comparison.tests[0].is_change(), "{comparison:?}");
    }
}

#[test]
fn what_chance_can_do_is_no_change() {
    // 10 and 13 bad ones of 1000: the intervals overlap.
    assert_eq!(shift_of(&one_bad_in(100), &one_bad_in(77), "error rate"), Shift::Same);
    assert_eq!(shift_of(&one_bad_in(100), &one_bad_in(5), "error rate"), Shift::Worse);
    assert_eq!(shift_of(&one_bad_in(5), &one_bad_in(100), "error rate"), Shift::Better);
}

#[test]
fn of_a_floor_less_is_worse() {
    assert_eq!(shift_of(&down(2), &down(10), "availability"), Shift::Worse);
    assert_eq!(shift_of(&down(10), &down(2), "availability"), Shift::Better);
}

#[test]
fn an_outage_is_worse_than_none() {
    let (well, down) = (down(0), down(4));
    for objective in ["availability", "worst time to recover"] {
        assert_eq!(shift_of(&well, &down, objective), Shift::Worse, "{objective}");
        assert_eq!(shift_of(&down, &well, objective), Shift::Better, "{objective}");
        assert_eq!(shift_of(&well, &well, objective), Shift::Same, "{objective}");
    }
}

#[test]
fn what_has_not_come_back_took_at_least_as_long_as_was_watched() {
    for (back, objective) in [(down(0), "recovery time"), (down(4), "worst time to recover")] {
        let never = never_back();
        assert_eq!(shift_of(&back, &never, objective), Shift::Worse, "{objective}");
        assert_eq!(shift_of(&never, &back, objective), Shift::Better, "{objective}");
        assert_eq!(shift_of(&never, &never, objective), Shift::Same, "{objective}");
    }
}

#[test]
fn a_base_that_was_written_is_compared_as_it_was() {
    let written = |report: &Report| serde_json::to_string(&Entry::of(report)).unwrap();
    for (base, now) in [(down(0), never_back()), (never_back(), down(4))] {
        let read: Entry = serde_json::from_str(&written(&base)).unwrap();
        let shifts = |comparison: &Comparison| {
            comparison.tests[0].figures.iter().map(|figure| figure.shift).collect::<Vec<_>>()
        };
        let comparison = Comparison::of(&[read], &[Entry::of(&now)]);
        assert_eq!(shifts(&comparison), shifts(&compared(&base, &now)));
        assert!(!shifts(&comparison).contains(&Shift::Unknown), "{comparison:?}");
    }
}

#[test]
fn another_mechanism_is_not_compared() {
    let netem = |report: &Report| {
        let mut report = report.clone();
        report.trace.delivery.as_mut().unwrap().mechanism = "netem".into();
        report
    };
    let comparison = compared(&netem(&one_bad_in(0)), &one_bad_in(5));
    assert_eq!(comparison.tests[0].figures, []);
    assert_eq!(comparison.tests[0].not_compared.as_deref(), Some("another mechanism: proxy, was netem"));
    assert!(comparison.regressions().next().is_none());
}

#[test]
fn another_dose_is_not_compared() {
    let doubled = |report: &Report| {
        let mut report = report.clone();
        report.trace.delivery.as_mut().unwrap().readings.iter_mut().for_each(|reading| reading.asked *= 2.0);
        report
    };
    let comparison = compared(&one_bad_in(0), &doubled(&one_bad_in(5)));
    let why = comparison.tests[0].not_compared.as_deref();
    assert!(why.is_some_and(|why| why.starts_with("another dose: ")), "{why:?}");
    assert!(comparison.regressions().next().is_none());
}

#[test]
fn times_that_differ_from_run_to_run_anyway_are_the_same() {
    // Down for 4 s and for 4.6 s: known to 20 ms each, and no two runs are as near to each other as that.
    for objective in ["availability", "worst time to recover"] {
        assert_eq!(shift_of(&down_for(200), &down_for(230), objective), Shift::Same, "{objective}");
        assert_eq!(shift_of(&down_for(200), &down_for(600), objective), Shift::Worse, "{objective}");
        assert_eq!(shift_of(&down_for(600), &down_for(200), objective), Shift::Better, "{objective}");
    }
    // Twice as much, and nothing against what is allowed.
    assert_eq!(shift_of(&slower_by(5), &slower_by(10), "p95 degradation"), Shift::Same);
    assert_eq!(shift_of(&slower_by(400), &slower_by(430), "p95 degradation"), Shift::Same);
    assert_eq!(shift_of(&slower_by(200), &slower_by(400), "p95 degradation"), Shift::Worse);
}

#[test]
fn two_probes_of_one_service_are_each_compared_with_their_own() {
    let twins = |second: u64| {
        let story = Story::new("checkout").with(|story| {
            let mut twin = story.trace.streams[0].clone();
            let chaos = story.trace.marks.injected.unwrap();
            twin.samples
                .iter_mut()
                .filter(|sample| sample.at >= chaos)
                .for_each(|sample| sample.latency += ms(second));
            story.trace.streams.push(twin);
        });
        story.report()
    };
    let entry = Entry::of(&twins(300));
    let streams = entry.objectives.iter().filter(|row| row.indicator == "latency_degradation");
    let streams: Vec<(&str, &str)> =
        streams.map(|row| (row.stream.as_str(), row.objective.as_str())).collect();
    let name = streams[0].0;
    let second = format!("{name} (2)");
    assert_eq!(streams[1], (second.as_str(), format!("p95 degradation ({second})").as_str()));
    assert_eq!(entry.streams[1].stream, second);
    assert!(!compared(&twins(300), &twins(300)).tests[0].is_change());
    assert_eq!(shift_of(&twins(50), &twins(300), &format!("p95 degradation ({second})")), Shift::Worse);
}

#[test]
fn of_several_runs_of_a_test_the_last_one_is_compared() {
    let entries = |runs: [(f64, usize); 2]| {
        runs.map(|(at, bad)| {
            let mut entry = Entry::of(&one_bad_in(bad));
            (entry.run_id, entry.started_at) = (format!("run {at}"), at);
            entry
        })
    };
    for (base, now, shift) in [
        (entries([(1.0, 5), (2.0, 100)]), entries([(4.0, 5), (3.0, 100)]), Shift::Worse),
        (entries([(2.0, 5), (1.0, 100)]), entries([(3.0, 5), (4.0, 100)]), Shift::Better),
    ] {
        let comparison = Comparison::of(&base, &now);
        let [change] = comparison.tests.as_slice() else { panic!("{comparison:?}") };
        let errors = change.figures.iter().find(|figure| figure.objective == "error rate");
        assert_eq!(errors.map(|figure| figure.shift), Some(shift));
    }
}

#[test]
fn what_decides_nothing_is_not_compared() {
    let unproven =
        Story::new("checkout").with(|story| story.trace.delivery.as_mut().unwrap().readings.clear());
    let comparison = compared(&unproven.report(), &one_bad_in(5));
    assert!(
        comparison.tests[0].figures.iter().all(|figure| figure.shift == Shift::Unknown),
        "{comparison:?}"
    );
}

#[test]
fn a_comparison_names_what_changed_and_counts_the_rest() {
    let other = |name: &str| Story::new(name).chaos(delayed).report();
    let base = Summary::of(vec![one_bad_in(100), other("gone"), other("same")]);
    let now = Summary::of(vec![one_bad_in(4), other("new|one"), other("same")]);
    let comparison = Comparison::of(&base.tests, &now.tests);
    let extras = Extras { comparison: Some(("main".into(), comparison)), trends: Vec::new() };
    let comment = render::comment(&now, &extras);
    assert!(comment.starts_with(render::COMMENT_MARKER));
    let markdown = render::markdown_with(&now, &extras);
    let section = markdown.split("## Compared with ").nth(1).unwrap().split("\n## ").next().unwrap();
    assert!(comment.contains(section.trim_end()));
    assert_snapshot!(section.trim_end());
}

#[test]
fn a_comment_is_never_longer_than_it_may_be() {
    let many =
        (0..600).map(|n| Story::new(&format!("breaks_{n}")).chaos(|_, s| s.latency += ms(900)).report());
    let comment = render::comment(&Summary::of(many.collect()), &Extras::default());
    assert!(comment.len() < 65_536, "{}", comment.len());
    assert!(comment.ends_with("… cut here: the whole report is chaos_report.md\n"));
}

/// A history of runs in which that share of the limit was used.
fn history(runs: &[Report]) -> (Summary, Vec<HistoryLine>) {
    let summaries: Vec<Summary> = runs.iter().map(|run| Summary::of(vec![run.clone()])).collect();
    let lines = summaries.iter().enumerate().map(|(n, summary)| HistoryLine::of(summary, n as f64, None));
    let lines: Vec<HistoryLine> = lines.collect();
    (summaries.into_iter().next_back().unwrap(), lines)
}

#[test]
fn a_trend_is_of_what_is_nearest_to_its_limit() {
    let (last, lines) = history(&[slower_by(100), slower_by(200), slower_by(800), slower_by(450)]);
    let trends = trends(&last, &lines);
    let tightest = trends[0].tightest.as_ref().unwrap();
    assert_eq!(tightest.objective, "p95 degradation");
    let whole = |seconds: f64| (seconds * 1e3).round() as u64;
    let measured: Vec<u64> = tightest.measured.iter().map(|known| whole(known.unwrap())).collect();
    assert_eq!(measured, [100, 200, 800, 450]);
    let extras = Extras { comparison: None, trends };
    let markdown = render::markdown_with(&last, &extras);
    let section = markdown.split("## History").nth(1).unwrap().split("\n## ").next().unwrap();
    assert_snapshot!(section.trim());
}

#[test]
fn one_run_is_no_trend() {
    let (last, lines) = history(&[slower_by(100)]);
    assert_eq!(trends(&last, &lines), []);
}

#[test]
fn a_line_read_back_is_the_line() {
    let (_, lines) = history(&[slower_by(100), one_bad_in(3)]);
    for line in lines {
        assert_eq!(HistoryLine::from_json(&serde_json::to_string(&line).unwrap()).unwrap(), line);
    }
    assert!(
        HistoryLine::from_json(r#"{"format_version": 2, "timestamp": 0, "runs": [], "tests": []}"#).is_err()
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Nothing is both worse one way and worse the other way; and what is worse one way is better the other.
    #[test]
    fn a_comparison_has_two_sides(one in 1_usize..200, other in 1_usize..200) {
        let (one, other) = (one_bad_in(one), one_bad_in(other));
        let there = shift_of(&one, &other, "error rate");
        let back = shift_of(&other, &one, "error rate");
        let mirrored = match there {
            Shift::Worse => Shift::Better,
            Shift::Better => Shift::Worse,
            same => same,
        };
        prop_assert_eq!(back, mirrored);
    }
}

#[test]
fn what_was_skipped_is_neither_better_nor_worse() {
    let (ran, skipped) = (one_bad_in(0), Story::new("checkout").dry().report());
    for (base, now) in [(&ran, &skipped), (&skipped, &ran)] {
        let extras = Extras { comparison: Some(("main".into(), compared(base, now))), trends: Vec::new() };
        let markdown = render::markdown_with(&Summary::of(vec![now.clone()]), &extras);
        let row = markdown.lines().find(|line| line.contains("| verdict |") && line.contains("Skipped"));
        assert!(row.is_some_and(|row| row.ends_with("| not compared |")), "{markdown}");
    }
}

#[test]
fn a_test_without_a_record_has_no_other_scenario() {
    let base = Entry::of(&one_bad_in(0));
    let mut now = base.clone();
    now.scenario = String::new();
    let comparison = Comparison::of(&[base], &[now]);
    assert_eq!(comparison.tests[0].not_compared.as_deref(), Some("one of the two left no record"));
}

/// Searched one by one they would take minutes.
#[test]
fn a_history_of_very_many_tests_is_no_burden() {
    let mut summary = Summary::of(vec![slower_by(100)]);
    let entry = summary.tests[0].clone();
    let named = |n: u32| {
        let mut entry = entry.clone();
        entry.test = format!("t{n}");
        entry
    };
    summary.tests = (0..20_000).map(named).collect();
    let lines = vec![HistoryLine::of(&summary, 0.0, None); 10];
    assert_eq!(trends(&summary, &lines).len(), 20_000);
}
