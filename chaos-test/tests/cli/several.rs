use crate::runs::{measured, service};
use crate::sandbox::Sandbox;

const TWO: &str = r#"
scenarios:
  - {name: Brief Delay, type: network_delay, intensity: light, duration: 3.5, parameters: {delay_ms: 40}}
  - {name: Longer Delay, type: network_delay, intensity: light, duration: 3.5, parameters: {delay_ms: 60}}
scenario_groups:
  brief: {description: Ours, scenarios: [Brief Delay, Longer Delay]}
slo_targets:
  recovery: {required_health_checks: 1}
safety: {cooldown_seconds: 1}
"#;

#[test]
fn the_scenarios_of_a_group_come_one_after_the_other_with_the_cooldown_in_between() {
    let (sandbox, url) = (Sandbox::new(), service("200 OK"));
    sandbox.write("own.yml", TWO);
    let group = ["--group", "brief", "--config", "own.yml", "--baseline-samples", "40"];
    let ended = measured(&sandbox, &[&["run", "--target", &url][..], &group].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let mut rest = ended.stderr.as_str();
    for line in [
        "[1 of 2] Brief Delay: network_delay 40 ms\n",
        "leaving the target alone for 1 s\n",
        "[2 of 2] Longer Delay: network_delay 60 ms\n",
    ] {
        let (_, behind) = rest.split_once(line).unwrap_or_else(|| panic!("no {line:?} in {}", ended.stderr));
        rest = behind;
    }
    // Not behind the last one: nothing comes after it.
    assert!(!rest.contains("leaving the target alone"), "{}", ended.stderr);
    assert!(ended.stdout.contains("\n2 of 2 tests passed; records: runs/local-"), "{}", ended.stdout);
}
