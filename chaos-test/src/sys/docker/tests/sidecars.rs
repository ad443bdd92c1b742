use std::time::{Duration, Instant};

use super::{alone, count, gone, has_engine, ordered, victim};
use crate::sys::docker::Sidecar;
use crate::sys::docker::engine::on_harness;
use crate::sys::sidecar::Order;

#[tokio::test]
async fn a_helper_answers_and_is_gone_when_it_is_let_go() {
    if !has_engine().await {
        return;
    }
    let place = alone();
    let mark = place.mark.clone();
    let began = Instant::now();
    let sidecar = on_harness(Sidecar::start(place.clone())).await.expect("a helper");
    let first = began.elapsed();
    assert_eq!(count(&mark).await, 1);
    on_harness(async move { sidecar.ask(&Order::Hello, Duration::ZERO).await.map(|_| drop(sidecar)) })
        .await
        .expect("it answers");
    let let_go = gone(&mark, Duration::from_secs(10)).await;

    // The image is there now.
    let began = Instant::now();
    let sidecar = on_harness(Sidecar::start(place)).await.expect("another");
    let second = began.elapsed();
    on_harness(async move { sidecar.ask(&Order::End, Duration::ZERO).await }).await.expect("its end");
    let ended = gone(&mark, Duration::from_secs(10)).await;
    eprintln!("started in {first:?}, then {second:?}; gone after {let_go:?} let go, {ended:?} ended");
}

#[tokio::test]
async fn a_helper_ends_with_the_process_that_holds_it() {
    if !has_engine().await {
        return;
    }
    let (victim, mark) =
        victim("sys::docker::tests::sidecars::holds_a_helper", "hold").expect("a victim that holds one");
    assert_eq!(count(&mark).await, 1);
    drop(victim);
    eprintln!("gone {:?} after SIGKILL", gone(&mark, Duration::from_secs(10)).await);
}

#[tokio::test]
#[ignore = "a victim"]
async fn holds_a_helper() {
    if ordered().is_none() {
        return;
    }
    let place = alone();
    let mark = place.mark.clone();
    let _sidecar = on_harness(Sidecar::start(place)).await.expect("a helper");
    println!("holds {mark}");
    std::future::pending::<()>().await;
}
