//! Sabotage of the faults made in the front door: nothing is injected, half of it, at another service, or it is taken
//! away midway. The verdict never is Pass. `CHAOS_TEST_SABOTAGE_ROUNDS` repeats it, for the witness of a loss works with
//! samples.
#![allow(clippy::disallowed_methods, reason = "test code may read the environment")]

use std::sync::Arc;
use std::time::Duration;

use chaos_test::model::ConnectionFault;
use chaos_test::port::{DynInjector, InjectError, NetworkPath, PathShape, Prepared, Target};
use chaos_test::prelude::*;
use chaos_test::report::Report;
use chaos_test::units::ByteSize;
use suite::{Door, Saboteur, Undermined, echo};

/// In every report without proof, whatever else is wrong with it.
const NOT_DELIVERED: &str = "fault not delivered";

#[derive(Debug, Clone, Copy)]
enum Sabotage {
    /// None: the control.
    Sound,
    Nothing,
    Half(PathShape),
    WrongTarget(PathShape),
    Midway,
}

impl Sabotage {
    fn name(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Nothing => "nothing",
            Self::Half(_) => "half",
            Self::WrongTarget(_) => "wrong target",
            Self::Midway => "midway",
        }
    }
}

/// Somebody at the path behind the injector's back.
struct AtTheDoor {
    how: Sabotage,
    other: Arc<dyn NetworkPath>,
}

impl Saboteur for AtTheDoor {
    async fn inject(
        &self,
        real: &dyn DynInjector,
        target: &Target,
        prepared: &Prepared,
    ) -> Result<(), InjectError> {
        let path = target.path.clone().expect("a front door");
        match self.how {
            Sabotage::Nothing => {}
            Sabotage::WrongTarget(shape) => self.other.shape(shape),
            Sabotage::Sound => real.inject(prepared).await?,
            Sabotage::Half(shape) => {
                real.inject(prepared).await?;
                path.shape(shape);
            }
            Sabotage::Midway => {
                real.inject(prepared).await?;
                tokio::spawn(async move {
                    tokio::time::sleep(1500.ms()).await;
                    path.shape(PathShape::NONE);
                });
            }
        }
        Ok(())
    }
}

/// Carries it out. A run that this host keeps from its fault is void, and made again; so is one that needs the fault to be
/// seen at first, for a starved witness sees too little.
async fn run(name: &str, fault: &Fault, how: Sabotage) -> Report {
    for _ in 0..5 {
        let report = attempt(name, fault, how).await;
        println!("{}: {}", how.name(), report.headline());
        let no_baseline = report.trace.delivery.is_none();
        // What could not be carried out is no matter of a busy host.
        assert!(!no_baseline || report.trace.trouble.is_none(), "{}", report.text());
        let unseen = match how {
            Sabotage::Sound => report.text().contains(NOT_DELIVERED),
            Sabotage::Midway => report.trace.marks.injected.is_none(),
            Sabotage::Nothing | Sabotage::Half(_) | Sabotage::WrongTarget(_) => false,
        };
        if !no_baseline && !unseen {
            return report;
        }
    }
    panic!("this host is too busy for it");
}

async fn attempt(name: &str, fault: &Fault, how: Sabotage) -> Report {
    let other = Door::to(echo().await).await;
    // Seldom, so that a busy host can keep up: what is asked here is what the witness sees.
    let stub = || async {
        let probe = Probe::http("/").every(100.ms());
        Environment::builder()
            .process("app", Process::cargo_bin("stub").args(["--port", "{port}"]).ready(probe))
            .start()
            .await
    };
    let injector = Undermined::of(fault, AtTheDoor { how, other: other.path() });
    let experiment = Experiment::fault(fault.clone(), 5.seconds())
        .expect("well formed")
        .name(format!("{name}, {}", how.name()))
        .environment(stub)
        .injector(injector)
        .baseline(3.seconds())
        .watch(300.ms())
        .progress(false);
    experiment.run().await.expect("well formed")
}

