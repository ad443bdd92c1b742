//! The links of a network: a namespace of our own has one, the loopback.

use std::io;
use std::os::fd::AsRawFd;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::netlink::{ACK, Message, Netlink, REQUEST};

/// The loopback is the first link of every namespace.
pub(super) const LOOPBACK: i32 = 1;
/// As on an Ethernet. The loopback's own 64 KiB would make one packet of what is 44 elsewhere.
const MTU: u32 = 1500;
const IFLA_MTU: u16 = 4;

/// Brings the loopback up, with packets of the size they have elsewhere.
pub(super) fn up() -> io::Result<()> {
    Netlink::route()?.ask([rising()])?;
    // Else the kernel carries up to 64 KiB of a stream in one piece past every fault, and one loss is the loss of all
    // of it. A kernel that cannot do without makes losses of bulk too rare and too large, and nothing else.
    let _ = in_single_packets();
    Ok(())
}

/// Every link of this network but the loopback.
pub(super) fn others() -> io::Result<Vec<i32>> {
    // SAFETY: returns null or a list that ends with an index of 0, and is ours until it is given back below.
    let list = unsafe { libc::if_nameindex() };
    if list.is_null() {
        return Err(io::Error::last_os_error());
    }
    let mut links = Vec::new();
    let mut next = list;
    loop {
        // SAFETY: `next` is within the list: the entry that ends it has not been passed.
        let index = unsafe { (*next).if_index };
        if index == 0 {
            break;
        }
        links.push(index as i32);
        // SAFETY: this was not the entry that ends the list, so there is one after it.
        next = unsafe { next.add(1) };
    }
    // SAFETY: it came from if_nameindex and is given back once.
    unsafe { libc::if_freenameindex(list) };
    links.retain(|link| *link != LOOPBACK);
    Ok(links)
}

fn rising() -> Message {
    // struct ifinfomsg: family, padding, type, index, flags, which flags change
    let mut fixed = [0; 16];
    let up = (libc::IFF_UP as u32).to_ne_bytes();
    fixed[4..8].copy_from_slice(&LOOPBACK.to_ne_bytes());
    fixed[8..12].copy_from_slice(&up);
    fixed[12..16].copy_from_slice(&up);
    Message::new(libc::RTM_NEWLINK, REQUEST | ACK, &fixed).attr(IFLA_MTU, &MTU.to_ne_bytes())
}

/// Turns off what carries several packets as one: the offload of segmentation, to the device and by the kernel.
fn in_single_packets() -> io::Result<()> {
    const SIOCETHTOOL: u64 = 0x8946;
    const ETHTOOL_STSO: u32 = 0x1f;
    const ETHTOOL_SGSO: u32 = 0x24;
    let any = socket(AddressFamily::Inet, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
    for command in [ETHTOOL_STSO, ETHTOOL_SGSO] {
        // struct ethtool_value: the command and what to set
        let mut value = [command, 0];
        // SAFETY: all of it are integers and pointers, for which zero is a value.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = *from as libc::c_char;
        }
        request.ifr_ifru.ifru_data = value.as_mut_ptr().cast();
        // SAFETY: both structures live until the call is over, and the kernel reads and writes no more than they are.
        let done = unsafe { libc::ioctl(any.as_raw_fd(), SIOCETHTOOL as libc::Ioctl, &raw mut request) };
        Errno::result(done)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_brings_it_up() {
        let bytes = rising().numbered(1);
        assert_eq!(u16::from_ne_bytes([bytes[4], bytes[5]]), 16, "RTM_NEWLINK");
        let fields: Vec<u32> = bytes[16..32]
            .chunks(4)
            .map(|field| u32::from_ne_bytes(field.try_into().expect("four bytes")))
            .collect();
        assert_eq!(fields, [0, 1, 1, 1], "the first link, up");
        assert_eq!(bytes[36..40], 1500_u32.to_ne_bytes());
    }
}
