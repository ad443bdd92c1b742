//! The loop: an input of the pool is mutated and tried; one that says something new joins the pool.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;

use crate::guard::{Guard, Mishap};

/// How many inputs an ordinary test tries.
const FEW: u64 = 400;
/// Findings after which it is enough.
const ENOUGH: usize = 10;
/// The pool holds no more than this, and nothing longer than that.
const MOST_POOLED: usize = 3000;
const LONGEST: usize = 256 * 1024;

pub(crate) type Mutation = fn(&[u8], &[Vec<u8>], &[&str], &mut Rng) -> Vec<u8>;

/// What is fuzzed, and with what.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// Where mutations begin.
    pub(crate) corpus: Vec<Vec<u8>>,
    pub(crate) dictionary: &'static [&'static str],
    pub(crate) mutate: Mutation,
    /// Tries an input; says in a few words what came of it. What is new in those words is worth going on from.
    pub(crate) target: fn(&[u8]) -> String,
}

/// Tries as many inputs as there is time for.
///
/// `CHAOS_TEST_FUZZ_SECONDS` says how long (without it, a few hundred inputs), `CHAOS_TEST_FUZZ_SEED` with which seed, and
/// `CHAOS_TEST_FUZZ_REPLAY` names a file that is tried alone.
pub(crate) fn fuzz(target: &Target) {
    let guard = Guard::new(target.name);
    if let Some(file) = std::env::var_os("CHAOS_TEST_FUZZ_REPLAY") {
        let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let found = guard.run(&bytes, target.target).unwrap_or_else(|mishap| panic!("{mishap}"));
        println!("{}: {found}", file.display());
        return;
    }
    let seed = number("CHAOS_TEST_FUZZ_SEED").unwrap_or_else(from_the_clock);
    let seconds = number("CHAOS_TEST_FUZZ_SECONDS").map(Duration::from_secs);
    println!("{}: seed {seed}, {} inputs to begin with", target.name, target.corpus.len());
    let (began, mut tried, mut told) = (Instant::now(), 0_u64, Duration::ZERO);
    let (mut pool, mut known, mut findings) = (Vec::new(), HashSet::new(), Vec::new());
    for bytes in &target.corpus {
        known.insert(without_digits(&guard.run(bytes, target.target).unwrap_or_else(|mishap| {
            panic!("an input that was not mutated: {mishap}; {}", keep(target.name, seed, 0, bytes))
        })));
        pool.push(bytes.clone());
    }
    while seconds.map_or(tried < FEW, |limit| began.elapsed() < limit) {
        tried += 1;
        // Each input has a generator of its own, so that it depends on the pool and the seed only.
        let mut rng = Rng::with_seed(seed.wrapping_add(tried.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let mut bytes = pool[rng.usize(..pool.len())].clone();
        for _ in 0..1 << rng.u32(..4) {
            bytes = (target.mutate)(&bytes, &pool, target.dictionary, &mut rng);
        }
        bytes.truncate(4 * LONGEST);
        match guard.run(&bytes, target.target) {
            Ok(found) => {
                if bytes.len() <= LONGEST && pool.len() < MOST_POOLED && known.insert(without_digits(&found))
                {
                    pool.push(bytes);
                }
            }
            Err(mishap) => {
                // The same place panics for many inputs.
                if findings.iter().all(|(known, _): &(Mishap, PathBuf)| !known.is_like(&mishap)) {
                    findings.push((mishap, keep_file(target.name, seed, tried, &bytes)));
                }
                if findings.len() >= ENOUGH {
                    break;
                }
            }
        }
        if began.elapsed() >= told + Duration::from_secs(60) {
            told = began.elapsed();
            println!(
                "{}: {} s, {tried} inputs, pool {}, {}",
                target.name,
                told.as_secs(),
                pool.len(),
                guard.worst()
            );
        }
    }
    println!(
        "{}: seed {seed}, {tried} inputs in {:.1} s, pool {}, {}, {} findings",
        target.name,
        began.elapsed().as_secs_f64(),
        pool.len(),
        guard.worst(),
        findings.len()
    );
    let told: Vec<String> =
        findings.iter().map(|(mishap, file)| format!("{mishap}\n  {}", replay(target.name, file))).collect();
    assert!(told.is_empty(), "seed {seed}: {}", told.join("\n"));
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: expected a whole number")))
}

fn from_the_clock() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.as_nanos() as u64)
}

fn without_digits(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_digit()).take(300).collect()
}

fn keep_file(name: &str, seed: u64, tried: u64, bytes: &[u8]) -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&dir).expect("a directory of the build can be made");
    let file = dir.join(format!("{name}-{seed}-{tried}.input"));
    std::fs::write(&file, bytes).expect("it can be written to");
    file
}

fn keep(name: &str, seed: u64, tried: u64, bytes: &[u8]) -> String {
    replay(name, &keep_file(name, seed, tried, bytes))
}

/// The command that tries it again.
pub(crate) fn replay(name: &str, file: &Path) -> String {
    format!(
        "CHAOS_TEST_FUZZ_REPLAY={} cargo test -p chaos-test --test fuzz {name} -- --nocapture",
        file.display()
    )
}