/// Puts `fault` through every sabotage. `full` is its shape, and `half` one with half of it or somewhat less.
async fn never_passes(name: &str, fault: &Fault, full: PathShape, half: PathShape) {
    let rounds =
        std::env::var("CHAOS_TEST_SABOTAGE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    for round in 1..=rounds {
        println!("\n{fault}, round {round} of {rounds}");
        // Some at a time: the witness of a loss makes hundreds of connections.
        let (sound, nothing) =
            tokio::join!(run(name, fault, Sabotage::Sound), run(name, fault, Sabotage::Nothing));
        assert!(sound.trace.trouble.is_none(), "{}", sound.text());
        let (halved, wrong, midway) = tokio::join!(
            run(name, fault, Sabotage::Half(half)),
            run(name, fault, Sabotage::WrongTarget(full)),
            run(name, fault, Sabotage::Midway)
        );
        for report in [&nothing, &halved, &wrong, &midway] {
            assert!(!report.passed(), "{}", report.text());
            // On a starved host half of a delay may take as long as the whole; that is told, and no Pass either.
            let label = report.judgement.label();
            let busy = suite::VOID[..2].contains(&label.as_str());
            assert!(busy || label == format!("Inconclusive({NOT_DELIVERED})"), "{}", report.text());
        }
        for report in [&nothing, &wrong] {
            assert!(report.trace.marks.injected.is_none(), "the chaos phase never began: {}", report.text());
        }
    }
}

fn shape_of_delay(delay: Duration, bandwidth: Option<u64>) -> PathShape {
    PathShape { delay: delay / 2, bandwidth, ..PathShape::NONE }
}

#[tokio::test]
async fn a_delay() {
    let fault =
        Fault::NetworkDelay { delay: 400.ms(), jitter: Duration::ZERO, bandwidth: None, interface: None };
    // A round trip has the host's own time in it, some 15 ms where other work fills its processors: half of the delay is
    // that much more than half of the dose.
    let half = shape_of_delay(170.ms(), None);
    never_passes("delay", &fault, shape_of_delay(400.ms(), None), half).await;
}

/// A delay as asked for, with a link of that bandwidth in place of 500 kB/s.
async fn with_a_bandwidth_of(name: &str, real: Option<u64>) {
    let bandwidth = Some(ByteSize::new(500_000));
    let fault = Fault::NetworkDelay { delay: 100.ms(), jitter: Duration::ZERO, bandwidth, interface: None };
    let full = shape_of_delay(100.ms(), Some(500_000));
    never_passes(name, &fault, full, shape_of_delay(100.ms(), real)).await;
}

#[tokio::test]
async fn a_delay_with_twice_the_bandwidth() {
    with_a_bandwidth_of("bandwidth twice", Some(1_000_000)).await;
}

#[tokio::test]
async fn a_delay_with_no_limit_to_its_bandwidth() {
    with_a_bandwidth_of("bandwidth unlimited", None).await;
}

fn loss(percent: f64, connections: Option<ConnectionFault>) -> Fault {
    let loss = Percent::new(percent).expect("a percentage");
    Fault::NetworkLoss { loss, connections, interface: None }
}

#[tokio::test]
async fn a_loss_of_5_percent() {
    let shape = |loss| PathShape { loss, ..PathShape::NONE };
    never_passes("loss of 5", &loss(5.0, None), shape(0.05), shape(0.025)).await;
}

#[tokio::test]
async fn a_loss_of_30_percent() {
    let shape = |loss| PathShape { loss, ..PathShape::NONE };
    never_passes("loss of 30", &loss(30.0, None), shape(0.3), shape(0.15)).await;
}

#[tokio::test]
async fn connections_that_are_reset() {
    let shape = |share| PathShape { connections: Some((share, ConnectionFault::Reset)), ..PathShape::NONE };
    never_passes("reset", &loss(20.0, Some(ConnectionFault::Reset)), shape(0.2), shape(0.1)).await;
}

#[tokio::test]
async fn connections_that_are_half_open() {
    let shape =
        |share| PathShape { connections: Some((share, ConnectionFault::HalfOpen)), ..PathShape::NONE };
    never_passes("half open", &loss(20.0, Some(ConnectionFault::HalfOpen)), shape(0.2), shape(0.1)).await;
}
