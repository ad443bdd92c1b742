use super::*;

#[test]
fn a_small_share_takes_more_packets() {
    assert_eq!(enough(1.0), 1_000);
    assert_eq!(enough(0.05), 2_000);
    assert_eq!(enough(0.0001), 20_000);
    assert_eq!(enough(0.0), 20_000);
}

/// Both families on a real container, as the engine asks for them.
#[cfg(feature = "containers")]
mod containers {
    use super::*;
    use crate::inject::{NetworkDelay, NetworkLoss};
    use crate::port::Injector;
    use crate::sys::docker::tests::{Idle, count, has_engine};

    fn target(idle: &Idle) -> Target {
        Target {
            service: "idle".into(),
            kind: TargetKind::Container,
            address: None,
            path: None,
            past_the_door: Vec::new(),
            packets: Some(Arc::new(idle.packets.clone())),
            process: None,
            container: None,
            syncs: None,
            disk: None,
            shares_host: false,
            ready: None,
        }
    }

    async fn is_made_seen_and_undone<I: Injector>(new: fn() -> I, fault: Fault, mechanism: &str, asked: f64) {
        if !has_engine().await {
            return;
        }
        let idle = Idle::start().await;
        let (target, injector) = (target(&idle), new());
        let prepared = injector.prepare(&fault, &target, mechanism).await.expect("worked out");
        let record = prepared.record.clone();
        assert_eq!(prepared.asked, asked);
        let absent = |seen: Presence| matches!(seen, Presence::Absent(_));
        for _ in 0..2 {
            assert!(absent(injector.observe(&record).await.expect("looked at")), "nothing yet");
            injector.inject(&prepared).await.expect("made");
            let seen = injector.observe(&record).await.expect("looked at");
            assert!(matches!(seen, Presence::Present(dose) if dose.measured > asked * 0.7), "{seen:?}");
            // As another process would, which knows nothing but the record.
            assert!(!absent(new().observe(&record).await.expect("the engine is asked")));
            injector.revert(&record).await.expect("undone");
            injector.revert(&record).await.expect("twice");
        }
        injector.inject(&prepared).await.expect("made");
        new().revert(&record).await.expect("undone by its mark");
        assert_eq!(count(&record.id).await, 0);
        assert!(absent(injector.observe(&record).await.expect("looked at")));
        injector.revert(&record).await.expect("there is nothing left");
        injector.inject(&prepared).await.expect("made once more");
        injector.revert(&record).await.expect("undone");
        assert!(absent(new().observe(&record).await.expect("the engine is asked")));
    }

    #[tokio::test]
    async fn a_loss_is_made_seen_and_undone() {
        let loss = "20%".parse().expect("a share");
        let fault = Fault::NetworkLoss { loss, connections: None, interface: None };
        is_made_seen_and_undone(NetworkLoss::new, fault, "nft-drop", 0.2).await;
    }

    #[tokio::test]
    async fn a_delay_is_made_seen_and_undone() {
        let [delay, jitter] = [100, 0].map(Duration::from_millis);
        let fault = Fault::NetworkDelay { delay, jitter, bandwidth: None, interface: None };
        is_made_seen_and_undone(NetworkDelay::new, fault, "nfqueue", 0.1).await;
    }
}
