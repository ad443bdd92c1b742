//! Where a run keeps what it leaves: one folder for all tests of one `cargo nextest run` or `cargo test`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{env, procfs};

/// A run that belongs to this process alone: its folder and its id.
static OWN: OnceLock<(PathBuf, String)> = OnceLock::new();

/// Makes what this process runs a run of its own, kept in that folder. (Two commands of one shell have one parent, and
/// are two runs all the same.) Returns the run's folder.
#[cfg(feature = "cli")]
pub(crate) fn make_own(results: PathBuf) -> PathBuf {
    let pid = std::process::id();
    let id = env::var("CHAOS_TEST_RUN_ID").map_or_else(
        || format!("local-{pid}-{}", procfs::start_ticks(pid).unwrap_or_default()),
        |id| file_name(&id),
    );
    OWN.get_or_init(|| (results, id));
    run_dir()
}

/// The id all tests of this run share.
///
/// Under nextest it is nextest's own, so records can be joined with its JUnit file. Elsewhere it is made of a process
/// and its start: cargo, which starts all test binaries of a `cargo test`, or this one if cargo is not its parent. (A
/// shell is nobody's run, and `cargo run` becomes the program it runs: two in one shell are two runs.)
pub(crate) fn run_id() -> &'static str {
    static ID: OnceLock<String> = OnceLock::new();
    if let Some((_, id)) = OWN.get() {
        return id;
    }
    ID.get_or_init(|| {
        let given = env::var("CHAOS_TEST_RUN_ID").or_else(|| env::var("NEXTEST_RUN_ID"));
        given.map(|id| file_name(&id)).unwrap_or_else(|| {
            let parent = env::parent_pid();
            let started_by_cargo = procfs::name(parent).is_some_and(|name| is_cargo(&name));
            let pid = if started_by_cargo { parent } else { std::process::id() };
            format!("local-{pid}-{}", procfs::start_ticks(pid).unwrap_or_default())
        })
    })
}

/// Whether a process of that name is cargo, or one of its commands.
fn is_cargo(name: &str) -> bool {
    name == "cargo" || name.starts_with("cargo-")
}

/// The folder all runs are kept in: `$CHAOS_TEST_DIR`, else `target/chaos-test`. A whole path, and the same for the life
/// of this process: a test may change its directory, and the reaper has another.
pub(crate) fn results_dir() -> &'static Path {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let dir = OWN
            .get()
            .map(|(folder, _)| folder.clone())
            .or_else(|| env::var("CHAOS_TEST_DIR").map(PathBuf::from));
        env::current_dir().join(dir.unwrap_or_else(|| env::target_dir().join("chaos-test")))
    })
}

/// The folder of this run.
pub(crate) fn run_dir() -> PathBuf {
    results_dir().join(run_id())
}

/// A text as a file name: letters, digits, `_`, `-` and `.`; `::` becomes `__`.
pub(crate) fn file_name(text: &str) -> String {
    let clean: String = text
        .replace("::", "__")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.') { c } else { '-' })
        .collect();
    let clean = clean.trim_start_matches('.');
    // A name may not be longer than 255 bytes; the suffix and a temporary's need some. What is cut still tells it from
    // others (FNV-1a), and so does what was replaced: of a name in another script nothing would be left.
    if clean.len() <= 200 && text.is_ascii() {
        return clean.to_owned();
    }
    let fnv = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325, fnv);
    format!("{}-{hash:016x}", &clean[..clean.len().min(180)])
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn names_in_any_script_are_told_apart() {
        assert_ne!(file_name("shop::高負荷"), file_name("shop::低遅延"));
        assert_ne!(file_name("größe"), file_name("grüße"));
        assert_eq!(file_name("pkg::shop__slow (2)"), "pkg__shop__slow--2-", "these stay as they are");
        let long = |end: &str| file_name(&format!("{}{end}", "x".repeat(300)));
        assert!(long("a") != long("b") && long("a").len() < 220);
    }
}
