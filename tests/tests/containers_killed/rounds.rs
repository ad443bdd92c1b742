//! One kill at a time: when, and what came of it.

use std::time::{Duration, Instant};

use chaos_test::stats::SplitMix;
use suite::figures::Times;

use crate::left::{left, still_there, volumes};
use crate::start::{FAMILIES, Victim};

/// Until when nothing may be left.
const LIMIT: Duration = Duration::from_secs(10);
/// An engine finishes what it was asked for. What comes up after the reaper was done comes up soon.
const AFTERWARDS: Duration = Duration::from_millis(700);
/// A victim's containers start for so long, about.
const STARTING: Duration = Duration::from_millis(1500);
/// Any other phase is over sooner, or it does not matter where in it.
const MOMENT: Duration = Duration::from_millis(250);

/// What a victim says it comes to, in order.
const PHASES: [&str; 10] =
    ["nothing", "start", "environment", "baseline", "owed", "inject", "chaos", "undo", "undone", "end"];

/// When to kill.
#[derive(Debug, Clone, Copy)]
enum Aim {
    /// At any moment of a life.
    Any,
    /// So long after it has come to that phase.
    After(&'static str),
}

/// One kill, drawn from the seed and its number alone.
#[derive(Debug)]
pub(crate) struct Round {
    family: &'static str,
    aim: Aim,
    late: Duration,
}

/// What came of it.
pub(crate) struct Kill {
    family: &'static str,
    /// The phase it had come to.
    phase: String,
    /// From the kill until the engine's client shows nothing more of it.
    clean: Duration,
    /// Until its reaper had nothing to do any more.
    alone: Duration,
}

impl Round {
    pub(crate) fn draw(seed: u64, n: usize, life: Duration) -> Self {
        let mut random = SplitMix::new(seed ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        // In turn, so that even a few rounds have met every family.
        let family = FAMILIES[n % FAMILIES.len()];
        if random.unit() < 0.3 {
            return Self { family, aim: Aim::Any, late: life.mul_f64(random.unit()) };
        }
        // Half of them where containers are made, or helpers are: that is where something may be under way.
        let chosen =
            ["environment", "environment", "owed", "inject", "baseline", "chaos", "undo", "undone", "end"];
        let phase = chosen[(random.unit() * chosen.len() as f64) as usize];
        let within = if phase == "environment" { STARTING } else { MOMENT };
        Self { family, aim: Aim::After(phase), late: within.mul_f64(random.unit()) }
    }

    /// Carries it out. Nothing if the victim had ended before the kill.
    pub(crate) fn run(&self) -> Option<Kill> {
        let mut victim = Victim::start(self.family);
        let there = match self.aim {
            Aim::Any => true,
            Aim::After(phase) => victim.comes_to(phase),
        };
        std::thread::sleep(self.late);
        let volumes = volumes(&victim.owner);
        if !there || victim.has_ended() {
            // Then it cleaned up itself.
            victim.child.wait().expect("it is our child");
            until_clean(&victim, &volumes, "it was not killed");
            return None;
        }
        let phase = victim.phases().pop().unwrap_or_else(|| PHASES[0].into());
        victim.child.kill().and_then(|()| victim.child.wait()).expect("it is our child");
        let (clean, alone) = until_clean(&victim, &volumes, &format!("{self:?} in {phase}"));
        Some(Kill { family: self.family, phase, clean, alone })
    }
}

/// Waits until the engine's client shows nothing of it, its reaper has nothing to do, and nothing has come up afterwards.
///
/// # Panics
/// Something is left at the limit.
fn until_clean(victim: &Victim, volumes: &[String], what: &str) -> (Duration, Duration) {
    let began = Instant::now();
    let (mut clean, mut alone) = (None, None);
    loop {
        let reaped = !victim.has_ledger();
        let mut things = left(&victim.owner);
        things.extend(still_there(volumes));
        let now = began.elapsed();
        let late = alone.filter(|_| !things.is_empty());
        assert!(late.is_none(), "it came up after {late:?} ({what}): {things:#?}\n{}", victim.output());
        assert!(now < LIMIT, "left after {now:?} ({what}): {things:#?}\n{}", victim.output());
        // What was away and is there again was not away.
        clean = clean.filter(|_| things.is_empty()).or(things.is_empty().then_some(now));
        if let (Some(clean), true) = (clean, reaped) {
            let alone = *alone.get_or_insert(now);
            if now >= alone + AFTERWARDS {
                return (clean, alone);
            }
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How long a victim lives when nobody kills it; and nothing is left of it either.
pub(crate) fn usual_life(family: &str) -> Duration {
    let began = Instant::now();
    let mut victim = Victim::start(family);
    let status = victim.child.wait().expect("it is our child");
    let life = began.elapsed();
    assert!(status.success(), "{family}: {}", victim.output());
    until_clean(&victim, &[], "it was not killed");
    println!("{family}: {:.1} s, {}", life.as_secs_f64(), victim.phases().join(" "));
    life
}

/// Prints how long it took until nothing was left, by what was killed and when.
pub(crate) fn print(kills: &[Kill]) {
    println!(
        "from the kill until the engine's client shows nothing, in ms (the reaper looks on for a while: last column)"
    );
    println!(
        "{:<20} {:<12} {:>4} {:>7} {:>7} {:>7} {:>10}",
        "", "killed in", "n", "p50", "p99", "max", "alone max"
    );
    for family in FAMILIES {
        row(family, "all", kills.iter().filter(|kill| kill.family == family));
    }
    for phase in PHASES {
        row("all", phase, kills.iter().filter(|kill| kill.phase == phase));
    }
    row("all", "all", kills.iter());
}

fn row<'k>(family: &str, phase: &str, kills: impl Iterator<Item = &'k Kill>) {
    let (clean, alone): (Vec<_>, Vec<_>) = kills.map(|kill| (kill.clean, kill.alone)).unzip();
    let (clean, alone) = (Times::of(clean), Times::of(alone));
    if clean.count() > 0 {
        println!(
            "{family:<20} {phase:<12} {:>4} {:>7.0} {:>7.0} {:>7.0} {:>10.0}",
            clean.count(),
            clean.quantile_ms(0.5),
            clean.quantile_ms(0.99),
            clean.quantile_ms(1.0),
            alone.quantile_ms(1.0)
        );
    }
}
