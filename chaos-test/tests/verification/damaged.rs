//! Records that no run leaves: judged again without a panic, and without a memory that grows with a number in them.

use std::time::Duration;

use chaos_test::model::{Carried, CarriedShare, CountRule, Outcome};
use chaos_test::report::{Report, Verification};

use crate::synthetic::{Story, delayed};

fn verified(story: Story) -> Verification {
    let json = story.report().to_json().unwrap();
    Verification::of_json(json.as_bytes()).unwrap()
}

#[test]
fn a_sample_at_the_end_of_all_time_is_one_sample() {
    let story = Story::new("t").chaos(delayed).with(|story| {
        story.trace.count_rule = CountRule::Sequential;
        story.trace.marks.chaos_ended = Some(Duration::MAX);
        story.trace.marks.ended = Some(Duration::MAX);
        let samples = &mut story.trace.streams[0].samples;
        samples.last_mut().unwrap().at = Duration::from_micros(u64::MAX);
    });
    assert_eq!(verified(story).differences, []);
}

/// What timed out has taken its timeout at least, whatever that is: here it is the baseline's 99th percentile as well.
#[test]
fn a_baseline_as_long_as_all_time_is_compared() {
    let story = Story::new("t").with(|story| {
        let stream = &mut story.trace.streams[0];
        stream.timeout = Duration::MAX;
        let timed_out = stream.samples.iter_mut().step_by(50);
        timed_out.for_each(|sample| sample.outcome = Outcome::Timeout);
    });
    let report = story.clone().report();
    assert_eq!(report.judgement.streams[0].baseline.unwrap().p99, Duration::MAX);
    assert_eq!(verified(story).differences, []);
}

#[test]
fn tries_without_number_before_are_counted_to_the_end() {
    let story = Story::new("t").chaos(delayed).with(|story| {
        story.trace.count_rule = CountRule::Sequential;
        let share = CarriedShare {
            stream: "app".into(),
            indicator: "error_rate".into(),
            samples: u64::MAX,
            bad: u64::MAX,
            runs: u64::MAX,
        };
        story.trace.carried =
            Some(Carried { tries: u32::MAX, looks: u32::MAX, mechanism: None, shares: vec![share] });
        story.trace.extended = true;
    });
    assert_eq!(verified(story).differences, []);
}

#[test]
fn a_share_beyond_all_numbers_can_be_written_and_read() {
    use chaos_test::report::{Summary, render};
    use chaos_test::slo::Figure;
    let mut report: Report = Story::new("t").chaos(delayed).report();
    report.judgement.evaluations[0].limit = Figure::Share(f64::MAX);
    report.judgement.evaluations[0].measured = Some(Figure::Share(f64::MIN));
    let json = render::validation_json(&Summary::of(vec![report]), 0.0).unwrap();
    let read: render::Validation = serde_json::from_str(&json).unwrap();
    assert_eq!(read.metrics[0].objectives[0].limit, f64::MAX);
}
