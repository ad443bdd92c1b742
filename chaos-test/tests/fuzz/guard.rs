//! What an input may cost: no panic, no crash, ten seconds, and a hundred megabytes.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::{Duration, Instant};

/// An input that takes longer ends the process: whatever it is at cannot be stopped from here.
const LONGEST: Duration = Duration::from_secs(10);
/// An input that makes the process grow by more is a finding, in KiB. (No input is longer than one MiB.)
const MOST: u64 = 100 * 1024;

/// Something that must not happen, whatever the input is.
#[derive(Debug)]
pub(crate) enum Mishap {
    Panic { place: String, message: String },
    Memory { kib: u64 },
}

impl Mishap {
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Panic { place, .. }, Self::Panic { place: there, .. }) => place == there,
            (Self::Memory { .. }, Self::Memory { .. }) => true,
            _ => false,
        }
    }
}

impl fmt::Display for Mishap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic { place, message } => write!(f, "panicked at {place}: {message}"),
            Self::Memory { kib } => write!(f, "took {kib} KiB"),
        }
    }
}

thread_local! {
    static PANICKED: RefCell<Option<Mishap>> = const { RefCell::new(None) };
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs inputs one after the other, and watches.
pub(crate) struct Guard {
    began: Instant,
    /// When the input began that is being tried, in milliseconds; 0 between two.
    since: Arc<AtomicU64>,
    longest: AtomicU64,
    largest: AtomicU64,
    /// Holds the input that is being tried: where the process does not survive it, it is still there.
    current: PathBuf,
}

impl Guard {
    pub(crate) fn new(name: &'static str) -> Self {
        hook();
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
        std::fs::create_dir_all(&dir).expect("a directory of the build can be made");
        let current = dir.join(format!("{name}-{}.current", std::process::id()));
        let (since, began) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let (watched, file) = (Arc::downgrade(&since), current.clone());
        std::thread::spawn(move || {
            while let Some(since) = watched.upgrade() {
                let start = since.load(Ordering::Relaxed);
                let now = began.elapsed().as_millis() as u64;
                if start > 0 && now.saturating_sub(start) > LONGEST.as_millis() as u64 {
                    eprintln!(
                        "{name}: an input takes longer than {LONGEST:?}: {}",
                        crate::run::replay(name, &file)
                    );
                    std::process::abort();
                }
                drop(since);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        Self { began, since, longest: AtomicU64::new(0), largest: AtomicU64::new(0), current }
    }

    /// Tries an input: what it came to, or what must not happen.
    pub(crate) fn run(&self, bytes: &[u8], target: fn(&[u8]) -> String) -> Result<String, Mishap> {
        std::fs::write(&self.current, bytes).expect("it was made for that");
        let before = reset_high_water_mark();
        let start = Instant::now();
        self.since.store(self.began.elapsed().as_millis().max(1) as u64, Ordering::Relaxed);
        GUARDED.set(true);
        let ended = panic::catch_unwind(AssertUnwindSafe(|| target(bytes)));
        GUARDED.set(false);
        self.since.store(0, Ordering::Relaxed);
        self.longest.fetch_max(start.elapsed().as_micros() as u64, Ordering::Relaxed);
        let grown = before.zip(status("VmHWM:")).map_or(0, |(before, after)| after.saturating_sub(before));
        self.largest.fetch_max(grown, Ordering::Relaxed);
        let found = ended.map_err(|_: Box<dyn Any + Send>| {
            let unknown = || Mishap::Panic { place: "?".into(), message: String::new() };
            PANICKED.take().unwrap_or_else(unknown)
        })?;
        if grown > MOST { Err(Mishap::Memory { kib: grown }) } else { Ok(found) }
    }

    /// The most that an input took so far.
    pub(crate) fn worst(&self) -> String {
        let (longest, largest) = (self.longest.load(Ordering::Relaxed), self.largest.load(Ordering::Relaxed));
        format!("at most {:.1} ms and {:.1} MiB an input", longest as f64 / 1e3, largest as f64 / 1024.0)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.current);
    }
}

/// Panics of inputs are findings and are told later; all others are told as ever.
fn hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                return usual(info);
            }
            let place = info.location().map_or_else(|| "?".into(), ToString::to_string);
            let payload = info.payload();
            let text = payload.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default();
            let message = text.chars().take(300).collect();
            PANICKED.set(Some(Mishap::Panic { place, message }));
        }));
    });
}

/// Lets the kernel's mark of the most memory begin again from what is held now, in KiB. `None` where it does not.
fn reset_high_water_mark() -> Option<u64> {
    std::fs::write("/proc/self/clear_refs", "5").ok()?;
    status("VmHWM:")
}

fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}
