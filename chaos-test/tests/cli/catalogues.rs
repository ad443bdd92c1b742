use chaos_test::model::{Catalogue, slug};
use insta::assert_snapshot;
use serde_json::Value;

use crate::sandbox::Sandbox;

const OWN: &str = r#"
scenarios:
  - name: Busy Payments
    type: cpu_exhaust
    intensity: light
    duration: 20
    description: |
      Two busy workers
      beside the payments.
    parameters: {cpu_workers: 2}
scenario_groups:
  payments: {description: Ours, scenarios: [Busy Payments, Light Network Delay]}
environments:
  canary: {slo_targets: {max_error_rate_percent: 0.5}, allowed_scenarios: [Busy Payments]}
"#;

const MISTAKEN: &str =
    "scenario_groups:\n  ours: {description: x, scenarios: [Light CPU Stres]}\nsafty: {}\n";

#[test]
fn list_shows_every_scenario_with_its_test_name_and_how_it_is_made() {
    let ended = Sandbox::new().run(&["list"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    for scenario in Catalogue::builtin().scenarios() {
        let prefix = format!("  {} ", scenario.name);
        let line = ended.stdout.lines().find(|line| line.starts_with(&prefix)).expect(&scenario.name);
        let mechanisms = scenario.fault.kind().mechanisms().join(", ");
        let name = format!(" {} ", slug(&scenario.name));
        for part in [
            scenario.fault.kind().name(),
            scenario.intensity.name(),
            &mechanisms,
            &name,
            &scenario.description,
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
    }
    for group in Catalogue::builtin().groups() {
        assert!(ended.stdout.contains(&group.scenarios.join(", ")), "{}", group.name);
    }
}

#[test]
fn list_adds_what_a_file_of_ones_own_adds() {
    let sandbox = Sandbox::new();
    sandbox.write("scenarios/chaos_scenarios.yml", OWN);
    sandbox.write("Cargo.toml", "[package]\nname = \"shop\"\n");
    sandbox.write("src/deep/lib.rs", "");
    let here = sandbox.run(&["list"]).stdout;
    let mine: Vec<&str> = here
        .lines()
        .filter(|line| {
            ["Payments", "payments", "canary", "Scenarios of"].iter().any(|word| line.contains(word))
        })
        .collect();
    assert_snapshot!(mine.join("\n"), @r#"
    Scenarios of the built-in catalogue and scenarios/chaos_scenarios.yml
      Busy Payments                  cpu_exhaust       light      20 s      cgroup-workers, workers, sidecar-workers                                   busy_payments                  Two busy workers beside the payments.
      payments              Busy Payments, Light Network Delay
      canary       ≤ 0.5 %     ≥ 95 %        ≤ 500 ms         ≤ 30 s           ≤ 10 s         Busy Payments
    "#);
    // The same from anywhere in the package, and when it is named.
    let below = sandbox.command(&["list"]).current_dir(sandbox.path("src/deep")).output().unwrap();
    assert!(String::from_utf8(below.stdout).unwrap().contains("Busy Payments"));
    let named = sandbox.run(&["list", "--catalogue", "scenarios/chaos_scenarios.yml"]).stdout;
    assert_eq!(named, here);
}

#[test]
fn list_for_programs() {
    let sandbox = Sandbox::new();
    let file = sandbox.write("own.yml", OWN);
    let ended = sandbox.run(&["list", "--json", "--catalogue", file.to_str().unwrap()]);
    let list: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(list["catalogue"], "own.yml");
    let scenarios = list["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), Catalogue::builtin().scenarios().len() + 1);
    assert_snapshot!(format!("{:#}", scenarios.last().unwrap()), @r#"
    {
      "description": "Two busy workers\nbeside the payments.\n",
      "duration_seconds": 20.0,
      "expected_impact": null,
      "fault": "cpu_exhaust 2 workers",
      "fidelity": null,
      "intensity": "light",
      "mechanisms": [
        "cgroup-workers",
        "workers",
        "sidecar-workers"
      ],
      "name": "Busy Payments",
      "target": null,
      "test": "busy_payments",
      "type": "cpu_exhaust"
    }
    "#);
    assert_snapshot!(format!("{:#}", list["scenario_groups"].as_array().unwrap().last().unwrap()), @r#"
    {
      "description": "Ours",
      "name": "payments",
      "scenarios": [
        "Busy Payments",
        "Light Network Delay"
      ]
    }
    "#);
    assert_snapshot!(format!("{:#}", list["slo_profiles"].as_array().unwrap().last().unwrap()), @r#"
    {
      "allowed_scenarios": [
        "Busy Payments"
      ],
      "description": "",
      "endpoints": [],
      "health_check_interval_seconds": 2.0,
      "max_error_rate_percent": 0.5,
      "max_latency_degradation_ms": 500.0,
      "max_latency_p50_ms": null,
      "max_latency_p95_ms": null,
      "max_latency_p99_ms": null,
      "max_recovery_time_seconds": 10.0,
      "min_availability_percent": 95.0,
      "min_throughput_per_second": null,
      "mttr_seconds": 30.0,
      "name": "canary",
      "required_health_checks": 3,
      "warning": {
        "endpoints": [],
        "max_error_rate_percent": null,
        "max_latency_degradation_ms": null,
        "max_latency_p50_ms": null,
        "max_latency_p95_ms": null,
        "max_latency_p99_ms": null,
        "max_recovery_time_seconds": null,
        "min_availability_percent": null,
        "min_throughput_per_second": null,
        "mttr_seconds": null
      }
    }
    "#);
}

#[test]
fn bounds_beyond_the_usual_ones_are_listed_where_there_are_any() {
    let sandbox = Sandbox::new();
    assert!(!sandbox.run(&["list"]).stdout.contains("MORE"));
    sandbox.write(
        "more.yml",
        "slo_targets: {max_latency_p99_ms: 300, endpoints: [{endpoint: GET /menu, max_error_rate_percent: 1}]}
slo_severity: {warning: {min_throughput_per_second: 18}}
",
    );
    let list = sandbox.run(&["list", "--catalogue", "more.yml"]);
    assert!(list.stdout.contains("  SCENARIOS  "), "{list:?}");
    assert!(list.stdout.contains("  MORE\n"), "{list:?}");
    let more = "  p99 latency ≤ 300 ms; GET /menu: error rate ≤ 1 %; warns: throughput ≥ 18/s\n";
    assert_eq!(list.stdout.matches(more).count(), 4, "{list:?}");
}

#[test]
fn a_bad_catalogue_is_two_and_every_mistake_is_shown() {
    let sandbox = Sandbox::new();
    sandbox.write("bad.yml", MISTAKEN);
    let check = sandbox.run(&["check", "bad.yml"]);
    assert_eq!((check.code, check.stdout.as_str()), (Some(2), ""));
    assert_snapshot!(check.stderr, @r#"
    error: group "ours" names "Light CPU Stres", but no scenario has this name
      --> bad.yml:2:38
       |
     2 |   ours: {description: x, scenarios: [Light CPU Stres]}
       |                                      ^^^^^^^^^^^^^^^
       = help: did you mean "Light CPU Stress"?

    error: the key `safty` in the catalogue is not known
      --> bad.yml:3:1
       |
     3 | safty: {}
       | ^^^^^
       = help: did you mean `safety`?

    2 mistakes in bad.yml
    "#);
    let list = sandbox.run(&["list", "--catalogue", "bad.yml"]);
    assert_eq!((list.code, list.stdout.as_str()), (Some(2), ""));
    assert_eq!(list.stderr.trim(), check.stderr.trim());
    // The same when it is the one that applies.
    sandbox.write("chaos_scenarios.yml", MISTAKEN);
    assert_eq!(sandbox.run(&["check"]).code, Some(2));
    assert_eq!(sandbox.run(&["list"]).code, Some(2));
}

#[test]
fn a_file_that_is_not_there_is_two_and_the_others_are_checked() {
    let sandbox = Sandbox::new();
    sandbox.write("own.yml", OWN);
    let ended = sandbox.run(&["check", "nowhere.yml", "own.yml"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.starts_with("error: cannot read nowhere.yml: "), "{ended:?}");
    assert_eq!(
        ended.stdout,
        "own.yml: no mistakes: 1 scenario (20 with the built-in ones), 6 groups, 5 SLO profiles\n"
    );
}

#[test]
fn check_without_a_file_checks_the_one_that_applies() {
    let sandbox = Sandbox::new();
    let ended = sandbox.run(&["check"]);
    assert_eq!(ended.code, Some(0));
    assert!(
        ended
            .stdout
            .starts_with("the built-in catalogue (no file of your own applies here): no mistakes: 19")
    );
    sandbox.write("chaos_scenarios.yml", OWN);
    let ended = sandbox.run(&["check"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    assert!(ended.stdout.starts_with("chaos_scenarios.yml: no mistakes: 1 scenario "), "{ended:?}");
    let mut elsewhere = sandbox.command(&["check"]);
    let output = elsewhere.env("CHAOS_TEST_CATALOGUE", "missing.yml").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
