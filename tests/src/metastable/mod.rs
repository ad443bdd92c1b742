//! Three services that a short fault knocks into a state which they do not leave by themselves, each with a healthy twin.
//!
//! Purpose: known truth for what is told of non-recovery. Every service asks one dependency for what it answers. Not here:
//! the faults, and how the services are watched (`tests/metastable.rs`).

mod cache;
mod lines;
mod pool;
mod storm;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;

/// Serves what is called so, on a port, for good: `storm`, `pool` and `stampede` are services, which ask the dependency at
/// `upstream`; `worker`, `echo` and `store` are the dependencies.
///
/// # Errors
/// The port is taken.
///
/// # Panics
/// Nothing is called so.
pub async fn serve(
    what: &str,
    port: u16,
    upstream: Option<SocketAddr>,
    healthy: bool,
) -> std::io::Result<()> {
    let upstream = || upstream.expect("a service has a dependency");
    match what {
        "worker" => storm::worker(port).await,
        "echo" => lines::serve(port, |line| async { line }).await,
        "store" => cache::store(port).await,
        "storm" => {
            let service = Arc::new(storm::Service::new(upstream(), healthy));
            http(port, move || Arc::clone(&service).answer()).await
        }
        "pool" => {
            let service = Arc::new(pool::Service::new(upstream(), healthy));
            http(port, move || Arc::clone(&service).answer()).await
        }
        "stampede" => {
            let service = Arc::new(cache::Service::new(upstream(), healthy));
            service.warm_up().await;
            http(port, move || Arc::clone(&service).answer()).await
        }
        other => panic!("nothing is called {other}"),
    }
}

/// Answers every request with 200 or 503.
async fn http<F, R>(port: u16, answer: F) -> std::io::Result<()>
where
    F: Fn() -> R + Clone + Send + Sync + 'static,
    R: Future<Output = bool> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let routes = Router::new().fallback(move || {
        let answer = answer();
        async move { if answer.await { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE } }
    });
    axum::serve(listener, routes).await
}
