//! What the database is asked: with a deadline, out of a pool, again if that makes sense, and not at all while it is away.
//!
//! All that is asked may be asked twice: whether the first time was heard is not known.

mod connections;

use std::error::Error;
use std::fmt::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use connections::Connections;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::breaker::Breaker;
use super::retry::Retry;
use super::stats::Stats;
use super::{Bug, Settings, log};

/// Two that start at once make the tables one after the other.
const TABLES: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(7341);
    CREATE TABLE IF NOT EXISTS teas (name text PRIMARY KEY, cents integer NOT NULL);
    CREATE TABLE IF NOT EXISTS orders (key text PRIMARY KEY, what text NOT NULL);
    INSERT INTO teas VALUES ('sencha', 690), ('assam', 540), ('oolong', 880) ON CONFLICT DO NOTHING;
    COMMIT;";

pub(super) struct Database {
    connections: Connections,
    breaker: Breaker,
    retry: Retry,
    patience: Patience,
    stats: Arc<Stats>,
}

/// How long things may take.
struct Patience {
    connect: Duration,
    answer: Duration,
    /// All attempts of one request together.
    all: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Away {
    /// It failed so often that it was not asked.
    Spared,
    TooLate(Duration),
    Failed(String),
    /// It is there, and does not do this.
    Refused(String),
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spared => write!(f, "the database is left alone for a while"),
            Self::TooLate(waited) => write!(f, "the database did not answer within {waited:?}"),
            Self::Failed(why) => write!(f, "the database cannot be used: {why}"),
            Self::Refused(why) => write!(f, "the database says: {why}"),
        }
    }
}

impl Away {
    /// What a query ended with.
    fn said(error: &tokio_postgres::Error) -> Self {
        // Connections, resources and operators: these classes pass. All others are about the question.
        let passes = |code: &str| ["08", "53", "57"].iter().any(|class| code.starts_with(class));
        match error.as_db_error() {
            Some(said) if !passes(said.code().code()) => Self::Refused(said.message().to_owned()),
            _ => Self::because(error),
        }
    }

    /// With its causes: what a database's client says of an outage is in the innermost.
    fn because(error: &dyn Error) -> Self {
        let (mut text, mut cause) = (error.to_string(), error.source());
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        Self::Failed(text)
    }
}

impl Database {
    pub(super) fn new(settings: &Settings, stats: Arc<Stats>) -> Result<Self, Box<dyn Error>> {
        let storm = settings.bug == Bug::RetryStorm;
        let patience = Patience {
            connect: settings.patience(Settings::CONNECT_PATIENCE),
            answer: settings.patience(if storm { Settings::IMPATIENCE } else { Settings::DATABASE_PATIENCE }),
            all: settings.patience(Settings::DEADLINE),
        };
        Ok(Self {
            connections: Connections::new(settings, patience.connect)?,
            breaker: if storm { Breaker::never_open("database") } else { Breaker::new("database") },
            retry: if storm { Retry::storm() } else { Retry::new() },
            patience,
            stats,
        })
    }

    /// Makes the tables, if they are not there.
    pub(super) async fn prepare(&self) -> Result<(), Away> {
        let making = async {
            let connection = self.connections.take(self.patience.connect).await?;
            connection.batch_execute(TABLES).await.map_err(|error| Away::because(&error))
        };
        tokio::time::timeout(self.patience.all, making).await.unwrap_or(Err(Away::TooLate(self.patience.all)))
    }

    pub(super) async fn price(&self, tea: &str) -> Result<Option<i32>, Away> {
        let rows = self.rows("SELECT cents FROM teas WHERE name = $1", &[tea]).await?;
        Ok(rows.first().map(|row| row.get(0)))
    }

    /// Once, however often it is said with this key.
    pub(super) async fn order(&self, key: &str, what: &str) -> Result<(), Away> {
        let insert = "INSERT INTO orders VALUES ($1, $2) ON CONFLICT DO NOTHING";
        self.rows(insert, &[key, what]).await.map(drop)
    }

    pub(super) async fn orders(&self) -> Result<i64, Away> {
        let rows = self.rows("SELECT count(*) FROM orders", &[]).await?;
        rows.first().map(|row| row.get(0)).ok_or(Away::Failed("a count without a row".into()))
    }

    pub(super) async fn is_there(&self) -> bool {
        self.rows("SELECT 1 FROM teas LIMIT 1", &[]).await.is_ok()
    }

    /// Whether it is asked at all.
    pub(super) fn is_asked(&self) -> bool {
        self.breaker.is_closed()
    }

    async fn rows(&self, sql: &str, about: &[&str]) -> Result<Vec<Row>, Away> {
        let end = Instant::now() + self.patience.all;
        self.retry.pay_in();
        for attempts in 1.. {
            let Some(permit) = self.breaker.admit(Instant::now()) else {
                self.stats.spared.one_more();
                return Err(Away::Spared);
            };
            self.stats.attempts.one_more();
            let left = end.saturating_duration_since(Instant::now());
            let away = match self.attempt(sql, about, left).await {
                Ok(rows) => {
                    permit.succeeded();
                    return Ok(rows);
                }
                Err(away) => away,
            };
            log::warn("database away", &[("why", &away.to_string())]);
            if let Away::Refused(_) = away {
                // It would say the same again, and is well.
                permit.succeeded();
                return Err(away);
            }
            permit.failed(Instant::now());
            if !self.breaker.is_closed() {
                self.connections.forget_idle();
            }
            match self.retry.again_after(attempts, fastrand::f64()) {
                Some(wait) if Instant::now() + wait < end => tokio::time::sleep(wait).await,
                _ => return Err(away),
            }
            self.stats.retries.one_more();
        }
        unreachable!("there is an end to attempts")
    }

    async fn attempt(&self, sql: &str, about: &[&str], left: Duration) -> Result<Vec<Row>, Away> {
        let connection = self.connections.take(self.patience.connect.min(left)).await?;
        let about: Vec<(&(dyn ToSql + Sync), Type)> =
            about.iter().map(|text| (text as &(dyn ToSql + Sync), Type::TEXT)).collect();
        let patience = self.patience.answer.min(left);
        // Without a statement prepared before it this is one round trip, which counts where the network is slow.
        match tokio::time::timeout(patience, connection.query_typed(sql, &about)).await {
            Ok(answer) => answer.map_err(|error| Away::said(&error)),
            Err(_) => {
                Connections::discard(connection);
                Err(Away::TooLate(patience))
            }
        }
    }
}
