//! Containers to look at, made of nothing but this program; or, without an engine, something that stands for them.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use chaos_test::__cli::{self as support, NoEngine, OwnImage};
use chaos_test::port::{
    BoxFuture, ContainerControl, ContainerState, GroupUsage, PacketPath, PacketShape, Refusal, Target,
    TargetKind, Work, WorkDone,
};
use chaos_test::testcontainers::core::IntoContainerPort;
use chaos_test::testcontainers::{GenericImage, ImageExt};
use chaos_test::{Container, Environment, Probe, Restart};

/// Where it listens inside.
const PORT: u16 = 8000;

/// What is looked at.
pub(crate) struct Contained {
    /// A container as most are.
    pub(crate) plain: Target,
    /// One that was started with everything there is to ask for.
    pub(crate) prepared: Target,
    /// Why there is no such container; then it is so for every rung.
    pub(crate) refusal: Option<Refusal>,
    /// Ended before the image goes.
    _environment: Option<Environment>,
    _image: Option<OwnImage>,
}

/// Two containers, ended when they are dropped. Without them what there would be to try on `like`, a process.
pub(crate) async fn contained(like: &Target) -> Option<Contained> {
    Some(match started().await {
        Ok((environment, image)) => Contained {
            plain: environment.services()[0].target(),
            // For people it is the same one.
            prepared: Target { service: "app".into(), ..environment.services()[1].target() },
            refusal: None,
            _environment: Some(environment),
            _image: Some(image),
        },
        Err(refusal) => {
            let absent = Target {
                kind: TargetKind::Container,
                packets: Some(Arc::new(Absent)),
                process: None,
                container: Some(Arc::new(Absent)),
                shares_host: false,
                ..like.clone()
            };
            Contained {
                plain: absent.clone(),
                prepared: absent,
                refusal: Some(refusal),
                _environment: None,
                _image: None,
            }
        }
    })
}

async fn started() -> Result<(Environment, OwnImage), Refusal> {
    let image = support::own_image().await.map_err(|NoEngine { reason, fix }| Refusal { reason, fix })?;
    let builder = Environment::builder()
        .container("app", of(&image))
        .container("app-restarted", of(&image).restart(Restart::Always));
    let environment = builder.start().await.map_err(|error| {
        Refusal::new(error.to_string(), "see that `docker run` works for this user, with networks and ports")
    })?;
    Ok((environment, image))
}

fn of(image: &OwnImage) -> Container {
    let (name, tag) = image.name();
    let mut words = image.command().iter().map(String::as_str);
    let request = GenericImage::new(name, tag)
        .with_exposed_port(PORT.tcp())
        .with_entrypoint(words.next().unwrap_or_default());
    let port = PORT.to_string();
    let request = request.with_cmd(words.chain(["listen", "--host", "0.0.0.0", "--port", &port]));
    Container::of(request).ready(Probe::http("/"))
}

/// A container that is not there: it has a ladder, and nothing of it can be had.
struct Absent;

fn absent<T>() -> BoxFuture<'static, io::Result<T>> {
    Box::pin(async { Err(io::ErrorKind::NotConnected.into()) })
}

fn refused() -> Option<Refusal> {
    Some(Refusal::new("there is no container", ""))
}

impl ContainerControl for Absent {
    fn id(&self) -> String {
        String::new()
    }

    fn mark(&self) -> String {
        String::new()
    }

    fn is_closed(&self) -> bool {
        true
    }

    fn look(&self) -> BoxFuture<'static, io::Result<ContainerState>> {
        absent()
    }

    fn kill(&self) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn stop(&self, _grace: Duration) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn start(&self) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn pause(&self) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn unpause(&self) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn crash(&self, _started_at: &str) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn crash_refusal(&self) -> Option<Refusal> {
        refused()
    }

    fn restart_policy(&self) -> Option<String> {
        None
    }

    fn work_refusal(&self) -> Option<Refusal> {
        refused()
    }

    fn work(&self, _mark: &str, _work: Work) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn working(&self, _mark: &str) -> BoxFuture<'static, io::Result<Option<WorkDone>>> {
        absent()
    }

    fn cease(&self, _mark: &str) -> BoxFuture<'static, io::Result<()>> {
        absent()
    }

    fn used(&self) -> BoxFuture<'static, io::Result<GroupUsage>> {
        absent()
    }
}

impl PacketPath for Absent {
    fn refusal(&self, _mechanism: &str) -> Option<Refusal> {
        refused()
    }

    fn apply(&self, _mark: &str, _mechanism: &str, _shape: PacketShape) -> io::Result<()> {
        Err(io::ErrorKind::NotConnected.into())
    }

    fn remove(&self, _mark: &str) -> io::Result<()> {
        Ok(())
    }

    fn is_over(&self) -> bool {
        true
    }

    fn round_trip(&self) -> BoxFuture<'static, io::Result<Duration>> {
        absent()
    }

    fn lost(&self, _packets: u32) -> BoxFuture<'static, io::Result<f64>> {
        absent()
    }

    fn listens(&self) -> BoxFuture<'static, io::Result<bool>> {
        absent()
    }
}
