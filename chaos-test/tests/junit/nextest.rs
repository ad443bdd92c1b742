use chaos_test::report::nextest::{NextestJunit, merged};
use chaos_test::report::{Merge, Report, Summary};
use insta::assert_snapshot;
use quick_junit::{Report as Junit, TestCase, TestCaseStatus};

use crate::consumers;
use crate::sandbox::Sandbox;
use crate::verdicts::{fail, pass};

/// A file that nextest 0.9 wrote: one test each that passes, is flaky, returns an error, aborts and is killed, of a binary
/// `shop::checkout`; and `shop::plain`, without chaos.
const FILE: &str = include_str!("nextest.xml");
const RUN: &str = "bf640ae8-2162-4792-8369-d440bd344b4a";

fn of_run(story: crate::synthetic::Story) -> Report {
    let mut report = story.report();
    report.run_id = RUN.into();
    report
}

/// What is known of that run: two tests have left a record, and one of them a second one.
fn records() -> Vec<Report> {
    vec![of_run(pass("survives")), of_run(fail("is_slow")), of_run(fail("survives (2)"))]
}

fn summary(reports: &[Report], files: &[NextestJunit]) -> Summary {
    let mut merge = Merge::default();
    reports.iter().for_each(|report| merge.add(report));
    files.iter().for_each(|file| merge.add_nextest(file));
    merge.finish()
}

fn case<'j>(junit: &'j Junit, binary: &str, test: &str) -> &'j TestCase {
    let suite = junit.test_suites.iter().find(|suite| suite.name.as_str() == binary).unwrap();
    suite.test_cases.iter().find(|case| case.name.as_str() == test).unwrap_or_else(|| panic!("no {test}"))
}

#[test]
fn what_nextest_wrote_is_read_back_but_for_blank_lines_around_outputs() {
    let read = Junit::deserialize_from_str(FILE).unwrap();
    assert_eq!(read.uuid.unwrap().to_string(), RUN);
    let inner = |xml: &str| {
        let tags: Vec<String> = xml.split('<').map(|tag| tag.trim_end().replace(">\n", ">")).collect();
        tags.join("<")
    };
    assert_eq!(inner(&read.to_string().unwrap()), inner(FILE));
}

#[test]
fn a_test_that_left_no_record_is_an_error() {
    let files = [NextestJunit::read(FILE.as_bytes()).unwrap()];
    let summary = summary(&records(), &files);
    let errors: Vec<&str> = summary
        .tests
        .iter()
        .filter(|test| test.record.is_none())
        .map(|test| test.headline.as_str())
        .collect();
    // A test of another binary that failed is none of ours, and a flaky one did not fail.
    assert_eq!(
        errors,
        [
            "Error(no record) under \"Light Network Delay\": the test left no record: test timeout",
            "Error(no record) under \"Medium CPU Stress\": the test left no record: process aborted with signal 6 (SIGABRT)",
        ]
    );
    assert!(!summary.passed());
    let first = &summary.tests[0];
    assert_eq!((first.fault.as_str(), first.run_id.as_str()), ("network_delay", RUN));
    assert_snapshot!(first.markdown);
}

#[test]
fn chaos_tests_are_known_by_name_or_by_binary() {
    let file = NextestJunit::read(FILE.as_bytes()).unwrap();
    let found = |reports: &[Report]| {
        let mut merge = Merge::default();
        reports.iter().for_each(|report| merge.add(report));
        file.without_record(merge.entries()).into_iter().map(|entry| entry.test).collect::<Vec<_>>()
    };
    let by_name =
        ["a_customer_can_check_out::medium_cpu_stress", "a_customer_can_check_out::light_network_delay"];
    assert_eq!(found(&[]), by_name, "without any record");
    let by_binary = [by_name[0], "is_slow", by_name[1]];
    assert_eq!(found(&[of_run(pass("survives"))]), by_binary);
    // A record of another run of nextest is none of this one, nor is one of cargo test; one of a named run is.
    for (run, expected) in [
        ("11111111-3786-4ea1-81fc-5cdf29a6c6c8", &by_name[..]),
        ("local-17-4", &by_name[..]),
        ("pipeline-7", &by_binary[..]),
    ] {
        let mut report = pass("survives").report();
        report.run_id = run.into();
        assert_eq!(found(&[report]), expected, "{run}");
    }
    // A scenario of the user's own, known by another binary's record.
    let mut own = of_run(pass("t"));
    (own.binary, own.scenario.name) = ("shop::other".into(), "Breaks".into());
    assert!(found(&[own]).contains(&"breaks".to_owned()));
}

