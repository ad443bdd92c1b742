//! Customers of the tea shop who come again and again, and what they saw.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chaos_test::prelude::*;

/// A customer's patience.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
pub(crate) const TEA: &str = "/teas/sencha";
pub(crate) const ORDERS: &str = "/orders";
/// What only the database knows.
pub(crate) const COUNT: &str = "/orders/count";

/// One request of a customer.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) path: &'static str,
    /// When it was asked; nothing, if the phase was another by the time of the answer.
    phase: Option<Phase>,
    pub(crate) took: Duration,
    /// The status, and what is said about it. Zero is no answer at all.
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// Everything the customers saw, and what the shop had counted at the end.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) visits: Vec<Visit>,
    pub(crate) stats: String,
}

impl Seen {
    pub(crate) fn of(&self, path: &str, phase: Phase) -> Vec<&Visit> {
        self.visits.iter().filter(|visit| visit.path == path && visit.phase == Some(phase)).collect()
    }

    /// One of the shop's figures.
    pub(crate) fn count(&self, name: &str) -> f64 {
        let (_, rest) = self.stats.split_once(&format!("\"{name}\":")).expect("it is counted");
        rest.split([',', '}']).next().and_then(|number| number.parse().ok()).expect("a number")
    }
}

async fn visit(chaos: &Chaos, http: &reqwest::Client, path: &'static str) -> Visit {
    let (url, before) = (format!("{}{path}", chaos.url("shop")), chaos.phase().await);
    let request = if path == ORDERS { http.post(url).body("1 x sencha") } else { http.get(url) };
    let began = Instant::now();
    let answer = request.timeout(PATIENCE).send().await;
    let took = began.elapsed();
    let (status, text) = match answer {
        Ok(answer) => {
            let from = answer.headers().get("x-served-from").and_then(|from| from.to_str().ok());
            let from = from.unwrap_or_default().to_owned();
            (answer.status().as_u16(), format!("{from} {}", answer.text().await.unwrap_or_default()))
        }
        Err(error) => (0, error.to_string()),
    };
    let phase = (chaos.phase().await == before).then_some(before);
    Visit { path, phase, took, status, text }
}

/// They ask for a tea and order one, through all phases.
pub(crate) async fn customers(chaos: Chaos, seen: Arc<Mutex<Seen>>) -> anyhow::Result<()> {
    // None of the run's own clients: that an order is refused in an outage is as it should be, and breaks no objective.
    let http = reqwest::Client::builder().no_proxy().build()?;
    let come = async |path| {
        loop {
            let last = chaos.phase().await == Phase::Recovered;
            let visit = visit(&chaos, &http, path).await;
            seen.lock().unwrap().visits.push(visit);
            if last {
                break;
            }
            tokio::time::sleep(20.ms()).await;
        }
    };
    tokio::join!(come(TEA), come(ORDERS));
    let stats = chaos.client("shop").get("/api/stats").timeout(PATIENCE).send().await?.text().await?;
    seen.lock().unwrap().stats = stats;
    Ok(())
}
