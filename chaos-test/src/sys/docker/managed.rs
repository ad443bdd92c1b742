//! A container of an environment, through its engine.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::StreamExt;
use testcontainers::bollard::models::ContainerStatsResponse;
use testcontainers::bollard::query_parameters::{
    KillContainerOptionsBuilder, StatsOptionsBuilder, StopContainerOptionsBuilder,
};

use super::container::{Details, look};
use super::engine::{did, engine, on_harness, told, wait_for};
use super::work::{Helpers, Whose};
use super::{crash, work};
use crate::port::{
    BoxFuture, ContainerControl, ContainerState, ContainerStatus, GroupUsage, Refusal, Work, WorkDone,
};

/// A container of ours.
pub(crate) struct ManagedContainer {
    pub(super) id: String,
    pub(super) mark: String,
    pub(super) service: String,
    /// The network it has its address in.
    pub(super) network: String,
    restart_policy: Option<String>,
    closed: Arc<AtomicBool>,
    helpers: Arc<Helpers>,
    /// What trials have shown.
    may_crash: OnceLock<Option<Refusal>>,
    may_work: OnceLock<Option<Refusal>>,
}

impl ManagedContainer {
    /// That container, which carries this mark in its labels.
    pub(crate) fn of(found: &Details, mark: &str, service: &str, network: &str) -> Self {
        let policy = found.restart_policy();
        let restart_policy = policy.map(|name| format!("restart policy `{name}` of its engine"));
        Self {
            id: found.id().to_owned(),
            mark: mark.to_owned(),
            service: service.to_owned(),
            network: network.to_owned(),
            restart_policy,
            closed: Arc::default(),
            helpers: Arc::default(),
            may_crash: OnceLock::new(),
            may_work: OnceLock::new(),
        }
    }

    /// From now on it is never started again.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
    }

    /// Crashes that start of it. `now` is called when all is made ready.
    pub(super) fn crash_after(
        &self,
        started_at: &str,
        now: impl FnOnce() + Send + 'static,
    ) -> BoxFuture<'static, io::Result<()>> {
        let (whose, started_at) = (self.whose(), started_at.to_owned());
        on_harness(async move { crash::crash(&whose, &started_at, now).await })
    }

    /// Starts it again if it is down and not closed: whether it was.
    pub(super) fn begin(&self) -> BoxFuture<'static, io::Result<bool>> {
        let (id, closed) = (self.id.clone(), Arc::clone(&self.closed));
        on_harness(async move {
            if closed.load(Ordering::SeqCst) {
                return Ok(false);
            }
            did(engine().await?.start_container(&id, None).await)
        })
    }

    fn whose(&self) -> Whose {
        Whose { id: self.id.clone(), mark: self.mark.clone(), service: self.service.clone() }
    }
}

impl ContainerControl for ManagedContainer {
    fn id(&self) -> String {
        self.id.clone()
    }

    fn mark(&self) -> String {
        self.mark.clone()
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn look(&self) -> BoxFuture<'static, io::Result<ContainerState>> {
        let (id, network) = (self.id.clone(), self.network.clone());
        on_harness(async move { look(&id, &network).await })
    }

