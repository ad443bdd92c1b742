//! What can be done to packets on this host, by trying in a network that is thrown away.

use std::fs::File;
use std::io::{self, Read, Write};
use std::time::Duration;

use nix::libc;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

use super::applied::{Applied, Which};
use super::found::{Found, Means};
use super::link;
use crate::port::PacketShape;
use crate::sys::hook;

/// Tries everything in a child with a namespace of its own, so that it leaves no trace in this one.
pub(super) fn find() -> io::Result<Found> {
    let (read, write) = nix::unistd::pipe()?;
    // SAFETY: a helper has one thread only, so its child may do what it likes.
    match unsafe { fork() }? {
        ForkResult::Child => {
            let found = unshare(CloneFlags::CLONE_NEWNET).map_err(io::Error::from).and_then(|()| {
                link::up()?;
                Ok(try_all())
            });
            if let Ok(text) =
                found.map_err(io::Error::other).and_then(|found| Ok(serde_json::to_vec(&found)?))
            {
                let _ = File::from(write).write_all(&text);
            }
            hook::exit()
        }
        ForkResult::Parent { child } => {
            drop(write);
            let mut text = Vec::new();
            File::from(read).read_to_end(&mut text)?;
            waitpid(child, None)?;
            if text.is_empty() {
                return Err(io::Error::other("no network to try in can be had"));
            }
            Ok(serde_json::from_slice(&text)?)
        }
    }
}

/// Tries everything in the network this process is in, which nobody else may need.
pub(crate) fn try_all() -> Found {
    let slow = PacketShape { delay: Duration::from_millis(1), ..PacketShape::default() };
    let lossy = PacketShape { loss: 0.5, ..PacketShape::default() };
    let attempt = |means, shape| {
        let tried = Applied::new("chaos-test-trial", means, Which::All, shape).and_then(Applied::undo);
        tried.map_err(|error| told(means, &error))
    };
    Found {
        netem: attempt(Means::Netem, slow),
        drop: attempt(Means::Drop, lossy),
        native_queue: attempt(Means::Queue { native: true }, slow),
        compat_queue: attempt(Means::Queue { native: false }, slow),
    }
}

fn told(means: Means, error: &io::Error) -> String {
    let missing = match means {
        Means::Netem => "this kernel has no netem",
        Means::Drop => "this kernel has no random numbers in its packet filter (nft numgen)",
        Means::Queue { .. } => "this kernel has no packet queues (NFQUEUE)",
    };
    let code = error.raw_os_error();
    match code {
        Some(libc::ENOENT | libc::EOPNOTSUPP | libc::EPROTONOSUPPORT) => missing.to_owned(),
        Some(libc::EPERM | libc::EACCES) => "this host forbids it in a network of one's own".to_owned(),
        _ => format!("tried, and failed: {error}"),
    }
}
