use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::log::Log;
use super::pay::{self, Death};
#[cfg(all(feature = "cli", not(feature = "containers")))]
use crate::port::UndoStep;
use crate::sys::ledger::{self, Account, Payer};
use crate::sys::owner::{Mark, Owner, Standing};
use crate::sys::undo::Claim;
use crate::sys::{containers, files, procfs, undo};

/// How long a reaper that is paying is waited for.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the dead have left.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Ledgers of processes that are gone, with what they say.
    pub(crate) ledgers: Vec<(PathBuf, Account)>,
    /// Ledgers that cannot be read, and why.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
    /// Processes with a mark of somebody who is gone.
    pub(crate) processes: Vec<undo::Marked>,
    /// Files with such a mark in their name.
    pub(crate) files: Vec<(PathBuf, String)>,
    /// What a container engine keeps with such a mark: what it is, for people, and the mark.
    pub(crate) contained: Vec<(String, String)>,
    /// Ledgers that somebody else has to pay, and why.
    pub(crate) elsewhere: Vec<(PathBuf, &'static str)>,
    /// Ledgers whose owner was killed before it had written whose they are.
    empty: Vec<PathBuf>,
}

impl Found {
    pub(crate) fn is_empty(&self) -> bool {
        self.ledgers.is_empty()
            && self.unreadable.is_empty()
            && self.processes.is_empty()
            && self.files.is_empty()
            && self.contained.is_empty()
            && self.empty.is_empty()
    }

    /// What there is, a line each, for people.
    #[cfg(feature = "cli")]
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, account) in &self.ledgers {
            let owner = account.owner.pid;
            let at = path.display();
            lines.extend(
                account
                    .open
                    .iter()
                    .map(|open| format!("the test {} has no record (pid {owner}; {at})", open.test)),
            );
            lines.extend(account.owed.iter().rev().map(|debt| {
                let record = &debt.record;
                let steps: Vec<String> = record.undo.iter().map(ToString::to_string).collect();
                let how =
                    if steps.is_empty() { "it ended with its process".into() } else { steps.join(", then ") };
                format!("{} on {} (pid {owner}): {how} ({at})", record.injector, record.service)
            }));
            lines.extend(account.damaged.iter().map(|line| format!("line {line} makes no sense ({at})")));
            if account.is_clear() {
                lines.push(format!("a ledger in which nothing is owed any more (pid {owner}; {at})"));
            }
        }
        lines.extend(
            self.empty.iter().map(|path| format!("a ledger with nothing in it ({})", path.display())),
        );
        lines.extend(
            self.unreadable.iter().map(|(path, why)| format!("the ledger {}: {why}", path.display())),
        );
        lines.extend(
            self.processes.iter().map(|process| format!("process {} marked {}", process.pid, process.mark)),
        );
        lines.extend(self.files.iter().map(|(path, _)| format!("the file {}", path.display())));
        lines.extend(self.contained.iter().map(|(thing, mark)| format!("the {thing} marked {mark}")));
        lines
    }

    /// What is not touched, and why.
    #[cfg(feature = "cli")]
    pub(crate) fn untouched(&self) -> Vec<String> {
        let told = |(path, why): &(PathBuf, &str)| format!("the ledger {}: {why}", path.display());
        let lines = self.elsewhere.iter().map(told);
        #[cfg(not(feature = "containers"))]
        let lines = lines.chain(self.unremovable());
        lines.collect()
    }

    /// The containers that ledgers name, which this program cannot remove.
    #[cfg(all(feature = "cli", not(feature = "containers")))]
    fn unremovable(&self) -> impl Iterator<Item = String> {
        let debts = self.ledgers.iter().flat_map(|(_, account)| account.owed.iter().rev());
        debts.flat_map(|debt| {
            debt.record.undo.iter().filter_map(|step| match step {
                UndoStep::RemoveContainers { mark } => {
                    let service = &debt.record.service;
                    let why = containers::unremovable(mark);
                    Some(format!("the containers of {service}, chaos-test-{mark}-…: {why}"))
                }
                _ => None,
            })
        })
    }
}

