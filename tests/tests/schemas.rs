//! `docs/schema`: what the types make of themselves, and what holds of every record, validation and catalogue there is.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "../../chaos-test/tests/arbitrary/mod.rs"]
mod arbitrary;
#[path = "schemas/catalogue.rs"]
mod catalogue;
#[path = "../../chaos-test/tests/synthetic/mod.rs"]
mod synthetic;

use std::fs;
use std::path::{Path, PathBuf};

use arbitrary::{objectives, report, trace};
use chaos_test::model::{Abort, AbortCause, BodyEnd, Catalogue, Outcome, Stage};
use chaos_test::report::render::{VALIDATION_VERSION, validation_json};
use chaos_test::report::{FORMAT_VERSION, Report, Summary, schema};
use chaos_test::slo::Verdict;
use jsonschema::Validator;
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};
use synthetic::{Story, delayed, ms};

fn docs(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schema").join(name)
}

/// `UPDATE_EXPECTED=1` writes it instead of comparing it; read what it wrote.
fn assert_kept(name: &str, schema: &Value) {
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::create_dir_all(docs("")).unwrap();
        fs::write(docs(name), format!("{schema:#}\n")).unwrap();
    }
    // In which order the keys come is not ours to say: a feature of serde_json decides it.
    let there = fs::read_to_string(docs(name)).unwrap_or_default();
    let there: Value = serde_json::from_str(&there).unwrap_or_default();
    assert!(
        there == *schema,
        "docs/schema/{name} is not what the types come to: UPDATE_EXPECTED=1 writes it"
    );
    assert_eq!(schema["$id"], name);
    jsonschema::meta::validate(schema).unwrap_or_else(|error| panic!("{name} is no JSON Schema: {error}"));
}

#[test]
fn the_schemas_in_docs_are_those_of_the_types() {
    assert_kept(&format!("record-v{FORMAT_VERSION}.schema.json"), &schema::record());
    assert_kept(&format!("validation-v{VALIDATION_VERSION}.schema.json"), &schema::validation());
    assert_kept("chaos_scenarios.schema.json", &Catalogue::schema());
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap()
}

#[track_caller]
fn assert_valid(validator: &Validator, value: &Value) {
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| {
            let text: String = error.to_string().chars().take(200).collect();
            format!("{}: {text}", error.instance_path())
        })
        .collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

fn record(report: &Report) -> Value {
    serde_json::from_str(&report.to_json().unwrap()).unwrap()
}

/// One of each verdict, and of what else a record may hold.
fn stories() -> Vec<Report> {
    let pass = || Story::new("t").chaos(delayed);
    let abort = Abort {
        at: ms(12_000),
        cause: AbortCause::ConsecutiveFailures { stream: "app".into(), count: 9, lasting: ms(180), limit: 8 },
    };
    let stories = [
        pass(),
        Story::new("t").chaos(|_, sample| sample.latency += ms(804)),
        Story::new("t").chaos(|n, sample| {
            if n < 300 {
                sample.outcome = Outcome::BadStatus(503);
            }
        }),
        Story::new("t").recovery(|_, sample| sample.outcome = Outcome::Timeout),
        pass().chaos(|_, sample| sample.lag = ms(45)),
        pass().body(BodyEnd::Panicked("at the disco".into())).note("half of it"),
        pass().with(|story| story.trace.abort = Some(abort)),
        Story::new("t").trouble(Stage::Setup, "service `app` was not ready within 30 s"),
        pass().dry(),
    ];
    stories.map(Story::report).into()
}

#[test]
fn a_record_of_every_verdict_is_valid() {
    let schema = validator(&schema::record());
    let reports = stories();
    reports.iter().for_each(|report| assert_valid(&schema, &record(report)));
    let mut verdicts: Vec<Verdict> = reports.iter().map(Report::verdict).collect();
    verdicts.sort_unstable();
    verdicts.dedup();
    assert_eq!(verdicts.len(), 6, "{verdicts:?}");
}

