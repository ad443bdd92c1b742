//! The first process of a small virtual machine whose kernel has netem: makes the packet faults there, and says what
//! came of it. `tests/vm/netem` builds the machine and starts it.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a machine's first process reads its arguments and files"
)]

use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::time::Duration;

use chaos_test::port::Target;
use chaos_test::prelude::*;
use nix::libc;
use nix::mount::{MsFlags, mount};
use nix::sys::reboot::{RebootMode, reboot};
use suite::{Stress, Stub};

fn main() {
    let mut args = std::env::args().skip(1);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if args.next().as_deref() == Some("serve") {
        let port = args.next().and_then(|port| port.parse().ok()).expect("serve PORT");
        return runtime.block_on(async {
            let _stub = Stub::start(port).await.expect("the port is free");
            std::future::pending().await
        });
    }
    prepare();
    let said = std::panic::catch_unwind(|| runtime.block_on(faults()));
    println!("netem in a machine: {}", if said.is_ok() { "proven" } else { "NOT proven" });
    // Started with -no-reboot, the machine ends here.
    let _ = reboot(RebootMode::RB_AUTOBOOT);
}

fn prepare() {
    let none = None::<&str>;
    for (what, path) in [("proc", "/proc"), ("sysfs", "/sys"), ("devtmpfs", "/dev"), ("tmpfs", "/tmp")] {
        mount(Some(what), path, Some(what), MsFlags::empty(), none)
            .unwrap_or_else(|why| panic!("{path}: {why}"));
    }
    let modules = std::fs::read_to_string("/modules/order").expect("the modules, in order");
    for module in modules.lines() {
        let file = File::open(format!("/modules/{module}")).unwrap_or_else(|why| panic!("{module}: {why}"));
        nix::kmod::finit_module(&file, c"", nix::kmod::ModuleInitFlags::empty())
            .unwrap_or_else(|why| panic!("{module}: {why}"));
    }
    raise_loopback();
}

/// The machine's own loopback interface is down at first.
fn raise_loopback() {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
    // SAFETY: a zeroed ifreq is an empty one; the name fits, and the kernel reads the request before the call returns.
    let raised = unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l'.cast_signed();
        request.ifr_name[1] = b'o'.cast_signed();
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)
    };
    assert_eq!(raised, 0, "lo: {}", std::io::Error::last_os_error());
}

async fn faults() {
    let delay = |ms: u64, jitter: u64| Fault::NetworkDelay {
        delay: Duration::from_millis(ms),
        jitter: Duration::from_millis(jitter),
        bandwidth: None,
        interface: None,
    };
    let loss = |percent| Fault::NetworkLoss {
        loss: Percent::new(percent).expect("a percentage"),
        connections: None,
        interface: None,
    };
    let app = Process::current_exe().args(["serve", "{port}"]).own_network();
    let app = Environment::builder().process("app", app.ready(Probe::http("/").timeout(10.seconds())));
    let app = app.start().await.unwrap_or_else(|error| panic!("{error}"));
    for fault in [delay(100, 0), delay(500, 0), delay(400, 100), loss(5.0), loss(15.0), loss(30.0)] {
        one(&fault, &app.services()[0].target()).await;
    }
}

/// The fault is there at its dose, and gone afterwards. An emulated machine is slow, so what it adds without a fault is
/// taken off.
async fn one(fault: &Fault, target: &Target) {
    let held =
        Stress::prepare(fault, target, Some("netem")).await.unwrap_or_else(|why| panic!("{fault}: {why}"));
    let asked = held.prepared.asked;
    let before = middle(&held).await;
    held.inject().await;
    let under = middle(&held).await;
    held.revert().await;
    let after = middle(&held).await;
    println!(
        "{}: asked {asked:.3}, before {before:.3}, under it {under:.3}, after {after:.3}",
        held.prepared.detail
    );
    let added = under - before;
    assert!(added > asked * 0.8 && added < asked * 1.2, "{fault}: {added:.3} is not the dose");
    assert!(after < before + asked * 0.2, "{fault}: it is still there");
}

/// The median of a few readings.
async fn middle(held: &Stress) -> f64 {
    let mut readings = Vec::new();
    for _ in 0..7 {
        readings.push(held.measured().await.unwrap_or_else(|why| panic!("{why}")));
    }
    readings.sort_by(f64::total_cmp);
    readings[3]
}
