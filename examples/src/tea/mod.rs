//! A tea shop as a service team would run it: a database, a cache before it, and an answer when either is away.
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /teas/{name}` | what it costs, from the cache or the database; an old answer if the database is away |
//! | `POST /orders` | `accepted`, once the database has committed it; `503` and why, if it has not |
//! | `GET /orders/count` | how many orders the database has |
//! | `GET /api/health` | `ok`: the process is up, whatever its dependencies do |
//! | `GET /api/ready` | whether it can serve, and how well: `ready`, `degraded`, or `503` |
//! | `GET /api/stats` | what it has counted since it started |
//!
//! Every question to a dependency has a deadline. What failed for a reason that may pass is asked again after a random
//! wait, out of a budget that is a share of the traffic, so that an outage is not made worse. A dependency that keeps
//! failing is left alone for a while, and its callers are answered at once. Who asks for a tea gets an answer as long as
//! one of the two is there; who orders is only told `accepted` if that is so.
//!
//! Each of these has a variant in which it is missing, to see the chaos tests find it: [`Bug`].

mod breaker;
mod cache;
mod database;
mod log;
mod menu;
mod retry;
mod settings;
mod stats;
mod web;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

pub use settings::{Bug, Settings};

/// How long what has begun may take once the service was told to end.
const DRAIN: Duration = Duration::from_secs(5);

/// What all requests share.
struct Shop {
    database: Arc<database::Database>,
    cache: Arc<cache::Cache>,
    menu: menu::Menu,
    stats: Arc<stats::Stats>,
}

/// Serves until the process is told to end (SIGTERM, SIGINT); what has begun is answered.
///
/// Neither the database nor the cache need be there at the start.
///
/// # Errors
/// The address cannot be listened on, or a URL is none.
pub async fn serve(settings: Settings) -> Result<(), Box<dyn Error>> {
    let stats = Arc::new(stats::Stats::default());
    let database = Arc::new(database::Database::new(&settings, Arc::clone(&stats))?);
    let cache = Arc::new(cache::Cache::new(&settings)?);
    let menu = menu::Menu::new(Arc::clone(&database), Arc::clone(&cache), Arc::clone(&stats), &settings);
    let listener = tokio::net::TcpListener::bind((settings.host, settings.port)).await?;
    let address = listener.local_addr()?;
    log::info("listening", &[("address", &address.to_string()), ("bug", &format!("{:?}", settings.bug))]);
    tokio::spawn(prepared(Arc::clone(&database)));

    let (told, mut ending) = tokio::sync::watch::channel(false);
    let shop = Arc::new(Shop { database, cache, menu, stats });
    let serving = axum::serve(listener, web::routes(shop)).with_graceful_shutdown(async move {
        told_to_end().await;
        log::info("ending", &[]);
        let _ = told.send(true);
    });
    tokio::select! {
        ended = async { serving.await } => ended?,
        () = async {
            let _ = ending.wait_for(|ending| *ending).await;
            tokio::time::sleep(DRAIN).await;
        } => log::warn("cut short", &[("why", "not all was answered in time")]),
    }
    log::info("ended", &[]);
    Ok(())
}

/// Makes the tables, as soon as there is a database to make them in.
async fn prepared(database: Arc<database::Database>) {
    while let Err(away) = database.prepare().await {
        log::warn("not prepared", &[("why", &away.to_string())]);
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    log::info("prepared", &[]);
}

async fn told_to_end() {
    use tokio::signal::unix::{SignalKind, signal};
    match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(mut terminate), Ok(mut interrupt)) => {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        }
        // Then it ends as any program does, by the signal itself.
        _ => std::future::pending().await,
    }
}
