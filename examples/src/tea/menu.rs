//! What a tea costs: from the cache, else from the database; if that is away, what it cost when it was last seen.
//!
//! An answer is fresh for [`FRESH`] and worth something for [`KEPT`]. Between the two one request asks the database, and
//! for so long as that is worth waiting for; the others have the old answer at once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::cache::Cache;
use super::database::{Away, Database};
use super::stats::Stats;
use super::{Bug, Settings, log};

const FRESH: Duration = Duration::from_secs(1);
const KEPT: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    Cache,
    Database,
    Stale,
}

pub(super) struct Menu {
    source: Source,
    cache: Arc<Cache>,
    stats: Arc<Stats>,
    asking: Arc<Mutex<HashSet<String>>>,
    /// Without (a planted bug), an old answer is for when the database has failed.
    stale_patience: Option<Duration>,
}

/// Where prices come from, and where they are kept.
#[derive(Clone)]
struct Source {
    database: Arc<Database>,
    cache: Arc<Cache>,
}

/// A price, and since when it is known.
struct Known {
    price: i32,
    at: Duration,
}

impl Menu {
    pub(super) fn new(
        database: Arc<Database>,
        cache: Arc<Cache>,
        stats: Arc<Stats>,
        settings: &Settings,
    ) -> Self {
        Self {
            source: Source { database, cache: Arc::clone(&cache) },
            cache,
            stats,
            asking: Arc::default(),
            stale_patience: (settings.bug != Bug::NoTimeout).then_some(Settings::STALE_PATIENCE),
        }
    }

    /// Its price in cents, and whose word that is; `None` for what is not on the menu.
    pub(super) async fn price(&self, tea: &str) -> Result<Option<(i32, From)>, Away> {
        let known = self.cache.get(&key(tea)).await.and_then(|text| Known::parse(&text));
        let fresh = known.as_ref().is_some_and(Known::is_fresh);
        let found = match known {
            Some(known) if fresh => Ok(Some((known.price, From::Cache))),
            Some(known) => Ok(Some(self.better_than(tea, known.price).await)),
            None => self.source.ask(tea).await.map(|price| price.map(|price| (price, From::Database))),
        };
        match &found {
            Ok(Some((_, From::Cache))) => self.stats.cached.one_more(),
            Ok(Some((_, From::Stale))) => self.stats.stale.one_more(),
            Ok(_) => self.stats.fresh.one_more(),
            Err(_) => self.stats.away.one_more(),
        }
        found
    }

    /// What the database says soon, or the old price.
    async fn better_than(&self, tea: &str, old: i32) -> (i32, From) {
        let Some(patience) = self.stale_patience else {
            return match self.source.ask(tea).await {
                Ok(Some(price)) => (price, From::Database),
                _ => (old, From::Stale),
            };
        };
        let Some(turn) = Turn::taken(&self.asking, tea) else { return (old, From::Stale) };
        let (source, tea) = (self.source.clone(), tea.to_owned());
        // It goes on when nobody waits for it any more: the next one has the fresh answer.
        let asked = tokio::spawn(async move {
            let _turn = turn;
            source.ask(&tea).await
        });
        match tokio::time::timeout(patience, asked).await {
            Ok(Ok(Ok(Some(price)))) => (price, From::Database),
            _ => (old, From::Stale),
        }
    }
}

impl Source {
    async fn ask(&self, tea: &str) -> Result<Option<i32>, Away> {
        let price = self.database.price(tea).await?;
        if let Some(price) = price {
            self.cache.keep(&key(tea), &Known { price, at: now() }.text(), KEPT).await;
        }
        Ok(price)
    }
}

impl Known {
    fn text(&self) -> String {
        format!("{} {}", self.price, self.at.as_millis())
    }

    fn parse(text: &str) -> Option<Self> {
        let known = text.split_once(' ').and_then(|(price, at)| {
            Some(Self { price: price.parse().ok()?, at: Duration::from_millis(at.parse().ok()?) })
        });
        if known.is_none() {
            log::warn("not ours in the cache", &[("value", text)]);
        }
        known
    }

    fn is_fresh(&self) -> bool {
        now().saturating_sub(self.at) < FRESH
    }
}

fn key(tea: &str) -> String {
    format!("tea:{tea}")
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// That one request asks about a tea, until it is dropped.
struct Turn {
    of: Arc<Mutex<HashSet<String>>>,
    tea: String,
}

impl Turn {
    fn taken(of: &Arc<Mutex<HashSet<String>>>, tea: &str) -> Option<Self> {
        let first = of.lock().unwrap_or_else(PoisonError::into_inner).insert(tea.to_owned());
        first.then(|| Self { of: Arc::clone(of), tea: tea.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.of.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.tea);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_nothing_else() {
        let known = Known::parse(&Known { price: 690, at: now() }.text()).expect("ours");
        assert_eq!(known.price, 690);
        assert!(known.is_fresh());
        assert!(!Known::parse("690 5").expect("ours").is_fresh());
        assert!(Known::parse("690").is_none() && Known::parse("tea 5").is_none());
    }

    #[test]
    fn one_at_a_time_asks_about_a_tea() {
        let asking = Arc::default();
        let turn = Turn::taken(&asking, "sencha");
        assert!(turn.is_some() && Turn::taken(&asking, "sencha").is_none());
        assert!(Turn::taken(&asking, "assam").is_some());
        drop(turn);
        assert!(Turn::taken(&asking, "sencha").is_some());
    }
}
