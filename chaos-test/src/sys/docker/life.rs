//! What has happened to a container, told apart: what we did, and what befell it.
#![allow(clippy::disallowed_methods, reason = "sys is where the time is read")]

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::port::Mishap;
use crate::units::show_duration;

/// So much is remembered: a container that its policy starts over and over fills no memory.
const MOST: usize = 100;

/// The life of one container, as its engine's events tell it.
#[derive(Debug)]
pub(crate) struct Life {
    service: String,
    inner: Mutex<Inner>,
    /// Told of each start.
    starts: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    /// When it went down; `None` while it is up.
    down: Option<Instant>,
    /// We are about to end it ourselves.
    ending: bool,
    /// An end that was taken for ours, until that is known: when, and how.
    ours: Option<(Instant, String)>,
    /// We are about to start it ourselves.
    starting: bool,
    /// The kernel ended a process of it for want of memory, since it was started last.
    out_of_memory: bool,
    /// How it ended, if not by us and it is down.
    ended: Option<String>,
    restarts: u32,
    mishaps: Vec<(Instant, String)>,
}

impl Life {
    pub(crate) fn of(service: &str) -> Self {
        Self {
            service: service.to_owned(),
            inner: Mutex::new(Inner { starting: true, ..Inner::default() }),
            starts: Notify::new(),
        }
    }

    /// The next start; one that nobody has waited for comes at once. For one to wait at a time.
    pub(super) async fn starts(&self) {
        self.starts.notified().await;
    }

    /// We end it: that is no mishap.
    pub(crate) fn ending(&self) {
        self.inner().ending = true;
    }

    /// We have ended it, or are sure to.
    pub(crate) fn ended_by_us(&self) {
        self.inner().ours = None;
    }

    /// We did not end it after all: if it has ended meanwhile, that was its own doing.
    pub(crate) fn not_ended(&self) {
        let mut inner = self.inner();
        inner.ending = false;
        if let Some((at, how)) = inner.ours.take() {
            inner.note(at, format!("{} ended by itself ({how})", self.service));
            if inner.down.is_some() {
                inner.ended = Some(how);
            }
        }
    }

    /// We start it: that is not its policy's doing.
    pub(crate) fn starting(&self) {
        self.inner().starting = true;
    }

    /// We did not start it after all.
    pub(crate) fn not_started(&self) {
        self.inner().starting = false;
    }

    /// How it ended, if it did without our doing and is still down.
    pub(crate) fn ended(&self) -> Option<String> {
        self.inner().ended.clone()
    }

    /// What befell it so far.
    pub(crate) fn mishaps(&self) -> Vec<Mishap> {
        let told = |(at, text): &(Instant, String)| Mishap { ago: at.elapsed(), text: text.clone() };
        self.inner().mishaps.iter().map(told).collect()
    }

    /// Something happened, in the engine's words.
    pub(crate) fn event(&self, action: &str, exit_code: Option<&str>) {
        let mut inner = self.inner();
        let service = &self.service;
        let now = Instant::now();
        match action {
            "oom" => {
                inner.out_of_memory = true;
                inner.note(
                    now,
                    format!(
                        "the kernel ended a process in {service}'s container for want of memory (OOM kill)"
                    ),
                );
            }
            "die" => {
                inner.down = Some(now);
                let memory = if inner.out_of_memory { ", after an OOM kill" } else { "" };
                let how = format!("exit status: {}{memory}", exit_code.unwrap_or("unknown"));
                if std::mem::take(&mut inner.ending) {
                    inner.ours = Some((now, how));
                    return;
                }
                inner.note(now, format!("{service} ended by itself ({how})"));
                inner.ended = Some(how);
            }
            "start" => {
                self.starts.notify_one();
                let down = inner.down.take();
                inner.ended = None;
                inner.out_of_memory = false;
                inner.ending = false;
                if std::mem::take(&mut inner.starting) {
                    return;
                }
                inner.restarts += 1;
                let after = down.map_or_else(String::new, |down| {
                    format!(", {} after it had ended", show_duration(rounded(down.elapsed())))
                });
                let text = format!(
                    "{service} was started again by its restart policy{after} (restart {})",
                    inner.restarts
                );
                inner.note(now, text);
            }
            _ => {}
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Keeps a text; one that is there already gets a number, for the same text is told once.
    fn note(&mut self, at: Instant, text: String) {
        if self.mishaps.len() >= MOST {
            return;
        }
        let before = self.mishaps.iter().filter(|(_, known)| known.starts_with(&text)).count();
        let text = if before > 0 { format!("{text}, for the {}. time", before + 1) } else { text };
        self.mishaps.push((at, text));
    }
}

fn rounded(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(life: &Life) -> Vec<String> {
        life.mishaps().into_iter().map(|mishap| mishap.text).collect()
    }

    #[test]
    fn what_we_do_is_no_mishap() {
        let life = Life::of("db");
        life.event("start", None);
        life.ending();
        life.event("die", Some("137"));
        assert_eq!(life.ended(), None);
        life.starting();
        life.event("start", None);
        assert!(texts(&life).is_empty(), "{:?}", texts(&life));
    }

    #[test]
    fn what_befalls_it_is_told_with_its_cause() {
        let life = Life::of("db");
        life.event("start", None);
        life.event("oom", None);
        life.event("die", Some("137"));
        assert_eq!(life.ended().as_deref(), Some("exit status: 137, after an OOM kill"));
        life.event("start", None);
        assert_eq!(life.ended(), None);
        life.event("die", Some("1"));
        life.event("start", None);
        life.event("die", Some("1"));
        let told = texts(&life);
        assert_eq!(told.len(), 6, "{told:?}");
        assert!(
            told[2].contains("was started again by its restart policy") && told[2].ends_with("(restart 1)")
        );
        assert_eq!(told[3], "db ended by itself (exit status: 1)");
        assert_eq!(told[5], "db ended by itself (exit status: 1), for the 2. time");
    }

    #[test]
    fn an_end_that_came_before_ours_is_its_own() {
        let life = Life::of("db");
        life.event("start", None);
        life.ending();
        life.event("die", Some("3"));
        life.not_ended();
        assert_eq!(texts(&life), ["db ended by itself (exit status: 3)"]);
        assert_eq!(life.ended().as_deref(), Some("exit status: 3"));
        // A start of ours that was none leaves the next one to its policy.
        life.starting();
        life.not_started();
        life.event("start", None);
        assert_eq!(texts(&life).len(), 2, "{:?}", texts(&life));
    }

    #[test]
    fn a_crash_of_ours_leaves_the_restart_to_its_policy() {
        let life = Life::of("db");
        life.event("start", None);
        life.ending();
        life.event("die", Some("137"));
        life.event("start", None);
        assert_eq!(texts(&life).len(), 1);
    }
}
