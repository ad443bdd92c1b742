//! One experiment as a program, with a fault that only says when it is in and out:
//! `experiment --url http://127.0.0.1:8000 --kind cpu --hold 300ms`. It prints `in <time>`, `out <time>` and what came
//! of it: the verdict, or `error: …`.
#![allow(clippy::disallowed_methods, reason = "a program reads its own arguments")]

use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::model::OutageMode;
use chaos_test::prelude::*;
use chaos_test::units::{ByteSize, parse_duration};
use suite::Noted;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let (mut url, mut kind, mut name, mut slo) = (String::new(), String::from("delay"), None, None);
    let (mut hold, mut watch) = (Duration::from_millis(300), Duration::from_millis(200));
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(format!("{arg} wants a value"))?;
        match arg.as_str() {
            "--url" => url = value,
            "--kind" => kind = value,
            "--name" => name = Some(value),
            "--slo" => slo = Some(value),
            "--hold" => hold = parse_duration(&value)?,
            "--watch" => watch = parse_duration(&value)?,
            _ => return Err(format!("{arg} is not an option").into()),
        }
    }
    let fault = match kind.as_str() {
        "cpu" => Fault::CpuExhaust { workers: NonZeroU32::MIN, load: Percent::HUNDRED },
        "memory" => Fault::MemoryLeak { size: ByteSize::new(1 << 60) },
        "database" => {
            Fault::DatabaseDown { database: None, mode: OutageMode::Hang, recovery_time_expected: None }
        }
        _ => Fault::NetworkDelay {
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            bandwidth: None,
            interface: None,
        },
    };
    let environment = move || async move {
        let probe = Probe::http("/").every(50.ms());
        Environment::builder().url("app", url).probe("app", probe).start().await
    };
    let mut experiment = Experiment::fault(fault, hold)?
        .environment(environment)
        .injector(Noted::aloud())
        .baseline(1500.ms())
        .watch(watch)
        .progress(false);
    if let Some(slo) = slo {
        experiment = experiment.slo(slo);
    }
    if let Some(name) = name {
        experiment = experiment.name(name);
    }
    match experiment.run().await {
        Ok(report) => println!("{}", report.headline()),
        Err(error) => println!("error: {error}"),
    }
    Ok(())
}
