//! Records that are damaged or made to hurt: each is told or shown, and nothing else happens.

use std::fs;

use chaos_test::model::{BodyEnd, CustomResult, Event, EventKind, Stage};
use chaos_test::report::{Report, Unreadable};
use serde_json::Value;

use crate::harmless::{assert_harmless, assert_sane, bytes, report_all};
use crate::reports::{fail, pass};
use crate::sandbox::Sandbox;
use crate::synthetic::Story;

/// What breaks out of HTML, of XML, of Markdown, of a line, of a terminal, of a shell.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>]]>\u{1}\u{0}\u{1b}[2J\u{9b}31m\u{7f}\n# a\r\n| b |`\"'\\|&amp;\u{2028}\u{202e}\u{feff}${HOME}$(id)";

fn hostile(test: &str) -> Report {
    let story = fail(test).with(|story| {
        story.scenario.name = HOSTILE.into();
        story.scenario.description = HOSTILE.into();
        story.slo.name = HOSTILE.into();
        story.trace.streams[0].name = HOSTILE.into();
        story.trace.delivery.as_mut().unwrap().detail = HOSTILE.into();
        story.trace.body = Some(BodyEnd::Failed(HOSTILE.into()));
        story.trace.residue = vec![HOSTILE.into()];
        story.trace.custom = vec![CustomResult { name: HOSTILE.into(), broken: Some(HOSTILE.into()) }];
        let at = story.trace.marks.injected.unwrap();
        for kind in [EventKind::Note, EventKind::Alert] {
            story.trace.events.push(Event { at, kind, text: HOSTILE.into() });
        }
        story.log = vec![HOSTILE.into()];
    });
    let mut report = story.report();
    report.binary = HOSTILE.into();
    report.rerun = HOSTILE.into();
    report.path = Some(HOSTILE.into());
    report.housekeeping = vec![HOSTILE.into()];
    report.services[0].name = HOSTILE.into();
    report.services[0].address = HOSTILE.into();
    report
}

#[test]
fn texts_that_are_made_to_hurt_are_shown_and_do_nothing() {
    let sandbox = Sandbox::new();
    let mut named = hostile("a");
    named.test = HOSTILE.into();
    sandbox.keep_as(&named, "named");
    sandbox.keep_as(&hostile("b"), "other");
    let mut killed = Story::new("killed").trouble(Stage::Killed, HOSTILE).report();
    killed.test += HOSTILE;
    sandbox.keep_as(&killed, "killed");
    let skipped = pass("skipped").dry().with(|story| {
        story.trace.skipped = Some(HOSTILE.into());
        story.plan.as_mut().unwrap().may_touch = vec![HOSTILE.into(), "```".into()];
    });
    sandbox.keep(&skipped.report());
    let ended = report_all(&sandbox);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout.lines().count(), 1, "{ended:?}");
    let markdown = sandbox.read("out/chaos_report.md");
    assert!(markdown.contains("alert(1)"), "it is shown: {markdown}");
    // In JSON the texts are as they were.
    let validation: Value = serde_json::from_str(&sandbox.read("out/resilience_validation.json")).unwrap();
    let tests: Vec<&str> =
        validation["metrics"].as_array().unwrap().iter().map(|test| test["test"].as_str().unwrap()).collect();
    assert!(tests.contains(&HOSTILE), "{tests:?}");
    let results: Value = serde_json::from_str(&sandbox.read("out/chaos_results.json")).unwrap();
    assert_eq!(results["reports"].as_array().unwrap().len(), 4);
}

/// A record with something else in one place.
fn bent(from: &str, to: &str) -> Vec<u8> {
    let json = pass("bent").report().to_json().unwrap();
    assert!(json.contains(from), "{from} in {json}");
    json.replacen(from, to, 1).into_bytes()
}

