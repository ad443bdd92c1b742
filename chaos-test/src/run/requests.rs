use std::time::Duration;

use crate::engine::{Recorder, Slot, StreamId};
use crate::model::{Endpoint, Objectives, REQUESTS, StreamKind};

/// How long a request of the body counts as under way; the client itself sets no limit.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Where the requests of a body are recorded: all of them together, and those to an endpoint with bounds of its own once
/// more by themselves.
pub(super) struct Requests {
    all: StreamId,
    endpoints: Vec<(Endpoint, StreamId)>,
}

impl Requests {
    pub(super) fn recorded(recorder: &Recorder, objectives: &Objectives) -> Self {
        let mut declared: Vec<&Endpoint> = Vec::new();
        for bounds in objectives.endpoints.iter().chain(&objectives.warnings.endpoints) {
            if !declared.contains(&&bounds.endpoint) {
                declared.push(&bounds.endpoint);
            }
        }
        Self {
            all: recorder.add_requests(REQUESTS, StreamKind::Request, TIMEOUT),
            endpoints: declared
                .into_iter()
                .map(|endpoint| {
                    let name = endpoint.to_string();
                    (endpoint.clone(), recorder.add_requests(&name, StreamKind::Endpoint, TIMEOUT))
                })
                .collect(),
        }
    }

    /// Makes room for a request that is sent now, in every stream it belongs to.
    pub(super) fn schedule(&self, recorder: &Recorder, at: Duration, method: &str, path: &str) -> Vec<Slot> {
        let of_endpoints = self.endpoints.iter().filter(|(endpoint, _)| endpoint.matches(method, path));
        let streams = std::iter::once(self.all).chain(of_endpoints.map(|(_, stream)| *stream));
        streams.map(|stream| recorder.schedule(stream, at)).collect()
    }
}
