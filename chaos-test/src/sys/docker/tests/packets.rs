use std::time::{Duration, Instant};

use super::target::{Idle, packets_of};
use super::{count, gone, has_engine, ordered, victim};
use crate::port::{ContainerControl, PacketPath, PacketShape};
use crate::sys::docker::engine::on_harness;
use crate::sys::docker::{ContainerPackets, Place, Sidecar};
use crate::sys::owner;
use crate::sys::sidecar::{Order, Reply, net};

fn lossy(loss: f64) -> PacketShape {
    PacketShape { loss, ..PacketShape::default() }
}

/// Whose round trip takes so much longer.
fn slow(round_trip: Duration) -> PacketShape {
    PacketShape { delay: round_trip / 2, ..PacketShape::default() }
}

/// The least of a few trips: what a busy host adds is no delay of ours.
async fn trip(packets: &ContainerPackets) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..7 {
        least = least.min(packets.round_trip().await.expect("a trip"));
    }
    least
}

#[tokio::test]
async fn the_share_that_is_lost_is_the_share_that_was_asked_for() {
    if !has_engine().await {
        return;
    }
    let idle = Idle::start().await;
    assert_eq!(idle.packets.refusal("nft-drop"), None);
    eprintln!("netem: {:?}", idle.packets.refusal("netem"));
    for asked in [0.05, 0.15, 0.30, 1.0] {
        let mark = owner::new_mark();
        idle.packets.apply(&mark, "nft-drop", lossy(asked)).expect("applied");
        let count = if asked < 1.0 { 20_000 } else { 1_000 };
        let began = Instant::now();
        let lost = idle.packets.lost(count).await.expect("counted");
        let took = began.elapsed();
        idle.packets.remove(&mark).expect("removed");
        let after = idle.packets.lost(2_000).await.expect("counted");
        eprintln!("loss {asked}: {lost} of {count} in {took:?}, then {after}");
        assert!((lost - asked).abs() < 0.01, "{asked}: {lost}");
        assert_eq!(after, 0.0);
    }
}

#[tokio::test]
async fn a_round_trip_takes_longer_by_what_was_asked_for() {
    if !has_engine().await {
        return;
    }
    let idle = Idle::start().await;
    let without = trip(&idle.packets).await;
    for asked in [50, 200, 500].map(Duration::from_millis) {
        let mark = owner::new_mark();
        idle.packets.apply(&mark, "nfqueue", slow(asked)).expect("applied");
        let took = trip(&idle.packets).await;
        idle.packets.remove(&mark).expect("removed");
        let after = trip(&idle.packets).await;
        eprintln!("delay {asked:?}: {took:?}, without {without:?}, then {after:?}");
        assert!(took >= asked, "{asked:?}: {took:?}");
        assert!(took < without + asked.mul_f64(1.05) + Duration::from_millis(2), "{asked:?}: {took:?}");
        assert!(after < asked / 2, "{after:?}");
    }
}

#[tokio::test]
async fn a_target_that_restarts_leaves_its_fault_behind() {
    if !has_engine().await {
        return;
    }
    let idle = Idle::start().await;
    let mark = owner::new_mark();
    for _ in 0..2 {
        idle.packets.apply(&mark, "nft-drop", lossy(1.0)).expect("applied");
        assert_eq!(idle.packets.lost(500).await.expect("counted"), 1.0);
        idle.container.kill().await.expect("killed");
        idle.packets.round_trip().await.expect_err("it is down");
        idle.container.start().await.expect("started");
        assert_eq!(idle.packets.lost(500).await.expect("counted"), 0.0);
    }
    idle.packets.remove(&mark).expect("removed");
    gone(&mark, Duration::from_secs(10)).await;
    assert!(!idle.packets.listens().await.expect("an answer"), "nothing listens in it");
}

#[tokio::test]
async fn what_stays_inside_is_left_alone() {
    if !has_engine().await {
        return;
    }
    let idle = Idle::start().await;
    let mark = owner::new_mark();
    idle.packets.apply(&mark, "nft-drop", lossy(1.0)).expect("applied");
    let place = Place {
        mark: idle.container.mark(),
        network: format!("container:{}", idle.container.id()),
        ..Place::default()
    };
    let took = on_harness(async move {
        let beside = Sidecar::start(place).await?;
        let echo = Order::Net { net: net::Order::Echo };
        let Reply::Net { net: net::Reply::Echoes { streams, .. } } =
            beside.ask(&echo, Duration::ZERO).await?
        else {
            panic!("no echo");
        };
        let to = ([127, 0, 0, 1], streams).into();
        beside.ask(&Order::Net { net: net::Order::RoundTrip { to } }, Duration::ZERO).await
    });
    took.await.expect("its own packets pass");
    idle.packets.remove(&mark).expect("removed");
}

#[tokio::test]
async fn a_network_that_is_not_its_own_is_refused() {
    if !has_engine().await {
        return;
    }
    let idle = Idle::on(Some("host")).await;
    let refusal = idle.packets.refusal("nft-drop").expect("refused");
    assert!(refusal.to_string().contains("the network of its host"), "{refusal}");
    idle.packets.apply(&owner::new_mark(), "nft-drop", lossy(0.5)).expect_err("refused");
}

#[tokio::test]
async fn a_fault_ends_with_the_process_that_made_it() {
    if !has_engine().await {
        return;
    }
    let idle = Idle::start().await;
    for round in 0..10 {
        let what = if round % 2 == 0 { "nft-drop" } else { "nfqueue" };
        let order = format!("{} {what}", idle.named());
        let (victim, mark) =
            victim("sys::docker::tests::packets::holds_a_fault", &order).expect("a victim that holds one");
        assert_eq!(count(&mark).await, 1);
        let before = idle.packets.lost(100).await.expect("counted");
        // What is slower than anybody waits for seems lost as well.
        assert_eq!(before, 1.0, "{what}");
        drop(victim);
        let began = Instant::now();
        while idle.packets.lost(1).await.expect("counted") > 0.0 {
            assert!(began.elapsed() < Duration::from_secs(10), "{what} is still there");
        }
        let passed = began.elapsed();
        let removed = passed + gone(&mark, Duration::from_secs(10)).await;
        eprintln!(
            "{what}: {passed:?} after SIGKILL packets passed, {removed:?} after it the helper was gone"
        );
        assert_eq!(idle.packets.lost(1_000).await.expect("counted"), 0.0);
    }
}

#[tokio::test]
#[ignore = "a victim"]
async fn holds_a_fault() {
    let Some(order) = ordered() else { return };
    let (named, mechanism) = order.rsplit_once(' ').expect("a container and a mechanism");
    let packets = packets_of(named).await;
    let mark = owner::new_mark();
    let shape = if mechanism == "nft-drop" { lossy(1.0) } else { slow(Duration::from_secs(5)) };
    packets.apply(&mark, mechanism, shape).expect("applied");
    println!("holds {mark}");
    std::future::pending::<()>().await;
}
