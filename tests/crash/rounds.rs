//! Many kills: of every family, in every phase, in every way of running tests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use chaos_test::stats::SplitMix;
use nix::sys::signal::Signal;
use suite::victim::{FAMILIES, PAUSE};

use crate::aim::{AIMS, Aim, phase_of};
use crate::built::victims;
use crate::ends::record;
use crate::start::{Victim, Way};
use crate::table::{self, Kill};

/// Until when nothing may be left.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);

/// A variable with a number in it.
fn number(name: &str, otherwise: u64) -> u64 {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty());
    text.map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}: not a number")))
}

/// How busy this host is, for whoever reads the figures.
fn load() -> String {
    std::fs::read_to_string("/proc/loadavg")
        .unwrap_or_default()
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Who is killed.
#[derive(Debug, Clone, Copy)]
enum Whom {
    Test,
    Group,
    Runner,
}

/// One round, drawn from the seed and its number alone.
#[derive(Debug)]
struct Round {
    family: &'static str,
    way: Way,
    whom: Whom,
    aim: Aim,
    /// How long after that.
    late: Duration,
}

impl Round {
    fn draw(seed: u64, n: usize, life: Duration) -> Self {
        let mut random = SplitMix::new(seed ^ (n as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut pick = |of: usize| (random.unit() * of as f64) as usize;
        // In turn, so that even a few rounds have met every family; the rest is chance.
        let family = FAMILIES.get(n % (FAMILIES.len() + 1)).copied();
        let (way, whom) = match (family, pick(10)) {
            (None, 0..=4) => (Way::LibtestAll, Whom::Test),
            (None, _) => (Way::LibtestAll, Whom::Group),
            (_, 0..=2) => (Way::Program, Whom::Test),
            (_, 3) => (Way::Program, Whom::Group),
            (_, 4 | 5) => (Way::Libtest, Whom::Test),
            (_, 6) => (Way::Libtest, Whom::Group),
            (_, 7) => (Way::Nextest, Whom::Test),
            (_, 8) => (Way::Nextest, Whom::Group),
            (_, _) => (Way::Nextest, Whom::Runner),
        };
        let aim = match pick(2) {
            0 => Aim::Any(life.mul_f64(pick(10_000) as f64 / 1e4)),
            _ => {
                let possible: Vec<Aim> =
                    AIMS.into_iter().filter(|aim| family.is_none_or(|family| aim.is_of(family))).collect();
                possible[pick(possible.len())]
            }
        };
        let late = match (aim, pick(2)) {
            (Aim::Any(_), _) | (_, 0) => Duration::ZERO,
            _ => Duration::from_micros(pick(20_000) as u64),
        };
        Self { family: family.unwrap_or("all at a time"), way, whom, aim, late }
    }

    fn test(&self) -> String {
        if self.way == Way::LibtestAll { FAMILIES.join(" ") } else { self.family.to_owned() }
    }

    /// Carries it out. Nothing if the victim had ended before the kill.
    fn run(&self) -> Option<Kill> {
        let mut victim = Victim::start_with(self.way, &self.test(), &[(PAUSE, "15")]);
        let there = victim.find_test() && self.aim.wait(&mut victim);
        std::thread::sleep(self.late);
        victim.family.observe();
        let killed = Instant::now();
        let hit = there && !victim.has_ended();
        if hit {
            match self.whom {
                Whom::Test => victim.signal(Signal::SIGKILL),
                Whom::Group => victim.signal_group(Signal::SIGKILL),
                Whom::Runner => victim.signal_runner(Signal::SIGKILL),
            }
        }
        let reaper = victim.family.descendant("chaos-test-reap").is_some();
        let phase = phase_of(&victim.phases(), victim.ledger().as_deref(), reaper);
        let (clean, alone) = until_clean(&mut victim, killed, &format!("{self:?} in {phase}"));
        let status = victim.wait();
        let output = victim.output();
        assert!(!output.contains("LEAK"), "nextest found something left in {self:?}: {output}");
        use std::os::unix::process::ExitStatusExt;
        let of_kill = match self.way {
            Way::Nextest => !matches!(self.whom, Whom::Test | Whom::Group) || output.contains("SIGKILL"),
            _ => status.signal() == Some(9),
        };
        let how = format!("{}: {:?}", self.way, self.whom).to_lowercase();
        (hit && of_kill).then_some(Kill { family: self.family, phase, how, clean, alone })
    }
}

/// Waits until nothing is left, and says how long that took: without its reaper, and with it.
///
/// # Panics
/// Something is left at the limit.
pub(crate) fn until_clean(victim: &mut Victim, since: Instant, what: &str) -> (Duration, Duration) {
    let mut clean = None;
    loop {
        let left = victim.left();
        let now = since.elapsed();
        if left.things.is_empty() {
            clean.get_or_insert(now);
        }
        if left.is_nothing() {
            return (clean.unwrap_or(now), now);
        }
        assert!(
            now < LIMIT,
            "left behind after {now:?} ({what}): {left:#?}\nit wrote: {}\nledger: {:?}",
            victim.output(),
            victim.ledger()
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How long a victim lives when nobody kills it; and nothing is left of it either.
fn usual_life(way: Way, test: &str) -> Duration {
    let began = Instant::now();
    let mut victim = Victim::start_with(way, test, &[(PAUSE, "15")]);
    let status = victim.wait();
    let life = began.elapsed();
    assert!(status.success(), "{test}: {}", victim.output());
    until_clean(&mut victim, Instant::now(), "it was not killed");
    let headline = record(&victim).headline();
    assert!(!headline.starts_with("Error"), "{headline}");
    life
}

#[test]
fn a_killed_test_leaves_nothing() {
    let seed = number("CHAOS_TEST_CRASH_SEED", {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
        now.as_nanos() as u64
    });
    let wanted = number("CHAOS_TEST_CRASH_ROUNDS", 48) as usize;
    let jobs = number("CHAOS_TEST_CRASH_JOBS", 3);
    println!("{wanted} kills, {jobs} victims at a time; CHAOS_TEST_CRASH_SEED={seed}");
    // They may have to be built first, which is no part of a life.
    victims();
    let life = std::thread::scope(|threads| {
        let lives = FAMILIES.map(|family| threads.spawn(move || usual_life(Way::Libtest, family)));
        lives.into_iter().map(|life| life.join().expect("a life")).min().expect("several")
    });
    println!("undisturbed, a victim lives for {:.1} s; load {}", life.as_secs_f64(), load());
    let began = Instant::now();
    let (next, kills) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let done = || kills.lock().map_or(usize::MAX, |kills: std::sync::MutexGuard<'_, Vec<Kill>>| kills.len());
    std::thread::scope(|threads| {
        for _ in 0..jobs {
            threads.spawn(|| {
                while done() < wanted && next.load(Ordering::Relaxed) < wanted * 2 {
                    let round = Round::draw(seed, next.fetch_add(1, Ordering::Relaxed), life);
                    // A victim that this host keeps from its baseline never comes to its fault.
                    if let Some(kill) = (0..3).find_map(|_| round.run()) {
                        kills.lock().expect("nobody panics while holding it").push(kill);
                    }
                }
            });
        }
    });
    let kills = kills.into_inner().expect("nobody panicked");
    let rounds = next.into_inner();
    let took = began.elapsed().as_secs_f64();
    println!("{} kills in {rounds} rounds and {took:.0} s, nothing left; load {}", kills.len(), load());
    table::print(&kills);
    assert!(kills.len() >= wanted, "only {} kills in {rounds} rounds: victims ended too soon", kills.len());
}
