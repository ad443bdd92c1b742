//! The tea shop as a program: `tea-shop --port 8000 --database postgres://… --cache redis://… [--bug retry-storm]`, or all
//! of that from the environment (`PORT`, `DATABASE_URL`, …).
//!
//! `tea-shop --ask /api/health` asks the one that runs on this host: where it is the only program there is, as in a
//! container, that is its health check.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use shop::tea::{Settings, serve};

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    let done = if args.next_if(|arg| arg == "--ask").is_some() {
        ask(&args.next().unwrap_or_default()).await
    } else {
        match Settings::parse(args, |name| std::env::var(name).ok()) {
            Ok(settings) => serve(settings).await,
            Err(why) => Err(why.into()),
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("tea-shop: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Prints what it answers; fails if that is no success.
async fn ask(path: &str) -> Result<(), Box<dyn Error>> {
    let port = std::env::var("PORT").unwrap_or("8000".into());
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(3)).build()?;
    let answer = http.get(format!("http://127.0.0.1:{port}{path}")).send().await?;
    println!("{}", answer.error_for_status()?.text().await?);
    Ok(())
}
