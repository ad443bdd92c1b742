use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sys::{clock, procfs};

/// What an injector keeps in this process about the faults it has prepared, by the id of their revert record.
pub(super) struct Registry<T> {
    entries: Mutex<HashMap<String, T>>,
}

impl<T> Registry<T> {
    pub(super) fn new() -> Self {
        Self { entries: Mutex::new(HashMap::new()) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<String, T>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Registry<T> {
    pub(super) fn get(&self, id: &str) -> Option<T> {
        self.lock().get(id).cloned()
    }
}

/// An id that no other fault on this host has: this process, its start, a counter.
pub(super) fn new_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let pid = std::process::id();
    let start = procfs::start_ticks(pid).unwrap_or_else(|| clock::unix_time().as_secs());
    format!("{pid}-{start}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
