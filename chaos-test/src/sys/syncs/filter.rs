//! The filter that makes the kernel ask us before a sync: a seccomp program of a few instructions.
//!
//! Everything here runs between `fork` and `exec`: system calls and the stack, nothing else.

use std::io;
use std::mem;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::libc::{self, c_long, sock_filter};

/// What the kernel calls this architecture in a filter's input.
#[cfg(target_arch = "x86_64")]
const ARCH: Option<u32> = Some(0xC000_003E);
#[cfg(target_arch = "aarch64")]
const ARCH: Option<u32> = Some(0xC000_00B7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCH: Option<u32> = None;

/// The calls that wait until data is on the device.
const SYNCS: [c_long; 5] =
    [libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_syncfs, libc::SYS_sync_file_range, libc::SYS_msync];

const LENGTH: usize = 3 + SYNCS.len() + 2;

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// A system call of another architecture is none of ours to read, and is let through.
const PROGRAM: [sock_filter; LENGTH] = program();

const fn program() -> [sock_filter; LENGTH] {
    let (allow, ask) = (LENGTH - 2, LENGTH - 1);
    let mut program = [sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_ALLOW }; LENGTH];
    program[0] = sock_filter { code: LOAD, jt: 0, jf: 0, k: ARCHITECTURE };
    let arch = match ARCH {
        Some(arch) => arch,
        None => 0,
    };
    program[1] = sock_filter { code: IF_EQUAL, jt: 0, jf: (allow - 2) as u8, k: arch };
    program[2] = sock_filter { code: LOAD, jt: 0, jf: 0, k: NUMBER };
    let mut n = 0;
    while n < SYNCS.len() {
        let at = 3 + n;
        program[at] = sock_filter { code: IF_EQUAL, jt: (ask - at - 1) as u8, jf: 0, k: SYNCS[n] as u32 };
        n += 1;
    }
    program[ask] = sock_filter { code: RETURN, jt: 0, jf: 0, k: libc::SECCOMP_RET_USER_NOTIF };
    program
}

/// Whether this kernel can ask us; else why not.
pub(super) fn available() -> Result<(), String> {
    if ARCH.is_none() {
        return Err("it is made for x86_64 and aarch64 only".into());
    }
    let action = libc::SECCOMP_RET_USER_NOTIF;
    // SAFETY: the call reads one number, and changes nothing.
    let answer =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const action) };
    if answer == 0 {
        Ok(())
    } else {
        Err(format!("this kernel cannot ask us: {}", io::Error::last_os_error()))
    }
}

/// linux/seccomp.h: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
const WAIT_KILLABLE_RECV: libc::c_ulong = 1 << 5;

/// Puts this process, and all it starts, under the filter, and sends the descriptor to answer at through `door`.
///
/// Without the rights of root the kernel wants a promise first that no program it starts gains rights (`sudo`, `ping`).
/// From Linux 5.19 on a sync that waits is woken by nothing but its end: before that every signal with a handler began the
/// wait anew, or made the sync fail with EINTR.
pub(super) fn enter(door: BorrowedFd<'_>) -> io::Result<()> {
    let mut program = PROGRAM;
    let program = libc::sock_fprog { len: LENGTH as u16, filter: program.as_mut_ptr() };
    let install = |flags: libc::c_ulong| {
        // SAFETY: the program outlives the call, which copies it.
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) }
    };
    let mut flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE_RECV;
    let mut listener = install(flags);
    if listener < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
        flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        listener = install(flags);
    }
    if listener < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EACCES) {
        // SAFETY: this prctl takes integers and changes only this process.
        if unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } != 0 {
            return Err(io::Error::last_os_error());
        }
        listener = install(flags);
    }
    if listener < 0 {
        return Err(io::Error::last_os_error());
    }
    let sent = send(door, listener as RawFd);
    // SAFETY: the descriptor is ours, and nobody uses it after this.
    unsafe { libc::close(listener as RawFd) };
    sent
}

/// Sends a descriptor with one byte; no memory is allocated.
fn send(door: BorrowedFd<'_>, listener: RawFd) -> io::Result<()> {
    #[repr(C, align(8))]
    struct Room([u8; 64]);
    let (mut byte, mut room) = ([b'!'], Room([0; 64]));
    let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
    // SAFETY: a zeroed msghdr is an empty one; every pointer put into it lives until the call returns, and the room for
    // the control message is larger than CMSG_SPACE of one descriptor.
    unsafe {
        let mut message: libc::msghdr = mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = room.0.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(size_of::<RawFd>() as u32) as _;
        let control = libc::CMSG_FIRSTHDR(&raw const message);
        (*control).cmsg_level = libc::SOL_SOCKET;
        (*control).cmsg_type = libc::SCM_RIGHTS;
        (*control).cmsg_len = libc::CMSG_LEN(size_of::<RawFd>() as u32) as _;
        libc::CMSG_DATA(control).cast::<RawFd>().write_unaligned(listener);
        if libc::sendmsg(door.as_raw_fd(), &raw const message, 0) == 1 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}
