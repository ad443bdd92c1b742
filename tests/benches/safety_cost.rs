//! What safety costs: an entry of the ledger, the start of the reaper, and the memory it takes; beside the physical
//! limits, in the same run: a file that is written and synced, and a program that is started and says one byte.
//!
//! Each figure of the first entry is of a process of its own, for a process starts one reaper.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads clocks and starts processes"
)]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use suite::figures::{Times, asked};

/// How many processes are looked at.
const PROCESSES: usize = 40;
/// Entries after the first, in each.
const ENTRIES: usize = 20;
/// Set in the processes that are looked at.
const CHILD: &str = "SAFETY_COST_CHILD";

fn main() {
    if std::env::var_os(CHILD).is_some() {
        return child();
    }
    if !asked() {
        return;
    }
    let dir = std::env::temp_dir().join(format!("safety-cost-{}", std::process::id()));
    let mut of = Figures::default();
    for _ in 0..PROCESSES {
        of.take(&dir);
    }
    std::fs::remove_dir_all(&dir).expect("it is ours");
    println!("{:<58} {:>9} {:>9} {:>9}", "milliseconds", "median", "p90", "max");
    let row = |name: &str, times: &[Duration]| {
        let times = Times::of(times.to_vec());
        let at = |p| times.quantile_ms(p);
        println!("{name:<58} {:>9.2} {:>9.2} {:>9.2}", at(0.5), at(0.9), at(1.0));
        times.quantile_ms(0.5)
    };
    let first = row("first entry: reaper started, ledger made, entry synced", &of.first);
    let next = row("every further entry, owed and settled", &of.next);
    let sync = row("limit: a line appended and synced", &of.sync);
    let spawn = row("limit: a program started that says one byte", &of.spawn);
    println!("first / (program + 3 syncs)   {:.2}", first / (spawn + 3.0 * sync));
    println!("further / sync                {:.2}", next / sync);
    println!(
        "goal: at most 10 ms more per test; a test with one service and one fault has {:.2}",
        first + next
    );
    println!("\n{:<58} {:>9}", "memory of the reaper, KiB, median", "");
    for (name, mut values) in of.memory {
        values.sort_unstable();
        println!("{name:<58} {:>9}", values[values.len() / 2]);
    }
    println!(
        "goal: at most 3072 resident. Pages of the program's file are shared with the test that runs the same program"
    );
}

#[derive(Default)]
struct Figures {
    first: Vec<Duration>,
    next: Vec<Duration>,
    sync: Vec<Duration>,
    spawn: Vec<Duration>,
    memory: Vec<(String, Vec<u64>)>,
}

impl Figures {
    fn take(&mut self, dir: &std::path::Path) {
        let mut child = Command::new(std::env::current_exe().expect("it runs"))
            .env(CHILD, "1")
            .env("CHAOS_TEST_DIR", dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program again");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut times = || -> Vec<Duration> {
            let line = lines.next().expect("it tells").expect("it can be read");
            line.split(' ').map(|nanos| Duration::from_nanos(nanos.parse().expect("a number"))).collect()
        };
        let entries = times();
        self.first.push(entries[0]);
        self.next.extend(&entries[1..]);
        self.sync.extend(times());
        self.spawn.extend(times());
        // It lets go of what it needed to start.
        std::thread::sleep(Duration::from_millis(100));
        let reaper = reaper_of(child.id());
        for line in std::fs::read_to_string(format!("/proc/{reaper}/smaps_rollup")).expect("it runs").lines()
        {
            let mut words = line.split_ascii_whitespace();
            let (name, value) = (words.next().unwrap_or_default(), words.next());
            let Some(name) = ["Rss:", "Pss:", "Anonymous:"].iter().find(|wanted| **wanted == name) else {
                continue;
            };
            let value: u64 = value.expect("it has one").parse().expect("a number");
            match self.memory.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) => values.push(value),
                None => self.memory.push(((*name).to_owned(), vec![value])),
            }
        }
        drop(child.stdin.take());
        child.wait().expect("it is ours");
    }
}

/// The reaper among the children of a process.
fn reaper_of(parent: u32) -> u32 {
    let children =
        std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children")).expect("it runs");
    let mut children = children.split_ascii_whitespace().map(|pid| pid.parse().expect("a pid"));
    let is_reaper = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "chaos-reaper")
    };
    children.find(is_reaper).expect("it has one")
}

/// Makes entries and tells how long each took; then the limits; then waits to be looked at.
fn child() {
    let took = |work: &mut dyn FnMut()| {
        let begun = Instant::now();
        work();
        begun.elapsed()
    };
    let tell = |times: Vec<Duration>| {
        let times: Vec<String> = times.iter().map(|time| time.as_nanos().to_string()).collect();
        println!("{}", times.join(" "));
    };
    let entry = || chaos_test::__private::owe_and_settle().expect("the disk takes it");
    tell((0..=ENTRIES).map(|_| took(&mut || entry())).collect());

    let path = std::env::temp_dir().join(format!("safety-cost-limit-{}", std::process::id()));
    let mut file = File::options().create(true).append(true).open(&path).expect("a file");
    let line = format!("{}\n", "x".repeat(300));
    let mut append = || {
        file.write_all(line.as_bytes()).expect("written");
        file.sync_data().expect("synced");
    };
    tell((0..ENTRIES).map(|_| took(&mut append)).collect());
    std::fs::remove_file(&path).expect("it is ours");

    let mut start = || {
        let mut echo = Command::new("echo").stdout(Stdio::piped()).spawn().expect("every system has one");
        let mut byte = [0];
        echo.stdout.take().expect("piped").read_exact(&mut byte).expect("it says one");
        echo.wait().expect("it is ours");
    };
    tell((0..5).map(|_| took(&mut start)).collect());
    let _ = std::io::stdin().read(&mut [0]);
}
