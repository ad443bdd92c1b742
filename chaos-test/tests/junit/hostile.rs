use chaos_test::report::{Merge, Summary, Unreadable, render};
use proptest::option;
use proptest::prelude::*;
use quick_junit::{Report as Junit, TestCaseStatus};

use crate::arbitrary::{objectives, report, trace};
use crate::consumers;
use crate::verdicts::{fail, pass};

const NASTY: &str =
    "a</failure>]]>\u{0}\u{1b}[31m\"'&<!--\n\r\n\t\u{7f}\u{85}\u{9b}31m\u{fffe}\u{ffff}<script>";
const SEEN: &str = "a</failure>]]>␀␛[31m\"'&<!--␊␊    ␡\u{fffd}\u{fffd}31m\u{fffd}\u{fffd}<script>";

fn nasty() -> Summary {
    let mut report = fail(NASTY).report();
    (report.binary, report.run_id) = (NASTY.into(), NASTY.into());
    (report.scenario.name, report.slo.name) = (NASTY.into(), NASTY.into());
    report.trace.streams[0].name = NASTY.into();
    report.services[0].log_tail = vec![NASTY.into()];
    report.started_at = f64::MAX;
    report.took = std::time::Duration::MAX;
    Summary::of(vec![report]).with_unreadable(vec![Unreadable { file: NASTY.into(), reason: NASTY.into() }])
}

#[test]
fn what_xml_cannot_hold_is_seen() {
    let xml = render::junit(&nasty()).unwrap();
    let read = Junit::deserialize_from_str(&xml).unwrap();
    let suite = &read.test_suites[0];
    assert_eq!(suite.name.as_str(), SEEN);
    let case = &suite.test_cases[0];
    assert_eq!((case.name.as_str(), case.classname.as_deref()), (SEEN, Some(SEEN)));
    assert_eq!((case.time, case.timestamp), (None, None), "no such time can be written");
    let TestCaseStatus::NonSuccess { message, description, .. } = &case.status else { panic!("{case:?}") };
    assert!(message.as_ref().unwrap().starts_with("Error: SLO \"a</failure>]]>␀␛[31m"), "{message:?}");
    assert!(description.as_ref().unwrap().contains("␀␛[31m\"'&<!--"), "{description:?}");
    let property = |name: &str| case.properties.iter().find(|property| property.name.as_str() == name);
    assert_eq!(property("chaos.scenario").unwrap().value.as_str(), SEEN);
    assert_eq!(read.test_suites[1].test_cases[0].name.as_str(), SEEN);
    assert!(!xml.contains("<script>") && !xml.contains(|c: char| c.is_control() && c != '\n'));
    consumers::reads_the_same(&xml);
}

#[test]
fn numbers_that_are_none_have_no_property() {
    let mut merge = Merge::default();
    merge.add(&pass("t").report());
    let mut entry = merge.entries()[0].clone();
    entry.test = "damaged".into();
    (entry.objectives[0].limit, entry.objectives[0].measured) = (f64::NAN, Some(f64::INFINITY));
    entry.objectives[1].limit = 1e300;
    (entry.took_seconds, entry.started_at) = (f64::NAN, f64::NEG_INFINITY);
    merge.add_entry(entry);
    let xml = render::junit(&merge.finish()).unwrap();
    let damaged = xml.split("<testcase ").find(|case| case.starts_with("name=\"damaged\"")).unwrap();
    assert!(!damaged.contains("chaos.error_rate.app.limit") && !damaged.contains("NaN"), "{damaged}");
    assert!(damaged.contains(r#"name="chaos.availability.app.limit" value="1e300""#), "{damaged}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever a record says, what is written is read back as the same test cases, and written again it is the same.
    #[test]
    fn anything_is_read_back(
        trace in trace(),
        objectives in option::of(objectives()),
        test in "\\PC{0,12}|[\\x00-\\x20<>&\"'\\]\u{7f}-\u{a0}\u{fffe}]{0,12}",
        binary in any::<String>(),
        started_at in any::<f64>(),
    ) {
        let mut report = report(trace, objectives);
        (report.test, report.binary, report.started_at) = (test, binary, started_at);
        let summary = Summary::of(vec![report]);
        let xml = render::junit(&summary).unwrap();
        let read = Junit::deserialize_from_str(&xml).unwrap();
        prop_assert_eq!((read.tests, read.test_suites.len()), (1, 1));
        let case = &read.test_suites[0].test_cases[0];
        prop_assert_eq!(case.classname.as_deref(), Some(read.test_suites[0].name.as_str()));
        let plain = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
        let entry = &summary.tests[0];
        if entry.test.chars().all(plain) {
            prop_assert_eq!(case.name.as_str(), &entry.test);
        }
        if let TestCaseStatus::NonSuccess { description, .. } = &case.status {
            prop_assert!(description.as_ref().is_some_and(|text| text.contains("rerun")));
        }
        prop_assert_eq!(read.to_string().unwrap(), xml);
    }
}
