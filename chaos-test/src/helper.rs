//! Where a test binary turns into a helper process.
//!
//! Purpose: the function that runs before `main` and, in a process that was started as a helper, never returns.
//!
//! Invariants: an ordinary process loses one look at its environment and its parent here. A helper never reaches `main`.
//! Not here: how a helper is started and recognised (`sys::hook`).

use std::path::Path;
use std::time::Duration;

use crate::reaper;
use crate::sys::hook::{self, Role};
use crate::sys::{burner, hog, net, sidecar, syncs, writer};

#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array.00101"))]
static HOOK: extern "C" fn() = take_over;

extern "C" fn take_over() {
    let Some((role, order)) = hook::called() else { return };
    // A panic may not cross into the loader; a helper that panics has nothing more to do.
    let _ = std::panic::catch_unwind(|| match role {
        // An order that makes no sense is no order: such a worker does nothing, and the witness sees that.
        Role::Burn => burner::burn(order.parse().unwrap_or(0.0)),
        Role::Hog => hoard(&order),
        Role::Write => write(&order),
        Role::Idle => burner::idle(),
        Role::Sync => syncs::sync(),
        Role::Network => net::serve(),
        Role::Sidecar => sidecar::serve(),
        Role::Reap => reaper::watch(),
    });
    hook::exit();
}

fn hoard(order: &str) {
    let mut numbers = order.split(' ').map(str::parse);
    if let (Some(Ok(size)), Some(Ok(ramp))) = (numbers.next(), numbers.next()) {
        hog::hoard(size, Duration::from_millis(ramp));
    }
}

fn write(order: &str) {
    if let Some((Ok(most), dir)) = order.split_once(' ').map(|(most, dir)| (most.parse(), dir)) {
        writer::write(most, Path::new(dir));
    }
}

/// Keeps the function above in every program that runs experiments.
pub(crate) fn link() {
    std::hint::black_box(&HOOK);
}
