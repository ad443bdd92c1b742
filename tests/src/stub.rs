use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::sync::watch;

/// A real HTTP service in this process that does what it is told and remembers what it did.
#[derive(Clone)]
pub struct Stub {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    answer: watch::Sender<Answer>,
    served: Mutex<Vec<Served>>,
    count: Mutex<u64>,
}

/// What a stub does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `200 ok`, at once.
    Well,
    /// `503` to every request.
    Down,
    /// `503` to every n-th request.
    EveryNth(u64),
    /// Nothing until it is told otherwise; then what that says.
    Hang,
    /// `200 ok` after this long.
    Slow(Duration),
}

/// One answer a stub gave.
#[derive(Debug, Clone, Copy)]
pub struct Served {
    /// When the request was there.
    pub at: Instant,
    /// Whether the answer was a good one.
    pub good: bool,
}

impl Stub {
    /// Listens on that port of 127.0.0.1; 0 is any free one.
    pub async fn start(port: u16) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            answer: watch::Sender::new(Answer::Well),
            served: Mutex::default(),
            count: Mutex::default(),
        });
        let routes = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, shared })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Tells it what to do from now on.
    pub fn tell(&self, answer: Answer) {
        self.shared.answer.send_replace(answer);
    }

    /// Every answer it gave.
    pub fn served(&self) -> Vec<Served> {
        self.shared.served.lock().expect("nobody panics while holding it").clone()
    }
}

async fn serve(State(shared): State<Arc<Shared>>) -> (StatusCode, &'static str) {
    let at = Instant::now();
    let mut answers = shared.answer.subscribe();
    let told = *answers.wait_for(|answer| *answer != Answer::Hang).await.expect("the sender is in `shared`");
    let good = match told {
        Answer::Well | Answer::Hang => true,
        Answer::Down => false,
        Answer::EveryNth(n) => {
            let mut count = shared.count.lock().expect("nobody panics while holding it");
            *count += 1;
            *count % n != 0
        }
        Answer::Slow(time) => {
            tokio::time::sleep(time).await;
            true
        }
    };
    shared.served.lock().expect("nobody panics while holding it").push(Served { at, good });
    if good { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "down") }
}
