//! The containers of one environment and their network.
//!
//! Invariants: what ends all of it is in the ledger before the first of it is made. When it is over, nothing that was
//! still being started comes up after it.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use testcontainers::bollard::models::{
    EndpointSettings, NetworkConnectRequest, NetworkCreateRequest, NetworkDisconnectRequest,
};
use tokio::sync::watch;

use super::container::Details;
use super::engine::{engine, told};
use super::events::{self, Listeners};
use super::life::Life;
use super::request::{Begun, Dress, Request};
use super::{MARK_LABEL, SERVICE_LABEL, labels, logs, remove};
use crate::port::{BoxFuture, Ledger, RevertRecord, UndoStep};
use crate::sys::ledger::{self, FileLedger};
use crate::sys::runtime::harness;
use crate::sys::{env, owner, timer};

/// How long the end of all of it may take.
const END: Duration = Duration::from_secs(10);
/// How long between two looks whether something was still being started.
const LOOK: Duration = Duration::from_millis(20);
/// If set, the containers of a test that failed stay.
const KEEP: &str = "CHAOS_TEST_KEEP";

/// The containers of one environment.
pub(crate) struct Group {
    mark: String,
    network: String,
    /// How many are being started.
    starting: AtomicUsize,
    closed: AtomicBool,
    end: Mutex<End>,
    /// Ends those that listen and follow.
    over: watch::Sender<bool>,
}

/// How far its end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    /// Its containers stay, unless the test turns out to have passed.
    SetAside,
    /// They stay, and that was said.
    Told,
    Over,
}

impl Group {
    /// A group with a network of its own, after what the dead have left was removed. To be called on the harness's own
    /// threads.
    pub(crate) async fn create(services: String) -> io::Result<Arc<Self>> {
        let docker = engine().await?;
        let mark = owner::new_mark();
        let end = RevertRecord {
            id: mark.clone(),
            injector: "containers".into(),
            service: services,
            payload: serde_json::Value::Null,
            undo: vec![UndoStep::RemoveContainers { mark: mark.clone() }],
        };
        let noting = tokio::task::spawn_blocking(move || FileLedger::of(None).owe(&end));
        // What cannot be removed now is looked at again at the next start.
        let (noted, cleaned) = tokio::join!(noting, tokio::time::timeout(END, remove::of_the_dead(docker)));
        if cleaned.is_err() {
            eprintln!(
                "chaos-test: containers of runs that are gone were not removed within {} s; the next start tries again",
                END.as_secs()
            );
        }
        noted.map_err(io::Error::other)?.map_err(|error| {
            let text = format!("not started, for their end cannot be written down: {error}");
            io::Error::new(error.source.kind(), text)
        })?;
        let group = Arc::new(Self {
            network: format!("chaos-test-{mark}"),
            starting: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            end: Mutex::new(End::Open),
            over: watch::Sender::new(false),
            mark,
        });
        let mut marks = labels::of_this_test();
        marks.insert(MARK_LABEL.into(), group.mark.clone());
        let network = NetworkCreateRequest {
            name: group.network.clone(),
            labels: Some(HashMap::from_iter(marks)),
            ..NetworkCreateRequest::default()
        };
        match docker.create_network(network).await.map_err(told) {
            Ok(_) => Ok(group),
            Err(error) => {
                let ending = Arc::clone(&group);
                // Nothing was made, most likely; if that cannot be told, the reaper looks once more.
                let _ = tokio::task::spawn_blocking(move || ending.close(false)).await;
                Err(io::Error::new(
                    error.kind(),
                    format!("a network for the containers: {}", no_room(&error)),
                ))
            }
        }
    }

    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    pub(crate) fn network(&self) -> &str {
        &self.network
    }

    /// What the engine is to call a container of this group.
    pub(crate) fn name_of(&self, service: &str) -> String {
        format!("{}-{service}", self.network)
    }

    /// Listens to what happens to its containers, by their names.
    pub(crate) fn listen(&self, listeners: Listeners) {
        harness().spawn(events::listen(self.mark.clone(), listeners, self.over.subscribe()));
    }

    /// Follows what one of them writes.
    pub(crate) fn follow(&self, name: &str, log: PathBuf, life: Arc<Life>) {
        harness().spawn(logs::follow(name.to_owned(), log, life, self.over.subscribe()));
    }

