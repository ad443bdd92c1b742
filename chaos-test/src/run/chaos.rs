use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Client;
use super::requests::Requests;
use crate::engine::{Recorder, Slot};
use crate::model::{EventKind, Outcome, Phase};
use crate::port::Clock;

/// How many reasons of a body that is repeated are noted.
const MOST_COMPLAINTS: usize = 5;
/// And how much of each, in characters.
const LONGEST_COMPLAINT: usize = 300;

/// A test body's hand on the run: its services' addresses, the phase, notes, an instrumented client.
///
/// Cheap to clone.
///
/// ```no_run
/// use chaos_test::prelude::*;
///
/// async fn the_stock_is_right_afterwards(chaos: Chaos) -> Result<(), reqwest::Error> {
///     let app = chaos.client("app");
///     app.post("/orders").body("1 x tea").send().await?;
///     chaos.until(Phase::Recovery).await;
///     let stock = app.get("/stock/tea").send().await?.error_for_status()?.text().await?;
///     chaos.note(format!("the fault is gone, the stock is {stock}"));
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Chaos {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub(super) recorder: Arc<Recorder>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) services: Vec<Door>,
    pub(super) requests: Requests,
    pub(super) log: Mutex<Vec<RequestRecord>>,
    /// What a body that is repeated has complained of.
    pub(super) complaints: Mutex<BTreeSet<String>>,
    pub(super) http: reqwest::Client,
}

/// A service as the body sees it.
pub(super) struct Door {
    pub(super) name: String,
    pub(super) address: SocketAddr,
    pub(super) host: Option<String>,
}

/// One request made through [`Chaos::client`].
///
/// ```
/// use chaos_test::RequestRecord;
/// use chaos_test::prelude::*;
///
/// /// The request that took longest under the fault, of [`Chaos::request_log`].
/// fn slowest(log: &[RequestRecord]) -> Option<&RequestRecord> {
///     log.iter().filter(|request| request.phase == Phase::Chaos).max_by_key(|request| request.latency)
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// When it was sent, from the start of the baseline.
    pub at: Duration,
    /// The phase it was sent in.
    pub phase: Phase,
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// From the sending to the head of the answer.
    pub latency: Duration,
    /// What came of it. A status of 500 or more is bad, any other is an answer.
    pub outcome: Outcome,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
}

/// How long [`Chaos::phase`] takes at least, so that a loop over it leaves room for the measurement.
const PACE: Duration = Duration::from_millis(1);

impl Chaos {
    /// A client for a service, through its front door. Paths are relative to it: `client.get("/orders")`.
    ///
    /// Its requests are recorded as the test's own traffic and judged apart from the probes.
    ///
    /// # Panics
    /// When the environment has no service of that name.
    #[track_caller]
    pub fn client(&self, service: &str) -> Client {
        let door = self.door(service);
        Client {
            base: format!("http://{}", door.address),
            host: door.host.clone(),
            shared: Arc::clone(&self.shared),
        }
    }

    /// The URL of a service's front door: `http://127.0.0.1:40123`.
    ///
    /// # Panics
    /// When the environment has no service of that name.
    #[track_caller]
    pub fn url(&self, service: &str) -> String {
        format!("http://{}", self.door(service).address)
    }

    /// The address of a service's front door, for protocols other than HTTP.
    ///
    /// # Panics
    /// When the environment has no service of that name.
    #[track_caller]
    pub fn address(&self, service: &str) -> SocketAddr {
        self.door(service).address
    }

    /// Notes why a body that is repeated did not end well: each reason once, and a few of them.
    pub(super) fn complain(&self, why: &str) {
        let lines: Vec<&str> = why.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let why: String = lines.join(" ").chars().take(LONGEST_COMPLAINT).collect();
        let mut known = self.shared.complaints.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_COMPLAINTS && known.insert(why.clone()) {
            self.shared.recorder.event(self.shared.clock.now(), EventKind::Note, why);
        }
    }

    // Not in a closure, whose panic would have its own place and not that of the caller.
    #[track_caller]
    fn door(&self, service: &str) -> &Door {
        let Some(door) = self.shared.services.iter().find(|door| door.name == service) else {
            let known: Vec<&str> = self.shared.services.iter().map(|door| door.name.as_str()).collect();
            panic!("no service named \"{service}\" in this environment: it has {}", known.join(", "))
        };
        door
    }

    /// The phase the run is in: baseline → chaos → recovery → recovered.
    ///
    /// `Recovered` means that the watch is over; the verdict tells whether service really came back. The call takes
    /// at least a millisecond, so a loop over it cannot starve the measurement.
    pub async fn phase(&self) -> Phase {
        let clock = &self.shared.clock;
        clock.sleep_until(clock.now() + PACE).await;
        self.shared.recorder.phase()
    }

    /// Waits until the run has reached that phase or a later one.
    pub async fn until(&self, phase: Phase) {
        let mut phases = self.shared.recorder.phases();
        // The recorder outlives the run, so the channel cannot close under us.
        let _ = phases.wait_for(|now| *now >= phase).await;
    }

    /// Puts an event on the run's timeline.
    pub fn note(&self, text: impl Into<String>) {
        let shared = &self.shared;
        shared.recorder.event(shared.clock.now(), EventKind::Note, text.into());
    }

    /// What the instrumented clients of this run have seen so far, in the order the answers came.
    pub fn request_log(&self) -> Vec<RequestRecord> {
        self.shared.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl fmt::Debug for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<&str> = self.shared.services.iter().map(|door| door.name.as_str()).collect();
        f.debug_struct("Chaos").field("services", &services).finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn record(&self, slots: &[Slot], request: RequestRecord) {
        for slot in slots {
            self.recorder.fill(*slot, Duration::ZERO, request.latency, request.outcome);
        }
        self.log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }
}
