//! Restart policies: what a platform does for a service that has ended.
//!
//! A thread per service looks after its child without waiting for it in the sense that frees its number; that is for
//! whoever ends what is left of its session first.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are watched")]

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::process::ManagedProcess;
use crate::units::show_duration;

/// When a process is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    /// Also when it ended by itself, with exit code 0.
    pub(crate) after_success: bool,
    /// How long after its end, at first.
    pub(crate) wait: Duration,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.after_success { "always" } else { "on failure" };
        write!(f, "restarted {when}, after {} at first", show_duration(self.wait))
    }
}

/// The longest wait between an end and the next start.
const LONGEST: Duration = Duration::from_secs(5);
/// After running for so long it is taken for well, and the wait is short again.
const WELL: Duration = Duration::from_secs(10);
/// How long between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// How a policy finds its process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It runs.
    Up,
    /// It has ended; well if by itself and with exit code 0.
    Down { well: bool },
    /// A fault keeps it down.
    Held,
    /// Its environment has ended.
    Closed,
}

/// One thing a policy has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Restarted {
    /// How long ago.
    pub(crate) ago: Duration,
    /// How long it was down before.
    pub(crate) down: Duration,
}

/// What a policy has done, the first hundred times.
#[derive(Debug, Default)]
pub(crate) struct Restarts(Mutex<Vec<(Instant, Duration)>>);

impl Restarts {
    pub(crate) fn note(&self, down: Duration) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() < 100 {
            noted.push((Instant::now(), down));
        }
    }

    pub(crate) fn so_far(&self) -> Vec<Restarted> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.iter().map(|(at, down)| Restarted { ago: at.elapsed(), down: *down }).collect()
    }
}

/// Applies a policy until the process is closed or gone.
pub(crate) fn watch(process: &Arc<ManagedProcess>, policy: Policy) -> io::Result<()> {
    let process = Arc::downgrade(process);
    let watching = move || {
        let mut waits = Waits::of(policy);
        loop {
            // Held for a moment only: it is not to keep the service alive.
            let Some(process) = process.upgrade() else { return };
            match process.standing() {
                Standing::Closed => return,
                standing => {
                    if let Some(down) = waits.look(standing, Instant::now()) {
                        // A start that fails is tried again, later each time.
                        let _ = process.restart(down);
                    }
                }
            }
            drop(process);
            std::thread::sleep(LOOK);
        }
    };
    std::thread::Builder::new().name("restart policy".into()).spawn(watching).map(drop)
}

/// When the next start is due.
struct Waits {
    policy: Policy,
    wait: Duration,
    up_since: Option<Instant>,
    down_since: Option<Instant>,
}

impl Waits {
    fn of(policy: Policy) -> Self {
        Self { policy, wait: policy.wait, up_since: None, down_since: None }
    }

    /// How long it has been down, if it is to be started now.
    fn look(&mut self, standing: Standing, now: Instant) -> Option<Duration> {
        let Standing::Down { well } = standing else {
            self.down_since = None;
            // A fault that holds it down says nothing about how well it does.
            self.up_since = if standing == Standing::Up { self.up_since.or(Some(now)) } else { None };
            return None;
        };
        if well && !self.policy.after_success {
            return None;
        }
        if self.up_since.take().is_some_and(|since| now.duration_since(since) >= WELL) {
            self.wait = self.policy.wait;
        }
        let down = now.duration_since(*self.down_since.get_or_insert(now));
        if down < self.wait {
            return None;
        }
        self.wait = (self.wait * 2).min(LONGEST.max(self.policy.wait));
        // If it cannot be started, the next try is a whole wait away.
        self.down_since = Some(now);
        Some(down)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: Standing = Standing::Down { well: false };

    fn policy(after_success: bool) -> Waits {
        Waits::of(Policy { after_success, wait: Duration::from_millis(100) })
    }

    #[test]
    fn waits_double_up_to_a_limit_and_begin_anew_after_a_good_while() {
        let (mut waits, mut now) = (policy(true), Instant::now());
        let due = |waits: &mut Waits, now: &mut Instant| {
            assert_eq!(waits.look(Standing::Up, *now), None);
            assert_eq!(waits.look(DOWN, *now), None);
            (1..=6_000_u32).find(|_| {
                *now += Duration::from_millis(1);
                waits.look(DOWN, *now).is_some()
            })
        };
        let seen: Vec<_> = (0..8).map(|_| due(&mut waits, &mut now)).collect();
        assert_eq!(seen, [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Some));
        assert_eq!(waits.look(Standing::Up, now), None);
        now += WELL;
        assert_eq!(due(&mut waits, &mut now), Some(100));
    }

    #[test]
    fn what_is_held_down_or_ended_well_is_left_alone() {
        let (mut waits, mut now) = (policy(false), Instant::now());
        for standing in [Standing::Held, Standing::Closed, Standing::Down { well: true }] {
            now += LONGEST * 2;
            assert_eq!(waits.look(standing, now), None, "{standing:?}");
        }
        assert_eq!(waits.look(DOWN, now), None);
        assert_eq!(waits.look(DOWN, now + Duration::from_millis(100)), Some(Duration::from_millis(100)));
    }
}
