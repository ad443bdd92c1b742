//! A network namespace of ours, from this process's side.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sched::{CloneFlags, setns};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::AbortHandle;

use super::agent::Agent;
use super::found::{Found, Means};
use super::order::{HANDFUL, Order, Reply};
use crate::port::{BoxFuture, Ledger, PacketShape, RevertRecord, UndoStep};
use crate::sys::ledger::{self, FileLedger};
use crate::sys::owner;
use crate::sys::proxy::Connector;

/// A network namespace with a loopback and nothing else. It is there as long as this, or any process or socket in it.
pub(crate) struct Namespace {
    mark: String,
    /// The network's descriptor, then that of the user namespace it belongs to, if it has one of its own.
    fds: Vec<OwnedFd>,
    slot: Mutex<Slot>,
    /// Made inside, connected to nobody yet.
    sockets: Mutex<Vec<OwnedFd>>,
    /// What is done to its packets, by mark.
    faults: Mutex<HashMap<String, (Agent, Means)>>,
    /// Who answers inside: their sockets would keep the network.
    answering: Mutex<Vec<AbortHandle>>,
}

struct Slot {
    agent: Option<Agent>,
    closed: bool,
}

impl Namespace {
    /// Makes one for that service. Blocks until it is there.
    pub(crate) fn create(service: &str) -> io::Result<Self> {
        let mark = owner::new_mark();
        // Written down before it exists, as everything that is started.
        let end = RevertRecord {
            id: mark.clone(),
            injector: "network".into(),
            service: service.to_owned(),
            payload: serde_json::Value::Null,
            undo: vec![UndoStep::EndProcesses { mark: mark.clone() }],
        };
        FileLedger::of(None).owe(&end).map_err(|error| {
            let text = format!("not made, for its end cannot be written down: {error}");
            io::Error::new(error.source.kind(), text)
        })?;
        match Agent::create(&mark) {
            Ok((agent, fds)) => Ok(Self {
                mark,
                fds,
                slot: Mutex::new(Slot { agent: Some(agent), closed: false }),
                sockets: Mutex::default(),
                faults: Mutex::default(),
                answering: Mutex::default(),
            }),
            Err(error) => {
                let _ = ledger::settle(&mark);
                Err(error)
            }
        }
    }

    /// What its helper carries in its environment.
    pub(crate) fn mark(&self) -> &str {
        &self.mark
    }

    /// Puts this process into it. For a child of one thread that is about to run its program: makes system calls only.
    pub(crate) fn join(&self) -> io::Result<()> {
        let [net, user @ ..] = &self.fds[..] else { return Ok(()) };
        if let [user] = user {
            setns(user, CloneFlags::CLONE_NEWUSER)?;
        }
        Ok(setns(net, CloneFlags::CLONE_NEWNET)?)
    }

    /// A socket that listens there, inside.
    pub(crate) fn listen(&self, at: SocketAddr) -> io::Result<StdListener> {
        let listener = StdListener::from(one(self.ask(&Order::Listen { at })?.1)?);
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// A socket for single packets at a port of its own, inside.
    pub(super) fn datagrams(&self) -> io::Result<UdpSocket> {
        Ok(UdpSocket::from(one(self.ask(&Order::Datagram)?.1)?))
    }

    /// Connects to somebody inside.
    pub(crate) async fn connect(self: Arc<Self>, to: SocketAddr) -> io::Result<TcpStream> {
        let ready = lock(&self.sockets).pop();
        let socket = match ready {
            Some(socket) => socket,
            None => tokio::task::spawn_blocking(move || self.more()).await.map_err(io::Error::other)??,
        };
        let stream = StdStream::from(socket);
        stream.set_nonblocking(true)?;
        TcpSocket::from_std_stream(stream).connect(to).await
    }

    /// Fetches a handful of sockets and gives one of them: each connection would else wait for the helper.
    fn more(&self) -> io::Result<OwnedFd> {
        let (_, mut sockets) = self.ask(&Order::Sockets { count: HANDFUL / 2 })?;
        let first = sockets.pop().ok_or(io::ErrorKind::UnexpectedEof)?;
        lock(&self.sockets).extend(sockets);
        Ok(first)
    }

    /// What can be done to packets on this host.
    pub(super) fn find(&self) -> io::Result<Found> {
        match self.ask(&Order::Try)?.0 {
            Reply::Tried { found } => Ok(found),
            other => Err(io::Error::other(format!("its helper said {other:?}"))),
        }
    }

    /// Does that to all packets, by a helper with that mark.
    pub(super) fn apply(&self, mark: &str, means: Means, shape: PacketShape) -> io::Result<()> {
        if self.is_closed() {
            return Err(over());
        }
        let mut agent = Agent::enter(mark, &self.fds)?;
        let applied = agent.ask(&Order::apply(&format!("chaos-test-{mark}"), means, shape), &[]);
        // Whatever came of it: some of it may be there, and is undone by whoever removes it.
        lock(&self.faults).insert(mark.to_owned(), (agent, means));
        applied.map(drop)
    }

    /// Undoes what the helper with that mark does.
    pub(super) fn remove(&self, mark: &str) -> io::Result<()> {
        let Some((agent, means)) = lock(&self.faults).remove(mark) else { return Ok(()) };
        // If it cannot, it is killed, and with it goes what it does.
        let _ = agent.end();
        match means {
            // Except this.
            Means::Netem if !self.is_closed() => self.ask(&Order::Tidy).map(drop),
            _ => Ok(()),
        }
    }

    /// Ends that task with the namespace.
    pub(super) fn ends(&self, answering: AbortHandle) {
        lock(&self.answering).push(answering);
        if self.is_closed() {
            lock(&self.answering).drain(..).for_each(|task| task.abort());
        }
    }

    /// Asks the helper; another one, if it has gone.
    fn ask(&self, order: &Order) -> io::Result<(Reply, Vec<OwnedFd>)> {
        let mut slot = lock(&self.slot);
        if slot.closed {
            return Err(over());
        }
        let mut agent = match slot.agent.take().and_then(Agent::still) {
            Some(agent) => agent,
            None => Agent::enter(&self.mark, &self.fds)?,
        };
        let answer = agent.ask(order, &[]);
        slot.agent = Some(agent);
        answer
    }

    pub(super) fn is_closed(&self) -> bool {
        lock(&self.slot).closed
    }

    /// Ends its helpers for good.
    pub(crate) fn close(&self) {
        lock(&self.faults).clear();
        lock(&self.sockets).clear();
        let mut slot = lock(&self.slot);
        slot.agent = None;
        if !std::mem::replace(&mut slot.closed, true) {
            // If the note is lost, the reaper looks for it once more and finds nothing.
            let _ = ledger::settle(&self.mark);
        }
        lock(&self.answering).drain(..).for_each(|task| task.abort());
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Namespace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespace").field("mark", &self.mark).finish_non_exhaustive()
    }
}

/// Somebody who listens inside, for a proxy outside.
pub(crate) struct Inside {
    pub(crate) namespace: Arc<Namespace>,
    pub(crate) address: SocketAddr,
}

impl Connector for Inside {
    fn connect(&self) -> BoxFuture<'static, io::Result<TcpStream>> {
        Box::pin(Arc::clone(&self.namespace).connect(self.address))
    }
}

fn over() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "its network has ended")
}

fn one(fds: Vec<OwnedFd>) -> io::Result<OwnedFd> {
    fds.into_iter().next().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
