//! A small shop, to be put under chaos.
//!
//! Two services of one program: `shop` takes orders, `stock` knows what is there. The shop asks the stock before it
//! accepts an order. Its weakness is deliberate and can be turned on: `--chatty` asks the stock four times per
//! order, one question after the other, instead of once.
//!
//! | endpoint | answer |
//! |---|---|
//! | `GET /api/health` | `ok` |
//! | `POST /orders` | `accepted`, once the stock says it is there and the order is on the disk |
//! | `GET /orders/count` | how many orders were accepted since the data file was made |
//! | `GET /items/{name}` | (stock) `12` |
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a service may use its own clock, files and environment"
)]

pub mod orders;
pub mod tea;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

/// How the program is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port of 127.0.0.1 to listen on.
    pub port: u16,
    /// Where the stock is; without one, everything is in stock.
    pub stock: Option<String>,
    /// The planted weakness: four questions per order instead of one.
    pub chatty: bool,
    /// Where accepted orders are kept, one a line; without one, in memory.
    pub data: Option<PathBuf>,
}

impl Options {
    /// Reads `--port 8000 --stock http://… --chatty --data FILE`; `STOCK_URL` stands for `--stock`.
    ///
    /// # Errors
    /// The argument that is not understood.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { stock: std::env::var("STOCK_URL").ok(), ..Self::default() };
        while let Some(arg) = args.next() {
            let mut value = || args.next().ok_or(format!("{arg} wants a value"));
            match arg.as_str() {
                "--port" => options.port = value()?.parse().map_err(|error| format!("--port: {error}"))?,
                "--stock" => options.stock = Some(value()?),
                "--data" => options.data = Some(value()?.into()),
                "--chatty" => options.chatty = true,
                _ => return Err(format!("{arg} is not an option: --port, --stock, --data, --chatty are")),
            }
        }
        Ok(options)
    }
}

struct Shop {
    options: Options,
    http: reqwest::Client,
    orders: Mutex<u64>,
}

/// How many questions the weak shop asks per order.
const QUESTIONS: usize = 4;

/// Serves until the process ends.
///
/// # Errors
/// The port cannot be listened on.
pub async fn serve(options: Options) -> std::io::Result<()> {
    let known = match &options.data {
        Some(file) => tokio::fs::read_to_string(file).await.map_or(0, |text| text.lines().count() as u64),
        None => 0,
    };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", options.port)).await?;
    println!("shop listens on {}, {known} orders so far", listener.local_addr()?);
    let http =
        reqwest::Client::builder().timeout(Duration::from_secs(3)).no_proxy().build().unwrap_or_default();
    let shop = Arc::new(Shop { options, http, orders: Mutex::new(known) });
    let routes = Router::new()
        .route("/api/health", get(|| async { "ok" }))
        .route("/orders", post(order))
        .route(
            "/orders/count",
            get(|State(shop): State<Arc<Shop>>| async move { shop.orders.lock().await.to_string() }),
        )
        .route("/items/{name}", get(|Path(_name): Path<String>| async { "12" }))
        .with_state(shop);
    axum::serve(listener, routes).await
}

async fn order(State(shop): State<Arc<Shop>>, order: String) -> (StatusCode, String) {
    let questions = if shop.options.chatty { QUESTIONS } else { 1 };
    for _ in 0..questions {
        if let Err(error) = shop.ask_stock().await {
            println!("no answer from the stock: {error}");
            return (StatusCode::SERVICE_UNAVAILABLE, "the stock does not answer".into());
        }
    }
    match shop.keep(&order).await {
        Ok(()) => (StatusCode::OK, "accepted".into()),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

impl Shop {
    async fn ask_stock(&self) -> Result<(), reqwest::Error> {
        let Some(stock) = &self.options.stock else { return Ok(()) };
        self.http.get(format!("{stock}/items/tea")).send().await?.error_for_status()?;
        Ok(())
    }

    async fn keep(&self, order: &str) -> std::io::Result<()> {
        let mut orders = self.orders.lock().await;
        if let Some(path) = &self.options.data {
            let mut file = tokio::fs::File::options().create(true).append(true).open(path).await?;
            file.write_all(format!("{}\n", order.replace('\n', " ")).as_bytes()).await?;
            file.sync_data().await?;
        }
        *orders += 1;
        Ok(())
    }
}
