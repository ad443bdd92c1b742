//! What a helper in a namespace does: what it is asked to, one order at a time.
#![allow(clippy::disallowed_methods, reason = "sys is where namespaces are made")]

use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::parent_id;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::sys::time::TimeSpec;

use super::applied::{Applied, Which, tidy};
use super::order::{HANDFUL, Order, Reply, receive, send};
use super::{link, trial};
use crate::port::PacketShape;
use crate::sys::hook;
use crate::sys::timer::now;

/// A helper that is forgotten ends by itself. A fault that is held longer is then no longer seen.
const LONGEST: Duration = Duration::from_secs(3600);
/// How often it looks whether its parent is still there.
const LOOK: Duration = Duration::from_millis(100);

/// Serves whoever holds the other end of standard input, until it closes or the parent is gone.
pub(crate) fn serve() {
    let orders = hook::take_stdin();
    // Else the kernel wakes it up to 50 µs late.
    // SAFETY: this prctl takes integers and changes only how exactly timers of this thread expire.
    unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1, 0, 0, 0) };
    let (parent, end) = (parent_id(), now() + LONGEST);
    let mut applied = None;
    while now() < end && parent_id() == parent {
        let Ok((ordered, told)) = wait(&orders, applied.as_ref()) else { break };
        if told && let Some(Applied::Queue(queue)) = &mut applied {
            // What could not be read or let go waits for the next time.
            let _ = queue.read();
        }
        if let Some(Applied::Queue(queue)) = &mut applied {
            let _ = queue.release();
        }
        if !ordered {
            continue;
        }
        let Ok(Some((order, fds))) = receive::<Order>(orders.as_fd()) else { break };
        let last = matches!(order, Order::End);
        let (reply, fds) = match obey(order, fds, &mut applied) {
            Ok((reply, fds)) => (reply, fds),
            Err(error) => (Reply::failed(&error), Vec::new()),
        };
        let fds: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        if send(orders.as_fd(), &reply, &fds).is_err() || last {
            break;
        }
    }
    if let Some(applied) = applied {
        let _ = applied.undo();
    }
}

/// Waits for an order, for packets and for the time of the first that waits: whether there is an order, and whether there
/// are packets.
fn wait(orders: &OwnedFd, applied: Option<&Applied>) -> io::Result<(bool, bool)> {
    let queue = match applied {
        Some(Applied::Queue(queue)) => Some(queue),
        _ => None,
    };
    let until =
        queue.and_then(|queue| queue.due()).map_or(LOOK, |due: Instant| due.saturating_duration_since(now()));
    let mut fds = vec![PollFd::new(orders.as_fd(), PollFlags::POLLIN)];
    fds.extend(queue.map(|queue| PollFd::new(queue.as_fd(), PollFlags::POLLIN)));
    match ppoll(&mut fds, Some(TimeSpec::from_duration(until.min(LOOK))), None) {
        Ok(_) => {
            let any = |fd: Option<&PollFd<'_>>| fd.and_then(PollFd::any).unwrap_or(false);
            Ok((any(fds.first()), any(fds.get(1))))
        }
        Err(Errno::EINTR) => Ok((false, false)),
        Err(errno) => Err(errno.into()),
    }
}

fn obey(order: Order, fds: Vec<OwnedFd>, applied: &mut Option<Applied>) -> io::Result<(Reply, Vec<OwnedFd>)> {
    let made = match order {
        Order::Create => create()?,
        Order::Enter => {
            enter(&fds)?;
            Vec::new()
        }
        Order::Sockets { count } => {
            let one = |_| socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None);
            (0..count.min(HANDFUL)).map(one).collect::<Result<_, _>>()?
        }
        Order::Datagram => vec![UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.into()],
        Order::Listen { at } => vec![TcpListener::bind(at)?.into()],
        Order::Try => return Ok((Reply::Tried { found: trial::find()? }, Vec::new())),
        Order::Apply { name, means, delay, jitter, loss } => {
            *applied = Some(Applied::new(&name, means, Which::All, PacketShape { delay, jitter, loss })?);
            Vec::new()
        }
        Order::End => {
            applied.take().map_or(Ok(()), Applied::undo)?;
            Vec::new()
        }
        Order::Tidy => {
            tidy(Which::All)?;
            Vec::new()
        }
    };
    Ok((Reply::Done, made))
}

/// Goes into a network namespace of its own; its descriptor, and that of the user namespace it belongs to, if it has one
/// of its own.
fn create() -> io::Result<Vec<OwnedFd>> {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let own_user = match unshare(CloneFlags::CLONE_NEWNET) {
        Ok(()) => false,
        // Without privileges: where this user is root over nothing but this network.
        Err(Errno::EPERM) => {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
            fs::write("/proc/self/setgroups", "deny")?;
            fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
            fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
            true
        }
        Err(errno) => return Err(errno.into()),
    };
    link::up()?;
    let mut fds = vec![File::open("/proc/self/ns/net")?.into()];
    if own_user {
        fds.push(File::open("/proc/self/ns/user")?.into());
    }
    Ok(fds)
}

fn enter(fds: &[OwnedFd]) -> io::Result<()> {
    let [net, user @ ..] = fds else { return Err(io::ErrorKind::InvalidInput.into()) };
    if let [user] = user {
        setns(user, CloneFlags::CLONE_NEWUSER)?;
    }
    setns(net, CloneFlags::CLONE_NEWNET)?;
    Ok(())
}