    fn kill(&self) -> BoxFuture<'static, io::Result<()>> {
        let id = self.id.clone();
        on_harness(async move {
            let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
            engine().await?.kill_container(&id, Some(options)).await.map_err(told)
        })
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'static, io::Result<()>> {
        let id = self.id.clone();
        on_harness(async move {
            let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
            let options = StopContainerOptionsBuilder::default().t(seconds).build();
            did(engine().await?.stop_container(&id, Some(options)).await).map(drop)
        })
    }

    fn start(&self) -> BoxFuture<'static, io::Result<()>> {
        let begun = self.begin();
        Box::pin(async move { begun.await.map(drop) })
    }

    fn pause(&self) -> BoxFuture<'static, io::Result<()>> {
        let id = self.id.clone();
        on_harness(async move { engine().await?.pause_container(&id).await.map_err(told) })
    }

    fn unpause(&self) -> BoxFuture<'static, io::Result<()>> {
        let (id, network) = (self.id.clone(), self.network.clone());
        on_harness(async move {
            match engine().await?.unpause_container(&id).await.map_err(told) {
                // The engine calls it an error that there is nothing to do.
                Err(error) => match look(&id, &network).await {
                    Ok(state) if state.status == ContainerStatus::Paused => Err(error),
                    _ => Ok(()),
                },
                ok => ok,
            }
        })
    }

    fn crash(&self, started_at: &str) -> BoxFuture<'static, io::Result<()>> {
        self.crash_after(started_at, || ())
    }

    fn crash_refusal(&self) -> Option<Refusal> {
        let trial = || {
            let whose = self.whose();
            wait_for(async move { crash::trial(&whose).await })
        };
        known(&self.may_crash, trial)
    }

    fn restart_policy(&self) -> Option<String> {
        self.restart_policy.clone()
    }

    fn work_refusal(&self) -> Option<Refusal> {
        let trial = || {
            let whose = self.whose();
            wait_for(async move { work::trial(&whose).await })
        };
        known(&self.may_work, trial)
    }

    fn work(&self, mark: &str, work: Work) -> BoxFuture<'static, io::Result<()>> {
        let (helpers, whose, mark) = (Arc::clone(&self.helpers), self.whose(), mark.to_owned());
        on_harness(async move { helpers.start(&whose, &mark, work).await })
    }

    fn working(&self, mark: &str) -> BoxFuture<'static, io::Result<Option<WorkDone>>> {
        let (helpers, mark) = (Arc::clone(&self.helpers), mark.to_owned());
        on_harness(async move { helpers.look(&mark).await })
    }

    fn cease(&self, mark: &str) -> BoxFuture<'static, io::Result<()>> {
        let (helpers, mark) = (Arc::clone(&self.helpers), mark.to_owned());
        on_harness(async move { helpers.cease(&mark).await })
    }

    fn used(&self) -> BoxFuture<'static, io::Result<GroupUsage>> {
        let id = self.id.clone();
        on_harness(async move {
            let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
            let mut found = Box::pin(engine().await?.stats(&id, Some(options)));
            let stats = found.next().await.ok_or(io::ErrorKind::UnexpectedEof)?;
            Ok(usage(stats.map_err(told)?))
        })
    }
}

/// What a trial has shown, before or now.
fn known(
    shown: &OnceLock<Option<Refusal>>,
    trial: impl FnOnce() -> Result<Option<Refusal>, Refusal>,
) -> Option<Refusal> {
    if let Some(shown) = shown.get() {
        return shown.clone();
    }
    match trial() {
        Ok(found) => shown.get_or_init(|| found).clone(),
        // It is tried again when somebody asks again.
        Err(late) => Some(late),
    }
}

fn usage(stats: ContainerStatsResponse) -> GroupUsage {
    let cpu = stats.cpu_stats.unwrap_or_default();
    let nanoseconds = |value: Option<u64>| Duration::from_nanos(value.unwrap_or_default());
    let memory = stats.memory_stats.unwrap_or_default();
    let named = memory.stats.unwrap_or_default();
    // What both versions of control groups call the part of the file cache that is given back at once.
    let given_back = named.get("total_inactive_file").or_else(|| named.get("inactive_file"));
    let usage = memory.usage.unwrap_or_default();
    let entries = stats.blkio_stats.and_then(|stats| stats.io_service_bytes_recursive).unwrap_or_default();
    let bytes = |wanted: &str| -> u64 {
        let of = |op: &Option<String>| op.as_deref().is_some_and(|op| op.eq_ignore_ascii_case(wanted));
        entries.iter().filter(|entry| of(&entry.op)).filter_map(|entry| entry.value).sum()
    };
    GroupUsage {
        processor: nanoseconds(cpu.cpu_usage.and_then(|usage| usage.total_usage)),
        throttled: nanoseconds(cpu.throttling_data.and_then(|data| data.throttled_time)),
        memory: usage.saturating_sub(given_back.copied().unwrap_or_default()),
        memory_limit: memory.limit.filter(|limit| *limit < u64::MAX / 2),
        read: bytes("read"),
        written: bytes("write"),
        processes: u32::try_from(stats.pids_stats.and_then(|pids| pids.current).unwrap_or_default())
            .unwrap_or(u32::MAX),
    }
}

impl fmt::Debug for ManagedContainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManagedContainer")
            .field("id", &self.id)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}
