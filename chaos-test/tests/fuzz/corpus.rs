//! Where mutations begin: valid records of every format and verdict, and every catalogue there is.

use std::fs;
use std::path::Path;

use chaos_test::model::{BodyEnd, Outcome, Stage};

use crate::synthetic::{Story, delayed, ms};

/// What stands in records, and what breaks readers.
pub(crate) const RECORD_WORDS: &[&str] = &[
    "\"format_version\":2,",
    "\"format_version\":1,",
    "\"secs\":18446744073709551615,",
    "\"nanos\":4294967295",
    "null",
    "true",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "\"",
    "\\u0000",
    "\\ud800",
    "\\ud83e\\udd80",
    "\\n",
    "\u{feff}",
    "[[[[[[[[",
    "{\"a\":",
    "\"samples\":[[0,0,0,0]]",
    "\"endpoint\"",
    "\"transaction\"",
    "\"request\"",
    "\"probe\"",
    "\"sequential\"",
    "\"whole_phase\"",
    "\"in_place\"",
    "\"custom\":[{\"name\":\"a\",\"broken\":\"b\\nc\"}],",
    "\"skipped\":\"dry run\",",
    "\"noise_is_fault\":true,",
    "\"noise\":[[0,250000,90000,1000,1000,9]],",
    "</script>",
    "]]>",
    "1e999",
    "-0.0",
    "0.1",
    "1E-400",
];

/// What stands in catalogues, and what breaks readers.
pub(crate) const CATALOGUE_WORDS: &[&str] = &[
    "scenarios:\n",
    "- name: A\n",
    "type: ",
    "network_delay",
    "network_loss",
    "cpu_exhaust",
    "memory_leak",
    "disk_stress",
    "container_crash",
    "database_down",
    "service_recovery",
    "duration: ",
    "intensity: heavy\n",
    "parameters:\n",
    "slo_targets:\n",
    "slo_severity:\n",
    "blocking:",
    "warning:",
    "endpoints:",
    "scenario_groups:\n",
    "environments:\n",
    "monitoring:\n",
    "alerts:",
    "safety:\n",
    "abort_conditions:",
    "blast_radius",
    "&a ",
    "*a",
    "<<: *a",
    "!!binary ",
    "---\n",
    "...\n",
    "? ",
    "- ",
    ": ",
    "{",
    "}",
    "[",
    "]",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "#",
    "\t",
    "\u{feff}",
    "\0",
    "\u{85}",
    "~",
    "100%",
    "256M",
    "1.5s",
    "200ms",
    "-1",
    "20/s",
    "99999999999999999999",
    "%YAML 1.2\n",
    "\\x00",
    "\r\n",
    "é",
    "🦀",
];

/// Records of every verdict, thinned out, and those that earlier versions left.
pub(crate) fn records() -> Vec<Vec<u8>> {
    let pass = || Story::new("survives").chaos(delayed);
    let stories = [
        pass(),
        Story::new("slow").chaos(|_, sample| sample.latency += ms(804)),
        Story::new("down").chaos(|n, sample| {
            if n < 200 {
                sample.outcome = Outcome::BadStatus(503);
            }
        }),
        Story::new("late").recovery(|n, sample| {
            if n % 3 < 2 {
                sample.outcome = Outcome::Timeout;
            }
        }),
        pass().chaos(|_, sample| sample.lag = ms(45)),
        pass().body(BodyEnd::Failed("the order\nis lost".into())).note("half of it"),
        Story::new("never").trouble(Stage::Setup, "service `app` was not ready within 30 s"),
        pass().dry(),
        pass().never_injected(),
    ];
    let mut corpus: Vec<Vec<u8>> = stories
        .into_iter()
        .map(|mut story| {
            // Every fourth sample says as much, and four times as many inputs can be tried.
            for stream in &mut story.trace.streams {
                stream.interval *= 4;
                let mut n = 0;
                stream.samples.retain(|_| {
                    n += 1;
                    n % 4 == 1
                });
            }
            story.report().to_json().expect("it can be written").into_bytes()
        })
        .collect();
    corpus.extend(files("tests/records/v1", "json"));
    corpus
}

/// The built-in catalogue, that of an earlier tool, and every bad one.
pub(crate) fn catalogues() -> Vec<Vec<u8>> {
    [files("scenarios", "yml"), files("scenarios/invalid", "yml")].concat()
}

fn files(dir: &str, extension: &str) -> Vec<Vec<u8>> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    files.retain(|file| file.extension().is_some_and(|found| found == extension));
    files.sort();
    assert!(!files.is_empty(), "nothing in {}", dir.display());
    files.into_iter().map(|file| fs::read(file).expect("it can be read")).collect()
}
