use std::fmt;
use std::io;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::errors::Error as DockerError;
use tokio::sync::OnceCell;

use crate::port::{BoxFuture, Refusal};
use crate::sys::runtime::harness;

/// How long an engine may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a trial may take, with the image for helpers that the first one makes.
const TRIAL: Duration = Duration::from_secs(15);
/// The oldest programming interface that is known to work: that of Docker 20.10.
const OLDEST: (u32, u32) = (1, 41);

/// Why no engine can be used, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: String,
    pub(crate) fix: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (to have one: {})", self.reason, self.fix)
    }
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::new(io::ErrorKind::NotConnected, refused.to_string())
    }
}

/// The engine; asked until it has once said that it is there, and new enough. To be called on the harness's own threads: its connections
/// live there.
pub(crate) async fn engine() -> Result<&'static Docker, Refused> {
    // One that did not answer is asked again: it may have been busy.
    static ENGINE: OnceCell<Docker> = OnceCell::const_new();
    ENGINE.get_or_try_init(connect).await
}

/// Why no engine can be used, and what would help, if so; for a caller on any thread.
pub(crate) async fn refused() -> Option<Refused> {
    harness().spawn(async { engine().await.err() }).await.ok().flatten()
}

async fn connect() -> Result<Docker, Refused> {
    let refused = |why: String| {
        Refused {
        reason: format!("there is no container engine to be reached: {why}"),
        fix: "start Docker (or another engine with its interface), set DOCKER_HOST if it is elsewhere, and see that \
              this user may use its socket (`docker info` must work)"
            .into(),
    }
    };
    let client = testcontainers::core::client::docker_client_instance().await;
    let docker = client.map_err(|error| refused(chain(&error)))?;
    let asked = tokio::time::timeout(PATIENCE, docker.version()).await;
    let version = asked
        .map_err(|_| refused(format!("it did not answer within {} s", PATIENCE.as_secs())))?
        .map_err(|error| refused(chain(&error)))?;
    let api = version.api_version.unwrap_or_default();
    match numbers(&api) {
        Some(found) if found < OLDEST => Err(Refused {
            reason: format!(
                "the container engine {} is too old: it speaks version {api}, and {}.{} is the oldest that is known \
                 to work",
                version.version.unwrap_or_default(),
                OLDEST.0,
                OLDEST.1
            ),
            fix: "install Docker 20.10 or newer".into(),
        }),
        _ => Ok(docker),
    }
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let (major, minor) = version.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// An error with what it is due to, as far as that is not said already.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

/// An engine's error as one of the system's: what it does not know is `NotFound`.
pub(super) fn told(error: DockerError) -> io::Error {
    match &error {
        DockerError::DockerResponseServerError { status_code: 404, message } => {
            io::Error::new(io::ErrorKind::NotFound, message.clone())
        }
        DockerError::DockerResponseServerError { message, .. } => io::Error::other(message.clone()),
        _ => io::Error::other(chain(&error)),
    }
}

/// Whether a call did something: where there is nothing to do, the engine answers with 304.
pub(super) fn did(result: Result<(), DockerError>) -> io::Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(DockerError::DockerResponseServerError { status_code: 304, .. }) => Ok(false),
        Err(error) => Err(told(error)),
    }
}

/// Runs that on the harness's own threads, whatever runtime the caller is on. It goes on if the caller does not wait.
pub(crate) fn on_harness<T: Send + 'static>(
    work: impl Future<Output = io::Result<T>> + Send + 'static,
) -> BoxFuture<'static, io::Result<T>> {
    let running = harness().spawn(work);
    Box::pin(async move { running.await.map_err(io::Error::other)? })
}

/// The same, for a caller that is not on those threads and can only wait: what the trial has shown.
///
/// # Errors
/// It was not over in time, which shows nothing. What it leaves goes with the container it is for.
pub(super) fn wait_for(
    trial: impl Future<Output = Option<Refusal>> + Send + 'static,
) -> Result<Option<Refusal>, Refusal> {
    let (done, wait) = std::sync::mpsc::channel();
    harness().spawn(async move {
        let _ = done.send(trial.await);
    });
    let ended = wait.recv_timeout(TRIAL);
    ended.map_err(|_| {
        let reason =
            format!("a trial with a helper in a container was not over within {} s", TRIAL.as_secs());
        Refusal::new(
            reason,
            "give the engine time: see what else it is busy with (`docker events`, `docker ps`)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(numbers("1.41"), Some((1, 41)));
        assert!(numbers("1.9") < numbers("1.41"));
        assert_eq!(numbers("x"), None);
    }
}
