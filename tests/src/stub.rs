use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
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
    /// A file in which every request is written down, and synced, before it is answered.
    diary: Option<PathBuf>,
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
        Self::with_diary(port, None).await
    }

    /// The same; every request is written down in that file, and synced, before it is answered.
    pub async fn with_diary(port: u16, diary: Option<PathBuf>) -> std::io::Result<Self> {
        Self::on(([127, 0, 0, 1], port).into(), diary).await
    }

    /// The same, at any address.
    pub async fn on(address: SocketAddr, diary: Option<PathBuf>) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            answer: watch::Sender::new(Answer::Well),
            served: Mutex::default(),
            count: Mutex::default(),
            diary,
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
    if let Some(diary) = shared.diary.clone()
        && !tokio::task::spawn_blocking(move || write_down(&diary).is_ok()).await.unwrap_or(false)
    {
        return (StatusCode::INTERNAL_SERVER_ERROR, "not written down");
    }
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

fn write_down(diary: &Path) -> std::io::Result<()> {
    let mut diary = File::options().create(true).append(true).open(diary)?;
    diary.write_all(b"a request\n")?;
    diary.sync_data()
}
