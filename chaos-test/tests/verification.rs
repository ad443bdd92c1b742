//! A record is judged again from its samples; whatever it says otherwise is found, and nothing else is.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "verification/damaged.rs"]
mod damaged;
#[path = "verification/old_records.rs"]
mod old_records;
mod synthetic;

use std::collections::{BTreeMap, BTreeSet};

use chaos_test::model::{BodyEnd, CountRule, Outcome, Stage};
use chaos_test::report::{FORMAT_VERSION, Report, Verification};
use chaos_test::slo::{Figure, Finding, NonRecovery, Reason, Verdict};
use serde_json::{Value, json};
use synthetic::{Story, delayed, ms};

fn stories() -> Vec<Story> {
    let slow = |_: usize, sample: &mut chaos_test::model::Sample| sample.latency += ms(804);
    vec![
        Story::new("survives").chaos(delayed),
        Story::new("breaks").chaos(slow),
        Story::new("in order").chaos(delayed).with(|story| {
            story.trace.count_rule = CountRule::Sequential;
        }),
        Story::new("late").chaos(|_, sample| sample.lag = ms(45)),
        Story::new("never").never_injected(),
        Story::new("dry").dry(),
        Story::new("error").trouble(Stage::Setup, "not ready"),
        Story::new("body").chaos(delayed).body(BodyEnd::Failed("lost".into())),
        Story::new("stays").chaos(slow).recovery(slow).with(|story| {
            story.slo.objectives.recovery.time = Some(ms(2000));
        }),
    ]
}

fn verified(json: &Value) -> Verification {
    Verification::of_json(json.to_string().as_bytes()).expect("a record")
}

fn fields(json: &Value) -> Vec<String> {
    verified(json).differences.into_iter().map(|difference| difference.field).collect()
}

#[test]
fn what_was_written_is_what_its_samples_come_to() {
    for story in stories() {
        let report = story.report();
        let json = serde_json::to_value(&report).unwrap();
        let verification = verified(&json);
        assert_eq!(verification.differences, [], "{}", report.test);
        assert_eq!(verification.report, report);
    }
}

/// Every value of every judgement, changed one at a time to what else may stand there: each change is found.
#[test]
fn whatever_is_changed_in_a_judgement_is_found() {
    let wholes: Vec<Value> =
        stories().into_iter().map(|story| serde_json::to_value(story.report()).unwrap()).collect();
    let mut elsewhere = BTreeMap::new();
    wholes.iter().for_each(|whole| by_key(&whole["judgement"], "judgement", &mut elsewhere));
    let mut untouched = BTreeSet::new();
    for whole in &wholes {
        let mut leaves = Vec::new();
        collect(&whole["judgement"], "/judgement", &mut leaves);
        assert!(leaves.len() >= 3, "{leaves:?}");
        for leaf in leaves {
            let key = leaf.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap().to_owned();
            let is = whole.pointer(&leaf).unwrap();
            let others = elsewhere.get(&key).into_iter().flatten().filter(|other| *other != is).cloned();
            let changed = others.chain(otherwise(is)).filter(|other| other != is).find_map(|other| {
                let mut json = whole.clone();
                *json.pointer_mut(&leaf).unwrap() = other.clone();
                // What is not a record any more is told as well, and says nothing of this.
                Some((other, Verification::of_json(json.to_string().as_bytes()).ok()?))
            });
            match changed {
                Some((other, read)) => assert!(!read.differences.is_empty(), "{leaf}: {is} is {other} now"),
                None => drop(untouched.insert(format!("{leaf}: {is}"))),
            }
        }
    }
    assert_eq!(untouched, BTreeSet::new(), "nothing else fits there");
}

/// What may stand in the place of a value, whatever it is called.
fn otherwise(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(!value)],
        Value::Number(number) if number.is_u64() => vec![json!(number.as_u64().unwrap() + 1)],
        Value::Number(number) => vec![json!(number.as_f64().unwrap() * (1.0 + 1e-6) + 1e-6)],
        Value::String(_) => {
            let words = "something_else pass fail warning slow normal down failing setup injection chaos recovery transaction";
            words.split(' ').map(Value::from).collect()
        }
        Value::Null | Value::Array(_) | Value::Object(_) => vec![
            json!({"seconds": 1.0}),
            json!({"secs": 1, "nanos": 0}),
            json!([1, 2]),
            json!([{"seconds": 1.0}, {"seconds": 2.0}]),
            json!("something else"),
            json!("pass"),
            json!("no_samples"),
            json!(["no_visible_effect"]),
            json!([{"start": {"secs": 1, "nanos": 0}, "end": null, "flaps": 0}]),
            json!(1.5),
            json!(1),
        ],
    }
}

