//! What the tea shop answers over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

use super::Shop;
use super::database::Away;
use super::menu::From;

/// Says whose word a price is: `cache`, `database` or `stale`.
const SERVED_FROM: &str = "x-served-from";

pub(super) fn routes(shop: Arc<Shop>) -> Router {
    Router::new()
        .route("/api/health", get(|| async { "ok" }))
        .route("/api/ready", get(ready))
        .route("/api/stats", get(stats))
        .route("/teas/{name}", get(tea))
        .route("/orders", post(order))
        .route("/orders/count", get(count))
        .with_state(shop)
}

async fn tea(State(shop): State<Arc<Shop>>, Path(name): Path<String>) -> Response {
    shop.stats.requests.one_more();
    match shop.menu.price(&name).await {
        Ok(Some((cents, from))) => {
            let from = match from {
                From::Cache => "cache",
                From::Database => "database",
                From::Stale => "stale",
            };
            ([(SERVED_FROM, from)], json_text(&json!({ "name": name, "cents": cents }))).into_response()
        }
        Ok(None) => (StatusCode::NOT_FOUND, format!("{name} is not on the menu")).into_response(),
        Err(away) => unavailable(&away),
    }
}

async fn order(State(shop): State<Arc<Shop>>, headers: HeaderMap, what: String) -> Response {
    shop.stats.requests.one_more();
    // Who asks again after no answer says the same key, and has one order. So do our own retries.
    let key = match headers.get("idempotency-key").map(|key| key.to_str()) {
        Some(Ok(key)) => key.to_owned(),
        Some(Err(_)) => return (StatusCode::BAD_REQUEST, "idempotency-key is no text").into_response(),
        None => format!("{:032x}", fastrand::u128(..)),
    };
    match shop.database.order(&key, &what).await {
        Ok(()) => "accepted".into_response(),
        Err(away) => unavailable(&away),
    }
}

async fn count(State(shop): State<Arc<Shop>>) -> Response {
    shop.stats.requests.one_more();
    match shop.database.orders().await {
        Ok(count) => count.to_string().into_response(),
        Err(away) => unavailable(&away),
    }
}

/// Teas can be had as long as one of the two is there.
async fn ready(State(shop): State<Arc<Shop>>) -> Response {
    let (database, cache) = tokio::join!(shop.database.is_there(), shop.cache.is_there());
    let (status, word) = match (database, cache) {
        (true, true) => (StatusCode::OK, "ready"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "neither the database nor the cache is there"),
        _ => (StatusCode::OK, "degraded"),
    };
    let said = json!({ "state": word, "database": database, "cache": cache });
    (status, json_text(&said)).into_response()
}

async fn stats(State(shop): State<Arc<Shop>>) -> Response {
    let mut counted = shop.stats.json();
    counted["asked"] = json!({ "database": shop.database.is_asked(), "cache": shop.cache.is_asked() });
    json_text(&counted).into_response()
}

fn unavailable(away: &Away) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")], away.to_string()).into_response()
}

fn json_text(value: &serde_json::Value) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, "application/json")], value.to_string())
}
