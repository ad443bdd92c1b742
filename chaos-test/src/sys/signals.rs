//! Signals that ask this process to end, and how it ends.
//!
//! Invariants: a signal that was ignored when we came stays ignored, and one that somebody else handles is theirs to
//! die of.
#![allow(clippy::disallowed_methods, reason = "sys is where a process ends")]

use std::io::Write;
use std::sync::Once;

use nix::libc;
use nix::sys::signal::{SigHandler, SigSet, Signal};
use tokio::signal::unix::{SignalKind, signal};

use super::{env, runtime};
use crate::port::BoxFuture;

/// A signal that asks this process to end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    signal: Signal,
    /// Whether nobody but us handles it, so that we see to its usual end.
    pub(crate) ours: bool,
    /// The process that had started this one, when the signals were first listened to.
    parent: u32,
}

impl Asked {
    /// `SIGTERM`
    pub(crate) fn name(self) -> &'static str {
        self.signal.as_str()
    }

    /// Whether it says that whatever had started this process has gone away without a word.
    pub(crate) fn runner_is_gone(self) -> bool {
        self.signal == Signal::SIGTERM && env::parent_pid() != self.parent
    }

    /// Ends this process by the signal's own default, so that whoever waits for it sees what it died of.
    pub(crate) fn die(self) -> ! {
        // SAFETY: the default disposition runs no code of ours.
        let _ = unsafe { nix::sys::signal::signal(self.signal, SigHandler::SigDfl) };
        let mut set = SigSet::empty();
        set.add(self.signal);
        let _ = set.thread_unblock();
        let _ = nix::sys::signal::raise(self.signal);
        // Not reached: the default of each of these signals is to end the process.
        std::process::exit(128 + self.signal as i32)
    }
}

/// From the first call on, `act` is called for every signal that asks this process to end.
pub(crate) fn listen(act: fn(Asked) -> BoxFuture<'static, ()>) {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let parent = env::parent_pid();
        let _runtime = runtime::harness().enter();
        for wanted in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            let before = disposition(wanted);
            if before == libc::SIG_IGN {
                continue;
            }
            // Without a handler the signal keeps its default, as if we were not there.
            let Ok(mut signals) = signal(SignalKind::from_raw(wanted as i32)) else { continue };
            let asked = Asked { signal: wanted, ours: before == libc::SIG_DFL, parent };
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    act(asked).await;
                }
            });
        }
    });
}

fn disposition(of: Signal) -> libc::sighandler_t {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: with no new action the call only writes the present one into `action`, which zeroes make valid before.
    unsafe {
        libc::sigaction(of as i32, std::ptr::null(), action.as_mut_ptr());
        action.assume_init().sa_sigaction
    }
}

/// Says something on standard error, whatever a test harness does with the output of its tests: this process may not
/// live to see it shown.
pub(crate) fn say(text: &str) {
    // There is nobody left to tell if that fails.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Ends this process with the code of a test that failed.
pub(crate) fn exit_failed() -> ! {
    std::process::exit(101)
}