    /// Starts a container in this group. It goes on if the caller does not wait, and is ended with the group.
    pub(crate) fn start(
        self: &Arc<Self>,
        service: &str,
        request: Box<dyn Request>,
        dress: Dress,
    ) -> BoxFuture<'static, io::Result<Begun>> {
        let mut marks = labels::of_this_test();
        marks.insert(MARK_LABEL.into(), self.mark.clone());
        marks.insert(SERVICE_LABEL.into(), service.to_owned());
        let dress = Dress { network: self.network.clone(), labels: marks, ..dress };
        let under_way = UnderWay::of(self);
        let running = harness().spawn(async move {
            if under_way.0.closed.load(Ordering::SeqCst) {
                return Err(io::Error::other("the environment has ended"));
            }
            let begun = request.start(dress).await;
            drop(under_way);
            begun
        });
        Box::pin(async move { running.await.map_err(io::Error::other)? })
    }

    /// Sees that the others reach that container by this name: engines that do not know it by the name of its host are told.
    /// Then it is not as it was found any more.
    pub(crate) async fn ensure_alias(&self, found: Details, alias: &str) -> io::Result<Details> {
        let Some(own) = found.endpoint(&self.network) else { return Ok(found) };
        let knows = |names: &Option<Vec<String>>| names.iter().flatten().any(|name| name == alias);
        if knows(&own.aliases) || knows(&own.dns_names) {
            return Ok(found);
        }
        let (docker, id) = (engine().await?, found.id());
        let leave = NetworkDisconnectRequest { container: id.to_owned(), force: Some(true) };
        docker.disconnect_network(&self.network, leave).await.map_err(told)?;
        let endpoint =
            EndpointSettings { aliases: Some(vec![alias.to_owned()]), ..EndpointSettings::default() };
        let join = NetworkConnectRequest { container: id.to_owned(), endpoint_config: Some(endpoint) };
        docker.connect_network(&self.network, join).await.map_err(told)?;
        Details::of(id).await
    }

    /// Ends all of it. If the test may have failed and somebody wants to look, the containers stay: under other names,
    /// and with nothing done to them. Blocks; not for the harness's own threads.
    pub(crate) fn close(self: &Arc<Self>, may_have_failed: bool) {
        let mut end = self.end();
        if *end != End::Open {
            return;
        }
        self.closed.store(true, Ordering::SeqCst);
        self.over.send_replace(true);
        let keep = may_have_failed && env::var(KEEP).is_some_and(|value| value != "0");
        // There is nobody to tell; what withstands stays in the ledger, and the audit names it.
        if self.finish(keep).is_ok() {
            let _ = ledger::settle(&self.mark);
        }
        *end = if keep { End::SetAside } else { End::Over };
    }

    /// The test has passed: what was set aside goes. Blocks as well.
    pub(crate) fn discard(self: &Arc<Self>) {
        let mut end = self.end();
        if *end == End::SetAside {
            let _ = self.finish(false);
            *end = End::Over;
        }
    }

    /// Says what stays, if anything does.
    pub(crate) fn tell(&self) {
        let mut end = self.end();
        if *end == End::SetAside {
            *end = End::Told;
            eprintln!(
                "chaos-test: {KEEP} is set, so the containers of this test stay, under names that begin with {}; \
                 `docker rm -fv $(docker ps -aqf label={MARK_LABEL}={})` and `docker network rm {}` remove them",
                remove::KEPT,
                self.mark,
                self.network
            );
        }
    }

    fn end(&self) -> MutexGuard<'_, End> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(self: &Arc<Self>, keep: bool) -> Result<(), String> {
        let (done, wait) = mpsc::channel();
        let group = Arc::clone(self);
        harness().spawn(async move {
            let deadline = timer::now() + END;
            let _ = done.send(group.finish_by(deadline, keep).await);
        });
        wait.recv_timeout(END + Duration::from_secs(1))
            .unwrap_or_else(|_| Err("the container engine did not answer in time".into()))
    }

    /// What is being started fails when its container or the network goes, or comes up and is found then.
    async fn finish_by(&self, deadline: Instant, keep: bool) -> Result<(), String> {
        loop {
            let last = self.starting.load(Ordering::SeqCst) == 0;
            let done = match keep {
                true => remove::keep(&self.mark).await.map_err(|error| error.to_string()),
                false => remove::remove(&self.mark, deadline, true).await.map(drop),
            };
            if last || timer::now() >= deadline {
                return done.and_then(|()| match last {
                    true => Ok(()),
                    false => Err("something is still being started".into()),
                });
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Group {
    /// Whoever wanted it did not wait for it.
    fn drop(&mut self) {
        if *self.end() == End::Open {
            let mark = self.mark.clone();
            // If there is no thread to be had, the reaper does it.
            let _ = std::thread::Builder::new().spawn(move || {
                if remove::remove_marked(&mark, END).is_ok() {
                    let _ = ledger::settle(&mark);
                }
            });
        }
    }
}

/// One that is being started.
struct UnderWay(Arc<Group>);

impl UnderWay {
    fn of(group: &Arc<Group>) -> Self {
        group.starting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(group))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.starting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Engines have addresses for some thirty networks, unless told otherwise.
fn no_room(error: &io::Error) -> String {
    let text = error.to_string();
    if text.contains("address pool") {
        format!(
            "{text}: too many networks are there already (`docker network ls`); run fewer tests at a time, or give the \
             engine more addresses (`default-address-pools` in its daemon.json)"
        )
    } else {
        text
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Group").field("mark", &self.mark).finish_non_exhaustive()
    }
}