#[test]
fn a_validation_of_any_of_them_is_valid() {
    let schema = validator(&schema::validation());
    let reports = stories();
    let summaries = reports.iter().map(|report| vec![report.clone()]).chain([Vec::new(), reports.clone()]);
    for reports in summaries {
        let json = validation_json(&Summary::of(reports), 1_750_000_000.5).unwrap();
        assert_valid(&schema, &serde_json::from_str(&json).unwrap());
    }
}

/// What version 1 wrote lacks nothing but its number.
#[test]
fn records_of_version_1_are_valid_but_for_their_number() {
    let schema = validator(&schema::record());
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../chaos-test/tests/records/v1");
    let mut count = 0;
    for file in fs::read_dir(dir).unwrap() {
        let mut value: Value = serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
        let errors: Vec<String> =
            schema.iter_errors(&value).map(|error| error.instance_path().to_string()).collect();
        assert_eq!(errors, ["/format_version"]);
        value["format_version"] = json!(FORMAT_VERSION);
        assert_valid(&schema, &value);
        count += 1;
    }
    assert_eq!(count, 7);
}

/// Each of these is an error for the reader, too.
#[test]
fn a_damaged_record_is_not_valid() {
    let schema = validator(&schema::record());
    let good = record(&stories()[1]);
    assert!(schema.is_valid(&good));
    type Damage = fn(&mut Value);
    let damages: [Damage; 14] = [
        |value| *value = json!([]),
        |value| value["format_version"] = json!(3),
        |value| drop(value.as_object_mut().unwrap().remove("format_version")),
        |value| drop(value.as_object_mut().unwrap().remove("judgement")),
        |value| drop(value["scenario"].as_object_mut().unwrap().remove("fault")),
        |value| value["test"] = json!(7),
        |value| value["took"] = json!(44.0),
        |value| value["scenario"]["fault"]["type"] = json!("earthquake"),
        |value| value["slo"]["objectives"]["error_rate"] = json!(101.0),
        |value| value["trace"]["streams"][0]["samples"][5] = json!([1, 2, 3]),
        |value| value["trace"]["streams"][0]["samples"][5] = json!([1, 2, 3, 50]),
        |value| value["trace"]["streams"][0]["samples"][5] = json!([1, -2, 3, 0]),
        |value| value["judgement"]["verdict"] = json!("Pass"),
        |value| value["judgement"]["evaluations"][0]["limit"] = json!({"shares": 0.5}),
    ];
    for (n, damage) in damages.into_iter().enumerate() {
        let mut value = good.clone();
        damage(&mut value);
        assert!(!schema.is_valid(&value), "damage {n}");
        assert!(Report::from_json(value.to_string().as_bytes()).is_err(), "damage {n}");
    }
    // What nobody knows is not read.
    let mut more = good;
    more["something"] = json!("new");
    assert!(schema.is_valid(&more));
}

#[test]
fn a_damaged_validation_is_not_valid() {
    let schema = validator(&schema::validation());
    let json = validation_json(&Summary::of(stories()), 0.0).unwrap();
    let good: Value = serde_json::from_str(&json).unwrap();
    for key in good.as_object().unwrap().keys() {
        let mut value = good.clone();
        value.as_object_mut().unwrap().remove(key);
        assert!(!schema.is_valid(&value), "without {key}");
        value[key] = json!({"no": "such thing"});
        assert!(!schema.is_valid(&value), "with another {key}");
    }
    let entry = good["metrics"][0].as_object().unwrap();
    for key in entry.keys() {
        let mut value = good.clone();
        value["metrics"][0].as_object_mut().unwrap().remove(key);
        assert!(!schema.is_valid(&value), "without metrics[].{key}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_record_is_valid_and_so_is_what_is_made_of_it(
        trace in trace(),
        objectives in option::of(objectives()),
    ) {
        let report = report(trace, objectives);
        assert_valid(&validator(&schema::record()), &record(&report));
        let json = validation_json(&Summary::of(vec![report]), 0.0).unwrap();
        assert_valid(&validator(&schema::validation()), &serde_json::from_str(&json).unwrap());
    }
}
