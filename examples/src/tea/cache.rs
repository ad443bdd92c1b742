//! What the cache is asked. It may be away, or slow: then it is as if it had nothing.
//!
//! All requests share one connection; one that broke, or did not answer several in time, is not used again. Making a new
//! one takes several round trips, so it goes on when the request that began it has lost its patience: where the line is
//! slow, a later one has it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{AsyncConnectionConfig, IntoConnectionInfo};
use tokio::sync::Mutex;

use super::breaker::Breaker;
use super::{Settings, log};

#[derive(Debug)]
pub(super) struct Cache {
    client: redis::Client,
    connection: Arc<Mutex<Option<MultiplexedConnection>>>,
    breaker: Breaker,
    connect_patience: Duration,
    patience: Duration,
}

impl Cache {
    pub(super) fn new(settings: &Settings) -> Result<Self, redis::RedisError> {
        // Requests share a connection: one that is held back until the one before it is acknowledged waits a round trip more.
        let at_once = TcpSettings::default().set_nodelay(true);
        let how = settings.cache.as_str().into_connection_info()?.set_tcp_settings(at_once);
        Ok(Self {
            client: redis::Client::open(how)?,
            connection: Arc::default(),
            breaker: Breaker::new("cache"),
            connect_patience: settings.patience(Settings::CONNECT_PATIENCE),
            patience: settings.patience(Settings::CACHE_PATIENCE),
        })
    }

    pub(super) async fn get(&self, key: &str) -> Option<String> {
        self.ask::<Option<String>>(redis::cmd("GET").arg(key)).await?
    }

    /// Keeps it for so long at most; that it could not be kept is no error.
    pub(super) async fn keep(&self, key: &str, value: &str, at_most: Duration) {
        let command =
            redis::cmd("SET").arg(key).arg(value).arg("PX").arg(at_most.as_millis() as u64).to_owned();
        self.ask::<()>(&command).await;
    }

    pub(super) async fn is_there(&self) -> bool {
        self.ask::<String>(&redis::cmd("PING")).await.is_some()
    }

    /// Whether it is asked at all.
    pub(super) fn is_asked(&self) -> bool {
        self.breaker.is_closed()
    }

    /// The answer, or nothing.
    async fn ask<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> Option<T> {
        let permit = self.breaker.admit(Instant::now())?;
        let asked = async {
            let mut connection = self.connection().await?;
            command.query_async(&mut connection).await
        };
        let (why, broken) = match tokio::time::timeout(self.patience, asked).await {
            Ok(Ok(answer)) => {
                permit.succeeded();
                return Some(answer);
            }
            Ok(Err(error)) => (error.to_string(), !error.is_timeout()),
            Err(_) => (format!("no answer within {:?}", self.patience), false),
        };
        permit.failed(Instant::now());
        log::warn("cache away", &[("why", &why)]);
        if broken || !self.is_asked() {
            self.forget();
        }
        None
    }

    async fn connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        // Who comes while another connects waits for that connection.
        let shared = Arc::clone(&self.connection).lock_owned().await;
        if let Some(connection) = &*shared {
            return Ok(connection.clone());
        }
        let (client, ours) = (self.client.clone(), self.config());
        let made = tokio::spawn(async move {
            let mut shared = shared;
            let connection = client.get_multiplexed_async_connection_with_config(&ours).await?;
            *shared = Some(connection.clone());
            Ok(connection)
        });
        made.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.connect_patience))
            .set_response_timeout(Some(self.patience))
    }

    fn forget(&self) {
        // Who has it is making a new one.
        if let Ok(mut shared) = self.connection.try_lock() {
            *shared = None;
        }
    }
}
