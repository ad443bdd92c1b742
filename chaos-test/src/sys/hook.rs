//! How a test binary becomes its own helper process.
//!
//! A library cannot ship a program of its own, but it is linked into one: the user's test binary. A function in
//! `.init_array` runs before `main`, and when a private variable is set it takes over and never returns. That works
//! under libtest, nextest, `harness = false` and in examples. An ordinary run pays one look at the environment.
//!
//! The variable alone is not believed: the helper's standard input must be a pipe on which its parent sends the same
//! token, so a stray variable in somebody's shell changes nothing.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "sys is where processes are started")]

use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use nix::libc;

/// The role a helper plays, and its token: `burn <token>`.
const ROLE: &str = "CHAOS_TEST_HELPER";
/// The mark every helper and every service carries in its environment, by which it is known as ours.
pub(crate) const MARK: &str = "CHAOS_TEST_MARK";

/// What a helper process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Burns processor time until its standard input closes.
    Burn,
    /// Looks like a worker and does nothing: for the tests that prove we notice.
    Idle,
}

impl Role {
    const ALL: [(&'static str, Self); 2] = [("burn", Self::Burn), ("idle", Self::Idle)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

#[used]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".init_array.00101"))]
static HOOK: extern "C" fn() = take_over;

extern "C" fn take_over() {
    let Ok(order) = std::env::var(ROLE) else { return };
    let Some((role, token)) = order.split_once(' ') else { return };
    let Some((_, role)) = Role::ALL.iter().find(|(name, _)| *name == role) else { return };
    // Somebody's terminal or file is not the pipe a parent of ours holds; reading from it could block for good.
    let piped =
        nix::sys::stat::fstat(io::stdin()).is_ok_and(|stat| stat.st_mode & libc::S_IFMT == libc::S_IFIFO);
    if !piped {
        return;
    }
    let mut sent = vec![0_u8; token.len()];
    if io::stdin().lock().read_exact(&mut sent).is_err() || sent != token.as_bytes() {
        return;
    }
    // A session of its own: with autogroup scheduling, workers that share one session share one share.
    let _ = nix::unistd::setsid();
    // SAFETY: close_range has no memory effects; descriptors from 3 on belong to nobody in this process yet.
    unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) };
    match role {
        Role::Burn => super::burner::burn(),
        Role::Idle => super::burner::idle(),
    }
    // SAFETY: ends the helper without running the destructors of a program that never began.
    unsafe { libc::_exit(0) }
}

/// Starts a helper that carries `mark` in its environment. It ends when the returned child's standard input is
/// closed, which this process's death does too, or when this process is gone.
pub(crate) fn start(role: Role, mark: &str) -> io::Result<Child> {
    std::hint::black_box(&HOOK);
    let token = format!("{mark}:{}", std::process::id());
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0(format!("chaos-test-{}", role.name()))
        .env_clear()
        .env(ROLE, format!("{} {token}", role.name()))
        .env(MARK, mark)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
        command.env("LD_LIBRARY_PATH", libraries);
    }
    let mut child = command.spawn()?;
    let told = child.stdin.as_mut().map_or(Ok(()), |input| input.write_all(token.as_bytes()));
    if let Err(error) = told {
        let _ = child.kill().and_then(|()| child.wait());
        return Err(error);
    }
    Ok(child)
}