/// The verdicts and the reasons of `is_slow` and its like, which nextest calls failed, and whether all is well.
fn of_a_failed_test(reports: &[Report]) -> (Vec<String>, bool) {
    let summary = summary(reports, &[NextestJunit::read(FILE.as_bytes()).unwrap()]);
    let these = summary.tests.iter().filter(|test| test.test.starts_with("is_slow"));
    (these.map(|test| test.label.clone()).collect(), summary.passed())
}

#[test]
fn a_test_that_failed_beside_its_record_is_an_error() {
    let overruled = "Error(failed beside its record)".to_owned();
    let tried = |name: &str, at: f64, make: fn(&str) -> crate::synthetic::Story| {
        let mut report = of_run(make(name));
        report.started_at = at;
        report
    };
    let of = |reports: &[Report]| of_a_failed_test(reports).0;
    assert_eq!(of_a_failed_test(&[of_run(pass("is_slow"))]), (vec![overruled.clone()], false));
    // Its last try counts.
    let passed_last = [tried("is_slow", 1.0, fail), tried("is_slow", 2.0, pass)];
    assert_eq!(of(&passed_last), [&*overruled]);
    assert_eq!(of(&[tried("is_slow", 3.0, fail), tried("is_slow", 2.0, pass)]), ["Fail"]);
    // Another experiment of the same test says why, unless it passed too.
    assert_eq!(of(&[of_run(pass("is_slow")), of_run(fail("is_slow (2)"))]), ["Fail", "Pass"]);
    assert_eq!(of(&[of_run(pass("is_slow")), of_run(pass("is_slow (2)"))]), [&*overruled, "Pass"]);
    // Of another run nextest says nothing here.
    let mut other = of_run(pass("is_slow"));
    other.run_id = "11111111-3786-4ea1-81fc-5cdf29a6c6c8".into();
    assert_eq!(of(&[other]), ["Pass"]);
}

#[test]
fn a_test_that_failed_beside_its_record_says_both() {
    let files = [NextestJunit::read(FILE.as_bytes()).unwrap()];
    let records = [of_run(pass("is_slow"))];
    let summary = summary(&records, &files);
    let overruled = summary.tests.iter().find(|test| test.test == "is_slow").unwrap();
    assert!(overruled.text.contains("baseline"), "{}", overruled.text);
    assert_snapshot!(overruled.text.lines().take(5).collect::<Vec<_>>().join("\n"));
    let xml = merged(&files, &summary).unwrap();
    let read = Junit::deserialize_from_str(&xml).unwrap();
    let TestCaseStatus::NonSuccess { ty, .. } = &case(&read, "shop::checkout", "is_slow").status else {
        panic!("{xml}")
    };
    assert_eq!(ty.as_deref(), Some("Error(failed beside its record)"));
    let again = [NextestJunit::read(xml.as_bytes()).unwrap()];
    assert_eq!(merged(&again, &self::summary(&records, &again)).unwrap(), xml);
    consumers::is_valid(&xml);
}

