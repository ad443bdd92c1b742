use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use chaos_test::report::{PlannedInjection, Report};
use chaos_test::slo::Verdict;
use serde_json::Value;

use crate::planted::until;
use crate::sandbox::{Ended, Sandbox, ended};

/// A service that gives every GET the same answer, for as long as this process lives.
pub(crate) fn service(status: &'static str) -> String {
    service_at("/", status)
}

/// One that knows nothing but what is below a path.
fn service_at(path: &'static str, status: &'static str) -> String {
    fn answer(mut stream: TcpStream, path: &str, status: &str) -> std::io::Result<()> {
        let mut head = Vec::new();
        let mut chunk = [0; 512];
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            match stream.read(&mut chunk)? {
                0 => return Ok(()),
                n => head.extend_from_slice(&chunk[..n]),
            }
        }
        let status =
            if head.starts_with(format!("GET {path}").as_bytes()) { status } else { "404 Not Found" };
        write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || drop(answer(stream, path, status)));
        }
    });
    format!("http://{address}")
}

/// A short scenario that can be run against a URL (149 samples decide a p95), and one that cannot.
const OWN: &str = r#"
scenarios:
  - {name: Brief Delay, type: network_delay, intensity: light, duration: 3.5, parameters: {delay_ms: 40}}
  - {name: Busy Host, type: cpu_exhaust, intensity: light, duration: 1, parameters: {cpu_workers: 1}}
scenario_groups:
  brief: {description: Ours, scenarios: [Brief Delay, Busy Host]}
slo_targets:
  recovery: {required_health_checks: 1}
safety: {cooldown_seconds: 0}
"#;

/// The records of the only run in a sandbox.
fn records(sandbox: &Sandbox) -> Vec<Report> {
    let mut runs = std::fs::read_dir(sandbox.path("runs")).unwrap();
    let run = runs.next().expect("a run").unwrap().path();
    assert!(runs.next().is_none(), "one command is one run");
    let files = std::fs::read_dir(run).unwrap().map(|entry| entry.unwrap().path());
    let json = files.filter(|file| {
        file.extension().is_some_and(|extension| extension == "json") && !file.ends_with("run.json")
    });
    let mut reports: Vec<Report> =
        json.map(|file| Report::from_json(&std::fs::read(file).unwrap()).unwrap()).collect();
    reports.sort_by(|a, b| a.test.cmp(&b.test));
    reports
}

fn has_ledger(sandbox: &Sandbox) -> bool {
    let run = std::fs::read_dir(sandbox.path("runs")).unwrap().next().unwrap().unwrap().path();
    let mut files = std::fs::read_dir(run).unwrap();
    files.any(|file| file.unwrap().file_name().to_string_lossy().starts_with("ledger"))
}

/// What is said of a run that a busy host has made void; the first two, that its samples were late.
pub(crate) const VOID: [&str; 3] =
    ["Inconclusive(prober starved)", "Inconclusive(noisy host)", "Inconclusive(baseline unhealthy)"];

/// Runs a command; one that is void is run again, three times at most, and only the last one leaves records.
fn unless_void(sandbox: &Sandbox, void: &[&str], command: impl Fn() -> Command) -> Ended {
    for _ in 0..=3 {
        let ended = ended(&mut command());
        if !void.iter().any(|label| ended.stdout.contains(label)) {
            return ended;
        }
        println!("void: {}", ended.stdout);
        until("the end of the ledger", || !has_ledger(sandbox));
        std::fs::remove_dir_all(sandbox.path("runs")).unwrap();
    }
    panic!("this host is too busy for any run");
}

pub(crate) fn measured(sandbox: &Sandbox, args: &[&str]) -> Ended {
    unless_void(sandbox, &VOID, || sandbox.command(args))
}