/// Looks what the dead have left, and touches nothing. What belongs to the living is not found.
pub(crate) fn find(results: &Path) -> Found {
    let mut found = find_debts(results);
    let Found { processes, files, .. } = find_strays();
    found.processes = processes;
    found.files = files;
    found
}

const ELSEWHERE: &str = "its owner is in another pid namespace, so whether it lives cannot be seen from here";
const ANOTHER_MACHINE: &str = "it is another machine's, which shares this directory";
/// Whoever is not that user finds none of its processes, and would settle what is still owed.
const ANOTHER_USER: &str = "it is another user's, who alone can pay it";

/// Ledgers of the dead in the run folders below `results`.
pub(crate) fn find_debts(results: &Path) -> Found {
    let mut found = Found::default();
    for path in files::below(results, 2).into_iter().filter(|path| is_ledger(path)) {
        match ledger::read(&path) {
            Ok(account) => match account.owner.standing() {
                Standing::Alive => {}
                // Written under another boot, while this one was going on already.
                Standing::Dead
                    if procfs::boot_time().is_some_and(|boot| account.is_of_another_machine(boot)) =>
                {
                    found.elsewhere.push((path, ANOTHER_MACHINE));
                }
                Standing::Dead if !files::is_own(&path) => found.elsewhere.push((path, ANOTHER_USER)),
                Standing::Dead => found.ledgers.push((path, account)),
                Standing::Elsewhere => found.elsewhere.push((path, ELSEWHERE)),
            },
            // Its owner may be about to write its first line; or it is of a version that knows more.
            Err(ledger::ReadError::NoOwner | ledger::ReadError::Newer(_))
                if owner_of(&path).is_some_and(|owner| owner.standing() == Standing::Alive) => {}
            // It was killed before it had written that. What is not called as a ledger of ours is not ours.
            Err(ledger::ReadError::NoOwner) if files::is_empty(&path) => {
                if owner_of(&path).is_some() {
                    found.empty.push(path);
                }
            }
            // Another start has just paid it.
            Err(ledger::ReadError::Io(error)) if error.kind() == ErrorKind::NotFound => {}
            Err(ledger::ReadError::Io(error))
                if error.kind() == ErrorKind::PermissionDenied && !files::is_own(&path) =>
            {
                found.elsewhere.push((path, ANOTHER_USER));
            }
            Err(error) => found.unreadable.push((path, error.to_string())),
        }
    }
    found
}

/// Processes and temporary files with a mark of somebody who is dead, whether a ledger knows them or not.
pub(crate) fn find_strays() -> Found {
    let is_dead = |mark: &str| mark.parse::<Mark>().is_ok_and(|mark| mark.owner.standing() == Standing::Dead);
    // What runs was started in this boot. With the mark of another it is in a container that has a boot id of its own
    // (systemd-nspawn, LXC), and its owner may live.
    let is_of_this_boot =
        |mark: &str| mark.parse::<Mark>().is_ok_and(|mark| mark.owner.boot == Owner::this().boot);
    let is_stray = |mark: &str| is_of_this_boot(mark) && is_dead(mark);
    Found {
        processes: undo::marked().into_iter().filter(|process| is_stray(&process.mark)).collect(),
        files: undo::marked_files().into_iter().filter(|(_, mark)| is_dead(mark)).collect(),
        ..Found::default()
    }
}

/// What a container engine keeps with a mark of somebody who is dead, if there is an engine. Every start of an environment
/// with containers looks for itself.
#[cfg(feature = "cli")]
pub(crate) fn find_contained() -> Found {
    #[cfg(feature = "containers")]
    let things = crate::sys::docker::of_the_dead_now(undo::STEP_DEADLINE).unwrap_or_default();
    #[cfg(feature = "containers")]
    return Found {
        contained: things.into_iter().map(|thing| (thing.name, thing.mark)).collect(),
        ..Found::default()
    };
    #[cfg(not(feature = "containers"))]
    Found::default()
}

fn is_ledger(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("ledger-") && name.ends_with(".jsonl")
}

