//! Whether a Postgres answers: ready is one that does, not one that takes connections.

use chaos_test::prelude::*;
use tokio_postgres::NoTls;

/// Asks it for one, as that user.
pub(crate) fn postgres_answers(user: &'static str) -> Probe {
    Probe::custom(move |at| asks_for_one(at, user)).timeout(3.seconds())
}

async fn asks_for_one(at: std::net::SocketAddr, user: &str) -> Result<(), String> {
    let url = format!("host={} port={} user={user} dbname=postgres connect_timeout=2", at.ip(), at.port());
    let (client, connection) =
        tokio_postgres::connect(&url, NoTls).await.map_err(|error| error.to_string())?;
    let answering = async { client.simple_query("SELECT 1").await };
    tokio::select! {
        answer = answering => answer.map(drop).map_err(|error| error.to_string()),
        broken = connection => Err(format!("the connection ended: {broken:?}")),
    }
}
