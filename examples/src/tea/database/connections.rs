//! Connections to the database: a pool that makes new ones, or (a planted bug) those that were made once.

use std::error::Error;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, NoTls};

use super::super::{Bug, Settings};
use super::Away;

/// Enough for a line on which an answer takes a fifth of a second.
const CONNECTIONS: usize = 16;

pub(super) enum Connections {
    Pool(Pool),
    Once(Box<Once>),
}

/// The bug: nobody looks whether they are still open.
pub(super) struct Once {
    how: tokio_postgres::Config,
    made: OnceCell<Vec<Arc<Client>>>,
    next: AtomicUsize,
}

pub(super) enum Connection {
    Pooled(Box<Object>),
    Shared(Arc<Client>),
}

impl Deref for Connection {
    type Target = Client;

    fn deref(&self) -> &Client {
        match self {
            Self::Pooled(object) => object,
            Self::Shared(client) => client,
        }
    }
}

impl Connections {
    pub(super) fn new(settings: &Settings, patience: Duration) -> Result<Self, Box<dyn Error>> {
        let mut how: tokio_postgres::Config = settings.database.parse()?;
        // A host that is gone says nothing: what was sent and not acknowledged for so long ends the connection.
        how.application_name("tea-shop").connect_timeout(patience).tcp_user_timeout(patience);
        if settings.bug == Bug::PoolNeverRecovers {
            let once = Once { how, made: OnceCell::new(), next: AtomicUsize::new(0) };
            return Ok(Self::Once(Box::new(once)));
        }
        // Whether a connection was closed is known without asking; one that hangs is found by the query.
        let manager =
            Manager::from_config(how, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .wait_timeout(Some(patience))
            .create_timeout(Some(patience))
            .recycle_timeout(Some(patience))
            .runtime(Runtime::Tokio1)
            .build()?;
        Ok(Self::Pool(pool))
    }

    pub(super) async fn take(&self, patience: Duration) -> Result<Connection, Away> {
        let taking = async {
            match self {
                Self::Pool(pool) => match pool.get().await {
                    Ok(object) => Ok(Connection::Pooled(Box::new(object))),
                    Err(error) => Err(Away::because(&error)),
                },
                Self::Once(once) => once.take().await.map_err(|error| Away::because(&error)),
            }
        };
        tokio::time::timeout(patience, taking).await.unwrap_or(Err(Away::TooLate(patience)))
    }

    /// It did not answer in time. Its answer may still come, to a question that nobody asks any more.
    pub(super) fn discard(connection: Connection) {
        if let Connection::Pooled(object) = connection {
            drop(Object::take(*object));
        }
    }

    /// They were made to a database that has gone since.
    pub(super) fn forget_idle(&self) {
        if let Self::Pool(pool) = self {
            pool.retain(|_, _| false);
        }
    }
}

impl Once {
    async fn take(&self) -> Result<Connection, tokio_postgres::Error> {
        let made = self.made.get_or_try_init(|| self.connect()).await?;
        let turn = self.next.fetch_add(1, Relaxed) % made.len();
        Ok(Connection::Shared(Arc::clone(&made[turn])))
    }

    async fn connect(&self) -> Result<Vec<Arc<Client>>, tokio_postgres::Error> {
        let mut made = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = self.how.connect(NoTls).await?;
            tokio::spawn(connection);
            made.push(Arc::new(client));
        }
        Ok(made)
    }
}
