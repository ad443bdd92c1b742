//! How fast many records become reports: ten thousand records of three thousand samples, by `cargo chaos report` in the
//! bench profile, beside `serde_json` that just parses the same files, in turns, in one run. The goals are at most 256 MiB
//! of memory, and at most 1.5 times the time of just parsing.
//!
//! `CHAOS_TEST_BENCH_RECORDS` makes it fewer, `CHAOS_TEST_BENCH_ARGS` gives more arguments to the report (`--raw FILE`).
//! The records are written below the directory for temporary files, need as much room as there is said, and are removed.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a bench reads clocks, touches files and starts processes"
)]

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use chaos_test::model::{BodyEnd, NoiseWindow};
use chaos_test::report::Report;
use serde::de::IgnoredAny;
use serde_json::Value;
use suite::figures::{asked, median};
use synthetic::{Story, delayed, ms};

#[path = "../../chaos-test/tests/synthetic/mod.rs"]
mod synthetic;

const RECORDS: u32 = 10_000;
const SAMPLES: u32 = 3_000;
const ROUNDS: usize = 3;
/// Stands in the templates where the name of the test is to be.
const NAME: &str = "the_name_of_the_test";
/// What it may take, in MiB.
const MEMORY: f64 = 256.0;
/// And in times of just parsing.
const TIMES: f64 = 1.5;

fn main() {
    if !asked() {
        return;
    }
    let records = std::env::var("CHAOS_TEST_BENCH_RECORDS").map_or(RECORDS, |n| n.parse().expect("a number"));
    let more = std::env::var("CHAOS_TEST_BENCH_ARGS").unwrap_or_default();
    let binary = built();
    let templates = templates();
    let dir = tempfile::tempdir().expect("a directory for temporary files");
    let size = templates.iter().map(String::len).sum::<usize>() as u64 / templates.len() as u64;
    let needed = u64::from(records) * (size + 4096) * 5 / 4;
    let free = free(dir.path());
    assert!(free > needed, "{} MiB are needed and {} MiB free", needed >> 20, free >> 20);
    let began = Instant::now();
    let (files, bytes) = write(&dir.path().join("runs/run-1"), records, &templates);
    println!(
        "{records} records of {SAMPLES} samples, {:.0} MB ({:.0} kB each), written in {:.1} s; {} processors",
        bytes as f64 / 1e6,
        bytes as f64 / 1e3 / f64::from(records),
        began.elapsed().as_secs_f64(),
        std::thread::available_parallelism().map_or(0, usize::from),
    );

    // Before the first round all of them are read once, so that each finds them as the others do.
    read(&files);
    type Way<'w> = (&'static str, Box<dyn Fn() -> Option<f64> + 'w>);
    let report = || Some(report(&binary, dir.path(), &more));
    let ways: Vec<Way<'_>> = vec![
        ("cargo chaos report", Box::new(report)),
        ("serde_json into Report", Box::new(|| parse::<Report>(&files))),
        ("serde_json into Value", Box::new(|| parse::<Value>(&files))),
        ("serde_json into nothing", Box::new(|| parse::<IgnoredAny>(&files))),
        ("files read", Box::new(|| read(&files))),
    ];
    let mut times = vec![Vec::new(); ways.len()];
    let mut memory: f64 = 0.0;
    for _ in 0..ROUNDS {
        for ((_, way), times) in ways.iter().zip(&mut times) {
            let began = Instant::now();
            let peak = way();
            times.push(began.elapsed());
            memory = memory.max(peak.unwrap_or(0.0));
        }
    }
    println!("{:<26} {:>9} {:>9} {:>9}   median of {ROUNDS} rounds in turns", "", "s", "MB/s", "× report");
    let seconds = |times: &[Duration]| times.iter().map(Duration::as_secs_f64).collect::<Vec<f64>>();
    for ((name, _), own) in ways.iter().zip(&times) {
        let middle = median(seconds(own));
        let ratio = seconds(&times[0]).iter().zip(seconds(own)).map(|(report, own)| report / own).collect();
        println!("{name:<26} {middle:>9.2} {:>9.0} {:>9.2}", bytes as f64 / 1e6 / middle, median(ratio));
    }
    let ratio = seconds(&times[0]).iter().zip(seconds(&times[1])).map(|(report, own)| report / own).collect();
    println!("report / just parsing into Report: {:.2} (goal ≤ {TIMES})", median(ratio));
    println!("peak memory of the report: {memory:.0} MiB (goal ≤ {MEMORY})");
    println!("{}", outputs(&dir.path().join("out")));
}

