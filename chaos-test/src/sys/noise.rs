//! How this host does, by a thread that wants nothing but to be woken on time.
//!
//! A thread that sleeps is woken late when all processors are taken, when the limits of this process's cgroup keep it
//! from running, or when the machine itself stands still. Whatever waits for a processor meanwhile, the service among
//! them, is late by as much. Beside that once a second what the kernel says: pressure on the processors, time stolen by
//! other machines on the same iron, threads that run or want to.
#![allow(clippy::disallowed_methods, reason = "sys is where /proc is read")]

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use super::timer::now;
use crate::model::HostLoad;

/// How often it is woken.
const STEP: Duration = Duration::from_millis(20);
/// Of so long a time it keeps the latest waking.
const WINDOW: Duration = Duration::from_millis(250);
/// How often the kernel is asked: one look costs some ten microseconds, and much more with many processors.
const SECOND: Duration = Duration::from_secs(1);

/// What the witness has seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Seen {
    /// A window has ended: when it began, how long it was, and the latest waking in it.
    Window(Instant, Duration, Duration),
    /// What the kernel says of the time since then.
    Load(Instant, HostLoad),
}

/// Begins it, on a thread of its own; it ends when `tell` says that nobody listens any more.
///
/// # Errors
/// There is no thread left for it.
pub(crate) fn begin(tell: impl FnMut(Seen) -> bool + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name("host noise".into()).spawn(move || witness(tell)).map(drop)
}

fn witness(mut tell: impl FnMut(Seen) -> bool) {
    let mut window = Window::from(now());
    let (mut asked, mut before) = (now(), Accounts::read());
    loop {
        let due = now() + STEP;
        std::thread::sleep(STEP);
        let woken = now();
        let Some((at, over, lag)) = window.woken(due, woken) else { continue };
        if !tell(Seen::Window(at, over, lag)) {
            return;
        }
        if woken >= asked + SECOND {
            let accounts = Accounts::read();
            if !tell(Seen::Load(asked, accounts.since(&before, woken - asked))) {
                return;
            }
            (asked, before) = (woken, accounts);
        }
    }
}

/// A window that has not ended.
struct Window {
    begun: Instant,
    latest: Duration,
}

impl Window {
    fn from(begun: Instant) -> Self {
        Self { begun, latest: Duration::ZERO }
    }

    /// Takes a waking in; the window as it was, if that was its last.
    fn woken(&mut self, due: Instant, woken: Instant) -> Option<(Instant, Duration, Duration)> {
        self.latest = self.latest.max(woken.saturating_duration_since(due));
        let over = woken.saturating_duration_since(self.begun);
        (over >= WINDOW).then(|| {
            let ended = std::mem::replace(self, Self::from(woken));
            (ended.begun, over, ended.latest)
        })
    }
}

/// Sums that the kernel keeps, as far as it does.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Accounts {
    /// Time in which somebody waited for a processor.
    waited: Option<Duration>,
    processors: Option<Processors>,
    running: Option<u32>,
}

/// Time of all processors, in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Processors {
    all: u64,
    stolen: u64,
}

impl Accounts {
    fn read() -> Self {
        let pressure = fs::read_to_string("/proc/pressure/cpu").unwrap_or_default();
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        Self { waited: waited(&pressure), processors: processors(&stat), running: running(&stat) }
    }

    fn since(&self, before: &Self, elapsed: Duration) -> HostLoad {
        let both = |of: fn(&Self) -> Option<Duration>| Some((of(before)?, of(self)?));
        let pressure = both(|accounts| accounts.waited)
            .map(|(before, now)| now.saturating_sub(before).as_secs_f64() / elapsed.as_secs_f64().max(1e-9));
        let steal = self.processors.zip(before.processors).and_then(|(now, before)| {
            let all = now.all.checked_sub(before.all).filter(|all| *all > 0)?;
            Some(now.stolen.saturating_sub(before.stolen) as f64 / all as f64)
        });
        HostLoad { pressure, steal, running: self.running }
    }
}

