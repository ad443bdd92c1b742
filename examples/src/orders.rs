//! Orders kept in a database: a service with a pool of connections, to be put under outages of that database.
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /api/health` | `ok`: the service itself is up, whatever its database does |
//! | `POST /orders` | `accepted`, once the database has committed it; `503` and why, if it has not |
//! | `GET /orders/count` | how many orders there are; `503` and why, if the database does not say |
//!
//! No question to the database takes longer than [`PATIENCE`]. A connection on which one did is not used again: its
//! answer may still come, and would be taken for that of the next question.

use std::error::Error;
use std::fmt::Write;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio_postgres::NoTls;

/// How long a request waits for the database, at most, at each step.
pub const PATIENCE: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 8;

/// Serves until the process ends. The table is made if it is not there.
///
/// # Errors
/// The port cannot be listened on, or the database cannot be reached at the start.
pub async fn serve(port: u16, database: &str) -> Result<(), Box<dyn Error>> {
    let manager = Manager::from_config(
        database.parse()?,
        NoTls,
        ManagerConfig { recycling_method: RecyclingMethod::Verified },
    );
    let pool = Pool::builder(manager)
        .max_size(CONNECTIONS)
        .wait_timeout(Some(PATIENCE))
        .create_timeout(Some(PATIENCE))
        .recycle_timeout(Some(PATIENCE / 2))
        .runtime(Runtime::Tokio1)
        .build()?;
    let table = "CREATE TABLE IF NOT EXISTS orders (id bigserial PRIMARY KEY, what text NOT NULL)";
    pool.get().await?.batch_execute(table).await?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    println!("orders listens on {}", listener.local_addr()?);
    let routes = Router::new()
        .route("/api/health", get(|| async { "ok" }))
        .route("/orders", post(order))
        .route("/orders/count", get(count))
        .with_state(pool);
    Ok(axum::serve(listener, routes).await?)
}

type Answer = Result<String, (StatusCode, String)>;

async fn order(State(pool): State<Pool>, what: String) -> Answer {
    let connection = connect(&pool).await?;
    let inserted =
        tokio::time::timeout(PATIENCE, connection.execute("INSERT INTO orders (what) VALUES ($1)", &[&what]))
            .await;
    answered(connection, inserted).map(|_| "accepted".into())
}

async fn count(State(pool): State<Pool>) -> Answer {
    let connection = connect(&pool).await?;
    let counted =
        tokio::time::timeout(PATIENCE, connection.query_one("SELECT count(*) FROM orders", &[])).await;
    answered(connection, counted).map(|row| row.get::<_, i64>(0).to_string())
}

async fn connect(pool: &Pool) -> Result<Object, (StatusCode, String)> {
    pool.get().await.map_err(|error| unavailable(&error))
}

/// What the database said, if it did in time.
fn answered<T>(
    connection: Object,
    said: Result<Result<T, tokio_postgres::Error>, tokio::time::error::Elapsed>,
) -> Result<T, (StatusCode, String)> {
    match said {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(unavailable(&error)),
        Err(elapsed) => {
            // Out of the pool, and closed.
            drop(Object::take(connection));
            Err(unavailable(&elapsed))
        }
    }
}

/// The error with its causes: what a database's client says of an outage is in the innermost.
fn unavailable(error: &dyn Error) -> (StatusCode, String) {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    (StatusCode::SERVICE_UNAVAILABLE, text)
}
