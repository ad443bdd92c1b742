use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Response, header};
use serde::Serialize;

use super::chaos::{RequestRecord, Shared};
use crate::engine::Slot;
use crate::model::Outcome;

/// An HTTP client for one service whose every request is recorded. A thin cover over [`reqwest`].
///
/// ```no_run
/// use chaos_test::Client;
///
/// /// Changes an order, and has what it then is.
/// async fn change(app: &Client, order: u64) -> reqwest::Result<String> {
///     let order = format!("/orders/{order}");
///     app.put(&order).body("2 x tea").send().await?.error_for_status()?;
///     app.get(&order).send().await?.text().await
/// }
/// ```
#[derive(Clone)]
pub struct Client {
    pub(super) base: String,
    pub(super) host: Option<String>,
    pub(super) shared: Arc<Shared>,
}

impl Client {
    /// `GET` of a path of the service, or of a whole URL.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// `POST` to a path of the service, or to a whole URL.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// `PUT` to a path of the service, or to a whole URL.
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.request(Method::PUT, path)
    }

    /// `PATCH` of a path of the service, or of a whole URL.
    pub fn patch(&self, path: &str) -> RequestBuilder {
        self.request(Method::PATCH, path)
    }

    /// `DELETE` of a path of the service, or of a whole URL.
    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.request(Method::DELETE, path)
    }

    /// Any method.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        // A query may hold a URL as well.
        let is_scheme = |start: &str| start.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
        let whole = path.split_once("://").is_some_and(|(start, _)| !start.is_empty() && is_scheme(start));
        let url =
            if whole { path.to_owned() } else { format!("{}/{}", self.base, path.trim_start_matches('/')) };
        let mut request = self.shared.http.request(method, url);
        if let Some(host) = self.host.as_ref().filter(|_| !whole) {
            request = request.header(header::HOST, host);
        }
        RequestBuilder { request, shared: Arc::clone(&self.shared) }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("base", &self.base).finish_non_exhaustive()
    }
}

/// A request on its way to being sent.
///
/// ```no_run
/// use chaos_test::Chaos;
/// use serde_json::json;
///
/// async fn order(chaos: &Chaos) -> reqwest::Result<u16> {
///     let order = chaos.client("app").post("/orders").query(&[("currency", "EUR")]).header("Accept", "text/plain");
///     let order = order.json(&json!({ "item": "tea", "count": 1 })).with(|request| request.bearer_auth("secret"));
///     let answer = order.timeout(std::time::Duration::from_secs(1)).send().await?;
///     Ok(answer.status().as_u16())
/// }
/// ```
#[must_use = "a request does nothing until it is sent"]
pub struct RequestBuilder {
    request: reqwest::RequestBuilder,
    shared: Arc<Shared>,
}

impl RequestBuilder {
    /// Adds a header.
    pub fn header(self, name: &str, value: impl AsRef<str>) -> Self {
        let value = value.as_ref().to_owned();
        self.with(|request| request.header(name, value))
    }

    /// Sets the body.
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.with(|request| request.body(body))
    }

    /// Sets the body to JSON, with its content type.
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|request| request.json(body))
    }

    /// Adds to the query string.
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        self.with(|request| request.query(query))
    }

    /// How long the whole request may take.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|request| request.timeout(timeout))
    }

    /// Anything else that [`reqwest`] can do to a request.
    pub fn with(self, change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder) -> Self {
        Self { request: change(self.request), shared: self.shared }
    }

    /// Sends it, and records what came of it.
    ///
    /// # Errors
    /// As [`reqwest::RequestBuilder::send`]. An answer with an error status is an answer.
    pub async fn send(self) -> reqwest::Result<Response> {
        let request = self.request.build()?;
        let sent = Sent::now(Arc::clone(&self.shared), &request);
        let answer = self.shared.http.execute(request).await;
        let status = answer.as_ref().ok().map(|response| response.status().as_u16());
        let outcome = match (&answer, status) {
            (Err(error), _) if error.is_timeout() => Outcome::Timeout,
            (Err(_), _) => Outcome::ConnectError,
            (Ok(_), Some(status @ 500..)) => Outcome::BadStatus(status),
            (Ok(_), _) => Outcome::Good,
        };
        sent.answered(outcome, status);
        answer
    }
}

impl std::fmt::Debug for RequestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.request.fmt(f)
    }
}

/// A request under way. If whoever waits for it gives up and drops it, it counts as timed out: those are the very
/// requests that went wrong.
struct Sent {
    shared: Arc<Shared>,
    slots: Vec<Slot>,
    request: Option<RequestRecord>,
}

impl Sent {
    fn now(shared: Arc<Shared>, request: &reqwest::Request) -> Self {
        let at = shared.clock.now();
        let (method, url) = (request.method().to_string(), request.url().to_string());
        let slots = shared.requests.schedule(&shared.recorder, at, &method, request.url().path());
        let phase = shared.recorder.phase();
        let (latency, outcome, status) = (Duration::ZERO, Outcome::Timeout, None);
        Self {
            shared,
            slots,
            request: Some(RequestRecord { at, phase, method, url, latency, outcome, status }),
        }
    }

    fn answered(mut self, outcome: Outcome, status: Option<u16>) {
        self.end(outcome, status);
    }

    fn end(&mut self, outcome: Outcome, status: Option<u16>) {
        let Some(mut request) = self.request.take() else { return };
        request.latency = self.shared.clock.now().saturating_sub(request.at);
        (request.outcome, request.status) = (outcome, status);
        self.shared.record(&self.slots, request);
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.end(Outcome::Timeout, None);
    }
}
