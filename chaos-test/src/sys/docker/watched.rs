use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::host_port::HostPort;
use super::life::Life;
use super::managed::ManagedContainer;
use crate::port::{BoxFuture, ContainerControl, ContainerState, GroupUsage, Refusal, Work, WorkDone};

/// A container of an environment under control: what is done to it by us is noted as ours, and where it is reached is
/// looked up anew when that may have changed.
pub(crate) struct Watched {
    container: Arc<ManagedContainer>,
    life: Arc<Life>,
    port: Arc<HostPort>,
}

impl Watched {
    pub(crate) fn of(container: Arc<ManagedContainer>, life: Arc<Life>, port: Arc<HostPort>) -> Self {
        Self { container, life, port }
    }

    /// The container itself.
    pub(crate) fn container(&self) -> &Arc<ManagedContainer> {
        &self.container
    }

    /// Something that ends it.
    fn ends(&self, end: BoxFuture<'static, io::Result<()>>) -> BoxFuture<'static, io::Result<()>> {
        let (life, port) = (Arc::clone(&self.life), Arc::clone(&self.port));
        Box::pin(async move {
            life.ending();
            ended(&life, &port, end.await)
        })
    }
}

/// What came of something that was to end it.
fn ended(life: &Life, port: &HostPort, ended: io::Result<()>) -> io::Result<()> {
    match &ended {
        Ok(()) => {
            life.ended_by_us();
            port.forget();
        }
        Err(_) => life.not_ended(),
    }
    ended
}

impl ContainerControl for Watched {
    fn id(&self) -> String {
        self.container.id()
    }

    fn mark(&self) -> String {
        self.container.mark()
    }

    fn is_closed(&self) -> bool {
        self.container.is_closed()
    }

    fn look(&self) -> BoxFuture<'static, io::Result<ContainerState>> {
        self.container.look()
    }

    fn kill(&self) -> BoxFuture<'static, io::Result<()>> {
        let container = Arc::clone(&self.container);
        self.ends(Box::pin(async move { container.kill().await }))
    }

    fn stop(&self, grace: Duration) -> BoxFuture<'static, io::Result<()>> {
        let container = Arc::clone(&self.container);
        self.ends(Box::pin(async move { container.stop(grace).await }))
    }

    fn start(&self) -> BoxFuture<'static, io::Result<()>> {
        let (container, life, port) =
            (Arc::clone(&self.container), Arc::clone(&self.life), Arc::clone(&self.port));
        Box::pin(async move {
            life.starting();
            let started = container.begin().await;
            if !matches!(started, Ok(true)) {
                life.not_started();
            }
            // Also where it was up: then its number is the same, and is found again.
            port.forget();
            started.map(drop)
        })
    }

    fn pause(&self) -> BoxFuture<'static, io::Result<()>> {
        self.container.pause()
    }

    fn unpause(&self) -> BoxFuture<'static, io::Result<()>> {
        self.container.unpause()
    }

    fn crash(&self, started_at: &str) -> BoxFuture<'static, io::Result<()>> {
        let (life, port) = (Arc::clone(&self.life), Arc::clone(&self.port));
        // Not before all is made ready: until then an end of it is its own.
        let now = {
            let life = Arc::clone(&life);
            move || life.ending()
        };
        let crashing = self.container.crash_after(started_at, now);
        Box::pin(async move { ended(&life, &port, crashing.await) })
    }

    fn crash_refusal(&self) -> Option<Refusal> {
        self.container.crash_refusal()
    }

    fn restart_policy(&self) -> Option<String> {
        self.container.restart_policy()
    }

    fn work_refusal(&self) -> Option<Refusal> {
        self.container.work_refusal()
    }

    fn work(&self, mark: &str, work: Work) -> BoxFuture<'static, io::Result<()>> {
        self.container.work(mark, work)
    }

    fn working(&self, mark: &str) -> BoxFuture<'static, io::Result<Option<WorkDone>>> {
        self.container.working(mark)
    }

    fn cease(&self, mark: &str) -> BoxFuture<'static, io::Result<()>> {
        self.container.cease(mark)
    }

    fn used(&self) -> BoxFuture<'static, io::Result<GroupUsage>> {
        self.container.used()
    }
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.container.fmt(f)
    }
}
