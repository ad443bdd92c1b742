use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
