//! What services use, whatever they run in: processes by the kernel's account, containers by their engine's.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::process::ManagedProcess;
use super::runtime::harness;
use super::usage::TreeMeter;
use crate::port::{ContainerControl, GroupUsage, Meter, Usage};

/// How long an engine may take to tell what a container uses. After that it is as before.
const PATIENCE: Duration = Duration::from_secs(2);

/// Reads what services use: processes first, then containers, each in the order they were given.
pub(crate) struct Meters {
    processes: TreeMeter,
    containers: Vec<Count>,
}

/// What is known of one container.
struct Count {
    container: Arc<dyn ContainerControl>,
    sums: Sums,
}

/// An engine counts from the last start on; these sums never fall.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Of starts before this one.
    before: Usage,
    /// Of this one, as it was told last.
    last: GroupUsage,
}

impl Meters {
    pub(crate) fn of<'a>(
        processes: impl IntoIterator<Item = &'a Arc<ManagedProcess>>,
        containers: Vec<Arc<dyn ContainerControl>>,
    ) -> Self {
        let count = |container| Count { container, sums: Sums::default() };
        Self { processes: TreeMeter::of(processes), containers: containers.into_iter().map(count).collect() }
    }
}

impl Meter for Meters {
    fn read(&mut self) -> io::Result<Vec<Usage>> {
        let asked = self.containers.iter().map(|count| {
            let used = count.container.used();
            async move { tokio::time::timeout(PATIENCE, used).await.ok()?.ok() }
        });
        let told = harness().block_on(join_all(asked));
        let mut usages = self.processes.read()?;
        usages.extend(self.containers.iter_mut().zip(told).map(|(count, told)| count.sums.take(told)));
        Ok(usages)
    }
}

impl Sums {
    /// The sums, given what the engine has told: nothing, if it did not answer.
    fn take(&mut self, told: Option<GroupUsage>) -> Usage {
        if let Some(now) = told {
            // A container that is down has used nothing, and one that was started again begins anew.
            if now.processor < self.last.processor {
                self.before = self.so_far();
            }
            self.last = now;
        }
        Usage { resident: self.last.memory, processes: self.last.processes, ..self.so_far() }
    }

    fn so_far(&self) -> Usage {
        Usage {
            cpu: self.before.cpu.saturating_add(self.last.processor),
            read: self.before.read.saturating_add(self.last.read),
            written: self.before.written.saturating_add(self.last.written),
            ..Usage::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(millis: u64) -> Option<GroupUsage> {
        Some(GroupUsage {
            processor: Duration::from_millis(millis),
            memory: 100,
            written: millis,
            processes: 3,
            ..GroupUsage::default()
        })
    }

    #[test]
    fn sums_never_fall_though_an_engine_begins_anew_at_every_start() {
        let mut sums = Sums::default();
        let mut take = |told| {
            let usage = sums.take(told);
            (usage.cpu.as_millis(), usage.written, usage.resident, usage.processes)
        };
        assert_eq!(take(told(40)), (40, 40, 100, 3));
        assert_eq!(take(None), (40, 40, 100, 3), "an engine that does not answer");
        assert_eq!(take(Some(GroupUsage::default())), (40, 40, 0, 0), "down");
        assert_eq!(take(Some(GroupUsage::default())), (40, 40, 0, 0), "still down");
        assert_eq!(take(told(5)), (45, 45, 100, 3));
        // Killed and started between two looks.
        assert_eq!(take(told(2)), (47, 47, 100, 3));
    }
}
