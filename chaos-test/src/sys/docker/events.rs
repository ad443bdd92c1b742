use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use testcontainers::bollard::models::EventMessage;
use testcontainers::bollard::query_parameters::EventsOptionsBuilder;
use tokio::sync::watch;

use super::MARK_LABEL;
use super::engine::engine;
use super::host_port::HostPort;
use super::life::Life;
use crate::sys::clock::unix_time;

/// How long after the engine has hung up it is asked again.
const AGAIN: Duration = Duration::from_millis(200);
/// How far an engine's clock may be behind ours. Nothing that happened before can carry a new mark.
const BEFORE: Duration = Duration::from_secs(600);

/// A container whose events are wanted, by its name.
pub(crate) type Listeners = HashMap<String, (Arc<Life>, Arc<HostPort>)>;

/// Hands on what happens to the containers with that mark, until `over` says so. To be called on the harness's own
/// threads.
pub(crate) async fn listen(mark: String, listeners: Listeners, mut over: watch::Receiver<bool>) {
    tokio::select! {
        biased;
        _ = over.wait_for(|over| *over) => {}
        () = listen_on(&mark, &listeners) => {}
    }
}

async fn listen_on(mark: &str, listeners: &Listeners) {
    let filters = HashMap::from([
        ("type", vec!["container".to_owned()]),
        ("label", vec![format!("{MARK_LABEL}={mark}")]),
        ("event", ["start", "die", "oom"].map(str::to_owned).to_vec()),
    ]);
    // From long before the first of them, and then from the last one on: what happens while nobody listens is told later.
    // The engine tells those of that second again, and two that come at the same time may overtake each other.
    let mut since = i64::try_from(unix_time().saturating_sub(BEFORE).as_secs()).unwrap_or_default();
    let mut known: HashSet<(Option<String>, Option<String>, i64)> = HashSet::new();
    loop {
        if let Ok(docker) = engine().await {
            let options = EventsOptionsBuilder::default().filters(&filters).since(&since.to_string()).build();
            let mut events = Box::pin(docker.events(Some(options)));
            while let Some(Ok(event)) = events.next().await {
                let of = event.actor.as_ref().and_then(|actor| actor.id.clone());
                let at = event.time_nano.unwrap_or_default();
                if known.insert((of, event.action.clone(), at)) {
                    since = since.max(event.time.unwrap_or_default());
                    hand_on(&event, listeners);
                }
            }
            known.retain(|(_, _, at)| at / 1_000_000_000 >= since);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

fn hand_on(event: &EventMessage, listeners: &Listeners) -> Option<()> {
    let attributes = event.actor.as_ref()?.attributes.as_ref()?;
    let (life, port) = listeners.get(attributes.get("name")?)?;
    let action = event.action.as_deref()?;
    if action != "oom" {
        port.forget();
    }
    life.event(action, attributes.get("exitCode").map(String::as_str));
    Some(())
}
