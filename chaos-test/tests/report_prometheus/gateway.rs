use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// `PUT /metrics/job/chaos-test HTTP/1.1`
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// What it does with a request.
pub(crate) enum Answer {
    /// A status with its reason, and a body.
    Says(&'static str, String),
    /// Nothing, for as long as the other side waits.
    Hangs,
    /// It closes the connection.
    HangsUp,
}

/// Something on 127.0.0.1 that answers as it is told, and keeps what it was sent. It ends with the test's process.
pub(crate) struct Gateway {
    pub(crate) url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Gateway {
    /// Asked for the answer to a request and its number, from 0.
    pub(crate) fn new(answer: impl Fn(usize, &Request) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        thread::spawn(move || {
            let mut held = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let Some(request) = read(&stream) else { continue };
                let n = {
                    let mut kept = kept.lock().unwrap();
                    kept.push(request.clone());
                    kept.len() - 1
                };
                match answer(n, &request) {
                    Answer::Says(status, body) => {
                        let head = format!(
                            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}",
                            body.len()
                        );
                        let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes());
                    }
                    Answer::Hangs => held.push(stream),
                    Answer::HangsUp => drop(stream),
                }
            }
        });
        Self { url, requests }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut request = Request { line: lines.first()?.clone(), headers, body: String::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}
