//! Whether a verdict flakes: the healthy shop under the group `standard_test`, and a shop twice over its limit, on a quiet
//! machine and with a processor hog beside them.
//!
//! `CHAOS_TEST_FLAKE_ROUNDS` says how many rounds; 30 of them take nearly three hours. `CHAOS_TEST_FLAKE_BESIDE` is `nothing` or
//! `hog` for one half of it. The shop is asked 50 times a second, as usual: on two processors that also carry the fault, a prober
//! that is due every 5 ms is late too often for its samples to count.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "test code starts programs")]

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use chaos_test::model::Catalogue;
use chaos_test::prelude::*;
use chaos_test::report::Report;

async fn shop() -> Result<Environment, Error> {
    let service = || Process::cargo_bin("shop").args(["--port", "{port}", "--chatty"]);
    // A lost packet costs a second, and twice in a row three: no answer by then is none.
    let health = || Probe::http("/api/health").timeout(8.seconds());
    Environment::builder()
        .process("stock", service().ready(Probe::http("/api/health")))
        .process("shop", service().ready(Probe::http("/api/health")))
        .env("shop", "STOCK_URL", |env| env.url_for("stock", "http://{host}:{port}"))
        .probe("shop", health())
        .start()
        .await
}

/// A process that wants a whole processor for two minutes at most, in a session of its own, until it is dropped.
struct Hog(Child);

impl Hog {
    fn start() -> Self {
        let mut command = Command::new("timeout");
        command.args(["120", "sh", "-c", "while :; do :; done"]);
        // SAFETY: setsid(2) is async-signal-safe and touches nothing of this process.
        unsafe {
            command.pre_exec(|| nix::unistd::setsid().map(drop).map_err(std::io::Error::from));
        }
        Self(command.spawn().expect("timeout and sh are there"))
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.0.id().cast_signed());
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

/// A scenario of the built-in catalogue, in a run that may take as long as the rounds do.
fn scenario(name: &str) -> Experiment {
    let catalogue = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/flake/chaos_scenarios.yml");
    Experiment::scenario_of(catalogue, name).expect("it is built in")
}

async fn run(experiment: Experiment) -> Report {
    experiment.slo("staging").environment(shop).run().await.expect("the experiment is well formed")
}

/// The healthy shop under one scenario of the group.
///
/// Every check opens a connection, and under a loss of 5 % every tenth pays for a lost packet with a second: nothing a
/// service could do about it. So under that one 500 ms are no limit of a service that is well, and it gets 2.5 s; and a check
/// waits for longer than the second, or it would be an error. One of thousands waits for more than the 5 s that would end the
/// run, which says nothing about the service either.
async fn healthy(name: &str) -> Report {
    let experiment = scenario(name).target("shop");
    run(match name {
        "Light Packet Loss" => experiment
            .objective(Objective::LatencyDegradation(2500.ms()))
            .abort_conditions(AbortConditions::default()),
        _ => experiment,
    })
    .await
}

/// A shop that is twice over its limit: four questions to a stock that is 200 ms away are 800 ms, and 400 are allowed.
async fn weak() -> Report {
    let order = async |chaos: Chaos| -> Result<(), Box<dyn std::error::Error>> {
        chaos.client("shop").post("/orders").body("1 x tea").send().await?.error_for_status()?;
        Ok(())
    };
    let experiment = scenario("Medium Network Delay").target("stock");
    run(experiment.objective(Objective::LatencyDegradation(400.ms())).repeat_with(40.per_second(), order))
        .await
}

#[tokio::test]
async fn verdicts_do_not_flake() {
    let rounds: u32 =
        std::env::var("CHAOS_TEST_FLAKE_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let beside = std::env::var("CHAOS_TEST_FLAKE_BESIDE").unwrap_or_default();
    let halves: &[bool] = match beside.as_str() {
        "" => &[false, true],
        "nothing" => &[false],
        "hog" => &[true],
        other => panic!("CHAOS_TEST_FLAKE_BESIDE is `nothing` or `hog`, not `{other}`"),
    };
    let catalogue = Catalogue::builtin();
    let group = catalogue.group("standard_test").expect("it is built in");
    let mut came: BTreeMap<(bool, String), BTreeMap<String, u32>> = BTreeMap::new();
    for round in 1..=rounds {
        for &hogged in halves {
            let mut scenarios: Vec<&str> = group.scenarios.iter().map(String::as_str).collect();
            scenarios.push("weak");
            for scenario in scenarios {
                let hog = hogged.then(Hog::start);
                let report = if scenario == "weak" { weak().await } else { healthy(scenario).await };
                drop(hog);
                println!("round {round}, hog {hogged}, {scenario}: {}", report.headline());
                *came
                    .entry((hogged, scenario.into()))
                    .or_default()
                    .entry(report.judgement.label())
                    .or_default() += 1;
            }
        }
    }
    println!("| beside | scenario | verdicts of {rounds} |\n|---|---|---|");
    for ((hogged, scenario), verdicts) in &came {
        let verdicts: Vec<String> = verdicts.iter().map(|(verdict, n)| format!("{n} {verdict}")).collect();
        println!("| {} | {scenario} | {} |", if *hogged { "a hog" } else { "nothing" }, verdicts.join(", "));
    }
    for ((hogged, scenario), verdicts) in came {
        let fails = verdicts.get("Fail").copied().unwrap_or_default();
        if scenario == "weak" {
            assert!(fails * 30 >= rounds * 29, "{fails} of {rounds} with the hog {hogged}");
        } else {
            // No `Fail(metastable)` and its like, and nothing that could not be carried out.
            let other = |verdict: &&String| *verdict != "Pass" && !verdict.starts_with("Inconclusive(");
            let others: Vec<&String> = verdicts.keys().filter(other).collect();
            assert!(others.is_empty(), "{scenario} with the hog {hogged}: {others:?}");
        }
    }
}
