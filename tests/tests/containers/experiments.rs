use chaos_test::prelude::*;
use chaos_test::testcontainers::ImageExt;

use super::{delay, image, mark, ready};

fn experiment(container: impl Fn() -> Container + 'static) -> Experiment {
    Experiment::fault(delay(), 2.seconds())
        .expect("the built-in catalogue")
        .baseline(3.seconds())
        .name(std::thread::current().name().unwrap_or("a run"))
        .environment(move || async move {
            let environment = Environment::builder().container("app", container()).start().await?;
            println!("\nmark {}", mark(&environment));
            Ok::<_, Error>(environment)
        })
}

#[tokio::test]
async fn an_experiment_on_a_container_leaves_nothing_and_says_so() {
    if !ready() {
        return;
    }
    let calm = || Container::of(image()).ready(Probe::http("/").every(100.ms()));
    let report = experiment(calm).run().await.expect("it can be carried out");
    assert!(report.trace.residue.is_empty(), "{:?}", report.trace.residue);
    assert_eq!(report.services[0].kind, "container");
    assert!(
        report.services[0].log_tail.iter().any(|line| line.contains("stub listens")),
        "{}",
        report.text()
    );
    assert!(report.trace.marks.injected.is_some(), "{}", report.text());
    assert_ne!(report.judgement.verdict, Verdict::Fail, "{}", report.text());
    // By the engine's count.
    let used = report.trace.resources.iter().find(|used| used.service == "app").expect("it was measured");
    let normal = used.used_in(Phase::Baseline, &report.trace.marks).expect("each phase has samples");
    assert!(normal.cpu > 0.0 && normal.cpu < 4.0 && normal.resident > 1 << 18, "{normal:?}");
    assert!(used.samples.iter().any(|sample| sample.processes >= 1), "{:?}", used.samples);
}

#[tokio::test]
async fn what_befalls_a_container_is_on_the_timeline() {
    if !ready() {
        return;
    }
    let dies = || {
        let request = image().with_cmd(["--die-after", "4500ms"]);
        Container::of(request).ready(Probe::http("/").every(50.ms())).restart(Restart::Always)
    };
    // Whatever the run is at by then: the end may come in the midst of an injection, which then fails.
    let report = experiment(dies).run().await.expect("it can be carried out");
    let told: Vec<&str> = report.trace.events.iter().map(|event| event.text.as_str()).collect();
    assert!(told.iter().any(|text| text.contains("app ended by itself (exit status: 0)")), "{told:?}");
    assert!(told.iter().any(|text| text.contains("app was started again by its restart policy")), "{told:?}");
    assert!(report.trace.residue.is_empty(), "{:?}", report.trace.residue);
}
