use std::io;
use std::path::Path;
use std::time::Duration;

use super::log::Log;
use super::record::{self, Unmade};
use crate::port::{RevertRecord, UndoStep};
use crate::sys::ledger::{self, Account, Entry, Open, Payer};
use crate::sys::owner::{Mark, Owner};
use crate::sys::pidfd::Ending;
use crate::sys::undo::{Claim, Leader, Marked};
use crate::sys::{clock, containers, files, timer, undo};

/// How a test process ended.
pub(super) struct Death {
    /// When, in seconds of the monotonic clock, if it was noticed: a sweep comes any time later.
    pub(super) at: Option<f64>,
    pub(super) ending: Option<Ending>,
    /// Why it was asked to end, if it was.
    pub(super) why: Option<String>,
}

/// The lock of a ledger: who holds it pays.
pub(super) fn lock(ledger: &Path, limit: Duration) -> Option<files::Locked> {
    files::lock(ledger, limit).ok().flatten()
}

/// What came of paying a ledger.
pub(super) struct Paid {
    account: Account,
    /// What was done, for people.
    pub(super) lines: Vec<String>,
    /// What could not be undone.
    pub(super) failed: Vec<String>,
    /// What an engine has removed, and may still make more of: settled when it has been quiet for a while.
    contained: Vec<String>,
    by: Payer,
    /// The experiments whose records the disk did not take.
    unwritten: Vec<u64>,
    /// How many of the entries were undone.
    done: usize,
    pub(super) of: usize,
}

/// Pays what is owed, newest first, and settles it.
pub(super) fn pay(path: &Path, account: Account, by: Payer, log: &mut Log) -> Paid {
    let (mut lines, mut failed, mut settled, mut contained) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    log.line(&format!(
        "pid {} is gone and owes {} of {} entries",
        account.owner.pid,
        account.owed.len(),
        account.total
    ));
    let leaders: Vec<Leader> =
        account.leaders.iter().filter(|leader| is_of(&leader.mark, &account.owner)).cloned().collect();
    for line in &account.damaged {
        failed.push(format!("line {line} of the ledger {} makes no sense", path.display()));
    }
    // One look finds all its processes; the entries then say what they were.
    let claim = Claim { wanted: &|mark| is_of(mark, &account.owner), leaders: &leaders };
    let ended = undo::end_processes(&claim, undo::STEP_DEADLINE);
    if let Err(error) = &ended {
        log.line(&format!("LEFT BEHIND: {error}"));
        failed.push(error.to_string());
    }
    let ended = ended.ok();
    let mut named: Vec<&str> = Vec::new();
    for debt in account.owed.iter().rev() {
        let record = &debt.record;
        let (done, left) = match foreign(record, &account.owner) {
            Some(step) => (Vec::new(), vec![step]),
            None => undo::undo(record, &leaders, |mark| {
                // Where some withstood, each entry is tried once more by itself.
                let ended = ended.as_ref().filter(|_| is_of(mark, &account.owner))?;
                Some(ended.iter().filter(|process| process.mark == mark).cloned().collect())
            }),
        };
        named.extend(record.undo.iter().filter_map(UndoStep::mark));
        let what = format!("{} on {} ({})", record.injector, record.service, record.id);
        let done = if record.undo.is_empty() { "ended with its process".into() } else { done.join("; ") };
        if left.is_empty() {
            log.line(&format!("{what}: {done}"));
            lines.push(format!("{what}: {done}"));
            // A sweep comes long after the death of whoever asked the engine for anything.
            let later = by == Payer::Reaper && is_contained(record);
            if later { &mut contained } else { &mut settled }.push(record.id.clone());
        } else {
            log.line(&format!("{what}: LEFT BEHIND: {}", left.join("; ")));
            failed.push(format!("{what}: {}", left.join("; ")));
        }
    }
    let done = settled.len() + contained.len();
    // Noted after the last of them, for it is the undoing that is urgent.
    settle(path, settled, by, log);
    let strays: Vec<u32> = ended
        .into_iter()
        .flatten()
        .filter(|process| !named.contains(&process.mark.as_str()))
        .map(|process| process.pid)
        .collect();
    if !strays.is_empty() {
        let line = format!("ended {} that no entry had named", undo::list(&strays));
        log.line(&line);
        lines.push(line);
    }
    let of = account.owed.len();
    Paid { account, lines, failed, contained, by, unwritten: Vec::new(), done, of }
}

