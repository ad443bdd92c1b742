use std::io;
use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::link::{Link, Standing};
use super::resend;
use crate::port::PathShape;
use crate::stats::SplitMix;
use crate::sys::timer;

/// What a new connection may send while it is held. Then it is no longer read.
const EARLY: usize = 64 * 1024;

/// How long a client that has ended its sending may wait for its connection to open. Most that do have given up, and
/// must not cost a descriptor for longer.
const GIVEN_UP: Duration = Duration::from_secs(10);

/// What becomes of a new connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// It goes on to the service; what it sent meanwhile comes first.
    Through(Vec<u8>),
    /// It is to be reset.
    Broken,
    /// Nobody waits for it any more.
    Gone,
}

/// Holds a new connection for as long as the path does not let it open.
///
/// The kernel has accepted it before the proxy sees it, so whatever befalls its opening, the loss of a segment of the
/// handshake among them, is put between that and the connection to the service: its first byte is late by as much.
pub(super) async fn admit(client: &mut TcpStream, luck: f64, link: &Link) -> Admission {
    let arrived = timer::now();
    let mut shapes = link.watch();
    let loss = shapes.borrow().loss;
    let stall = resend::handshake_stall(resend::handshake_losses(loss, &mut SplitMix::new(link.seed())));
    let opens = |shape: &PathShape| if shape.loss > 0.0 { arrived + stall } else { arrived };
    let mut early = Vec::new();
    let mut ended = false;
    let mut standing = Standing::Open;
    loop {
        let shape = *shapes.borrow_and_update();
        standing = Standing::of(&shape, luck).after(standing);
        let due: Option<Instant> = match standing {
            Standing::Broken => return Admission::Broken,
            Standing::Open if opens(&shape) <= timer::now() => return Admission::Through(early),
            Standing::Open => Some(opens(&shape)),
            // Nothing passes, and it is not known for how long.
            Standing::Held | Standing::HalfOpen if ended => return Admission::Gone,
            Standing::Held | Standing::HalfOpen => None,
        };
        let wakes = due.unwrap_or(arrived);
        let read: io::Result<usize> = tokio::select! {
            biased;
            _ = shapes.changed() => continue,
            () = timer::sleep_until(wakes), if due.is_some() => continue,
            read = client.read_buf(&mut early), if !ended && early.len() < EARLY => read,
        };
        match read {
            Ok(0) if due.is_some_and(|due| due <= timer::now() + GIVEN_UP) => ended = true,
            Ok(0) | Err(_) => return Admission::Gone,
            // Nobody will ever get it.
            Ok(_) if standing == Standing::HalfOpen => early.clear(),
            Ok(_) => {}
        }
    }
}
