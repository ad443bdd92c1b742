//! Mutated records and mutated catalogues: whatever a file holds, reading it and all that is made of it neither panics
//! nor takes long nor takes much memory.
//!
//! As an ordinary test it runs a few hundred inputs; `just fuzz` lets it run for minutes. What it finds is kept in a
//! file, and the failure says how to run that again.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "test code may touch files, processes and the clock"
)]

#[path = "fuzz/corpus.rs"]
mod corpus;
#[path = "fuzz/guard.rs"]
mod guard;
#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/run.rs"]
mod run;
mod synthetic;
#[path = "fuzz/targets.rs"]
mod targets;
#[path = "fuzz/tree.rs"]
mod tree;

#[test]
fn records() {
    run::fuzz(&run::Target {
        name: "records",
        corpus: corpus::records(),
        dictionary: corpus::RECORD_WORDS,
        mutate: |bytes, others, dictionary, rng| {
            // What still is a tree is bent as one more often than not: bytes seldom get past the parser.
            if rng.u32(..3) > 0
                && let Some(bent) = tree::bent(bytes, others, rng)
            {
                return bent;
            }
            mutate::bytes(bytes, others, dictionary, rng)
        },
        target: targets::record,
    });
}

#[test]
fn catalogues() {
    run::fuzz(&run::Target {
        name: "catalogues",
        corpus: corpus::catalogues(),
        dictionary: corpus::CATALOGUE_WORDS,
        mutate: |bytes, others, dictionary, rng| {
            if rng.bool() {
                mutate::lines(bytes, others, rng)
            } else {
                mutate::bytes(bytes, others, dictionary, rng)
            }
        },
        target: targets::catalogue,
    });
}

/// A fuzzer that finds nothing has to be able to find something.
#[test]
fn what_must_not_happen_is_noticed() {
    let guard = guard::Guard::new("planted");
    assert_eq!(guard.run(b"{}", |_| "well".into()).expect("it is"), "well");
    let panicked = guard.run(b"{}", |_| panic!("planted {}", 7)).expect_err("it panics").to_string();
    assert!(panicked.contains("fuzz.rs") && panicked.ends_with(": planted 7"), "{panicked}");
    let large = guard.run(b"{}", |bytes| {
        let held = vec![bytes[0]; 200 << 20];
        held.iter().step_by(4096).filter(|byte| **byte == 0).count().to_string()
    });
    // Where the kernel does not let its mark begin again, memory is not watched.
    if std::fs::write("/proc/self/clear_refs", "5").is_ok() {
        assert!(matches!(large, Err(guard::Mishap::Memory { kib }) if kib > 100 * 1024), "{large:?}");
    }
}
