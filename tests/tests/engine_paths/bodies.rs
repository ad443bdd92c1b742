//! What a body says and does that nobody expects of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use chaos_test::model::{BodyEnd, EventKind};
use chaos_test::prelude::*;
use suite::{Stub, carried_out};

async fn experiment() -> Experiment {
    let stub = Stub::start(0).await.expect("a free port");
    Experiment::scenario("Light Network Delay")
        .expect("it is built in")
        .against(stub.url())
        .baseline(1.seconds())
        .duration(1.seconds())
}

#[tokio::test]
async fn what_a_repeated_body_complains_of_is_told_and_each_thing_once() {
    let calls = Arc::new(AtomicU32::new(0));
    let order = move |_| {
        let n = calls.fetch_add(1, Ordering::Relaxed);
        async move {
            assert!(!n.is_multiple_of(3), "the shop is shut");
            Err::<(), _>(format!("order {} is lost\nand nobody knows why", n % 9))
        }
    };
    let report = experiment().await.repeat_with(20.per_second(), order).run().await.expect("well formed");
    assert_eq!(report.judgement.label(), "Inconclusive(baseline unhealthy)");
    let notes = report.trace.events.iter().filter(|event| event.kind == EventKind::Note);
    let notes: Vec<&str> = notes.map(|event| event.text.as_str()).collect();
    assert_eq!(notes.len(), 5, "{notes:?}");
    let has =
        |start: &str, part: &str| notes.iter().any(|note| note.starts_with(start) && note.contains(part));
    assert!(has("the body failed: ", "order 1 is lost"), "{notes:?}");
    assert!(has("the body panicked at ", "the shop is shut"), "{notes:?}");
    assert!(report.text().contains("the body failed: "), "{}", report.text());
}

/// Panics where it is dropped, as a mock does whose expectations did not come true.
struct Expects;

impl Drop for Expects {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "nobody called");
    }
}

#[tokio::test]
async fn a_body_that_panics_while_it_is_given_up_takes_no_verdict_with_it() {
    let order = |_| async {
        let _expects = Expects;
        std::future::pending::<()>().await;
    };
    let report = experiment().await.repeat_with(5.per_second(), order).run().await.expect("well formed");
    assert_eq!(report.judgement.label(), "Inconclusive(baseline unhealthy)", "{}", report.text());
}

#[tokio::test]
async fn a_query_that_holds_a_url_is_still_a_path() {
    let report = carried_out(async || {
        let story = |chaos: Chaos| async move {
            let answer = chaos.client("target").get("/login?next=http://shop.example/").send().await;
            answer.and_then(|answer| answer.error_for_status()).map(drop)
        };
        experiment().await.body(story).run().await.expect("well formed")
    })
    .await;
    assert_eq!(report.trace.body, Some(BodyEnd::Ok), "{}", report.text());
}

#[tokio::test]
async fn who_asks_for_a_service_that_is_not_there_is_told_where() {
    let report = carried_out(async || {
        let story = |chaos: Chaos| async move { drop(chaos.url("ap")) };
        experiment().await.body(story).run().await.expect("well formed")
    })
    .await;
    let Some(BodyEnd::Panicked(text)) = &report.trace.body else { panic!("{}", report.text()) };
    assert!(text.contains("engine_paths/bodies.rs:"), "{text}");
    assert!(text.contains("no service named \"ap\""), "{text}");
}

#[tokio::test]
async fn of_a_target_only_host_and_port_are_used_and_more_is_refused() {
    for url in [
        "http://127.0.0.1:9/shop",
        "http://127.0.0.1:9?of=tea",
        "http://me:secret@127.0.0.1:9",
        "http://127.0.0.1:9/#top",
    ] {
        let refused = Environment::builder().url("app", url).start().await.expect_err("more than a place");
        assert!(refused.to_string().contains("only its host and port are used"), "{url}: {refused}");
        assert!(!refused.to_string().contains("secret"), "{refused}");
    }
    // Nor is a login told of what is no URL at all.
    let refused = Environment::builder().url("app", "http://me:se#cret@127.0.0.1:9").start().await;
    let refused = refused.expect_err("the login has a `#` in it").to_string();
    assert!(refused.contains("not a URL") && !refused.contains("cret"), "{refused}");
    Environment::builder().url("app", "http://127.0.0.1:9/").start().await.expect("a place");
}

#[tokio::test]
async fn a_client_may_outlive_the_run() {
    let kept = Arc::new(Mutex::new(None));
    carried_out(async || {
        let keep = Arc::clone(&kept);
        let story = move |chaos: Chaos| {
            *keep.lock().unwrap() = Some(chaos);
            async {}
        };
        experiment().await.body(story).run().await.expect("well formed")
    })
    .await;
    let chaos = kept.lock().unwrap().take().expect("the body ran");
    // The front door is closed by now; what matters is that asking does no harm.
    assert!(chaos.client("target").get("/").send().await.is_err());
}
