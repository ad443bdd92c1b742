use std::collections::BTreeMap;

use super::{RUN_LABEL, TEST_LABEL};
use crate::sys::{env, run_folder};

/// What everything that this process makes in the engine carries, beside its mark: for people, and for filters.
pub(crate) fn of_this_test() -> BTreeMap<String, String> {
    // Under nextest a process is a test; elsewhere the thread is named after it.
    let test = env::var("NEXTEST_TEST_NAME")
        .or_else(|| std::thread::current().name().map(str::to_owned))
        .unwrap_or_default();
    BTreeMap::from([(RUN_LABEL.into(), run_folder::run_id().to_owned()), (TEST_LABEL.into(), test)])
}
