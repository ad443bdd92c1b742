//! How many descriptors this process may have: clients that give up on a service that hangs cost two each until it goes on,
//! and who has none left can neither look at processes nor tell one to go on.

use std::io;
use std::sync::OnceLock;

use nix::sys::resource::{Resource, getrlimit, rlim_t, setrlimit};

const ENOUGH: rlim_t = 65_536;
/// What this process came with, if that was raised: soft and hard limit.
static BEFORE: OnceLock<Option<(rlim_t, rlim_t)>> = OnceLock::new();

/// Raises the limit as far as this user may, once. Where that is not possible it stays.
pub(crate) fn raise() {
    BEFORE.get_or_init(|| {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        let more = hard.min(ENOUGH);
        (more > soft && setrlimit(Resource::RLIMIT_NOFILE, more, hard).is_ok()).then_some((soft, hard))
    });
}

/// For a child that is about to run its program: what this process came with. One system call.
pub(crate) fn restore() -> io::Result<()> {
    let Some(Some((soft, hard))) = BEFORE.get() else { return Ok(()) };
    Ok(setrlimit(Resource::RLIMIT_NOFILE, *soft, *hard)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_it_may_be() {
        raise();
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("every process has one");
        assert!(soft >= hard.min(ENOUGH));
    }
}
