//! How soon each fault is there and gone, beside what the engine alone takes for the same: it is asked by its client to do
//! that to a container beside the one that has the faults.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use chaos_test::model::OutageMode;
use chaos_test::port::Target;
use chaos_test::prelude::*;
use chaos_test::units::ByteSize;
use suite::Stress;
use suite::figures::median;

use crate::engine::{Call, Engine};
use crate::{image, ms, until_it_answers};

/// How often each is made.
const ROUNDS: usize = 7;
/// How long anything may take to be seen.
const PATIENCE: Duration = Duration::from_secs(15);
/// So much of the dose counts as there, and as gone.
const THERE: f64 = 0.55;
const GONE: f64 = 0.1;

/// What each round took, in milliseconds.
#[derive(Default)]
struct Figures {
    /// Looking at the host and the target, the first time.
    first_look: f64,
    engine_on: Vec<f64>,
    inject: Vec<f64>,
    seen: Vec<f64>,
    engine_off: Vec<f64>,
    revert: Vec<f64>,
    gone: Vec<f64>,
}

pub(crate) async fn compare() {
    let stub = || Container::of(image()).ready(Probe::http("/").every(Duration::from_secs(1)));
    let environment =
        Environment::builder().container("app", stub()).container("beside", stub()).start().await;
    let environment = environment.expect("two containers");
    let app = environment.service("app").expect("it was added");
    let beside = environment.service("beside").and_then(|beside| beside.container()).expect("it was added");
    let mut engine = Engine::of(beside.id()).await;
    println!(
        "until each fault is there and gone, medians of {ROUNDS} rounds in turns; ms, and ratios of the same round"
    );
    println!(
        "{:<14} {:<16} {:>10} {:>10} {:>10} {:>7} {:>8} {:>10} {:>10} {:>7} {:>8}",
        "fault", "by", "first look", "engine", "inject", "ratio", "seen", "engine", "revert", "ratio", "gone"
    );
    for (name, fault, call) in faults() {
        let (mut figures, mut mechanism) = (Figures::default(), String::new());
        for round in 0..ROUNDS {
            if round % 2 == 0 {
                asked(&mut engine, call, &mut figures).await;
            }
            let begun = Instant::now();
            let stress = Stress::prepare(&fault, &app.target(), None).await.expect("it is offered");
            if round == 0 {
                figures.first_look = ms(begun.elapsed());
                mechanism.clone_from(&stress.prepared.mechanism);
            }
            made(&stress, &app.target(), &mut figures).await;
            until_it_answers(&app.url()).await;
            if round % 2 == 1 {
                asked(&mut engine, call, &mut figures).await;
            }
        }
        figures.show(name, &mechanism);
    }
}

fn faults() -> Vec<(&'static str, Fault, Call)> {
    let one = NonZeroU32::MIN;
    let down = |mode| Fault::DatabaseDown { database: None, mode, recovery_time_expected: None };
    let kill = Fault::ContainerCrash {
        container: None,
        downtime: Duration::from_secs(1),
        recovery_time_expected: None,
    };
    let delay = Fault::NetworkDelay {
        delay: Duration::from_millis(50),
        jitter: Duration::ZERO,
        bandwidth: None,
        interface: None,
    };
    let loss = Percent::new(30.0).expect("a percentage");
    vec![
        ("kill", kill, Call::Kill),
        ("stop", down(OutageMode::Refuse), Call::Stop),
        ("pause", down(OutageMode::Hang), Call::Pause),
        ("delay", delay, Call::InNetwork),
        ("loss", Fault::NetworkLoss { loss, connections: None, interface: None }, Call::InNetwork),
        ("cpu", Fault::CpuExhaust { workers: one, load: Percent::HUNDRED }, Call::InGroups),
        ("hog, 64 MiB", Fault::MemoryLeak { size: ByteSize::new(64 << 20) }, Call::InGroups),
        ("disk", Fault::DiskStress { workers: one, sync: None }, Call::InGroups),
    ]
}

/// What the engine takes for it.
async fn asked(engine: &mut Engine, call: Call, figures: &mut Figures) {
    let begun = Instant::now();
    engine.on(call).await;
    figures.engine_on.push(ms(begun.elapsed()));
    let begun = Instant::now();
    engine.off(call).await;
    figures.engine_off.push(ms(begun.elapsed()));
    engine.until_it_answers().await;
}

/// What the injector takes for it, and its witness.
async fn made(stress: &Stress, target: &Target, figures: &mut Figures) {
    let begun = Instant::now();
    stress.inject().await;
    figures.inject.push(ms(begun.elapsed()));
    stress.reaches(THERE, PATIENCE).await.unwrap_or_else(|| panic!("{} is there", target.service));
    figures.seen.push(ms(begun.elapsed()));
    let begun = Instant::now();
    stress.revert().await;
    figures.revert.push(ms(begun.elapsed()));
    let most = stress.prepared.asked * GONE;
    while !stress.measured().await.is_ok_and(|measured| measured <= most) {
        assert!(begun.elapsed() < PATIENCE, "it goes");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    figures.gone.push(ms(begun.elapsed()));
}

impl Figures {
    fn show(&self, name: &str, mechanism: &str) {
        let at = |times: &[f64]| median(times.to_vec());
        let ratio = |ours: &[f64], theirs: &[f64]| {
            median(ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect())
        };
        println!(
            "{name:<14} {mechanism:<16} {:>10.0} {:>10.1} {:>10.1} {:>7.2} {:>8.0} {:>10.1} {:>10.1} {:>7.2} {:>8.0}",
            self.first_look,
            at(&self.engine_on),
            at(&self.inject),
            ratio(&self.inject, &self.engine_on),
            at(&self.seen),
            at(&self.engine_off),
            at(&self.revert),
            ratio(&self.revert, &self.engine_off),
            at(&self.gone)
        );
    }
}