/// Each in a folder with one that is well: exit code 3, its reason, and the other is reported.
#[test]
fn damaged_records_are_told_with_their_reason() {
    let whole = pass("bent").report().to_json().unwrap();
    let damaged: &[(&str, Vec<u8>, &str)] = &[
        ("cut", whole.as_bytes()[..whole.len() - 1].to_vec(), "cut short: EOF"),
        ("more", [whole.as_bytes(), b"}"].concat(), "trailing characters"),
        ("twice", whole.repeat(2).into_bytes(), "trailing characters"),
        (
            "duplicate key",
            bent("{\"format_version\":2,", "{\"format_version\":2,\"format_version\":2,"),
            "duplicate field `format_version`",
        ),
        ("duplicate test", bent("\"test\":", "\"test\":\"a\",\"test\":"), "duplicate field `test`"),
        ("older", bent("\"format_version\":2", "\"format_version\":0"), "a record of format 0"),
        (
            "newer",
            bent("\"format_version\":2", "\"format_version\":4294967295"),
            "a record of format 4294967295",
        ),
        (
            "no version",
            bent("\"format_version\":2", "\"format_version\":\"2\""),
            "it has no number `format_version`",
        ),
        (
            "negative",
            bent("\"format_version\":2", "\"format_version\":-2"),
            "it has no number `format_version`",
        ),
        (
            "fraction",
            bent("\"format_version\":2", "\"format_version\":2.5"),
            "it has no number `format_version`",
        ),
        ("infinite", bent("\"started_at\":1750000000.0", "\"started_at\":1e999"), "number out of range"),
        ("not a number", bent("\"started_at\":1750000000.0", "\"started_at\":NaN"), "expected value"),
        ("null", bent("\"started_at\":1750000000.0", "\"started_at\":null"), "invalid type: null"),
        (
            "overflow",
            bent("\"secs\":44,\"nanos\":0", "\"secs\":18446744073709551615,\"nanos\":4294967295"),
            "overflow deserializing Duration",
        ),
        ("outcome", bent("[0,80,6000,0]", "[0,80,6000,99]"), "unknown outcome code 99"),
        (
            "not UTF-8",
            [b"{\"a\":\"".as_slice(), &[0xff, 0xfe], &bent("{", "\",")[..]].concat(),
            "is not UTF-8",
        ),
        (
            "half a character",
            [&whole.as_bytes()[..10], "é".as_bytes().split_at(1).0].concat(),
            "cut short: after 11 bytes",
        ),
        ("half a pair", bent("\"bent\"", "\"\\ud800\""), "hex escape"),
        ("control", bent("\"bent\"", "\"be\u{1}nt\""), "control character"),
        ("mark", [b"\xef\xbb\xbf", whole.as_bytes()].concat(), "it begins with a byte order mark"),
        (
            "utf-16",
            whole.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            "damaged record|not JSON|no JSON object",
        ),
        (
            "deep",
            bent(
                "\"catalogue\":null",
                &format!("\"catalogue\":{}{}", "[".repeat(100_000), "]".repeat(100_000)),
            ),
            "invalid type: sequence",
        ),
        (
            "deep fault",
            bent("\"type\":", &format!("\"x\":{}0{},\"type\":", "[".repeat(100_000), "]".repeat(100_000))),
            "recursion limit",
        ),
        ("deep and open", b"{\"a\":".repeat(100_000), "recursion limit|cut short"),
        (
            "terminal",
            bent("\"verdict\":\"pass\"", "\"verdict\":\"\\u001b[2J\\nerror: all is well\""),
            "unknown variant",
        ),
        (
            "long",
            bent("\"verdict\":\"pass\"", &format!("\"verdict\":\"{}\"", "x".repeat(1_000_000))),
            "… at line 1",
        ),
        ("spaces", vec![b' '; 1000], "the file is empty"),
        ("zeros", vec![0; 1000], "no JSON object"),
        ("text", b"\"a record\"".to_vec(), "no JSON object"),
        ("object", b"{}".to_vec(), "it has no number `format_version`"),
    ];
    for (name, content, reason) in damaged {
        let sandbox = Sandbox::new();
        sandbox.keep(&pass("survives").report());
        bytes(&sandbox, "damaged.json", content);
        let ended = report_all(&sandbox);
        assert_eq!(ended.code, Some(3), "{name}: {ended:?}");
        let line = ended.stderr.lines().next().unwrap_or_default();
        assert!(line.starts_with("error: runs/run-1/damaged.json is not reported: "), "{name}: {line}");
        assert!(reason.split('|').any(|reason| line.contains(reason)), "{name}: {line}");
        assert!(line.len() < 700, "{name}: {line}");
        assert_eq!(ended.stderr.lines().count(), 2, "{name}: {ended:?}");
        assert!(ended.stdout.contains("1 of 1 test passed, 1 record could not be read"), "{name}: {ended:?}");
        let results: Value = serde_json::from_str(&sandbox.read("out/chaos_results.json")).unwrap();
        let unreadable: Vec<Unreadable> = serde_json::from_value(results["unreadable"].clone()).unwrap();
        assert_eq!(unreadable.len(), 1, "{name}");
        assert_eq!(results["reports"].as_array().unwrap().len(), 1, "{name}");
    }
}

/// What is unusual and no damage.
#[test]
fn records_that_only_look_odd_are_read() {
    let json = pass("odd").report().to_json().unwrap();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&json).unwrap()).unwrap();
    let deep = format!("{{\"unknown\":{}{},", "[".repeat(100_000), "]".repeat(100_000));
    for (name, content) in [
        ("CRLF", pretty.replace('\n', "\r\n")),
        ("spaces", format!("\n\t {json}\r\n \n")),
        ("NUL in a name", json.replacen("\"odd\"", "\"o\\u0000dd\"", 1)),
        ("an unknown field", json.replacen('{', "{\"unknown\":{\"a\":[1,null]},", 1)),
        ("a deep unknown field", json.replacen('{', &deep, 1)),
        ("an empty name", json.replacen("\"odd\"", "\"\"", 1)),
        ("a long name", json.replacen("\"odd\"", &format!("\"{}\"", "x".repeat(100_000)), 1)),
    ] {
        let sandbox = Sandbox::new();
        bytes(&sandbox, "odd.json", content.as_bytes());
        let ended = sandbox.run(&["report", "--out", "out"]);
        assert_sane(&ended);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{name}: {ended:?}");
        assert!(ended.stdout.contains("1 of 1 test passed"), "{name}: {ended:?}");
        assert_harmless(&sandbox.path("out/chaos_report.md"));
    }
}

#[test]
fn numbers_at_the_end_of_all_time_are_reported() {
    let sandbox = Sandbox::new();
    let json = String::from_utf8(bent(
        "\"secs\":44,\"nanos\":0",
        "\"secs\":18446744073709551615,\"nanos\":999999999",
    ))
    .unwrap();
    let json = json.replace("\"started_at\":1750000000.0", "\"started_at\":-1.7976931348623157e308");
    let json = json.replacen(
        "[0,80,6000,0]",
        "[18446744073709551615,18446744073709551615,18446744073709551615,0]",
        1,
    );
    bytes(&sandbox, "late.json", json.as_bytes());
    let ended = sandbox.run(&["report", "--out", "out"]);
    assert_sane(&ended);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for file in fs::read_dir(sandbox.path("out")).unwrap() {
        assert_harmless(&file.unwrap().path());
    }
}
