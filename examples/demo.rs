//! A service under chaos, in under a minute: `cargo run --example demo`.
//!
//! Three experiments on a small shop with two services, each an ordinary child process (this program, started again).
//! The shop's checkout has a planted weakness: it asks the stock four times, one question after the other. It shows
//! only when the network between the two gets slow, and then it breaks the SLO. The program exits with 0 if every
//! experiment comes to the verdict that was expected.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::process::ExitCode;

use chaos_test::prelude::*;
use chaos_test::report::{Report, Summary, render};

/// Asks the stock four times per order: the planted weakness.
async fn shop() -> Result<Environment, Error> {
    let service = || Process::current_exe().args(["serve", "--port", "{port}", "--chatty"]);
    let health = || Probe::http("/api/health").every(25.ms());
    Environment::builder()
        .process("stock", service().ready(health()))
        .process("shop", service().ready(health()))
        .env("shop", "STOCK_URL", |env| env.url_for("stock", "http://{host}:{port}"))
        .start()
        .await
}

async fn checkout(chaos: Chaos) -> Result<(), Box<dyn std::error::Error>> {
    let answer = chaos.client("shop").post("/orders").body("1 x tea").send().await?.error_for_status()?;
    if answer.text().await? == "accepted" { Ok(()) } else { Err("not accepted".into()) }
}

/// One experiment, and the verdict it is expected to come to.
async fn experiment(experiment: Experiment, expected: Verdict) -> Result<(Report, bool), Error> {
    let report =
        experiment.environment(shop).repeat_with(40.per_second(), checkout).progress(true).run().await?;
    let as_expected = report.verdict() == expected;
    println!("\n{}\n", report.text());
    println!("  expected {expected}: {}\n", if as_expected { "as expected" } else { "NOT AS EXPECTED" });
    Ok((report, as_expected))
}

async fn demo() -> Result<bool, Error> {
    println!("Three experiments of about 15 s each. The shop has a weakness; one of them will find it.\n");
    let crash = Fault::ContainerCrash { container: None, downtime: 400.ms(), recovery_time_expected: None };
    let runs = [
        (
            Experiment::scenario("Light CPU Stress")?.duration(8.seconds()).target("shop").slo("development"),
            Verdict::Pass,
        ),
        (
            Experiment::fault(crash, 10.seconds())?
                .target("shop")
                .slo("development")
                .name("a crash of 0.4 s"),
            Verdict::Pass,
        ),
        (
            Experiment::scenario("Medium Network Delay")?
                .duration(8.seconds())
                .target("stock")
                .slo("staging"),
            Verdict::Fail,
        ),
    ];
    let (mut reports, mut all) = (Vec::new(), true);
    for (planned, expected) in runs {
        let (report, as_expected) = experiment(planned, expected).await?;
        reports.push(report);
        all &= as_expected;
    }
    println!("{}", render::markdown(&Summary::of(reports)));
    Ok(all)
}

#[tokio::main]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1).peekable();
    if args.next_if(|first| first == "serve").is_some() {
        // One of the shop's services.
        return match shop::Options::parse(args).map(shop::serve) {
            Ok(served) => served.await.map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
            Err(why) => {
                eprintln!("{why}");
                ExitCode::FAILURE
            }
        };
    }
    match demo().await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        }
    }
}