#[test]
fn a_dry_run_tells_the_plan_and_injects_nothing() {
    let (sandbox, url) = (Sandbox::new(), service("200 OK"));
    let scenario = ["--scenario", "Light Network Delay", "--dry-run", "--baseline-samples", "30"];
    let ended = measured(&sandbox, &[&["chaos", "run", "--target", &url][..], &scenario].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for part in [
        "[1 of 1] Light Network Delay: network_delay 50 ms\n",
        "Dry run of \"Light Network Delay\" on target, SLO \"default\"",
        "\n  3 inject       network_delay 50 ms on target by proxy (stream); mechanism `proxy`\n",
        "\n  5 revert       after 30 s",
    ] {
        assert!(ended.stderr.contains(part), "{part:?} in {}", ended.stderr);
    }
    assert!(ended.stdout.contains("  Light Network Delay  Skipped(dry run)  "), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("\n0 passed, 1 skipped (dry run); records: runs/local-"),
        "{}",
        ended.stdout
    );
    let [report] = &records(&sandbox)[..] else { panic!("one record") };
    assert_eq!((report.verdict(), report.test.as_str()), (Verdict::Skipped, "light_network_delay"));
    assert!(report.trace.streams[0].samples.len() >= 20 && report.trace.marks.injected.is_none());
    let again = format!("cargo chaos run --target '{url}' --scenario 'Light Network Delay' --dry-run");
    assert_eq!(report.rerun, again + " --baseline-samples 30");
    // Its reaper puts the ledger away, a moment after it.
    until("the end of the ledger", || !has_ledger(&sandbox));
    // Nothing was claimed, and no gate is tripped.
    let run = report.run_id.clone();
    let report = sandbox.run(&["report", "--fail-on-violation"]);
    assert_eq!(report.code, Some(0), "{report:?}");
    assert!(report.stdout.contains("**nothing was injected**: 0 passed, 1 skipped (dry run)"), "{report:?}");
    let validation = sandbox.read(&format!("runs/{run}/resilience_validation.json"));
    let validation: Value = serde_json::from_str(&validation).unwrap();
    assert_eq!((&validation["passed"], &validation["skipped"]), (&Value::from(false), &Value::from(1)));
}

#[test]
fn another_path_may_be_asked_than_the_catalogue_says() {
    let (sandbox, url) = (Sandbox::new(), service_at("/up", "200 OK"));
    let args = ["run", "--target", &url, "--scenario", "Light Network Delay", "--dry-run"];
    let args = [&args[..], &["--baseline-samples", "30", "--health"]].concat();
    let ended = measured(&sandbox, &[&args[..], &["/up"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let [report] = &records(&sandbox)[..] else { panic!("one record") };
    let again = " --dry-run --health '/up' --baseline-samples 30";
    assert!(report.rerun.ends_with(again), "{}", report.rerun);
    let refused = sandbox.run(&[&args[..], &["up"]].concat());
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("a path begins with /"), "{refused:?}");
    // The usual path is not there.
    let sandbox = Sandbox::new();
    let unhealthy = unless_void(&sandbox, &VOID[..2], || sandbox.command(&args[..args.len() - 1]));
    assert_eq!(unhealthy.code, Some(1), "{unhealthy:?}");
    assert!(unhealthy.stdout.contains("Inconclusive(baseline unhealthy)"), "{unhealthy:?}");
}

#[test]
fn the_variable_makes_a_dry_run_whatever_else_is_said() {
    let (sandbox, url) = (Sandbox::new(), service("200 OK"));
    let args = ["run", "--target", &url, "--scenario", "Light Network Delay", "--baseline-samples", "30"];
    let ended = unless_void(&sandbox, &VOID, || {
        let mut command = sandbox.command(&args);
        command.env("CHAOS_TEST_DRY_RUN", "1");
        command
    });
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("Skipped(dry run)"), "{ended:?}");
}

#[test]
fn a_group_is_run_and_what_cannot_be_is_named() {
    let (sandbox, url) = (Sandbox::new(), service("200 OK"));
    sandbox.write("own.yml", OWN);
    let group = ["--group", "brief", "--config", "own.yml", "--output"];
    let times = ["--baseline-samples", "40", "--monitor-duration", "5"];
    let ended = measured(&sandbox, &[&["run", "--target", &url][..], &times, &group].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains("not run: Busy Host: cpu_exhaust is not possible here: "), "{ended:?}");
    for rung in ["cgroup-workers: target was not started by this run", "; workers: target is not a process"] {
        assert!(ended.stderr.contains(rung), "{rung}: {ended:?}");
    }
    assert!(ended.stdout.contains("  Brief Delay  Pass     proxy      40.0 ms  "), "{ended:?}");
    assert!(ended.stdout.contains("  SLO \"default\" held under \"Brief Delay\"\n"), "{ended:?}");
    let refused =
        "  Busy Host    not run  -          -        -         -       -       cpu_exhaust is not possible";
    assert!(ended.stdout.contains(refused), "{ended:?}");
    assert!(ended.stdout.contains("\n1 of 1 test passed, 1 not run; records: runs/local-"), "{ended:?}");
    let [report] = &records(&sandbox)[..] else { panic!("one record") };
    assert_eq!(report.planned.baseline.as_millis(), 800);
    assert_eq!(report.planned.watch.as_secs(), 5);
    assert!(
        report.rerun.contains(" --baseline-samples 40 --monitor-duration 5 --config "),
        "{}",
        report.rerun
    );
    let plan = report.plan.as_ref().expect("a plan");
    assert!(!plan.dry_run && matches!(plan.injection, PlannedInjection::Possible { .. }));
    until("the end of the ledger", || !has_ledger(&sandbox));
    let merged: Value = serde_json::from_str(&sandbox.read("chaos_results.json")).unwrap();
    assert_eq!(merged["reports"][0]["test"], "brief_delay");
    assert!(merged["reports"][0]["trace"]["streams"][0]["samples"].as_array().unwrap().len() > 100);
    // It is no foreign record either, wherever it is put.
    sandbox.write(&format!("runs/{}/all.json", report.run_id), &sandbox.read("chaos_results.json"));
    let report = sandbox.run(&["report"]);
    assert_eq!(report.code, Some(0), "{report:?}");
    assert!(report.stdout.contains("`brief_delay`"), "{report:?}");
}

#[test]
fn a_warning_is_told_in_the_table_and_the_summary_and_fails_nothing() {
    let (sandbox, url) = (Sandbox::new(), service("200 OK"));
    let warning = "slo_severity: {warning: {max_latency_degradation_ms: 10, endpoints: [{endpoint: GET /, max_error_rate_percent: 1}]}}\n";
    sandbox.write("own.yml", &format!("{OWN}{warning}"));
    let scenario = ["run", "--target", &url, "--scenario", "Brief Delay", "--config", "own.yml"];
    let ended = measured(&sandbox, &[&scenario[..], &["--baseline-samples", "40"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("  Brief Delay  Pass, 1 warning  proxy  "), "{ended:?}");
    let sentence = "held under \"Brief Delay\", with a warning: p95 latency degradation ";
    assert!(ended.stdout.contains(sentence) && ended.stderr.contains(sentence), "{ended:?}");
    assert_eq!(ended.stderr.matches(sentence).count(), 1, "it is told once: {ended:?}");
    assert!(ended.stdout.contains("\n1 of 1 test passed, 1 warning; records: "), "{ended:?}");
    // Without a body nobody asks an endpoint.
    let [report] = &records(&sandbox)[..] else { panic!("one record") };
    assert!(report.slo.objectives.warnings.endpoints.is_empty());
}

#[test]
fn a_command_is_started_for_every_scenario_and_may_be_crashed() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "own.yml",
        r#"
scenarios:
  - {name: Brief Crash, type: container_crash, intensity: light, duration: 9, parameters: {downtime: 0.4}}
monitoring: {health_check: {endpoint: /api/health}}
slo_targets: {recovery: {required_health_checks: 1}}
"#,
    );
    let serve = format!("exec {} listen --port {{port}}", env!("CARGO_BIN_EXE_cargo-chaos"));
    let own =
        ["--scenario", "Brief Crash", "--config", "own.yml", "--baseline-samples", "40", "--duration", "3"];
    let ended = measured(&sandbox, &[&["run", "--command", &serve][..], &own].concat());
    let [report] = &records(&sandbox)[..] else { panic!("one record: {ended:?}") };
    assert_eq!(ended.code, Some(i32::from(!report.passed())), "{ended:?}");
    let delivery = report.trace.delivery.as_ref().expect("it was injected");
    assert_eq!((delivery.mechanism.as_str(), report.planned.chaos.as_secs()), ("sigkill", 3));
    assert!(delivery.readings.iter().all(|reading| reading.measured == 1.0), "{delivery:?}");
    let table = "SCENARIO     VERDICT";
    assert!(ended.stdout.contains(table) && ended.stdout.contains("  sigkill    down   down "), "{ended:?}");
    assert!(report.rerun.contains("--duration 3") && report.rerun.contains("--command 'exec "), "{report:?}");
    until("the end of the ledger", || !has_ledger(&sandbox));
}

#[test]
fn a_command_that_is_brought_back_may_be_tried_for_that() {
    let serve = format!("exec {} listen --port {{port}}", env!("CARGO_BIN_EXE_cargo-chaos"));
    let tried = |more: &[&str]| {
        let scenario = ["--scenario", "Service Recovery", "--baseline-samples", "30", "--dry-run"];
        measured(&Sandbox::new(), &[&["run", "--command", &serve][..], &scenario, more].concat())
    };
    let restarted = tried(&["--restart"]);
    assert_eq!(restarted.code, Some(0), "{restarted:?}");
    let alone = tried(&[]);
    assert_eq!(alone.code, Some(2), "{alone:?}");
    assert!(alone.stderr.contains("nothing would bring target back"), "{alone:?}");
}

#[test]
fn a_command_that_cannot_be_started_is_two() {
    let ended = Sandbox::new().run(&["run", "--command", "exec /no/such/program", "--scenario", "Light CPU"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("target ended before it was ready (exit status: 127)"), "{ended:?}");
    assert!(ended.stderr.contains("/no/such/program: not found"), "{ended:?}");
}

#[test]
fn a_host_may_be_stressed_for_a_url_on_it_if_the_caller_agrees() {
    let (sandbox, url) = (Sandbox::new(), service("200 OK"));
    sandbox.write("own.yml", OWN);
    let args = ["run", "--target", &url, "--scenario", "Busy Host", "--config", "own.yml", "--dry-run"];
    let args = [&args[..], &["--baseline-samples", "30", "--stress-host"]].concat();
    let agreed = measured(&sandbox, &args);
    assert_eq!(agreed.code, Some(0), "{agreed:?}");
    assert!(agreed.stderr.contains("processor time and memory of this host, as agreed"), "{agreed:?}");
    let elsewhere =
        ["run", "--target", "http://192.0.2.1:1", "--scenario", "Busy Host", "--config", "own.yml"];
    let elsewhere = ended(
        sandbox.command(&[&elsewhere[..], &["--stress-host"]].concat()).env("CHAOS_TEST_ALLOW", "192.0.2.1"),
    );
    assert_eq!(elsewhere.code, Some(1), "{elsewhere:?}");
    assert!(
        elsewhere.stderr.contains("only a loopback address tells that it is on this host"),
        "{elsewhere:?}"
    );
}

#[test]
fn a_target_that_is_not_well_is_one() {
    let (sandbox, url) = (Sandbox::new(), service("503 Service Unavailable"));
    let args =
        ["run", "--target", &url, "--scenario", "Light Network", "--baseline-samples", "30", "--dry-run"];
    let ended = unless_void(&sandbox, &VOID[..2], || sandbox.command(&args));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.contains("Inconclusive(baseline unhealthy)"), "{ended:?}");
}

#[test]
fn nothing_to_run_and_wrong_usage_are_two() {
    let (sandbox, url) = (Sandbox::new(), service("200 OK"));
    let said = |args: &[&str]| {
        let ended = sandbox.run(&[&["run"][..], args].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""), "{args:?}: {ended:?}");
        ended.stderr
    };
    let nothing = said(&["--target", &url, "--scenario", "Light CPU Stress"]);
    assert!(nothing.contains("not run: Light CPU Stress: cpu_exhaust is not possible here"), "{nothing}");
    assert!(nothing.contains("error: nothing could be run against this target"), "{nothing}");
    let forbidden = said(&["--target", &url, "--scenario", "Heavy Network Delay", "--slo", "prod"]);
    assert!(forbidden.contains("the SLO profile \"production\" does not allow it"), "{forbidden}");
    let ambiguous = said(&["--target", &url, "--scenario", "network delay"]);
    assert!(
        ambiguous.contains("is a part of 3 scenarios: give one of \"Light Network Delay\""),
        "{ambiguous}"
    );
    assert!(said(&["--target", &url, "--group", "smok"]).contains("no group named \"smok\""));
    assert!(said(&["--target", &url, "--slo", "stagin"]).contains("did you mean \"staging\"?"));
    assert!(said(&["--target", "https://localhost"]).contains("only http:// can be reached"));
    let login = said(&["--target", "http://me:secret@127.0.0.1:80"]);
    assert!(login.contains("only its host and port are used") && !login.contains("secret"), "{login}");
    assert!(said(&["--scenario", "Light Network Delay"]).contains("<--target <URL>|--command <COMMAND>>"));
    assert!(
        said(&["--target", &url, "--group", "smoke", "--intensity", "smoke"]).contains("cannot be used with")
    );
    assert!(said(&["--target", &url, "--baseline-samples", "5"]).contains("5 is not in 25.."));
    assert!(said(&["--target", &url, "--monitor-duration", "soon"]).contains("soon"));
}

#[test]
fn help_teaches() {
    let help = Sandbox::new().run(&["run", "--help"]);
    assert_eq!(help.code, Some(0));
    for code in 0..=2 {
        assert!(help.stdout.contains(&format!("\n  {code}  ")), "{code}");
    }
    assert!(help.stdout.contains("Examples:\n  cargo chaos run --command"));
    let widest = help.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(110), "{widest:?}");
}
