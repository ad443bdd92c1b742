//! An echo for measurements.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::thread::Builder;

/// Answers whoever connects or sends a datagram with what it sends, as long as this process is there. The ports for
/// streams and for datagrams.
pub(super) fn serve() -> io::Result<(u16, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let datagrams = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    let ports = (listener.local_addr()?.port(), datagrams.local_addr()?.port());
    Builder::new().spawn(move || {
        let mut bytes = [0; 64];
        loop {
            if let Ok((n, from)) = datagrams.recv_from(&mut bytes) {
                let _ = datagrams.send_to(&bytes[..n], from);
            }
        }
    })?;
    Builder::new().spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = Builder::new().spawn(move || answer(stream));
        }
    })?;
    Ok(ports)
}

fn answer(mut stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let mut bytes = [0; 64];
    while let Ok(n @ 1..) = stream.read(&mut bytes) {
        if stream.write_all(&bytes[..n]).is_err() {
            return;
        }
    }
}