fn settle(path: &Path, ids: Vec<String>, by: Payer, log: &mut Log) {
    for id in ids {
        let entry = Entry::Settled { id, by, at: clock::monotonic() };
        if let Err(error) = ledger::append_to(path, &entry) {
            log.line(&format!("the ledger cannot be written: {error}"));
        }
    }
}

/// Whether a container engine has something of it.
fn is_contained(record: &RevertRecord) -> bool {
    record.undo.iter().any(|step| matches!(step, UndoStep::RemoveContainers { .. }))
}

/// Why a record is not carried out: a step of it names what is another owner's, which no ledger of ours says.
fn foreign(record: &RevertRecord, owner: &Owner) -> Option<String> {
    let is_foreign = |mark: &str| mark.parse::<Mark>().is_ok_and(|mark| mark.owner != *owner);
    let step = record.undo.iter().find(|step| step.mark().is_some_and(is_foreign))?;
    Some(format!("{step}: it is not of the run whose ledger this is"))
}

/// Removes what a process that is gone had not finished writing beside its ledger.
pub(super) fn tidy(ledger: &Path, owner: &Owner) {
    if let Some(dir) = ledger.parent() {
        files::remove_temporaries(dir, owner);
    }
}

fn is_of(mark: &str, owner: &Owner) -> bool {
    mark.parse::<Mark>().is_ok_and(|mark| mark.owner == *owner)
}

/// Ends whatever carries a mark of that owner.
pub(super) fn end_all_now(owner: &Owner) -> io::Result<Vec<Marked>> {
    let claim = Claim { wanted: &|mark| is_of(mark, owner), leaders: &[] };
    undo::end_processes(&claim, undo::STEP_DEADLINE)
}

/// A container engine finishes what it was asked for, whether or not whoever asked is still there: what it was about to
/// make comes up after everything else is gone. So long nothing must have come up any more.
const QUIET: Duration = Duration::from_secs(2);
/// How often is looked meanwhile.
const LOOK: Duration = Duration::from_millis(100);
/// How long is looked at most.
const LONGEST: Duration = Duration::from_secs(8);

/// Removes what an engine still makes for that owner.
///
/// # Errors
/// Something is still there, or the engine does not say.
fn remove_what_comes_up(owner: &Owner, log: &mut Log) -> Result<(), String> {
    let end = timer::now() + LONGEST;
    let mut quiet_since = timer::now();
    loop {
        let busy = match containers::remove_of(owner, undo::STEP_DEADLINE) {
            Ok(names) if names.is_empty() => None,
            Ok(names) => {
                let names = names.join(", ");
                log.line(&format!("removed {names}, late"));
                Some(format!("a container engine was still making {names}"))
            }
            Err(why) => Some(format!("what a container engine still made: {why}")),
        };
        let now = timer::now();
        match busy {
            None if now >= quiet_since + QUIET => return Ok(()),
            None => {}
            // One that has become quiet by then is waited for.
            Some(why) if now >= end => {
                log.line(&format!("LEFT BEHIND: {why}"));
                return Err(why);
            }
            Some(_) => quiet_since = now,
        }
        std::thread::sleep(LOOK);
    }
}

/// Ends whatever carries a mark of that owner, now and for a while: a process that was being started when its parent was
/// killed carries its mark only a moment later.
///
/// # Errors
/// Some are still there.
pub(super) fn end_all_of(owner: &Owner, log: &mut Log) -> Result<(), String> {
    for round in 0..8 {
        match end_all_now(owner) {
            Ok(ended) if ended.is_empty() => {}
            Ok(ended) => log.line(&format!("{}, late", undo::said(&ended))),
            Err(error) => {
                log.line(&format!("LEFT BEHIND: {error}"));
                return Err(error.to_string());
            }
        }
        std::thread::sleep(Duration::from_millis(2 << round.min(5)));
    }
    Ok(())
}