#[test]
fn one_list() {
    let files = [NextestJunit::read(FILE.as_bytes()).unwrap()];
    let summary = summary(&records(), &files);
    let xml = merged(&files, &summary).unwrap();
    let (before, after) =
        (Junit::deserialize_from_str(FILE).unwrap(), Junit::deserialize_from_str(&xml).unwrap());
    assert_eq!((after.tests, after.failures, after.errors), (9, 3, 2));
    assert_eq!(
        (before.uuid, before.name.as_ref(), before.time),
        (after.uuid, after.name.as_ref(), after.time)
    );
    // Untouched: another binary, and a test without a fault.
    assert_eq!(before.test_suites[1], after.test_suites[1]);
    assert_eq!(case(&before, "shop::checkout", "flaky"), case(&after, "shop::checkout", "flaky"));
    // Its output is kept, and our figures are added.
    for test in ["survives", "is_slow", "a_customer_can_check_out::medium_cpu_stress"] {
        let (was, is) = (case(&before, "shop::checkout", test), case(&after, "shop::checkout", test));
        assert_eq!((&was.system_out, &was.system_err, was.time), (&is.system_out, &is.system_err, is.time));
        assert!(is.properties.iter().any(|property| property.name.as_str() == "chaos.scenario"), "{test}");
    }
    // And again it comes to the same.
    let again = [NextestJunit::read(xml.as_bytes()).unwrap()];
    assert_eq!(merged(&again, &self::summary(&records(), &again)).unwrap(), xml);
    consumers::reads_the_same(&xml);
    consumers::is_valid(&xml);
    assert_snapshot!(xml);
}

#[test]
fn of_shards_there_is_one_list_too() {
    let other = FILE.replace(RUN, "11111111-3786-4ea1-81fc-5cdf29a6c6c8").replace("shop::", "stock::");
    let files = [FILE, &other].map(|file| NextestJunit::read(file.as_bytes()).unwrap());
    let summary = summary(&records(), &files);
    let xml = merged(&files, &summary).unwrap();
    let read = Junit::deserialize_from_str(&xml).unwrap();
    assert_eq!((read.tests, read.test_suites.len(), read.uuid), (17, 4, None));
    assert_eq!(summary.tests.iter().filter(|test| test.record.is_none()).count(), 4);
}

#[test]
fn the_command_reports_and_merges() {
    let sandbox = Sandbox::new();
    records().iter().for_each(|report| drop(sandbox.keep(report)));
    sandbox.write("nextest.xml", FILE);
    let args = ["report", "--nextest", "nextest.xml", "--merge", "--out", "out", "--fail-on-violation"];
    let ended = sandbox.run(&args);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.starts_with("1 of 5 tests passed (2 Error, 2 Fail)"), "{ended:?}");
    let merged = sandbox.read("out/junit.xml");
    assert!(merged.contains("Error(no record)") && merged.contains("shop::plain"), "{merged}");
    assert!(sandbox.read("out/chaos_report.md").contains("the test left no record: test timeout"));
    assert!(sandbox.read("out/resilience_validation.json").contains("Error(no record)"));
    // Without --merge it holds ours alone.
    sandbox.run(&["report", "--nextest", "nextest.xml", "--junit", "ours.xml"]);
    let ours = sandbox.read("ours.xml");
    assert!(ours.contains("Error(no record)") && !ours.contains("shop::plain"), "{ours}");
    // By default a merged file is beside the records.
    sandbox.run(&["report", "--nextest", "nextest.xml", "--merge"]);
    assert_eq!(sandbox.read(&format!("runs/{RUN}/junit.xml")), merged);
}

#[test]
fn a_run_whose_tests_all_crashed_is_reported() {
    let sandbox = Sandbox::new();
    sandbox.write("nextest.xml", FILE);
    let ended = sandbox.run(&["report", "--nextest", "nextest.xml", "--fail-on-violation"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("0 of 2 tests passed (2 Error)"), "{ended:?}");
    // Where nothing of chaos failed, there is nothing to report.
    sandbox
        .write("nextest.xml", "<testsuites name=\"x\" tests=\"0\" failures=\"0\" errors=\"0\"></testsuites>");
    assert_eq!(sandbox.run(&["report", "--nextest", "nextest.xml"]).code, Some(4));
}

#[test]
fn what_is_no_junit_is_wrong_usage() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    sandbox.write("empty.xml", "");
    sandbox.write("html.xml", "<html></html>");
    sandbox.write("cut.xml", &FILE[..FILE.len() / 2]);
    let mut told = String::new();
    for file in ["empty.xml", "html.xml", "cut.xml", "nowhere.xml"] {
        let ended = sandbox.run(&["report", "--nextest", file]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{ended:?}");
        told += &ended.stderr;
    }
    assert_snapshot!(told);
    let ended = sandbox.run(&["report", "--merge"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--nextest"), "{ended:?}");
}