/// All values by the key they stand at, those in lists by that of the list.
fn by_key(value: &Value, key: &str, found: &mut BTreeMap<String, Vec<Value>>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| by_key(value, key, found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| by_key(value, key, found)),
        _ => {}
    }
    let known = found.entry(key.to_owned()).or_default();
    // Some of each will do.
    if known.len() < 12 && !known.contains(value) {
        known.push(value.clone());
    }
}

/// The paths of all that is neither a list nor an object with something in it.
fn collect(value: &Value, at: &str, leaves: &mut Vec<String>) {
    match value {
        Value::Array(list) if !list.is_empty() => {
            list.iter().enumerate().for_each(|(n, value)| collect(value, &format!("{at}/{n}"), leaves));
        }
        Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| collect(value, &format!("{at}/{key}"), leaves));
        }
        _ => leaves.push(at.to_owned()),
    }
}

#[test]
fn a_verdict_that_was_made_better_is_found_with_all_that_would_have_to_be_otherwise() {
    let mut json = serde_json::to_value(stories()[1].clone().report()).unwrap();
    json["judgement"]["verdict"] = json!("pass");
    assert_eq!(fields(&json), ["verdict"]);
    let difference = verified(&json).differences.remove(0);
    assert_eq!(
        (difference.stored.as_deref(), difference.recomputed.as_deref()),
        (Some("\"pass\""), Some("\"fail\""))
    );
    json["judgement"]["reasons"] = json!([]);
    assert_eq!(fields(&json), ["reasons[0]", "verdict"]);
}

#[test]
fn samples_that_were_made_better_are_found() {
    let report = Story::new("breaks").chaos(|n, sample| {
        if n % 4 == 0 {
            sample.outcome = Outcome::BadStatus(503);
        }
    });
    let mut json = serde_json::to_value(report.report()).unwrap();
    assert_eq!(fields(&json), [] as [String; 0]);
    for sample in json["trace"]["streams"][0]["samples"].as_array_mut().unwrap() {
        sample[3] = json!(0);
    }
    let fields = fields(&json);
    for expected in ["verdict", "evaluations[0].counts[0]", "evaluations[0].measured.share", "reasons[0]"] {
        assert!(fields.iter().any(|field| field == expected), "{expected} in {fields:?}");
    }
}

#[test]
fn a_limit_that_was_moved_is_found() {
    let mut json = serde_json::to_value(stories()[1].clone().report()).unwrap();
    json["slo"]["objectives"]["latency_degradation"] = json!({"secs": 9, "nanos": 0});
    assert!(fields(&json).iter().any(|field| field.ends_with("limit.seconds")), "{:?}", fields(&json));
}

#[test]
fn what_another_machine_rounds_otherwise_is_the_same() {
    let mut report = stories()[1].clone().report();
    for evaluation in &mut report.judgement.evaluations {
        if let Some(Figure::Seconds(value) | Figure::Share(value)) = &mut evaluation.measured {
            *value *= 1.0 + 1e-12;
        }
    }
    report.judgement.confidence -= 1e-13;
    assert_eq!(fields(&serde_json::to_value(&report).unwrap()), [] as [String; 0]);
}

#[test]
fn what_a_judgement_lacks_is_found_and_what_it_did_not_hold_then_is_not() {
    let mut json = serde_json::to_value(stories()[0].clone().report()).unwrap();
    json["judgement"]["streams"][0].as_object_mut().unwrap().remove("curve");
    assert_eq!(fields(&json), ["streams[0].curve"]);
    json["format_version"] = json!(FORMAT_VERSION - 1);
    assert_eq!(fields(&json), [] as [String; 0]);
}

#[test]
fn samples_out_of_order_are_damage() {
    let mut json = serde_json::to_value(stories()[0].clone().report()).unwrap();
    json["trace"]["streams"][0]["samples"].as_array_mut().unwrap().swap(3, 90);
    let error = Verification::of_json(json.to_string().as_bytes()).unwrap_err();
    assert_eq!(error, "a damaged record: the samples of app are not in the order of their schedule");
}

#[test]
fn a_format_is_judged_by_its_own_rules() {
    let report = stories().pop().expect("the one that stays").report();
    assert_eq!(report.judgement.label(), "Fail(metastable)");
    assert!(matches!(report.judgement.lasting()[..], [Reason::Metastable { .. }]));
    let old = Report { format_version: 1, ..report.clone() };
    let judgement = old.rejudged();
    assert_eq!((judgement.label().as_str(), judgement.verdict), ("Fail", Verdict::Fail));
    assert_eq!(judgement.findings, [Finding::StillBad]);
    let kept = Report { judgement, ..old };
    assert_eq!(fields(&serde_json::to_value(&kept).unwrap()), [] as [String; 0]);
    // The other way round each is found out.
    let crossed = Report { format_version: 1, ..report.clone() };
    assert!(fields(&serde_json::to_value(&crossed).unwrap()).contains(&"findings[0]".to_owned()));
    let named = Finding::Metastable { stream: "app".into(), kind: NonRecovery::Slow };
    assert_eq!(report.judgement.findings, [named]);
}