/// Whose ledger this is by its name, if it is one of this pid namespace; the name does not say of which it is.
fn owner_of(path: &Path) -> Option<Owner> {
    let stem = path.file_stem()?.to_str()?;
    let (pid, start_ticks) = stem.strip_prefix("ledger-")?.split_once('-')?;
    Some(Owner { pid: pid.parse().ok()?, start_ticks: start_ticks.parse().ok()?, ..Owner::this().clone() })
}

/// Pays what was found. Returns what was done and what could not be, a line each.
pub(crate) fn sweep(found: Found) -> (Vec<String>, Vec<String>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (path, seen) in found.ledgers {
        // Its reaper may be at it.
        let Some(_lock) = pay::lock(&path, PATIENCE) else {
            // Unless it was paid before it could be opened.
            if files::is_file(&path) {
                failed.push(format!("{}: somebody else is paying it, and does not get on", path.display()));
            }
            continue;
        };
        pay::tidy(&path, &seen.owner);
        // It may have been paid meanwhile.
        let Ok(account) = ledger::read(&path) else { continue };
        if account.is_clear() {
            let _ = files::remove(&path);
            continue;
        }
        let mut log = Log::beside(&path);
        let tests: Vec<&str> = account.open.iter().map(|open| open.test.as_str()).collect();
        let of = if tests.is_empty() { String::new() } else { format!(" ({})", tests.join(", ")) };
        let prefix = format!("pid {}{of}", seen.owner.pid);
        let mut paid = pay::pay(&path, account, Payer::Sweep, &mut log);
        let death = Death { at: None, ending: None, why: None };
        let records = paid.write_records(&path, &death, &mut log);
        done.extend(paid.lines.iter().chain(&records).map(|line| format!("{prefix}: {line}")));
        failed.extend(paid.failed.iter().map(|line| format!("{prefix}: {line}")));
        failed.extend(paid.close(&path, &death, &mut log).err().map(|line| format!("{prefix}: {line}")));
    }
    for path in found.empty {
        let _ = files::remove(&path);
    }
    failed.extend(found.unreadable.into_iter().map(|(path, why)| format!("{}: {why}", path.display())));
    if !found.processes.is_empty() {
        let marks: Vec<&str> = found.processes.iter().map(|process| process.mark.as_str()).collect();
        match undo::end_processes(
            &Claim { wanted: &|mark| marks.contains(&mark), leaders: &[] },
            undo::STEP_DEADLINE,
        ) {
            Ok(ended) if ended.is_empty() => {}
            Ok(ended) => done.push(format!("{} of a run that is gone", undo::said(&ended))),
            Err(error) => failed.push(error.to_string()),
        }
    }
    let mut marks: Vec<String> = found.contained.into_iter().map(|(_, mark)| mark).collect();
    marks.dedup();
    for mark in marks {
        match containers::remove(&mark, undo::STEP_DEADLINE) {
            Ok(what) => done.push(what),
            Err(why) => failed.push(format!("{mark}: {why}")),
        }
    }
    for (path, mark) in found.files {
        match undo::remove_file(&path, &mark) {
            Ok(what) => done.push(what),
            Err(why) => failed.push(format!("{}: {why}", path.display())),
        }
    }
    (done, failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::hook::MARK;

    #[test]
    #[allow(clippy::disallowed_types, clippy::disallowed_methods, reason = "a test of processes starts one")]
    fn who_runs_with_the_mark_of_another_boot_may_be_of_the_living() {
        let boot = if Owner::this().boot == "ffffffff" { "eeeeeeee" } else { "ffffffff" };
        let mark = Mark { owner: Owner { boot: boot.into(), ..Owner::this().clone() }, n: 1 }.to_string();
        let mut other = std::process::Command::new("setsid");
        let mut other = other.args(["sleep", "60"]).env(MARK, &mark).spawn().expect("there is a setsid");
        let pid = other.id();
        let has = |found: &[undo::Marked]| found.iter().any(|process| process.pid == pid);
        while !has(&undo::marked()) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let found = has(&find_strays().processes);
        let _ = other.kill().and_then(|()| other.wait());
        assert!(!found);
    }
}
