//! What a report recommends: from what the client saw, each with the finding that says so, and nothing where nothing is
//! wrong.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod arbitrary;
mod synthetic;

use arbitrary::{objectives, report, trace};
use chaos_test::model::{Outcome, Phase, Sample, Stage, StreamKind, Trouble};
use chaos_test::report::{Entry, Recommendation, Summary, render};
use proptest::prelude::*;
use synthetic::{Story, delayed, ms, stream};

fn recommendations(story: Story) -> Vec<Recommendation> {
    Entry::of(&story.report()).recommendations
}

/// Of the only recommendation about errors: what it says, and why.
fn about_errors(outcome: Outcome) -> (String, String) {
    let story = Story::new("t").chaos(|n, sample| {
        if n % 3 == 0 {
            sample.outcome = outcome;
        }
    });
    let mut all = recommendations(story);
    all.retain(|one| one.because.starts_with("error rate"));
    let [one] = &all[..] else { panic!("{all:?}") };
    (one.what.clone(), one.because.clone())
}

#[test]
fn nothing_is_recommended_where_nothing_is_wrong() {
    let report = Story::new("survives").chaos(delayed).report();
    assert_eq!(Entry::of(&report).recommendations, []);
    let markdown = render::markdown(&Summary::of(vec![report]));
    assert!(!markdown.contains("Recommendations"), "{markdown}");
}

#[test]
fn what_the_client_saw_decides_what_to_do() {
    for (outcome, what, seen) in [
        (Outcome::ConnectError, "retry idempotent calls to app", "refused or cut off"),
        (
            Outcome::Timeout,
            "Callers waited 1 s for nothing: give each call to app a time limit",
            "without an answer in time",
        ),
        (Outcome::BadStatus(503), "turned requests away with 503", "status 503"),
        (Outcome::BadStatus(500), "hands its dependency's failure on", "status 500"),
        (Outcome::BadBody, "say so in the status", "with the wrong content"),
    ] {
        let (said, because) = about_errors(outcome);
        assert!(said.contains(what), "{outcome}: {said}");
        assert_eq!(
            because,
            format!("error rate 33.4 % > 5 %; of 1000 checks of app in the chaos phase 334 {seen}"),
        );
    }
}

#[test]
fn beneath_a_body_that_failed_are_its_requests() {
    let bad = |n: usize, sample: &mut Sample, outcome| {
        if n.is_multiple_of(2) {
            sample.outcome = outcome;
        }
    };
    let story = Story::new("t").with(|story| {
        let marks = story.trace.marks;
        story.trace.streams = vec![
            stream("body", StreamKind::Transaction, ms(20), &marks),
            stream("requests", StreamKind::Request, ms(20), &marks),
        ];
    });
    let mut story = story.chaos(|n, sample| bad(n, sample, Outcome::Failed));
    let requests = &mut story.trace.streams[1];
    for sample in requests.samples.iter_mut().filter(|sample| !sample.is_good()) {
        sample.outcome = Outcome::Timeout;
    }
    let all = recommendations(story);
    let errors = all.iter().find(|one| one.because.starts_with("error rate")).unwrap();
    assert!(
        errors.because.ends_with("of 1000 requests in the chaos phase 500 without an answer in time"),
        "{errors:?}"
    );
}

#[test]
fn of_two_probes_of_one_service_the_one_that_broke_is_told() {
    let story = Story::new("t").with(|story| {
        let marks = story.trace.marks;
        let mut other = stream("app (2)", StreamKind::Probe, ms(20), &marks);
        let chaos = |sample: &&mut Sample| marks.phase_of(sample.at) == Some(Phase::Chaos);
        other.samples.iter_mut().filter(chaos).for_each(|sample| sample.outcome = Outcome::ConnectError);
        story.trace.streams.push(other);
    });
    let all = recommendations(story);
    let about = |objective: &str| all.iter().find(|one| one.because.starts_with(objective)).unwrap();
    let errors = about("error rate");
    assert!(
        errors.because.ends_with("of 1000 checks of app (2) in the chaos phase 1000 refused or cut off"),
        "{errors:?}"
    );
    let availability = about("availability");
    assert!(availability.what.contains("for as long as the fault"), "{availability:?}");
}

#[test]
fn a_service_that_outlives_its_fault_is_told_from_one_that_is_down_with_it() {
    let down = |_: usize, sample: &mut Sample| sample.outcome = Outcome::ConnectError;
    let with_it = recommendations(Story::new("t").chaos(down));
    let what = |all: &[Recommendation]| {
        all.iter().find(|one| one.because.starts_with("availability")).unwrap().what.clone()
    };
    assert!(what(&with_it).contains("for as long as the fault"), "{with_it:?}");
    let longer = Story::new("t").chaos(down).recovery(|n, sample| {
        if n < 300 {
            sample.outcome = Outcome::ConnectError;
        }
    });
    let longer = recommendations(longer);
    assert!(what(&longer).contains("stayed down for 6 s after the fault was gone"), "{longer:?}");
}

