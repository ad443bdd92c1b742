//! What the tea shop counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde_json::{Value, json};

#[derive(Debug, Default)]
pub(super) struct Stats {
    pub(super) requests: Count,
    pub(super) attempts: Count,
    pub(super) retries: Count,
    pub(super) spared: Count,
    pub(super) cached: Count,
    pub(super) stale: Count,
    pub(super) fresh: Count,
    pub(super) away: Count,
}

#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one_more(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Stats {
    pub(super) fn json(&self) -> Value {
        json!({
            "requests": self.requests.get(),
            "database": {
                "attempts": self.attempts.get(),
                "retries": self.retries.get(),
                "spared_by_the_breaker": self.spared.get(),
            },
            "teas": {
                "from_the_cache": self.cached.get(),
                "from_the_database": self.fresh.get(),
                "stale": self.stale.get(),
                "not_to_be_had": self.away.get(),
            },
        })
    }
}
