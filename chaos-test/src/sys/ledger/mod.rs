//! The durable list of what this process owes: one file of JSON lines per process.
//!
//! Purpose: whatever this process does that must be undone is written here, durably, before it is done; its reaper, a
//! later start or `cargo chaos reap` pays what it could not.
//!
//! Invariants: an entry is on the disk when [`owe`] returns, and a reaper watches. The file is only ever appended to, one
//! write per line; a line that was cut short is closed before the next. Another process and another version can read it.
//! Not here: carrying out what is owed (`sys::undo`), and deciding when (`reaper`).
#![allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "sys is where files are touched")]

mod entry;
mod read;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use entry::{Entry, FORMAT, Payer};
pub(crate) use read::{Account, Open, ReadError, read};

use super::owner::Owner;
use super::reaper::Reaper;
use super::{clock, files, run_folder};
use crate::port::{Ledger, LedgerError, RevertRecord};

/// The ledger of this process, and the reaper that watches over it.
struct Book {
    path: PathBuf,
    file: File,
    /// Whether the last line may lack its end.
    torn: bool,
    reaper: Reaper,
}

static BOOK: Mutex<Option<Book>> = Mutex::new(None);

fn book() -> MutexGuard<'static, Option<Book>> {
    BOOK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where the ledger of a process is kept.
pub(crate) fn path_of(run_dir: &Path, owner: &Owner) -> PathBuf {
    run_dir.join(format!("ledger-{}-{}.jsonl", owner.pid, owner.start_ticks))
}

/// Where its reaper says what it did.
pub(crate) fn log_of(ledger: &Path) -> PathBuf {
    let name = ledger.file_stem().unwrap_or_default().to_string_lossy().replacen("ledger", "reaper", 1);
    ledger.with_file_name(format!("{name}.log"))
}

/// Writes down, durably, what is about to be done. If this fails, nothing may be done.
pub(crate) fn owe(record: &RevertRecord, experiment: Option<u64>) -> io::Result<()> {
    with(|book| {
        book.reaper.keep_alive(&book.path)?;
        book.append(&Entry::Owed { record: record.clone(), experiment, at: clock::monotonic() })?;
        book.file.sync_data()?;
        // Last, so that it holds for what was just written: whoever pays finds it by its name.
        is_in_place(&book.file, &book.path)
    })
}

fn is_in_place(file: &File, path: &Path) -> io::Result<()> {
    let id = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    match (file.metadata().map(id), std::fs::metadata(path).map(id)) {
        (Ok(held), Ok(named)) if held == named => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("{} was removed or moved while this process runs", path.display()),
        )),
    }
}

/// Notes that a process of it was started, as the leader of a session. If this process is killed before the note is
/// written, the process is known by its mark alone.
pub(crate) fn started(id: &str, pid: u32) -> io::Result<()> {
    let entry = Entry::Started { id: id.to_owned(), process: Owner::of(pid), at: clock::monotonic() };
    with(|book| book.append(&entry))
}

/// Notes that it has been undone. If the note is lost, it is undone once more, which does nothing.
pub(crate) fn settle(id: &str) -> io::Result<()> {
    with(|book| book.append(&Entry::Settled { id: id.to_owned(), by: Payer::Test, at: clock::monotonic() }))
}

/// Notes that an experiment has begun, and where its pending record will be.
pub(crate) fn begin(test: &str, pending: &Path, record: &Path) -> io::Result<u64> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let experiment = NEXT.fetch_add(1, Ordering::Relaxed);
    let entry = Entry::Began {
        experiment,
        test: test.to_owned(),
        pending: pending.display().to_string(),
        record: record.display().to_string(),
        at: clock::monotonic(),
    };
    with(|book| book.append(&entry).map_err(|error| unwritable(&book.path, error)))?;
    Ok(experiment)
}

fn unwritable(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("cannot write the ledger {}: {error} (CHAOS_TEST_DIR names another place)", path.display()),
    )
}

/// Notes that its record is written.
pub(crate) fn end(experiment: u64) -> io::Result<()> {
    with(|book| book.append(&Entry::Ended { experiment, at: clock::monotonic() }))
}

