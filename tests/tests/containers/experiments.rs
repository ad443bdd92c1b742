use std::net::SocketAddr;

use chaos_test::prelude::*;
use chaos_test::testcontainers::ImageExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

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

/// A request whose head does not end: its server keeps what has come of it, four tenths of a megabyte here.
async fn endless_request(stub: SocketAddr) -> std::io::Result<u64> {
    let mut stream = TcpStream::connect(stub).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nx: ").await?;
    stream.write_all("x".repeat(400 << 10).as_bytes()).await?;
    // Until somebody ends it.
    tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
}

#[tokio::test]
async fn an_oom_kill_of_a_container_is_on_the_timeline() {
    if !ready() {
        return;
    }
    let small = || {
        let request = image().with_host_config_modifier(|config| {
            config.memory = Some(48 << 20);
            // And no more by swapping.
            config.memory_swap = config.memory;
        });
        Container::of(request).ready(Probe::http("/").every(50.ms())).restart(Restart::OnFailure)
    };
    let run = async || {
        let filled = experiment(small).body(|chaos| async move {
            let stub = chaos.address("app");
            let requests: Vec<_> = (0..192).map(|_| tokio::spawn(endless_request(stub))).collect();
            // Those that are not done go on; nobody has to see how they end.
            let all = async {
                for request in requests {
                    let _ = request.await;
                }
            };
            let _ = tokio::time::timeout(1.seconds(), all).await;
        });
        filled.run().await.expect("it can be carried out")
    };
    let report = suite::carried_out(run).await;
    let told: Vec<&str> = report.trace.events.iter().map(|event| event.text.as_str()).collect();
    let killed = "the kernel ended a process in app's container for want of memory (OOM kill)";
    assert!(told.iter().any(|text| text.contains(killed)), "{told:?}");
    assert!(told.iter().any(|text| text.contains("app ended by itself (exit status: 137")), "{told:?}");
    assert!(told.iter().any(|text| text.contains("app was started again by its restart policy")), "{told:?}");
    assert!(report.trace.residue.is_empty(), "{:?}", report.trace.residue);
}
