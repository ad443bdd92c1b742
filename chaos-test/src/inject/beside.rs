use crate::port::{Refusal, Rung, Target};
use crate::sys::cgroup::{self, Group};

/// A kind of control group that decides who shares what with whom.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// What it is called: `CPU`.
    pub(super) name: &'static str,
    /// Its controllers.
    pub(super) controllers: &'static [&'static str],
}

/// The rung whose workers are put into the service's own control group, and whether there is anything to gain by it.
pub(super) fn rung(mechanism: &'static str, kind: Kind, target: &Target) -> Rung {
    Rung::unless(mechanism, groups(kind, target).err())
}

/// The control groups in which a worker is beside the service, where they are not ours.
pub(super) fn groups(kind: Kind, target: &Target) -> Result<Vec<Group>, Refusal> {
    let (name, service) = (kind.name, &target.service);
    let Some(process) = &target.process else {
        return Err(Refusal::new(
            format!("{service} was not started by this run, so its cgroup is not known"),
            "",
        ));
    };
    let pid = process.pid().ok_or_else(|| Refusal::new(format!("{service} is not running"), ""))?;
    let apart = cgroup::apart(pid, kind.controllers).map_err(|error| {
        Refusal::new(format!("the {name} cgroup of {service} cannot be told: {error}"), "")
    })?;
    if apart.is_empty() {
        let why = format!("{service} is in the same {name} cgroup as the test: nothing to gain");
        return Err(Refusal::new(why, ""));
    }
    for group in &apart {
        group.may_enter().map_err(|error| {
            let dir = group.dir.display();
            let why = format!("processes may not be put into the {name} cgroup of {service}, {dir}: {error}");
            Refusal::new(why, "run as root, or delegate that cgroup to this user")
        })?;
    }
    Ok(apart)
}

/// Whether a process is in all of these groups, by the kernel's word.
pub(super) fn is_in(groups: &[Group], pid: u32) -> bool {
    groups.iter().all(|group| group.holds(pid).unwrap_or(false))
}