/// Lets the reaper hold a copy of a lock until this process is gone and its debts are paid, or the hold is dropped.
pub(crate) fn hold(lock: OwnedFd) -> io::Result<Hold> {
    with(|book| {
        book.reaper.keep_alive(&book.path)?;
        book.reaper.hold(lock)
    })
    .map(Hold)
}

/// A lock of which the reaper has a copy.
#[derive(Debug)]
pub(crate) struct Hold(u64);

impl Drop for Hold {
    fn drop(&mut self) {
        if let Some(book) = book().as_mut() {
            book.reaper.release(self.0);
        }
    }
}

/// Tells the reaper when this process should have ended, in seconds of the monotonic clock; or that it may take its time.
pub(crate) fn end_by(deadline: Option<f64>) -> io::Result<()> {
    with(|book| {
        book.reaper.keep_alive(&book.path)?;
        book.reaper.end_by(deadline)
    })
}

/// The ledger of this process, if it has one.
pub(crate) fn current() -> Option<PathBuf> {
    book().as_ref().map(|book| book.path.clone())
}

/// Does something with the ledger, which is opened at the first call, together with its reaper.
fn with<T>(work: impl FnOnce(&mut Book) -> io::Result<T>) -> io::Result<T> {
    let mut slot = book();
    let book = match slot.as_mut() {
        Some(book) => book,
        None => slot.insert(Book::open()?),
    };
    work(book)
}

impl Book {
    fn open() -> io::Result<Self> {
        let owner = Owner::this();
        let path = path_of(&run_folder::run_dir(), owner);
        // The reaper first: if this process is killed right after, somebody takes the empty file away.
        let reaper = Reaper::start(&path)?;
        let file = files::create(&path).map_err(|error| unwritable(&path, error))?;
        let mut book = Self { path, file, torn: false, reaper };
        let opened = Entry::Opened {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            owner: owner.clone(),
            at: clock::monotonic(),
            unix: clock::unix_time().as_secs_f64(),
        };
        book.append(&opened).map_err(|error| unwritable(&book.path, error))?;
        book.file.sync_data()?;
        // The name as well must survive.
        if let Some(dir) = book.path.parent() {
            File::open(dir)?.sync_all()?;
        }
        Ok(book)
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let before = self.file.metadata()?.len();
        let written = append(&mut self.file, self.torn, entry);
        // What a full disk took of it is taken back; where even that fails, the next line ends it.
        self.torn = written.is_err() && self.file.set_len(before).is_err();
        written
    }
}

/// Adds an entry to the ledger of a process that is gone. A last line that its death cut short is taken away: it says
/// nothing, and nothing was done on its account.
pub(crate) fn append_to(path: &Path, entry: &Entry) -> io::Result<()> {
    let text = files::read_at_most(path, read::LONGEST)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let mut file = File::options().append(true).open(path)?;
    let last = &text[whole..];
    let lacks_its_end = !last.is_empty() && serde_json::from_slice::<Entry>(last).is_ok();
    if !last.is_empty() && !lacks_its_end {
        file.set_len(whole as u64)?;
    }
    append(&mut file, lacks_its_end, entry)
}

/// Writes one line in one go; `open` ends a line before it that lacks its end.
fn append(file: &mut File, open: bool, entry: &Entry) -> io::Result<()> {
    let line = serde_json::to_string(entry)?;
    let start = if open { "\n" } else { "" };
    file.write_all(format!("{start}{line}\n").as_bytes())
}

/// The ledger as the engine knows it: that of one experiment.
pub(crate) struct FileLedger {
    experiment: Option<u64>,
    ids: Mutex<Vec<String>>,
}

impl FileLedger {
    pub(crate) fn of(experiment: Option<u64>) -> Self {
        Self { experiment, ids: Mutex::default() }
    }

    /// The ids of all that was owed here, paid or not.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn failed(source: io::Error) -> LedgerError {
    let path = current().unwrap_or_else(|| path_of(&run_folder::run_dir(), Owner::this()));
    LedgerError { path: path.display().to_string(), source }
}

impl Ledger for FileLedger {
    fn owe(&self, record: &RevertRecord) -> Result<(), LedgerError> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).push(record.id.clone());
        owe(record, self.experiment).map_err(failed)
    }

    fn settle(&self, record: &RevertRecord) -> Result<(), LedgerError> {
        settle(&record.id).map_err(failed)
    }
}
