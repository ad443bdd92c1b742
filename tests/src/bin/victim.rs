//! An experiment to be killed, as a program without a test harness: `victim cpu_exhaust`. `--hold 60s` makes it last.
//! It prints the verdict, or `error: …` and ends with 1.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::process::ExitCode;

use chaos_test::units::parse_duration;
use suite::victim;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let family = victim::FAMILIES.into_iter().find(|family| args.iter().any(|arg| arg == family));
    let Some(family) = family else {
        eprintln!("victim wants one of {}", victim::FAMILIES.join(", "));
        return ExitCode::from(2);
    };
    let held = args.iter().skip_while(|arg| *arg != "--hold").nth(1);
    let report = match held.map(|text| parse_duration(text).expect("a time")) {
        Some(held) => victim::experiment(family, held).run().await,
        None => victim::run(family).await,
    };
    match report {
        Ok(report) => {
            println!("{}", report.headline());
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
