//! Keeps experiments of different processes out of each other's way.
//!
//! Purpose: a fault that everybody on this host feels runs alone, any other experiment beside its like; and no two
//! experiments aim at one running target at once, nor shortly after each other.
//!
//! Invariants: the host comes before the target, so nobody waits in a circle. Whoever is next for the host waits with
//! the turnstile in hand and the others behind it, so that a stream of those who share cannot keep out one who wants
//! it alone. Waiting blocks no thread and ends when the caller drops it.
//! Not here: how a lock is taken (`sys/locks.rs`).

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::experiment::Experiment;
use crate::error::Error;
use crate::model::Marks;
use crate::sys::clock::{Stopwatch, unix_time};
use crate::sys::ledger::Hold;
use crate::sys::locks::{Holder, Lock, LockDir, Mode};
use crate::sys::{env, ledger, timer};
use crate::units::{parse_duration, show_duration};

/// How long to wait for one lock.
const WAIT: &str = "CHAOS_TEST_LOCK_WAIT";
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A wait as short as this is not worth a line.
const UNTOLD: Duration = Duration::from_secs(1);
/// And after a line, this long until the next.
const BETWEEN_LINES: Duration = Duration::from_secs(30);

const HOST: &str = "host.lock";
const TURNSTILE: &str = "host.turn";
const TARGET: &str = "target-";
/// A target's lock that nobody has had for this long is removed.
const FORGOTTEN: Duration = Duration::from_secs(24 * 3600);

/// The locks of one experiment, given up when this is dropped: not before its fault is gone.
#[derive(Debug)]
pub(super) struct Held {
    name: String,
    dir: LockDir,
    limit: Duration,
    _host: Lock,
    target: Option<Target>,
    /// The reaper's copies: if this process is killed, whoever waits for a lock gets it when everything is undone.
    copies: Vec<Hold>,
}

impl Held {
    /// Waits for this host: alone for a fault that everybody on it feels, else together with others.
    pub(super) async fn host(experiment: &Experiment) -> Result<Self, Error> {
        let limit = match env::var(WAIT) {
            Some(text) => parse_duration(&text).map_err(|error| Error::input(format!("{WAIT}: {error}")))?,
            None => LONGEST_WAIT,
        };
        let dir = LockDir::of_host().map_err(Error::setup)?;
        let name = experiment.identity.test.clone();
        let fault = &experiment.scenario.fault;
        let (mode, what) = match fault.is_host_wide() {
            true => (
                Mode::Exclusive,
                format!("to have this host to itself ({} is felt everywhere on it)", fault.kind()),
            ),
            false => (Mode::Shared, "for the end of a fault that is felt everywhere on this host".into()),
        };
        let mut turn = None;
        let attempt = || {
            if turn.is_none() {
                turn = dir.try_take(TURNSTILE, Mode::Exclusive)?;
            }
            let Some(mine) = &mut turn else { return Ok(None) };
            let taken = dir.try_take(HOST, mode)?;
            if taken.is_none() && !mine.is_announced() {
                mine.announce(&name);
            }
            Ok(taken)
        };
        let wait = Wait { name: &name, what, limit, dir: &dir, locks: &[HOST, TURNSTILE] };
        let mut host = wait.until(attempt).await?;
        host.announce(&name);
        drop(turn);
        let copies = vec![copy(&host)?];
        Ok(Self { name, dir, limit, _host: host, target: None, copies })
    }

    /// Waits until nobody else aims at a running target, and until `cooldown` after the last fault there was removed.
    pub(super) async fn target(&mut self, address: SocketAddr, cooldown: Duration) -> Result<(), Error> {
        let address = SocketAddr::new(address.ip().to_canonical(), address.port());
        let file = format!("{TARGET}{}-{}.lock", address.ip(), address.port());
        self.dir.sweep(TARGET, cooldown.max(FORGOTTEN));
        let what = format!("for {address}, at which one experiment at a time is aimed");
        let wait = Wait { name: &self.name, what, limit: self.limit, dir: &self.dir, locks: &[&file] };
        let mut lock = wait.until(|| self.dir.try_take(&file, Mode::Exclusive)).await?;
        self.copies.push(copy(&lock)?);
        lock.announce(&self.name);
        let left: Option<LastFault> = lock.read();
        let rest = left.as_ref().map_or(Duration::ZERO, |left| left.rest(cooldown, unix_time()));
        if !rest.is_zero() {
            tell(&format!(
                "{} waits {}: a fault at {address} was removed just now, and `safety.cooldown_seconds` is {}",
                self.name,
                show_duration(rest),
                show_duration(cooldown)
            ));
            timer::sleep_until(timer::now() + rest).await;
        }
        let before = left.filter(|left| !left.under_way).unwrap_or_default();
        // What this leaves if the process is killed: that the fault may have been there to the end.
        let _ = lock.write(&LastFault { under_way: true, ..before });
        self.target = Some(Target { lock, leaves: Mutex::new(None), before });
        Ok(())
    }

    /// Keeps for the next one when the fault at the target was removed, by the marks of a run whose clock says `now`.
    pub(super) fn fault_ended(&self, marks: &Marks, now: Duration) {
        let Some(target) = &self.target else { return };
        let leaves = match (marks.inject_started, marks.removed) {
            (None, _) => target.before,
            (_, Some(removed)) => {
                LastFault::removed_at(unix_time().saturating_sub(now.saturating_sub(removed)))
            }
            // Not seen gone: it may have been there until now.
            _ => LastFault::removed_at(unix_time()),
        };
        *target.leaves.lock().unwrap_or_else(PoisonError::into_inner) = Some(leaves);
    }
}

