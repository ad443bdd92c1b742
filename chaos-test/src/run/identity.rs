use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::sys::{env, run_folder};

/// Which test this is: its names, and how to run just it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `checkout_survives::medium_cpu_stress`
    pub(crate) test: String,
    /// `shop::checkout`, package and program; outside Cargo `checkout`.
    pub(crate) binary: String,
    /// Which try of nextest this is, from 1.
    attempt: u32,
    /// Which experiment of that name, or of a name that makes the same file name, it is in this process, from 1.
    nth: usize,
    in_nextest: bool,
    in_libtest: bool,
    /// The command line to run it again, where it is no test.
    again: Option<String>,
}

impl Identity {
    /// The test of that path, from the attribute: a module path with its crate, and a name. What runs it may know more:
    /// a case of rstest has a name of its own behind that one.
    pub(crate) fn of_attribute(module: &str, name: &str) -> Self {
        let inside = module.split_once("::").map_or("", |(_, rest)| rest);
        let test = if inside.is_empty() { name.to_owned() } else { format!("{inside}::{name}") };
        let whole = env::var("NEXTEST_TEST_NAME").or_else(thread).filter(|whole| whole.starts_with(&test));
        Self { test: whole.unwrap_or(test), in_libtest: true, ..Self::unnamed() }
    }

    /// The test that is running now, as nextest or libtest tell it; else that name.
    pub(crate) fn current(fallback: &str) -> Self {
        let named = env::var("NEXTEST_TEST_NAME").or_else(thread);
        let in_libtest = named.is_some();
        Self { test: named.unwrap_or_else(|| fallback.to_owned()), in_libtest, ..Self::unnamed() }
    }

    /// No test at all: a scenario that `cargo chaos` runs.
    #[cfg(feature = "cli")]
    pub(crate) fn of_command(name: String, again: String) -> Self {
        Self {
            test: name,
            binary: "cargo-chaos".into(),
            attempt: 1,
            nth: 1,
            in_nextest: false,
            in_libtest: false,
            again: Some(again),
        }
    }

    fn unnamed() -> Self {
        let nextest = env::var("NEXTEST_BINARY_ID");
        let in_nextest = nextest.is_some();
        Self {
            test: String::new(),
            binary: nextest.unwrap_or_else(|| match env::var("CARGO_PKG_NAME") {
                Some(package) => format!("{package}::{}", program()),
                None => program(),
            }),
            attempt: env::var("NEXTEST_ATTEMPT").and_then(|text| text.parse().ok()).unwrap_or(1),
            nth: 1,
            in_nextest,
            in_libtest: in_nextest,
            again: None,
        }
    }

    /// The same, told apart from earlier experiments of this process that go by the same name, or would leave their record in
    /// the same file (`a b` and `a/b`).
    pub(crate) fn once_per_process(mut self) -> Self {
        static USED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
        let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
        while !used.insert(run_folder::file_name(&self.record_name())) {
            self.nth += 1;
        }
        self
    }

    /// The name its record goes by: the test's, and ` (2)` for the second experiment of one test.
    pub(crate) fn record_name(&self) -> String {
        if self.nth > 1 { format!("{} ({})", self.test, self.nth) } else { self.test.clone() }
    }

    /// The file name of its record, without the ending.
    pub(crate) fn file_stem(&self) -> String {
        self.stem_of(self.attempt)
    }

    /// The file name of the record of the try before this one, if there was one.
    pub(crate) fn earlier_try(&self) -> Option<String> {
        (self.attempt > 1).then(|| self.stem_of(self.attempt - 1))
    }

    fn stem_of(&self, attempt: u32) -> String {
        let retry = if attempt > 1 { format!("__attempt-{attempt}") } else { String::new() };
        run_folder::file_name(&format!("{}__{}{retry}", self.binary, self.record_name()))
    }

    /// The command that runs just this test.
    pub(crate) fn rerun(&self) -> String {
        if let Some(again) = &self.again {
            return again.clone();
        }
        let name = &self.test;
        if self.in_nextest {
            return format!("cargo nextest run -E 'binary_id(={}) & test(={name})'", self.binary);
        }
        match self.binary.split_once("::") {
            // The unit tests of a library are in a program of the library's own name.
            Some((package, program)) if self.in_libtest && package.replace('-', "_") == program => {
                format!("cargo test -p {package} --lib -- --exact {name}")
            }
            Some((package, program)) if self.in_libtest => {
                format!("cargo test -p {package} --test {program} -- --exact {name}")
            }
            _ => format!("run {} again", program()),
        }
    }
}

/// The name of this thread, if libtest gave it: that of the test it runs.
fn thread() -> Option<String> {
    let runtime = |name: &str| name == "main" || name == "tokio-rt-worker" || name == "tokio-runtime-worker";
    std::thread::current().name().filter(|name| !runtime(name)).map(str::to_owned)
}

/// The name of this program, without the hash that cargo puts behind a test's.
fn program() -> String {
    let exe = env::current_exe();
    let stem = exe
        .as_deref()
        .and_then(|path| path.file_stem())
        .map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    match stem.rsplit_once('-') {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()) => {
            name.to_owned()
        }
        _ => stem,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Identity;

    #[test]
    fn no_two_experiments_of_a_process_share_a_file() {
        let named = |test: &str| Identity { test: test.into(), ..Identity::unnamed() }.once_per_process();
        let all = ["two words", "two/words", "two words", "two words (2)"].map(named);
        let files: BTreeSet<String> = all.iter().map(Identity::file_stem).collect();
        assert_eq!(files.len(), all.len(), "{files:?}");
        let names = all.map(|one| one.record_name());
        assert_eq!(names, ["two words", "two/words (2)", "two words (3)", "two words (2) (2)"]);
        assert_eq!(named("another").record_name(), "another");
    }
}
