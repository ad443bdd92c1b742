//! Whatever was observed: it is judged without a panic, and a stored record says the same as the run did.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

mod arbitrary;
mod synthetic;

use arbitrary::{at_resolution, objectives, report, trace};
use chaos_test::report::{Report, Summary, Verification, render};
use chaos_test::slo::judge;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use synthetic::Story;

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_record_read_back_is_the_record(trace in trace(), objectives in option::of(objectives())) {
        let written = report(at_resolution(trace), objectives);
        let json = written.to_json().unwrap();
        let read = Report::from_json(json.as_bytes()).unwrap();
        prop_assert_eq!(&read, &written);
        // And judged again it comes to the same.
        prop_assert_eq!(judge(&read.trace, &read.slo.objectives), written.judgement);
        // (What is not in order of time is told as damaged instead.)
        if let Ok(verified) = Verification::of_json(json.as_bytes()) {
            prop_assert_eq!(verified.differences, []);
        }
    }

    /// In the order of its schedule any record is verified.
    #[test]
    fn a_record_says_what_its_samples_come_to(trace in trace(), objectives in option::of(objectives())) {
        let mut trace = at_resolution(trace);
        trace.streams.iter_mut().for_each(|stream| stream.samples.sort_by_key(|sample| sample.at));
        let json = report(trace, objectives).to_json().unwrap();
        prop_assert_eq!(Verification::of_json(json.as_bytes()).unwrap().differences, []);
    }

    #[test]
    fn anything_can_be_judged_and_shown(trace in trace(), objectives in option::of(objectives())) {
        let report = report(trace, objectives);
        prop_assert_eq!(report.headline().lines().count().max(1), 1);
        prop_assert!(report.text().contains("rerun"));
        let summary = Summary::of(vec![report]);
        render::markdown(&summary);
        render::validation_json(&summary, 0.0).unwrap();
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert!(Report::from_json(&bytes).is_err());
    }

    /// Cut anywhere, a record is an error and not a shorter record.
    #[test]
    fn half_a_record_is_an_error(cut in 0.0..1.0_f64) {
        let json = Story::new("t").report().to_json().unwrap();
        let bytes = json.as_bytes();
        prop_assert!(Report::from_json(&bytes[..(bytes.len() as f64 * cut) as usize]).is_err());
    }
}

/// A witness that reads nonsense must not prove a fault, and its record must stay readable.
#[test]
fn what_is_not_a_number_proves_nothing() {
    let story = Story::new("t").with(|story| {
        let readings = &mut story.trace.delivery.as_mut().unwrap().readings;
        readings.iter_mut().for_each(|reading| reading.measured = f64::NAN);
    });
    let written = story.report();
    assert_eq!(written.judgement.label(), "Inconclusive(fault not delivered)");
    let read = Report::from_json(written.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(judge(&read.trace, &read.slo.objectives), written.judgement);
}
