//! The HTML page: what stands in it, that nothing of a record becomes markup, and how large it can get.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod arbitrary;
#[path = "html/hostile.rs"]
mod hostile;
#[path = "html/markup.rs"]
mod markup;
#[path = "html/over_time.rs"]
mod over_time;
#[path = "html/sizes.rs"]
mod sizes;
#[path = "html/style.rs"]
mod style;
mod synthetic;

use chaos_test::model::{
    Abort, AbortCause, BodyEnd, CountRule, Event, EventKind, Outcome, ResourceSample, ServiceResources,
};
use chaos_test::report::render::{HtmlDetails, html};
use chaos_test::report::{Report, Summary};
use markup::{text, within};
use synthetic::{CHAOS, Story, delayed, ms};

/// The page of some reports, as the command makes it.
fn page(reports: &[Report]) -> String {
    page_of(reports, HtmlDetails::MOST)
}

fn page_of(reports: &[Report], most: usize) -> String {
    let mut details = HtmlDetails::new(most);
    reports.iter().for_each(|report| details.add(report));
    html(&Summary::of(reports.to_vec()), &details, 1_750_000_000.0)
}

fn slow(test: &str) -> Story {
    Story::new(test).chaos(|_, sample| sample.latency += ms(804))
}

fn pass(test: &str) -> Story {
    Story::new(test).chaos(delayed)
}

#[test]
fn the_verdict_comes_first_then_the_tests_then_their_details() {
    let page = page(&[pass("survives").report(), slow("is_slow").report()]);
    let shown = text(&page);
    let places = [
        "Chaos report: failed",
        "1 of 2 tests passed (1 Fail)",
        "Written 2025-06-15 15:06:40 UTC",
        "Violations 1",
        "Recommendations",
        "because: p95 latency degradation 804 ms > 500 ms, in is_slow",
        "Tests 2",
        "Details",
        "Run it again cargo nextest run -E",
    ];
    let mut from = 0;
    for place in places {
        let at = shown[from..].find(place).unwrap_or_else(|| panic!("no {place:?} in {}", &shown[from..]));
        from += at;
    }
}

#[test]
fn of_two_probes_of_one_service_each_has_its_own_outages() {
    let report = pass("survives").with(|story| {
        let mut other = story.trace.streams[0].clone();
        other.name = "app (2)".into();
        other.samples.iter_mut().skip(600).take(500).for_each(|sample| sample.outcome = Outcome::Timeout);
        story.trace.streams.push(other);
    });
    let page = page(&[report.report()]);
    let drawn = text(within(&page, "aria-label=\"timeline\"", "</svg>"));
    let (first, second) = (drawn.find("app: latency").unwrap(), drawn.find("app (2): latency").unwrap());
    let down = drawn.find(" down ").unwrap();
    assert!(first < second && second < down, "{drawn}");
}

#[test]
fn a_test_has_its_figures_its_timeline_and_the_way_to_run_it_again() {
    let report = slow("is_slow")
        .note("retry 3")
        .body(BodyEnd::Failed("the order is lost\nsecond line".into()))
        .with(|story| {
            story.log = vec!["listening".into(), "giving up".into()];
            story.trace.count_rule = CountRule::Sequential;
        })
        .with(|story| {
            let sample = |n: u64| ResourceSample {
                at: ms(1000 * n),
                over: ms(1000),
                cpu: 0.5,
                resident: 24 << 20,
                read: 0,
                written: 8192,
                processes: 1,
            };
            let samples = (1..40).map(sample).collect();
            story.trace.resources = vec![ServiceResources { service: "app".into(), samples }];
        })
        .report();
    let page = page(&[report]);
    let details = within(&page, "<details", "</details>");
    let shown = text(details);
    for fact in [
        "p95 degradation FAIL ≤ 500 ms 804 ms – −61 % – n = 1000, 1000 over the limit",
        "error rate pass ≤ 5 % 0 % 0 % … 0.76 % +100 % 0 % n = 1000",
        "asked 200.0 ms , measured 200.4 ms (median), enough of it in 20 of 20 checks",
        "Intervals are those of 99.9 % confidence",
        "baseline 10.0 s │ inject 10 ms │ chaos 20.0 s",
        "good 2151",
        "evidence on error rate ≤ 5 %: within (solid), beyond (dashed)",
        "processors used: app",
        "resident memory: app",
        "written to storage, a second: app",
        "each answer is wrong in at most 0.05 % of runs",
        "fault: asked (dashed), measured (solid)",
        "limit of p95: 510 ms",
        "baseline p50 · p95 · p99 chaos p50 · p95 · p99",
        "10 s note retry 3",
        "body the order is lost second line",
        "Log of app listening giving up",
        "Record target/chaos-test/run-1/shop__checkout__is_slow.json",
        "Run it again cargo nextest run -E 'binary_id(=shop::checkout) & test(=is_slow)'",
    ] {
        assert!(shown.contains(fact), "no {fact:?} in {shown}");
    }
    assert!(!shown.contains("read from storage"), "nothing was read: {shown}");
    assert_eq!(
        details.matches("class=\"o good\"").count(),
        2,
        "one path for all good samples, and the legend"
    );
}