/// The same where no ledger says what there was. A container engine is asked if it answers; what came of it is in the log.
pub(super) fn end_all_marked(owner: &Owner, log: &mut Log) {
    let _ = end_all_of(owner, log);
    if !cfg!(feature = "containers") {
        return;
    }
    match containers::remove_of(owner, undo::STEP_DEADLINE) {
        Ok(names) => {
            if !names.is_empty() {
                log.line(&format!("removed {}", names.join(", ")));
            }
            let _ = remove_what_comes_up(owner, log);
        }
        Err(why) => log.line(&format!("no container engine was asked: {why}")),
    }
}

impl Paid {
    /// Writes the records that the dead process could not; returns what came of it, a line each. What may go another time
    /// is among what failed.
    pub(super) fn write_records(&mut self, path: &Path, death: &Death, log: &mut Log) -> Vec<String> {
        let (mut lines, mut failed) = (Vec::new(), Vec::new());
        for open in &self.account.open {
            let message = self.message(open, death);
            let took = death.at.map(|at| at - open.began);
            let made = record::finish(open, path, &message, &self.failed, took);
            let told = format!("{}: {message}", open.test);
            match made {
                Ok(record) => lines.push(format!("{told}; record: {record}")),
                Err(Unmade::Ever(why)) => lines.push(format!("{told}; its record cannot be written: {why}")),
                Err(Unmade::Yet(why)) => {
                    failed.push(format!("{told}; its record could not be written yet: {why}"));
                    self.unwritten.push(open.experiment);
                }
            }
        }
        lines.iter().chain(&failed).for_each(|line| log.line(line));
        self.failed.append(&mut failed);
        lines
    }

    /// Whether its owner had a container engine make anything.
    fn has_containers(&self) -> bool {
        self.account.owed.iter().any(|debt| is_contained(&debt.record))
    }

    /// `killed by SIGKILL 12.4 s into the fault; 3 of 3 reverts done`.
    fn message(&self, open: &Open, death: &Death) -> String {
        let how = death.ending.map_or_else(
            || "ended without a word (a kill, a crash or an exit)".to_owned(),
            |ending| ending.to_string(),
        );
        let how = death.why.as_ref().map_or(how.clone(), |why| format!("{how}, for {why},"));
        let since =
            |then: f64| death.at.map(|at| format!("{:.1} s ", (at - then).max(0.0))).unwrap_or_default();
        let fault = self.account.faults.iter().rev().find(|fault| fault.experiment == open.experiment);
        let when = match fault.map(|fault| (fault.owed, fault.settled)) {
            Some((owed, None)) => format!("{}into the fault", since(owed)),
            Some((_, Some(settled))) => format!("{}after the fault was removed", since(settled)),
            None => format!("{}after its start, before any fault", since(open.began)),
        };
        let late = match death.at {
            Some(_) => "",
            None if self.of == 0 => {
                "; its reaper was gone as well, or the disk full, so a later sweep wrote this"
            }
            None => "; its reaper was gone as well, so a later sweep cleaned up",
        };
        let left =
            if self.failed.is_empty() { String::new() } else { format!(": {}", self.failed.join("; ")) };
        let noun = if self.of == 1 { "revert" } else { "reverts" };
        format!("{how} {when}; {} of {} {noun} done{late}{left}", self.done, self.of)
    }

    /// Puts the ledger away if nothing in it is owed any more.
    ///
    /// # Errors
    /// A process or container that came up late is still there.
    pub(super) fn close(mut self, path: &Path, death: &Death, log: &mut Log) -> Result<(), String> {
        let mut late = end_all_of(&self.account.owner, log);
        // A sweep comes long after the death; or the next one finds it. What a busy engine would not remove at first goes now.
        if death.at.is_some() && self.has_containers() {
            late = late.and(remove_what_comes_up(&self.account.owner, log));
        }
        if late.is_ok() {
            settle(path, std::mem::take(&mut self.contained), self.by, log);
        }
        // Those that are still to be written keep their pending records, and the ledger that names them.
        for open in self.account.open.iter().filter(|open| !self.unwritten.contains(&open.experiment)) {
            let entry = Entry::Ended { experiment: open.experiment, at: clock::monotonic() };
            let _ = ledger::append_to(path, &entry);
        }
        if self.failed.is_empty() && late.is_ok() {
            let _ = files::remove(path);
            log.line("nothing is owed any more");
        } else {
            log.line("something is still owed: `cargo chaos reap` tries again");
        }
        // What withstood at first has been told.
        if self.failed.is_empty() { late } else { Ok(()) }
    }
}
