use crate::port::{Refusal, Target};

/// Why nothing may be taken from this host for the target's sake, if it may not.
pub(super) fn refusal(target: &Target) -> Option<Refusal> {
    (!target.shares_host).then(|| {
        let service = &target.service;
        Refusal::new(
            format!("{service} is not a process of this run, and may not be on this host"),
            "start it as a process of the environment; or, if it is on this host, agree to stress all of it: \
             `.stress_host(true)`, `--stress-host`",
        )
    })
}
