use std::time::Duration;

use chaos_test::model::{Event, EventKind, Outcome, Sample};
use chaos_test::report::Report;

use super::{Story, page, page_of, pass, slow};

/// Anything but the same twice, and the same every time.
fn scattered(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33
}

/// So many samples, at latencies from 10 µs to minutes and with every outcome there is.
fn noise(samples: u64) -> Report {
    let story = Story::new("noise").with(|story| {
        let stream = &mut story.trace.streams[0];
        stream.interval = Duration::from_micros(430);
        let outcome = |n: u64| match scattered(n) % 9 {
            code @ 0..=6 => Outcome::from_code(code as u16).unwrap(),
            _ => Outcome::BadStatus(100 + (scattered(n + 7) % 900) as u16),
        };
        stream.samples = (0..samples)
            .map(|n| Sample {
                at: Duration::from_micros(n * 43_000_000 / samples),
                lag: Duration::ZERO,
                latency: Duration::from_secs_f64(1e-5 * 10_f64.powf((scattered(n) % 7000) as f64 / 1e3)),
                outcome: outcome(n),
            })
            .collect();
        let event = |n: u64| Event {
            at: Duration::from_millis(scattered(n) % 43_000),
            kind: EventKind::Note,
            text: "x".repeat(500),
        };
        story.trace.events = (0..samples / 10).map(event).collect();
        story.log = (0..samples / 10).map(|n| format!("{n} {}", "y".repeat(200))).collect();
    });
    story.report()
}

#[test]
fn a_page_does_not_grow_with_the_samples() {
    let few = page(&[noise(3_000)]).len();
    let many = page(&[noise(100_000)]).len();
    assert!(many < 250_000, "{many} bytes, {few} with a thirtieth of the samples");
}

#[test]
fn a_suite_as_it_is_fits_well_into_what_is_promised() {
    // Three thousand samples each: two minutes and a half of a probe every 50 ms, or a minute every 20 ms.
    let suite = |n: usize| {
        let story = match n % 4 {
            0 => slow(&format!("is_slow_{n}")),
            1 => pass(&format!("survives_{n}")),
            2 => Story::new(&format!("goes_down_{n}"))
                .chaos(|_, sample| sample.outcome = Outcome::ConnectError),
            _ => Story::new(&format!("varies_{n}")).chaos(|n, sample| {
                sample.latency += Duration::from_micros(scattered(n as u64) % 900_000);
            }),
        };
        story
            .with(|story| {
                let stream = &mut story.trace.streams[0];
                let marks = story.trace.marks;
                let end = marks.ended.unwrap();
                let step = end / 3000;
                let like = stream.samples.clone();
                let sample = |n: u32| Sample { at: step * n, ..like[(n as usize * like.len()) / 3000] };
                stream.samples = (0..3000).map(sample).collect();
            })
            .report()
    };
    let reports: Vec<Report> = (0..19).map(suite).collect();
    let size = page(&reports).len();
    println!("{size} bytes for 19 tests of 3000 samples");
    assert!(size <= 1_500_000, "{size} bytes");
}

#[test]
fn a_page_of_very_many_tests_has_the_details_of_some() {
    let one = pass("survives").report();
    let many: Vec<Report> =
        (0..400).map(|n| Report { test: format!("survives_{n}"), ..one.clone() }).collect();
    let (few, more) = (page_of(&many, 0).len(), page_of(&many, 10).len());
    println!("{} bytes a test without details, {} more with them", few / 400, (more - few) / 10);
    assert!(few / 400 < 5_000, "{few} bytes for the figures of 400 tests");
    assert!(more - few < 10 * 60_000, "{} bytes for the details of 10", more - few);
}