/// The program as users install it, but for its symbols.
fn built() -> PathBuf {
    let args =
        ["build", "--profile", "bench", "-p", "chaos-test", "--features", "cli", "--bin", "cargo-chaos"];
    let output = Command::new(env!("CARGO"))
        .args(args)
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above"))
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo is here: it built this bench");
    assert!(output.status.success(), "cargo {args:?}");
    let messages = String::from_utf8(output.stdout).expect("cargo writes JSON");
    let mut executables = messages.lines().filter_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executables.next_back().expect("it was built")
}

/// Records as runs leave them, one of each of the verdicts that are most common.
fn templates() -> Vec<String> {
    let pass = || Story::new(NAME).chaos(delayed);
    let stories = [
        pass(),
        pass(),
        pass(),
        Story::new(NAME).chaos(|_, sample| sample.latency += ms(804)),
        pass().body(BodyEnd::Failed("the order is lost".into())),
        pass().chaos(|_, sample| sample.lag = ms(45)),
    ];
    let record = |mut story: Story| {
        let ended = story.trace.marks.ended.expect("it ended");
        let interval = ended / SAMPLES;
        let stream = &mut story.trace.streams[0];
        let old = std::mem::take(&mut stream.samples);
        stream.interval = interval;
        stream.samples = (0..SAMPLES)
            .map(|n| {
                // Each is like the one that was sampled about then.
                let at = interval * n;
                let like = old.partition_point(|sample| sample.at <= at).saturating_sub(1);
                chaos_test::model::Sample { at, ..old[like] }.at_resolution()
            })
            .collect();
        story.trace.noise = (0..172).map(|n| NoiseWindow::new(ms(250) * n, ms(250), ms(1) / 7)).collect();
        story.log =
            (0..20).map(|n| format!("2026-01-01T00:00:{n:02}Z INFO request served in {n} ms")).collect();
        story.report().to_json().expect("it can be written")
    };
    stories.map(record).into()
}

fn write(dir: &Path, records: u32, templates: &[String]) -> (Vec<PathBuf>, u64) {
    std::fs::create_dir_all(dir).expect("a new directory");
    let mut bytes = 0;
    let files = (0..records).map(|n| {
        let name = format!("checkout::survives_{n}::medium_network_delay");
        let file = dir.join(format!("shop__checkout__survives_{n}.json"));
        let mut out = BufWriter::new(File::create(&file).expect("a new file"));
        let template = &templates[n as usize % templates.len()];
        for (n, part) in template.split(NAME).enumerate() {
            let name = if n > 0 { name.as_bytes() } else { b"" };
            bytes += (name.len() + part.len()) as u64;
            out.write_all(name).and_then(|()| out.write_all(part.as_bytes())).expect("there is room");
        }
        out.flush().expect("there is room");
        file
    });
    (files.collect(), bytes)
}

/// Reports them all; the most memory it had resident, in MiB.
#[allow(clippy::zombie_processes, reason = "it is waited for by the call that also tells its memory")]
fn report(binary: &Path, dir: &Path, more: &str) -> f64 {
    let child = Command::new(binary)
        .args(["report", "--results", "runs", "--report", "out/chaos_report.md"])
        .args(["--validation", "out/resilience_validation.json"])
        .args(more.split_whitespace())
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("it was built");
    let (mut status, mut usage) = (0, std::mem::MaybeUninit::<nix::libc::rusage>::zeroed());
    // SAFETY: the pid is that of a child nobody else waits for, and both places are ours and as large as they must be.
    let pid = unsafe { nix::libc::wait4(child.id() as i32, &mut status, 0, usage.as_mut_ptr()) };
    assert_eq!((pid, status), (child.id() as i32, 0), "it reported all of them");
    // SAFETY: all zeros is a value of it, and the kernel has filled it in.
    let usage = unsafe { usage.assume_init() };
    usage.ru_maxrss as f64 / 1024.0
}

fn parse<T: for<'de> serde::Deserialize<'de>>(files: &[PathBuf]) -> Option<f64> {
    for file in files {
        let bytes = std::fs::read(file).expect("it was written");
        black_box(serde_json::from_slice::<T>(&bytes).expect("it is a record"));
    }
    None
}

fn read(files: &[PathBuf]) -> Option<f64> {
    files.iter().for_each(|file| drop(black_box(std::fs::read(file).expect("it was written"))));
    None
}

fn free(dir: &Path) -> u64 {
    let stat = nix::sys::statvfs::statvfs(dir).expect("it is a directory");
    stat.blocks_available() * stat.fragment_size()
}

fn outputs(dir: &Path) -> String {
    let mut sizes = Vec::new();
    for file in std::fs::read_dir(dir).expect("it was written").flatten() {
        let size = file.metadata().map_or(0, |meta| meta.len());
        sizes.push(format!("{} {:.1} MB", file.file_name().to_string_lossy(), size as f64 / 1e6));
    }
    sizes.sort();
    sizes.join(", ")
}