/// The sum of `some` in `/proc/pressure/cpu`.
fn waited(pressure: &str) -> Option<Duration> {
    let some = pressure.lines().find(|line| line.starts_with("some "))?;
    let total = some.split_ascii_whitespace().find_map(|field| field.strip_prefix("total="))?;
    total.parse().ok().map(Duration::from_micros)
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in the
/// first two already.
fn processors(stat: &str) -> Option<Processors> {
    let line = stat.lines().find_map(|line| line.strip_prefix("cpu "))?;
    let ticks: Vec<u64> =
        line.split_ascii_whitespace().map_while(|field| field.parse().ok()).take(8).collect();
    let stolen = *ticks.get(7)?;
    Some(Processors { all: ticks.iter().fold(0, |all, ticks| all.saturating_add(*ticks)), stolen })
}

/// How many threads run or want to, by `/proc/stat`.
fn running(stat: &str) -> Option<u32> {
    stat.lines().find_map(|line| line.strip_prefix("procs_running "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  100 20 30 800 10 5 15 20 7 3\ncpu0 50 10 15 400 5 2 7 10 3 1\nintr 12 0\nprocs_running 5\n\
                        procs_blocked 1\n";
    const PRESSURE: &str = "some avg10=12.34 avg60=5.00 avg300=1.00 total=123456\n\
                            full avg10=0.00 avg60=0.00 avg300=0.00 total=99\n";

    #[test]
    fn the_kernels_texts_are_read() {
        assert_eq!(waited(PRESSURE), Some(Duration::from_micros(123_456)));
        assert_eq!(processors(STAT), Some(Processors { all: 1000, stolen: 20 }));
        assert_eq!(running(STAT), Some(5));
    }

    #[test]
    fn what_is_not_there_is_not_known() {
        for text in [
            "",
            "some",
            "some total=",
            "some total=x",
            "full total=5",
            "cpu",
            "cpu  1 2 3",
            "cpu0 1 2 3 4 5 6 7 8",
        ] {
            assert_eq!((waited(text), processors(text), running(text)), (None, None, None), "{text}");
        }
        let nothing = Accounts::default();
        assert_eq!(nothing.since(&nothing, Duration::from_secs(1)), HostLoad::default());
    }

    #[test]
    fn shares_are_of_the_time_between_two_looks() {
        let accounts = |waited, all, stolen| Accounts {
            waited: Some(Duration::from_millis(waited)),
            processors: Some(Processors { all, stolen }),
            running: Some(4),
        };
        let load = accounts(1500, 2200, 60).since(&accounts(1000, 2000, 10), Duration::from_secs(2));
        assert_eq!(load, HostLoad { pressure: Some(0.25), steal: Some(0.25), running: Some(4) });
        // Accounts that were set back, or that have not moved.
        let load = accounts(0, 100, 0).since(&accounts(1000, 2000, 10), Duration::from_secs(1));
        assert_eq!((load.pressure, load.steal), (Some(0.0), None));
        assert_eq!(accounts(0, 5, 5).since(&accounts(0, 5, 5), Duration::ZERO).steal, None);
    }

    #[test]
    fn a_window_keeps_its_latest_waking_and_the_next_one_begins_where_it_ended() {
        let begun = now();
        let at = |ms| begun + Duration::from_millis(ms);
        let ms = Duration::from_millis;
        let mut window = Window::from(begun);
        assert_eq!(window.woken(at(20), at(21)), None);
        assert_eq!(window.woken(at(41), at(49)), None);
        assert_eq!(window.woken(at(230), at(249)), None);
        assert_eq!(window.woken(at(260), at(261)), Some((begun, ms(261), ms(19))));
        // Slept through.
        assert_eq!(window.woken(at(281), at(1281)), Some((at(261), ms(1020), ms(1000))));
        assert_eq!(window.woken(at(1301), at(1301)), None);
    }

    #[test]
    fn this_host_is_watched_until_nobody_listens() {
        let (tell, told) = std::sync::mpsc::channel();
        begin(move |seen| tell.send(seen).is_ok()).expect("a thread");
        let mut load = None;
        while load.is_none() {
            match told.recv().expect("it goes on for as long as somebody listens") {
                Seen::Window(_, over, lag) => assert!(over >= WINDOW && lag < over, "{over:?} {lag:?}"),
                Seen::Load(_, seen) => load = Some(seen),
            }
        }
        let load = load.expect("it was just seen");
        assert!(load.running.is_some_and(|running| running >= 1) && load.steal.is_some(), "{load:?}");
    }
}
