//! The stub as a program: `stub --port 8000`. `--host 0.0.0.0` lets others than this host reach it, in a container.
//! `--die-after 2s` ends it by itself, `--late 300ms` makes it ready late, `--slow 50ms` makes each answer take that long;
//! `--fork session` makes it serve in a process with a session of its own, `--fork bare` also without its environment,
//! `--fork daemon` besides as nobody's child;
//! `--fork scrub` does not fork: it loses its environment and goes on, as programs that write over it do. `--diary FILE`
//! makes it write every request down there, and sync, before it answers. With `ASK=host:port` in its environment it asks
//! there first, and says what came.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::os::unix::process::CommandExt;
use std::time::Duration;

use chaos_test::units::parse_duration;
use suite::{Answer, Stub};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (mut port, mut late, mut die_after) = (0, Duration::ZERO, Duration::from_secs(600));
    let (mut fork, mut diary, mut slow) = (None, None, None);
    let mut host = std::net::IpAddr::from([127, 0, 0, 1]);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(format!("{arg} wants a value"))?;
        match arg.as_str() {
            "--port" => port = value.parse()?,
            "--host" => host = value.parse()?,
            "--slow" => slow = Some(parse_duration(&value)?),
            "--late" => late = parse_duration(&value)?,
            "--fork" => fork = Some(value),
            "--diary" => diary = Some(value.into()),
            "--die-after" => die_after = parse_duration(&value)?,
            _ => return Err(format!("{arg} is not an option").into()),
        }
    }
    if let Some(how) = fork {
        let program = std::env::current_exe()?;
        if how == "scrub" {
            let args = ["--port", &port.to_string(), "--die-after", "20s"];
            return Err(std::process::Command::new(program).args(args).env_clear().exec().into());
        }
        let mut inner = std::process::Command::new("setsid");
        if how == "daemon" {
            inner.arg("--fork");
        }
        if how != "session" {
            inner.env_clear();
        }
        // Nobody may be left to end it, so it ends by itself.
        let inner = inner.arg(program).args(["--port", &port.to_string(), "--die-after", "20s"]).spawn()?;
        println!("stub serves in {}", inner.id());
        tokio::time::sleep(die_after).await;
        return Ok(());
    }
    println!("stub starts with GREETING={}", std::env::var("GREETING").unwrap_or_default());
    if let Ok(whom) = std::env::var("ASK") {
        println!("stub asked {whom}: {}", ask(&whom).await);
    }
    tokio::time::sleep(late).await;
    let stub = Stub::on((host, port).into(), diary).await?;
    if let Some(time) = slow {
        stub.tell(Answer::Slow(time));
    }
    println!("stub listens on {}", stub.url());
    tokio::time::sleep(die_after).await;
    println!("stub ends by itself");
    Ok(())
}

/// The first line of an answer to an HTTP request, or why there is none.
async fn ask(whom: &str) -> String {
    let asked = async {
        let mut stream = tokio::net::TcpStream::connect(whom).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        std::io::Result::Ok(answer.lines().next().unwrap_or_default().to_owned())
    };
    match tokio::time::timeout(Duration::from_secs(2), asked).await {
        Ok(Ok(line)) => line,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer".into(),
    }
}
