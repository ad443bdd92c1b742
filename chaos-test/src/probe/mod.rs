//! Reading a service from outside, as its users do.
//!
//! Purpose: [`Probe`] describes what to look at; the engine decides when, and turns each look into a sample.
//!
//! Invariants: a probe changes nothing, and every look is a connection of its own: a kept-alive one hides a dead
//! listener. The time limit is the engine's. A user's code runs on threads of its own.
//! Not here: schedules' jitter, counting, verdicts.

mod http;
mod own;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::model::Outcome;
use crate::port::{self, Begins, BoxFuture};
use crate::units::Rate;

pub use http::HttpProbe;
use own::Own;

/// A look at a service: what to do, how often, how long it may take.
///
/// ```
/// use chaos_test::prelude::*;
/// let health = Probe::http("/api/health").every(20.ms()).timeout(1.seconds());
/// let port = Probe::tcp();
/// ```
#[derive(Clone)]
#[must_use = "a probe looks only where an environment or a process has it"]
pub struct Probe {
    pub(crate) look: Look,
    pub(crate) interval: Duration,
    pub(crate) timeout: Duration,
}

#[derive(Clone)]
pub(crate) enum Look {
    Http(HttpProbe),
    Tcp,
    Custom(Custom),
}

/// A user's own look at a service: its address in, whether it is well out.
pub(crate) type Custom = Arc<dyn Fn(SocketAddr) -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// 50 samples a second: an outage of a second is 50 samples, and a time to recover is known to 20 ms.
const INTERVAL: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_secs(1);

impl Probe {
    /// `GET path`; any status from 200 to 299 is good.
    pub fn http(path: impl Into<String>) -> HttpProbe {
        HttpProbe::new(path)
    }

    /// Opens a connection; that it opens is good.
    ///
    /// A front door accepts before the service does, so the probe also waits a moment to see that the connection is
    /// not reset.
    pub fn tcp() -> Self {
        Self { look: Look::Tcp, interval: INTERVAL, timeout: TIMEOUT }
    }

    /// A look of your own. It gets the address of the service's front door; an error is a bad sample.
    ///
    /// Each look has a thread to itself, so it may block; one that goes on after its time is over is not waited for.
    pub fn custom<F, R>(look: F) -> Self
    where
        F: Fn(SocketAddr) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), String>> + Send + 'static,
    {
        Self {
            look: Look::Custom(Arc::new(move |at| Box::pin(look(at)))),
            interval: INTERVAL,
            timeout: TIMEOUT,
        }
    }

    /// How often to look: 20 ms unless said otherwise, at least 1 ms.
    pub fn every(mut self, interval: Duration) -> Self {
        self.interval = interval.max(Duration::from_millis(1));
        self
    }

    /// How often to look, as a rate.
    pub fn rate(self, rate: Rate) -> Self {
        self.every(rate.interval())
    }

    /// How long a look may take: 1 s unless said otherwise.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout.max(Duration::from_millis(1));
        self
    }

    /// This probe aimed at a service.
    pub(crate) fn aimed_at(
        &self,
        door: SocketAddr,
        host: Option<&str>,
    ) -> Result<Arc<dyn port::Probe>, String> {
        Ok(match &self.look {
            Look::Http(http) => Arc::new(http.aimed_at(door, host)?),
            Look::Tcp => Arc::new(Tcp(door)),
            Look::Custom(look) => Arc::new(Own::new(Arc::clone(look), door)),
        })
    }
}

impl From<HttpProbe> for Probe {
    fn from(http: HttpProbe) -> Self {
        Self { interval: http.interval, timeout: http.timeout, look: Look::Http(http) }
    }
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match &self.look {
            Look::Http(http) => format!("{http:?}"),
            Look::Tcp => "tcp".into(),
            Look::Custom(_) => "custom".into(),
        };
        f.debug_struct("Probe").field("look", &what).field("interval", &self.interval).finish_non_exhaustive()
    }
}

struct Tcp(SocketAddr);

impl port::Probe for Tcp {
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome> {
        let address = self.0;
        Box::pin(async move {
            begins();
            let Ok(stream) = tokio::net::TcpStream::connect(address).await else {
                return Outcome::ConnectError;
            };
            // Readable within a moment means data (a greeting), an end or a reset; silence is fine.
            let moment = tokio::time::timeout(Duration::from_millis(5), stream.readable()).await;
            let broken = moment.is_ok() && matches!(stream.try_read(&mut [0; 1]), Ok(0) | Err(_));
            if broken { Outcome::ConnectError } else { Outcome::Good }
        })
    }
}
