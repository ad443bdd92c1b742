//! What a network does to packets, measured by sending some to an echo.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::time::TimeSpec;

use crate::sys::timer::now;

/// How long a connection or an answer is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// How many datagrams are sent before those that came back are read: fewer than the smallest buffer holds.
const AT_ONCE: u32 = 64;
/// How long the rest of a handful is waited for once some of it has come back.
const PAUSE: Duration = Duration::from_millis(4);
/// How long nothing has to come until nothing more is expected.
const QUIET: Duration = Duration::from_millis(100);

/// Sends a byte to the echo and waits for it, on a connection that is open already.
pub(super) fn round_trip(echo: SocketAddr) -> io::Result<Duration> {
    let mut stream = TcpStream::connect_timeout(&echo, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let sent = now();
    stream.write_all(b"?")?;
    stream.read_exact(&mut [0])?;
    Ok(now() - sent)
}

/// Sends so many datagrams to the echo, and counts the share that does not come back.
pub(super) fn lost(echo: SocketAddr, packets: u32) -> io::Result<f64> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(echo)?;
    socket.set_nonblocking(true)?;
    let mut seen = Seen { each: vec![false; packets as usize], count: 0, highest: None };
    for packet in 0..packets {
        send(&socket, packet)?;
        if packet % AT_ONCE == AT_ONCE - 1 {
            // An echo that gets no time on a busy host would lose what does not fit into its buffer. So some of this
            // handful has to be back before the next one goes, or it seems lost as a whole.
            let (first, all) = (packet + 1 - AT_ONCE, seen.count + AT_ONCE);
            let mut until = now() + QUIET;
            while seen.count < all && read(&socket, &mut seen, until)? {
                if seen.highest >= Some(first) {
                    until = now() + PAUSE;
                }
            }
        }
    }
    while seen.count < packets && read(&socket, &mut seen, now() + QUIET)? {}
    Ok(f64::from(packets - seen.count) / f64::from(packets.max(1)))
}

fn send(socket: &UdpSocket, packet: u32) -> io::Result<()> {
    loop {
        match socket.send(&packet.to_ne_bytes()) {
            Ok(_) => return Ok(()),
            // What was sent before is still on its way out.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1))
            }
            Err(error) => return Err(error),
        }
    }
}

/// Which datagrams have come back.
struct Seen {
    each: Vec<bool>,
    count: u32,
    highest: Option<u32>,
}

/// Waits for one that comes back, until then: whether one did.
fn read(socket: &UdpSocket, seen: &mut Seen, until: Instant) -> io::Result<bool> {
    loop {
        let left = until.saturating_duration_since(now());
        if left.is_zero() {
            return Ok(false);
        }
        // A socket's own timeout is rounded up to the kernel's ticks.
        match ppoll(
            &mut [PollFd::new(socket.as_fd(), PollFlags::POLLIN)],
            Some(TimeSpec::from_duration(left)),
            None,
        ) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(errno) => return Err(errno.into()),
        }
        let mut bytes = [0; 4];
        match socket.recv(&mut bytes) {
            Ok(4) => {
                let packet = u32::from_ne_bytes(bytes);
                if let Some(one) = seen.each.get_mut(packet as usize) {
                    seen.highest = seen.highest.max(Some(packet));
                    seen.count += u32::from(!std::mem::replace(one, true));
                }
                return Ok(true);
            }
            Ok(_) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether somebody takes connections there.
pub(super) fn knock(at: SocketAddr) -> io::Result<bool> {
    match TcpStream::connect_timeout(&at, PATIENCE) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Ok(false),
        Err(error) => Err(error),
    }
}
