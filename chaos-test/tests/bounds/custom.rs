use chaos_test::model::{CustomResult, Phase, Samples};
use chaos_test::slo::{Indicator, Verdict};
use insta::assert_snapshot;

use super::evaluated;
use super::synthetic::{Story, delayed};

fn with(broken: Option<&str>) -> Story {
    Story::new("survives").chaos(delayed).with(|story| {
        let name = "no gap over 2 s".into();
        story.trace.custom = vec![CustomResult { name, broken: broken.map(str::to_owned) }];
    })
}

#[test]
fn one_that_holds_is_a_row_that_passes() {
    let report = with(None).report();
    assert_eq!(report.verdict(), Verdict::Pass);
    let row = report.text().lines().find(|line| line.contains("no gap")).unwrap().to_owned();
    assert_snapshot!(row, @"  no gap over 2 s         holds      holds                        pass");
}

#[test]
fn one_that_is_broken_fails_with_its_own_words() {
    let report = with(Some("nothing was good from 11 s to 14 s\nand more")).report();
    assert_eq!(report.verdict(), Verdict::Fail);
    assert_eq!(
        report.headline(),
        "SLO \"staging\" breached under \"Medium Network Delay\": no gap over 2 s: nothing was good from 11 s to 14 s …"
    );
    let row = report.text().lines().find(|line| line.starts_with("  no gap")).unwrap().to_owned();
    assert_snapshot!(row, @"  no gap over 2 s         holds      nothing was good from 11 s to 14 s …   FAIL");
    assert_eq!(evaluated(&report, Indicator::Custom).stream, "no gap over 2 s");
}

#[test]
fn it_decides_nothing_where_the_fault_is_not_proven() {
    let report = with(Some("a gap")).with(|story| story.trace.delivery = None).report();
    assert_eq!(report.judgement.label(), "Inconclusive(fault not delivered)");
}

#[test]
fn what_it_looks_at_is_cut_into_phases_and_knows_its_streams() {
    let trace = Story::new("t").trace;
    let samples = Samples::new(trace.marks, trace.streams.clone());
    let app = samples.stream("app").unwrap();
    let of = |phase| app.in_phase(phase).count();
    assert_eq!((of(Phase::Baseline), of(Phase::Chaos)), (500, 1000));
    assert_eq!(app.all().len(), trace.streams[0].samples.len());
    assert_eq!(
        samples.stream("ap").map(|_| ()).unwrap_err(),
        "no samples of \"ap\": the streams of this run are \"app\""
    );
}
