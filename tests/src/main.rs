//! The stub as a program: `stub --port 8000`. `--die-after 2s` ends it by itself, `--late 300ms` makes it ready late,
//! `--fork session` makes it serve in a process with a session of its own, `--fork bare` also without its environment;
//! `--fork scrub` does not fork: it loses its environment and goes on, as programs that write over it do.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::os::unix::process::CommandExt;
use std::time::Duration;

use chaos_test::units::parse_duration;
use suite::Stub;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (mut port, mut late, mut die_after) = (0, Duration::ZERO, Duration::from_secs(600));
    let mut fork = None;
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(format!("{arg} wants a value"))?;
        match arg.as_str() {
            "--port" => port = value.parse()?,
            "--late" => late = parse_duration(&value)?,
            "--fork" => fork = Some(value),
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
        if how == "bare" {
            inner.env_clear();
        }
        // Nobody may be left to end it, so it ends by itself.
        let inner = inner.arg(program).args(["--port", &port.to_string(), "--die-after", "20s"]).spawn()?;
        println!("stub serves in {}", inner.id());
        tokio::time::sleep(die_after).await;
        return Ok(());
    }
    println!("stub starts with GREETING={}", std::env::var("GREETING").unwrap_or_default());
    tokio::time::sleep(late).await;
    let stub = Stub::start(port).await?;
    println!("stub listens on {}", stub.url());
    tokio::time::sleep(die_after).await;
    println!("stub ends by itself");
    Ok(())
}