#[test]
fn what_went_wrong_is_drawn_and_said() {
    let from = 300;
    let report = Story::new("goes_down")
        .chaos(move |n, sample| {
            if (from..from + 200).contains(&n) {
                sample.outcome = Outcome::ConnectError;
            }
            if n >= 800 {
                sample.outcome = Outcome::BadStatus(503);
            }
        })
        .with(|story| {
            let at = story.trace.marks.injected.unwrap() + CHAOS - ms(10);
            story.trace.abort = Some(Abort { at, cause: AbortCause::Signal("SIGTERM".into()) });
            let died = Event { at: ms(16_000), kind: EventKind::Service, text: "app died".into() };
            story.trace.events.push(died);
        })
        .report();
    let page = page(&[report]);
    let shown = text(&page);
    for fact in [
        "connection failed 200",
        "unexpected status 200 (503 × 200)",
        "app down 4 s ± 20 ms, from 16.02 s to 20.02 s",
        "■ aborted",
        "30 s abort the test process was sent SIGTERM",
        "16 s service app died",
    ] {
        assert!(shown.contains(fact), "no {fact:?} in {shown}");
    }
    for drawn in ["class=\"whisker\"", "class=\"abort\"", "class=\"ev service\"", "class=\"o refused\""] {
        assert!(page.contains(drawn), "no {drawn}");
    }
}

#[test]
fn a_skipped_test_has_its_plan() {
    let shown = text(&page(&[Story::new("dry").dry().report()]));
    assert!(shown.contains("Plan Dry run of \"Medium Network Delay\" on app"), "{shown}");
}

#[test]
fn of_several_tries_the_one_that_counts_is_shown() {
    let logged = |mut story: Story, started_at, line: &str| {
        story.started_at = started_at;
        story.log = vec![line.into()];
        story.report()
    };
    let first = logged(slow("flaky"), 10.0, "the first try");
    let second = logged(pass("flaky"), 20.0, "the second try");
    for reports in [[first.clone(), second.clone()], [second, first]] {
        let shown = text(&page(&reports));
        assert!(shown.contains("flaky was tried 2 times: Fail, then Pass; the last one counts"), "{shown}");
        assert!(shown.contains("the second try") && !shown.contains("the first try"), "{shown}");
    }
}

#[test]
fn of_many_tests_those_that_did_not_pass_keep_their_details() {
    let mut reports: Vec<Report> = (0..6).map(|n| pass(&format!("survives_{n}")).report()).collect();
    reports.extend((0..2).map(|n| slow(&format!("slow_{n}")).report()));
    let kept = |page: &str| -> Vec<String> {
        let sections = page.split("<details").skip(1).filter(|section| section.contains("<h4>Timeline"));
        sections.map(|section| text(within(section, "<h3>", "</h3>"))).collect()
    };
    for reports in [reports.clone(), reports.iter().rev().cloned().collect()] {
        let page = page_of(&reports, 4);
        assert_eq!(kept(&page), ["slow_0", "slow_1", "survives_0", "survives_1"]);
        let shown = text(&page);
        assert!(shown.contains("Of 4 of 8 tests only the figures are here"), "{shown}");
        // Their figures, their record and the way to the rest are there all the same.
        assert_eq!(
            shown.matches(" ≤ 500 ms 200 ms").count() + shown.matches(" ≤ 500 ms 804 ms").count(),
            8 + 2
        );
        assert!(shown.contains("cargo chaos report --html one.html --results RECORD"), "{shown}");
        assert!(shown.contains("target/chaos-test/run-1/shop__checkout__survives_5.json"), "{shown}");
    }
}

#[test]
fn every_test_has_a_place_of_its_own_to_link_to() {
    let in_run = |run: &str| pass("survives").with(|story| story.run_id = run.into()).report();
    let page = page(&[in_run("a"), in_run("b"), pass("Survives!").report()]);
    let ids: Vec<&str> = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    for link in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(ids.contains(&link), "{link}");
    }
}

#[test]
fn nothing_at_all_is_a_page_too() {
    let shown = text(&html(&Summary::default(), &HtmlDetails::default(), f64::NAN));
    assert!(shown.contains("Chaos report: nothing ran"), "{shown}");
}
