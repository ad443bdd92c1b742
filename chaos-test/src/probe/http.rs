use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::{Client, Method, Url, header};

use super::{INTERVAL, TIMEOUT};
use crate::model::Outcome;
use crate::port::{self, Begins, BoxFuture};
use crate::units::Rate;

/// A look at a service over HTTP: method, path, expected status, expected body.
///
/// ```
/// use chaos_test::prelude::*;
/// let probe = Probe::http("/api/health").expect_status(200..=204).expect_body("ok").every(50.ms());
/// ```
#[derive(Debug, Clone)]
#[must_use = "a probe looks only where an environment or a process has it"]
pub struct HttpProbe {
    method: String,
    path: String,
    status: RangeInclusive<u16>,
    body: Option<String>,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
}

impl HttpProbe {
    pub(super) fn new(path: impl Into<String>) -> Self {
        Self {
            method: "GET".into(),
            path: path.into(),
            status: 200..=299,
            body: None,
            interval: INTERVAL,
            timeout: TIMEOUT,
        }
    }

    /// Another method than `GET`.
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    /// The statuses that are good: `200..=299` unless said otherwise.
    pub fn expect_status(mut self, status: RangeInclusive<u16>) -> Self {
        self.status = status;
        self
    }

    /// A text the body must contain to be good.
    pub fn expect_body(mut self, text: impl Into<String>) -> Self {
        self.body = Some(text.into());
        self
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

    pub(super) fn aimed_at(&self, door: SocketAddr, host: Option<&str>) -> Result<Aimed, String> {
        let method = Method::from_bytes(self.method.as_bytes())
            .map_err(|_| format!("`{}` is not an HTTP method", self.method))?;
        let base = Url::parse(&format!("http://{door}")).map_err(|error| format!("{door}: {error}"))?;
        let url =
            base.join(&self.path).map_err(|error| format!("the probe's path `{}`: {error}", self.path))?;
        // `//elsewhere/` is a path only by its looks. What is asked there is none of the run's.
        if url.origin() != base.origin() {
            return Err(format!(
                "the probe's path `{}` leads to another host: write the path only, such as /api/health",
                self.path
            ));
        }
        Ok(Aimed { probe: Arc::new(self.clone()), method, url, host: host.map(str::to_owned) })
    }
}

/// The client of all probes: a connection each, no redirects, no proxy from the environment.
fn client() -> &'static Client {
    static CLIENT: OnceLock<Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        Client::builder()
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .build()
            .expect("an HTTP client without TLS has nothing that can fail")
    })
}

pub(super) struct Aimed {
    probe: Arc<HttpProbe>,
    method: Method,
    url: Url,
    host: Option<String>,
}

impl port::Probe for Aimed {
    fn check(&self, begins: Begins) -> BoxFuture<'static, Outcome> {
        let mut request =
            client().request(self.method.clone(), self.url.clone()).header(header::CONNECTION, "close");
        if let Some(host) = &self.host {
            request = request.header(header::HOST, host);
        }
        let probe = Arc::clone(&self.probe);
        Box::pin(async move {
            begins();
            probe.read(request).await
        })
    }
}

impl HttpProbe {
    async fn read(&self, request: reqwest::RequestBuilder) -> Outcome {
        let Ok(response) = request.send().await else { return Outcome::ConnectError };
        let status = response.status().as_u16();
        if !self.status.contains(&status) {
            return Outcome::BadStatus(status);
        }
        // The whole body is read in any case: a service that stops in the middle of one is not well.
        match (response.text().await, &self.body) {
            (Err(_), _) => Outcome::ConnectError,
            (Ok(text), Some(wanted)) if !text.contains(wanted.as_str()) => Outcome::BadBody,
            (Ok(_), _) => Outcome::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::HttpProbe;

    #[test]
    fn a_path_stays_at_the_door() {
        let door = "127.0.0.1:8000".parse().unwrap();
        for path in ["", "/", "ready", "/ready?full=1", "/a//b", "http://127.0.0.1:8000/ready"] {
            let aimed =
                HttpProbe::new(path).aimed_at(door, None).map(|aimed| aimed.url.authority().to_owned());
            assert_eq!(aimed.as_deref(), Ok("127.0.0.1:8000"), "{path}");
        }
        for path in ["//elsewhere/", "/\\elsewhere/", "http://elsewhere/", "https://127.0.0.1:8000/"] {
            let refused = HttpProbe::new(path).aimed_at(door, None).map(drop).unwrap_err();
            assert!(refused.contains("leads to another host"), "{path}: {refused}");
        }
    }
}
