use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use nix::sched::{CloneFlags, unshare};

/// A network namespace of this thread and its children, with a loopback that loses packets.
///
/// It needs no cleaning up: the kernel removes it with the last thread in it, however that ends.
pub(crate) struct Lossy(());

impl Lossy {
    /// Takes this thread into a new one. The text says what is missing.
    pub(crate) fn enter() -> Result<Self, String> {
        let namespace = || fs::read_link("/proc/thread-self/ns/net").map_err(|error| error.to_string());
        let before = namespace()?;
        unshare(CloneFlags::CLONE_NEWNET)
            .map_err(|error| format!("a network namespace of its own: {error} (root makes them)"))?;
        if namespace()? == before {
            return Err("a network namespace of its own: it is the old one".into());
        }
        // Ethernet's packets, each on its own: a super-packet of 64 KB would be lost as one.
        for arguments in ["link set lo mtu 1500", "link set lo gso_max_segs 1", "link set lo up"] {
            run("ip", &arguments.split(' ').collect::<Vec<_>>(), "")?;
        }
        let lossy = Self(());
        lossy.lose(0.0)?;
        Ok(lossy)
    }

    /// Loses that share of all packets from now on, each way.
    pub(crate) fn lose(&self, share: f64) -> Result<(), String> {
        let parts = (share * 1e6).round() as u32;
        let rule = if parts == 0 {
            String::new()
        } else {
            format!("iifname lo numgen random mod 1000000 < {parts} counter drop")
        };
        let rules = format!(
            "flush ruleset\ntable inet lossy {{\nchain input {{\ntype filter hook input priority 0;\n{rule}\n}}\n}}\n"
        );
        run("nft", &["-f", "-"], &rules)
    }

    /// What the figures depend on.
    pub(crate) fn setting(&self) -> String {
        let read = |path| fs::read_to_string(path).map_or_else(|_| "?".into(), |text| text.trim().to_owned());
        format!(
            "Linux {}, {} congestion control, loopback with an MTU of 1 500 and no segmentation offload",
            read("/proc/sys/kernel/osrelease"),
            read("/proc/sys/net/ipv4/tcp_congestion_control")
        )
    }
}

fn run(program: &str, arguments: &[&str], input: &str) -> Result<(), String> {
    let missing = |error: std::io::Error| format!("the program `{program}`: {error}");
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).map_err(missing)?;
    let output = child.wait_with_output().map_err(missing)?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{program} {}`: {}", arguments.join(" "), said.trim()))
}
