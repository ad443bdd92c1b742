//! Where a container can be reached from this host.
//!
//! The engine gives a published port a new number at every start, and the old number to anybody: so what is known is
//! forgotten as soon as the container goes down, and looked up anew when somebody wants to connect.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::container::Details;
use crate::port::BoxFuture;
use crate::sys::proxy::Connector;
use crate::sys::timer;

/// How long between two looks at a container that is down: clients may come by the thousand.
const REST: Duration = Duration::from_millis(20);

/// The published port of a container, whatever number it has at present.
#[derive(Debug)]
pub(crate) struct HostPort {
    /// Where the service listens in its container.
    pub(crate) inside: u16,
    state: Mutex<State>,
    /// One look at a time.
    looking: tokio::sync::Mutex<Option<Instant>>,
}

#[derive(Debug)]
struct State {
    /// The engine's name for the container, once it has been started.
    id: Option<String>,
    /// Where the engine publishes ports.
    host: IpAddr,
    known: Option<SocketAddr>,
    /// What was known last.
    last: Option<SocketAddr>,
    /// How often something was forgotten: what was looked up before that is not taken for true.
    forgotten: u64,
}

impl HostPort {
    pub(crate) fn new(inside: u16) -> Arc<Self> {
        let host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let state = State { id: None, host, known: None, last: None, forgotten: 0 };
        Arc::new(Self { inside, state: Mutex::new(state), looking: tokio::sync::Mutex::default() })
    }

    /// To be called before the engine is asked: what it says is not believed if something was forgotten since.
    pub(crate) fn asking(&self) -> u64 {
        self.state().forgotten
    }

    /// The container runs, as was found, and its ports are published on that host. To be called on the harness's own
    /// threads.
    ///
    /// # Errors
    /// Its port is not published, or it is down again.
    pub(crate) async fn begun(&self, found: &Details, host: &str, asked: u64) -> io::Result<()> {
        let host = host.trim_matches(['[', ']']);
        let mut hosts: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
        hosts.sort_by_key(SocketAddr::is_ipv6);
        let host = hosts.first().ok_or_else(|| {
            io::Error::new(io::ErrorKind::NotFound, format!("the engine's host {host} has no address"))
        })?;
        {
            let mut state = self.state();
            state.id = Some(found.id().to_owned());
            state.host = host.ip();
        }
        self.learn(found, asked).map(drop)
    }

    /// The container has gone down, or may have another number.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.known = None;
        state.forgotten += 1;
    }

    /// Where it was last, as far as is known.
    pub(crate) fn last(&self) -> Option<SocketAddr> {
        self.state().last
    }

    /// Where it is now.
    ///
    /// # Errors
    /// It is down, or the engine does not say.
    pub(crate) async fn present(&self) -> io::Result<SocketAddr> {
        if let Some(known) = self.state().known {
            return Ok(known);
        }
        let mut looked = self.looking.lock().await;
        if let Some(known) = self.state().known {
            return Ok(known);
        }
        if looked.is_some_and(|at| timer::now() < at + REST) {
            return Err(down());
        }
        let found = self.look().await;
        // A look that found it is no reason to wait: it may be forgotten, and found again, at once.
        *looked = found.is_err().then(timer::now);
        found
    }

    /// Asks the engine.
    pub(crate) async fn look(&self) -> io::Result<SocketAddr> {
        let (id, asked) = {
            let state = self.state();
            (state.id.clone().ok_or_else(down)?, state.forgotten)
        };
        self.learn(&Details::of(&id).await?, asked)
    }

    fn learn(&self, found: &Details, asked: u64) -> io::Result<SocketAddr> {
        let port = found.published(self.inside).filter(|_| found.is_running()).ok_or_else(down)?;
        let mut state = self.state();
        let address = SocketAddr::new(state.host, port);
        if state.forgotten == asked {
            state.known = Some(address);
        }
        // Something was forgotten while the engine answered (it tells of a start a moment after it): not to be relied on, and
        // nearer to the truth than what was known before.
        if state.known.is_none() || state.forgotten == asked {
            state.last = Some(address);
        }
        Ok(address)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn down() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "the container is down")
}

impl Connector for Arc<HostPort> {
    fn connect(&self) -> BoxFuture<'static, io::Result<TcpStream>> {
        let port = Self::clone(self);
        Box::pin(async move {
            let at = port.present().await?;
            let refused = match TcpStream::connect(at).await {
                Ok(stream) => return Ok(stream),
                Err(refused) => refused,
            };
            // It may have come back under another number, and nobody has told us yet.
            port.forget();
            match port.present().await {
                Ok(other) if other != at => TcpStream::connect(other).await,
                _ => Err(refused),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running_at(port: u16) -> Details {
        let answer = serde_json::json!({
            "Id": "c0ffee",
            "State": {"Running": true},
            "NetworkSettings": {"Ports": {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": port.to_string()}]}},
        });
        Details(serde_json::from_value(answer).expect("an answer"))
    }

    #[tokio::test]
    async fn what_is_found_while_something_is_forgotten_is_the_last_that_is_known_and_is_looked_up_again() {
        let port = HostPort::new(8080);
        port.begun(&running_at(32_801), "127.0.0.1", port.asking()).await.expect("it runs");
        let first = SocketAddr::from(([127, 0, 0, 1], 32_801));
        assert_eq!((port.last(), port.present().await.ok()), (Some(first), Some(first)));
        port.forget();
        // It was started again; that it was is told while the engine still answers.
        let asked = port.asking();
        port.forget();
        let second = SocketAddr::from(([127, 0, 0, 1], 32_802));
        assert_eq!(port.learn(&running_at(32_802), asked).ok(), Some(second));
        assert_eq!((port.last(), port.state().known), (Some(second), None));
        // A late answer does not outdo what is known.
        assert!(port.learn(&running_at(32_803), port.asking()).is_ok());
        assert!(port.learn(&running_at(32_802), asked).is_ok());
        assert_eq!(port.last().map(|at| at.port()), Some(32_803));
    }
}
