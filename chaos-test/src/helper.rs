//! Where a test binary turns into a helper process.
//!
//! Purpose: the function that runs before `main` and, in a process that was started as a helper, never returns.
//!
//! Invariants: an ordinary process loses one look at its environment and its parent here. A helper never reaches `main`.
//! Not here: how a helper is started and recognised (`sys::hook`).

use crate::reaper;
use crate::sys::burner;
use crate::sys::hook::{self, Role};

#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array.00101"))]
static HOOK: extern "C" fn() = take_over;

extern "C" fn take_over() {
    let Some(role) = hook::called() else { return };
    // A panic may not cross into the loader; a helper that panics has nothing more to do.
    let _ = std::panic::catch_unwind(|| match role {
        Role::Burn => burner::burn(),
        Role::Idle => burner::idle(),
        Role::Reap => reaper::watch(),
    });
    hook::exit();
}

/// Keeps the function above in every program that runs experiments.
pub(crate) fn link() {
    std::hint::black_box(&HOOK);
}
