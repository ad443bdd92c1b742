use std::error::Error;
use std::time::Duration;

use chaos_test::__cli as support;
use chaos_test::stats::SplitMix;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Response, StatusCode, Url};

use super::address::Login;

/// How often it is tried at most.
const MOST: u32 = 5;
/// The pause before the second try, which doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const CONNECT: Duration = Duration::from_secs(5);
/// One try, if there is that much time.
const ONE_TRY: Duration = Duration::from_secs(10);
/// So much of an answer is told.
const TOLD: usize = 300;

/// Why nothing was pushed.
pub(super) struct Failed {
    pub(super) tries: u32,
    pub(super) why: String,
    pub(super) fix: String,
}

/// What one try came to that failed.
struct Refused {
    why: String,
    fix: &'static str,
    /// Whether the next one may come to something else.
    again: bool,
}

pub(super) struct Pusher {
    client: Client,
    header: Option<HeaderValue>,
    /// What is taken out of everything that is told.
    secrets: Vec<String>,
}

impl Pusher {
    /// `auth` is the whole value of the header; it outranks what the URL says.
    pub(super) fn new(auth: Option<String>, login: Option<&Login>) -> Result<Self, String> {
        let mut secrets: Vec<String> = auth.iter().cloned().collect();
        // Of `Bearer TOKEN` the token too.
        secrets.extend(auth.iter().flat_map(|auth| auth.split_ascii_whitespace().skip(1)).map(str::to_owned));
        secrets.extend(login.iter().filter_map(|login| login.password.clone()));
        secrets.retain(|secret| !secret.is_empty());
        let header = auth.map(|auth| {
            let mut value = HeaderValue::from_str(&auth).map_err(|_| {
                format!("${} is no value of a header: it must be one line of visible characters", super::AUTH)
            })?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        });
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ONE_TRY)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| format!("there is no HTTP client: {error}"))?;
        // What a login is sent as says it just as well.
        let sent = |login: &Login| {
            client.get("http://localhost").basic_auth(&login.user, login.password.as_ref()).build()
        };
        let basic =
            login.map(sent).transpose().map_err(|error| format!("the login cannot be sent: {error}"))?;
        let basic = basic.and_then(|sent| sent.headers().get(AUTHORIZATION).cloned());
        let said = basic.as_ref().and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
        secrets.extend(said.map(str::to_owned));
        Ok(Self { client, header: header.transpose()?.or(basic), secrets })
    }

    /// Puts the metrics there, in place of the group that is.
    pub(super) async fn push(&self, url: &Url, metrics: &str, longest: Duration) -> Result<(), Failed> {
        let mut last: Option<Refused> = None;
        let mut tries = 0;
        let all = async {
            let mut random = SplitMix::new(support::now().to_bits() ^ u64::from(std::process::id()));
            loop {
                tries += 1;
                match self.try_once(url, metrics).await {
                    Ok(()) => return true,
                    Err(refused) => {
                        let again = refused.again && tries < MOST;
                        last = Some(refused);
                        if !again {
                            return false;
                        }
                    }
                }
                // Between half of it and all, so that many who were refused together do not come back together.
                let pause = FIRST_PAUSE * 2_u32.pow(tries - 1);
                tokio::time::sleep(pause.mul_f64(0.5 + random.unit() / 2.0)).await;
            }
        };
        if matches!(tokio::time::timeout(longest, all).await, Ok(true)) {
            return Ok(());
        }
        let refused = last.unwrap_or_else(|| Refused {
            why: "no answer in time".into(),
            fix: "see that it is up and can be reached from here, or give it longer with --push-timeout",
            again: true,
        });
        Err(Failed { tries, why: self.without_secrets(refused.why), fix: format!("help: {}", refused.fix) })
    }

    async fn try_once(&self, url: &Url, metrics: &str) -> Result<(), Refused> {
        let mut request =
            self.client.put(url.clone()).header(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
        if let Some(value) = &self.header {
            request = request.header(AUTHORIZATION, value.clone());
        }
        let response = request.body(metrics.to_owned()).send().await.map_err(|error| Refused {
            why: if error.is_timeout() { "no answer in time".into() } else { cause(&error) },
            fix: "see that it is up, and that this is its address",
            again: true,
        })?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let body = beginning(self.without_secrets(read(response).await));
        let said = if body.is_empty() { String::new() } else { format!(", {body}") };
        Err(Refused {
            why: format!("it answers {status}{said}"),
            fix: fix(status),
            again: is_passing(status),
        })
    }

    fn without_secrets(&self, text: String) -> String {
        self.secrets.iter().fold(text, |text, secret| text.replace(secret.as_str(), "(not told)"))
    }
}

fn is_passing(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

fn fix(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            "set $CHAOS_TEST_PUSHGATEWAY_AUTH to the whole value of the header Authorization, such as `Bearer TOKEN`"
        }
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            "see that this is the address of a Pushgateway, with the prefix of its paths if it has one"
        }
        StatusCode::BAD_REQUEST => {
            "another job or group there may hold a metric of this name and another type: name a group of its own with \
             --job-name or --group-label"
        }
        other if other.is_redirection() => "name the address it leads to: a push is not redirected",
        other if is_passing(other) => "see how it is, and push again",
        _ => "see what its log says",
    }
}

/// More of an answer than is told, so that a secret in it is seen whole.
async fn read(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < 16 * TOLD {
        match response.chunk().await {
            Ok(Some(more)) => bytes.extend_from_slice(&more),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Its beginning, in a line.
fn beginning(text: String) -> String {
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TOLD).collect::<String>();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The innermost reason: `Connection refused (os error 111)`.
fn cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