fn copy(lock: &Lock) -> Result<Hold, Error> {
    let handed = lock.descriptor().and_then(ledger::hold);
    handed.map_err(|error| Error::setup(format!("a lock cannot be handed to the reaper: {error}")))
}

/// The lock of a running target.
#[derive(Debug)]
struct Target {
    lock: Lock,
    /// What was known when it was taken.
    before: LastFault,
    leaves: Mutex<Option<LastFault>>,
}

impl Drop for Target {
    fn drop(&mut self) {
        let leaves = self.leaves.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // Whoever gave up in the middle did not say: a fault may have been there until now.
        let _ = self.lock.write(&leaves.unwrap_or_else(|| LastFault::removed_at(unix_time())));
    }
}

/// What a target's lock remembers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct LastFault {
    /// When the last one was removed, in seconds since 1970.
    removed: Option<f64>,
    /// Somebody has the lock. If nobody has it when this is read, whoever had it was killed.
    under_way: bool,
}

impl LastFault {
    fn removed_at(time: Duration) -> Self {
        Self { removed: Some(time.as_secs_f64()), under_way: false }
    }

    /// How much of the cooldown is left.
    fn rest(&self, cooldown: Duration, now: Duration) -> Duration {
        if self.under_way {
            return cooldown;
        }
        // Anybody may have written it, and clocks are set: never more than the whole of it.
        let since = self.removed.map(|at| (now.as_secs_f64() - at).max(0.0));
        since
            .and_then(|since| Duration::try_from_secs_f64(since).ok())
            .map_or(Duration::ZERO, |since| cooldown.saturating_sub(since))
    }
}

/// Waiting for a lock, and telling so.
struct Wait<'a> {
    name: &'a str,
    what: String,
    limit: Duration,
    dir: &'a LockDir,
    /// The locks that may be in the way.
    locks: &'a [&'a str],
}

impl Wait<'_> {
    async fn until(self, mut attempt: impl FnMut() -> io::Result<Option<Lock>>) -> Result<Lock, Error> {
        let waited = Stopwatch::start();
        let mut next_line = UNTOLD;
        loop {
            if let Some(lock) = attempt().map_err(Error::setup)? {
                return Ok(lock);
            }
            let so_far = waited.elapsed();
            if so_far >= self.limit {
                return Err(Error::setup(format!(
                    "gave up after {} of waiting {}; {}. Nothing was injected; {WAIT} says how long to wait",
                    show_duration(self.limit),
                    self.what,
                    self.in_the_way()
                )));
            }
            if so_far >= next_line {
                let so_far = show_duration(Duration::from_secs(so_far.as_secs()));
                tell(&format!("{} waits {} ({so_far} so far); {}", self.name, self.what, self.in_the_way()));
                next_line = waited.elapsed() + BETWEEN_LINES;
            }
            // Not the kernel's queue: a thread that waits there cannot be called back.
            let step = Duration::from_millis(if so_far < UNTOLD { 10 } else { 50 });
            timer::sleep_until(timer::now() + step.min(self.limit.saturating_sub(so_far))).await;
        }
    }

    fn in_the_way(&self) -> String {
        let now = unix_time().as_secs_f64();
        let own = (std::process::id(), self.name);
        let mut holders: Vec<Holder> = self.locks.iter().flat_map(|lock| self.dir.holders(lock)).collect();
        holders.retain(|holder| (holder.pid, holder.name.as_str()) != own || holder.gone);
        let shown = |holder: &Holder| {
            let since = Duration::try_from_secs_f64(now - holder.since).unwrap_or_default();
            let since = show_duration(Duration::from_secs(since.as_secs()));
            let gone = if holder.gone { ", which has ended: its faults are still being undone" } else { "" };
            format!("{} (process {}, for {since}{gone})", holder.name, holder.pid)
        };
        match holders.as_slice() {
            [] => "who has it did not say".into(),
            [only] => format!("it is with {}", shown(only)),
            [first, rest @ ..] => format!("it is with {} and {} more", shown(first), rest.len()),
        }
    }
}

/// A line for whoever wonders why nothing happens. Not through the test harness's capture, which shows it at the end.
fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "chaos-test: {line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cooldown_counts_from_the_removal() {
        let (now, cooldown) = (Duration::from_secs(1_700_000_000), Duration::from_secs(5));
        let rest = |left: LastFault| left.rest(cooldown, now);
        let ago = |secs| LastFault::removed_at(now - Duration::from_secs(secs));
        assert_eq!(rest(ago(2)), Duration::from_secs(3));
        assert_eq!(rest(ago(9)), Duration::ZERO);
        assert_eq!(rest(LastFault::default()), Duration::ZERO);
        assert_eq!(rest(LastFault { under_way: true, ..ago(9) }), cooldown, "its holder was killed");
        assert_eq!(rest(LastFault::removed_at(now * 2)), cooldown, "a clock that was set");
        for nonsense in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300] {
            assert!(rest(LastFault { removed: Some(nonsense), under_way: false }) <= cooldown);
        }
    }
}
