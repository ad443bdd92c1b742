//! When to kill: at a moment of a usual life, or as soon as something is seen.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::start::Victim;

/// What is waited for before the kill.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Aim {
    /// Any moment.
    Any(Duration),
    /// The victim says that it is in that phase.
    Phase(&'static str),
    /// Its ledger has been created.
    Ledger,
    /// Its ledger has an entry of that kind.
    Entry(&'static str),
    /// A process of that name was started by it.
    Program(&'static str),
}

/// Everything that can be aimed at. `owed` as an entry is that of a service; as a phase, that of the fault.
pub(crate) const AIMS: [Aim; 16] = [
    Aim::Ledger,
    Aim::Program("chaos-test-reap"),
    Aim::Entry("opened"),
    Aim::Entry("owed"),
    Aim::Program("stub"),
    Aim::Phase("baseline"),
    Aim::Phase("owed"),
    Aim::Phase("inject"),
    Aim::Program("chaos-test-burn"),
    Aim::Program("chaos-test-hog"),
    Aim::Program("chaos-test-write"),
    Aim::Phase("chaos"),
    Aim::Phase("undo"),
    Aim::Phase("undone"),
    Aim::Entry("settled"),
    Aim::Phase("end"),
];

impl Aim {
    /// Whether a victim of that family comes to it.
    pub(crate) fn is_of(self, family: &str) -> bool {
        match self {
            Self::Program("chaos-test-burn") => family == "cpu_exhaust",
            Self::Program("chaos-test-hog") => family == "memory_leak",
            Self::Program("chaos-test-write") => family == "disk_stress",
            _ => true,
        }
    }
}

/// The phases in which a victim may die, in order.
pub(crate) const PHASES: [&str; 14] = [
    "start",
    "reaper starts",
    "reaper runs",
    "environment",
    "services start",
    "baseline",
    "owed",
    "inject",
    "chaos",
    "undo",
    "undone",
    "recovery",
    "end",
    "over",
];

/// How long between two looks at whom the victim has started.
const LOOK: Duration = Duration::from_millis(15);

impl Aim {
    /// Waits for it; false when the victim has ended before.
    pub(crate) fn wait(self, victim: &mut Victim) -> bool {
        let began = Instant::now();
        let mut looked = None;
        victim.wait_for(|victim| {
            if looked.is_none_or(|at: Instant| at.elapsed() > LOOK) || matches!(self, Self::Program(_)) {
                victim.family.observe();
                looked = Some(Instant::now());
            }
            match self {
                Self::Any(after) => began.elapsed() >= after,
                Self::Phase(phase) => victim.was_in(phase),
                Self::Ledger => victim.ledger().is_some(),
                Self::Entry(kind) => has(&victim.ledger().unwrap_or_default(), kind),
                Self::Program(program) => victim.family.descendant(program).is_some(),
            }
        })
    }
}

fn has(ledger: &[Value], kind: &str) -> bool {
    ledger.iter().any(|entry| entry["entry"] == kind)
}

/// In which phase a victim was killed: the last it said it was in, and (where it said nothing) how far its ledger was.
/// `said` is what each of its tests said last. Where there are several tests, the most advanced that is not over counts.
pub(crate) fn phase_of(said: &[String], ledger: Option<&[Value]>, reaper: bool) -> &'static str {
    let at = |phase: &&str| said.iter().any(|said| said == phase);
    let last = PHASES.into_iter().filter(|phase| *phase != "over").rfind(at);
    let last = last.or_else(|| PHASES.into_iter().rfind(at)).unwrap_or("start");
    let created = ledger.is_some();
    let ledger = ledger.unwrap_or_default();
    match last {
        "start" if has(ledger, "opened") => "reaper runs",
        "start" if created || reaper => "reaper starts",
        "environment" if has(ledger, "owed") => "services start",
        "undone" if has(ledger, "settled") => "recovery",
        known => known,
    }
}