/// What is recommended about a service that has not come back for good, and why.
fn about_lasting(recovery: impl Fn(usize) -> Option<Outcome>, late: u64) -> (String, String) {
    let story = Story::new("t").chaos(delayed).recovery(|n, sample| {
        sample.outcome = recovery(n).unwrap_or(sample.outcome);
        sample.latency += ms(late);
    });
    let story = story.with(|story| story.slo.objectives.recovery.time = Some(ms(5_000)));
    let mut all = recommendations(story);
    all.retain(|one| one.because.starts_with("metastable") || one.because.starts_with("relapse"));
    let [one] = &all[..] else { panic!("{all:?}") };
    (one.what.clone(), one.because.clone())
}

#[test]
fn how_a_service_stays_away_decides_what_to_do() {
    let bad = |yes: bool| yes.then_some(Outcome::ConnectError);
    let said = [
        ("down", "nothing answers", about_lasting(|_| bad(true), 0)),
        ("failing", "pools that keep broken", about_lasting(|n| bad(n % 3 == 0), 0)),
        ("slow", "retries without a budget", about_lasting(|_| None, 800)),
        ("flapping", "comes back and falls over", about_lasting(|n| bad(n % 160 >= 110), 0)),
    ];
    for (kind, what, (recommended, because)) in said {
        assert!(because.starts_with(&format!("metastable: app still {kind} ")), "{because}");
        assert!(recommended.starts_with("Metastable: ") && recommended.contains(what), "{recommended}");
    }
    let (what, because) = about_lasting(|n| bad((300..400).contains(&n)), 0);
    assert!(because.starts_with("relapse: app went down again"), "{because}");
    assert!(what.contains("let waiting requests and retries in little by little"), "{what}");
}

#[test]
fn a_fault_that_could_not_be_made_has_its_own() {
    let all = recommendations(Story::new("t").trouble(Stage::Injection, "tc is missing"));
    let [one] = &all[..] else { panic!("{all:?}") };
    assert!(one.what.contains("`cargo chaos doctor`"), "{one:?}");
    assert_eq!(one.because, "injection: tc is missing");
}

#[test]
fn a_fault_until_the_end_of_all_time_is_no_trouble() {
    let down = Story::new("t").chaos(|_, sample| sample.outcome = Outcome::ConnectError);
    let forever = down.with(|story| story.trace.marks.removed = Some(std::time::Duration::MAX));
    assert!(!recommendations(forever).is_empty());
}

#[test]
fn calls_one_after_the_other_are_named() {
    let story = Story::new("t").with(|story| {
        let marks = story.trace.marks;
        story.trace.streams.push(stream("body", StreamKind::Transaction, ms(20), &marks));
    });
    let mut story = story.chaos(delayed);
    let marks = story.trace.marks;
    for sample in &mut story.trace.streams[1].samples {
        if marks.phase_of(sample.at) == Some(Phase::Chaos) {
            sample.latency += ms(600);
        }
    }
    let all = recommendations(story);
    assert!(all.iter().any(|one| one.what.starts_with("Make the 4 calls to app at once")), "{all:?}");
}

/// Somebody else's program may have written the record.
#[test]
fn a_run_that_was_killed_without_a_word_is_told_by_that() {
    let report = Story::new("t").with(|story| {
        story.trace.trouble = Some(Trouble { stage: Stage::Killed, message: String::new() });
    });
    let report = report.report();
    assert_eq!(report.judgement.label(), "Error(killed)");
    let all = Entry::of(&report).recommendations;
    assert!(all.iter().any(|one| one.because == "killed"), "{all:?}");
}

#[test]
fn the_same_is_recommended_once() {
    let slow = |name: &str| Story::new(name).chaos(|_, sample| sample.latency += ms(800)).report();
    let markdown = render::markdown(&Summary::of(vec![slow("one"), slow("two"), slow("three")]));
    assert_eq!(markdown.matches("Answers took longer").count(), 1);
    assert!(markdown.contains("(`one`: p95 latency degradation 800 ms > 500 ms, and 2 more)"), "{markdown}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn each_has_a_finding(trace in trace(), objectives in proptest::option::of(objectives())) {
        let report = report(trace, objectives);
        for one in Entry::of(&report).recommendations {
            prop_assert!(!one.what.is_empty() && !one.because.is_empty());
        }
        if report.judgement.reasons.is_empty() {
            prop_assert_eq!(Entry::of(&report).recommendations, []);
        }
    }
}
