//! A user's file over the built-in one: what it replaces, adds, inherits, and may write in other ways.

use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::model::{
    AbortConditions, Bounds, Catalogue, ConnectionFault, Fault, Fidelity, Intensity, OutageMode, Pin,
    SyncFault,
};
use chaos_test::units::{ByteSize, Percent, Rate};

#[track_caller]
fn read(yaml: &str) -> Catalogue {
    Catalogue::read("chaos.yml", yaml.as_bytes()).unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_scenario_of_the_same_name_replaces_in_its_place() {
    let catalogue = read(
        "scenarios:
  - {name: Light CPU Stress, type: cpu_exhaust, intensity: light, duration: 5, parameters: {cpu_workers: 1}}
  - {name: Own, type: service_recovery, intensity: heavy, duration: 1m}
",
    );
    let names: Vec<&str> = catalogue.scenarios().iter().map(|scenario| scenario.name.as_str()).collect();
    assert_eq!((names.len(), names[0], names[19]), (20, "Light CPU Stress", "Own"));
    let replaced = catalogue.scenario("Light CPU Stress").unwrap();
    assert_eq!(
        (replaced.duration, replaced.fault.to_string()),
        (secs(5), "cpu_exhaust 1 workers".to_owned())
    );
    // Replaced as a whole: the built-in description does not shine through.
    assert_eq!((replaced.description.as_str(), &replaced.expected_impact), ("", &None));
    assert_eq!(catalogue.scenario("Own").unwrap().duration, secs(60));
    assert_eq!(catalogue.scenario("Own").unwrap().intensity, Intensity::Heavy);
    assert_eq!(catalogue.groups(), Catalogue::builtin().groups());
}

#[test]
fn groups_replace_by_name_and_may_mix_old_and_new_scenarios() {
    let catalogue = read(
        "scenarios:
  - {name: Own, type: service_recovery, intensity: heavy, duration: 60}
scenario_groups:
  smoke_test: {scenarios: [Own]}
  mine: {description: Mine., scenarios: [Own, Light CPU Stress]}
",
    );
    assert_eq!(catalogue.groups().len(), 6);
    assert_eq!(catalogue.group("smoke").unwrap().scenarios, ["Own"]);
    assert_eq!(catalogue.group("mine").unwrap().scenarios, ["Own", "Light CPU Stress"]);
}

#[test]
fn a_group_of_exactly_that_name_comes_before_a_short_name() {
    let catalogue = read("scenario_groups: {smoke: {scenarios: [Service Recovery]}}\n");
    assert_eq!(catalogue.group("smoke").unwrap().scenarios, ["Service Recovery"]);
    assert_eq!(catalogue.group("smoke_test").unwrap().scenarios.len(), 3);
}

#[test]
fn slo_targets_are_overridden_key_by_key_and_inherited_by_environments() {
    let catalogue = read(
        "slo_targets:
  mttr_seconds: 20
  max_latency_degradation_ms: 250ms
  recovery: {required_health_checks: 5}
environments:
  staging: {slo_targets: {max_error_rate_percent: 2%}}
  qa: {slo_targets: {recovery: {max_recovery_time_seconds: 3s}}}
",
    );
    let base = catalogue.profile(None).unwrap();
    assert_eq!(base.name, "default");
    assert_eq!(base.objectives.time_to_recover, Some(secs(20)));
    assert_eq!(base.objectives.error_rate, Percent::new(5.0).ok());
    assert_eq!(base.objectives.latency_degradation, Some(Duration::from_millis(250)));
    assert_eq!(base.objectives.recovery.time, Some(secs(10)));
    assert_eq!(base.objectives.recovery.required_health_checks, 5);

    let staging = catalogue.profile(Some("staging")).unwrap().objectives;
    assert_eq!(staging.time_to_recover, Some(secs(45)), "the environment's own, from the built-in file");
    assert_eq!(staging.error_rate, Percent::new(2.0).ok(), "overridden");
    assert_eq!(staging.latency_degradation, Some(Duration::from_millis(250)), "inherited");

    let qa = catalogue.profile(Some("qa")).unwrap().objectives;
    assert_eq!(qa.time_to_recover, Some(secs(20)));
    assert_eq!((qa.recovery.time, qa.recovery.required_health_checks), (Some(secs(3)), 5));
    assert_eq!(catalogue.profiles().len(), 5);
}

#[test]
fn an_environment_keeps_what_it_is_not_told_to_change() {
    let catalogue = read("environments: {production: {slo_targets: {mttr_seconds: 5}}}\n");
    let production = catalogue.profile(Some("prod")).unwrap();
    assert_eq!(production.objectives.time_to_recover, Some(secs(5)));
    assert_eq!(production.objectives.availability, Percent::new(99.0).ok());
    assert_eq!(production.allowed_scenarios.unwrap().len(), 4);
    assert!(catalogue.profile_description("production").contains("Users"));

    let catalogue = read("environments: {production: {allowed_scenarios: []}}\n");
    assert_eq!(catalogue.profile(Some("prod")).unwrap().allowed_scenarios, Some(Vec::new()));
}

#[test]
fn safety_and_monitoring_are_overridden_key_by_key() {
    let catalogue = read(
        "safety: {cooldown_seconds: 0, abort_conditions: {consecutive_failures: 3}, require_confirmation: [], allowed_targets: ['*.staging.example:80']}
monitoring: {health_check: {endpoint: /healthz}, alerts: {cpu_threshold: 50}, metrics: [cpu_usage]}
",
    );
    let (safety, old) = (catalogue.safety(), Catalogue::builtin().safety());
    assert_eq!((safety.cooldown, safety.max_total_duration), (Duration::ZERO, old.max_total_duration));
    assert_eq!(safety.abort_conditions.consecutive_failures, Some(3));
    assert_eq!(safety.abort_conditions.error_rate, old.abort_conditions.error_rate);
    assert!(safety.require_confirmation.is_empty());
    assert_eq!(safety.allowed_targets, ["*.staging.example:80".parse().unwrap()]);
    assert!(old.allowed_targets.is_empty());
    let (monitoring, old) = (catalogue.monitoring(), Catalogue::builtin().monitoring());
    assert_eq!(monitoring.health_check.endpoint, "/healthz");
    assert_eq!(monitoring.health_check.timeout, old.health_check.timeout);
    assert_eq!(monitoring.alerts.memory, old.alerts.memory);
    assert_eq!((monitoring.metrics.len(), monitoring.alerts.cpu), (1, Percent::new(50.0).ok()));
}

#[test]
fn severity_is_there_when_the_file_has_it() {
    let catalogue = read("slo_severity: {blocking: {max_recovery_time_seconds: 30, mttr_seconds: 60s}}\n");
    let severity = catalogue.severity().unwrap();
    assert_eq!(severity.blocking.recovery_time, Some(secs(30)));
    assert_eq!(severity.blocking.time_to_recover, Some(secs(60)));
    assert_eq!(severity.warning, Bounds::default());
}

/// A blocking bound takes the place of every profile's; what it leaves out stays the profile's own.
#[test]
fn severity_is_in_every_profile() {
    let catalogue = read(
        "slo_severity:
  blocking: {max_error_rate_percent: 3, max_recovery_time_seconds: 7}
  warning: {max_latency_p99_ms: 300, min_throughput_per_second: 30/min}
",
    );
    for name in [None, Some("dev"), Some("staging"), Some("prod")] {
        let (ours, builtin) =
            (catalogue.profile(name).unwrap(), Catalogue::builtin().profile(name).unwrap().objectives);
        let objectives = ours.objectives;
        assert_eq!(objectives.error_rate, Percent::new(3.0).ok());
        assert_eq!(objectives.recovery.time, Some(secs(7)));
        assert_eq!(objectives.time_to_recover, builtin.time_to_recover);
        assert_eq!(objectives.availability, builtin.availability);
        assert_eq!(objectives.warnings.latency.p99, Some(Duration::from_millis(300)));
        assert_eq!(objectives.warnings.throughput, Rate::per_second(0.5).ok());
        assert_eq!(builtin.warnings, Bounds::default());
    }
}

#[test]
fn endpoints_are_inherited_one_by_one_and_bound_by_bound() {
    let catalogue = read(
        "slo_targets:
  max_latency_p95_ms: 400
  endpoints:
    - {endpoint: POST /orders, max_error_rate_percent: 1, max_latency_p95_ms: 300}
    - {endpoint: \"GET /orders/{id}\", max_latency_p50_ms: 20}
environments:
  staging:
    slo_targets:
      min_throughput_per_second: 18
      endpoints:
        - {endpoint: POST /orders, max_error_rate_percent: 2}
        - {endpoint: GET /menu, max_latency_p99_ms: 1s}
",
    );
    let phrases = |name| catalogue.profile(name).unwrap().objectives.bounds().further_phrases();
    assert_eq!(
        phrases(None),
        [
            "p95 latency ≤ 400 ms",
            "POST /orders: error rate ≤ 1 %",
            "POST /orders: p95 latency ≤ 300 ms",
            "GET /orders/{id}: p50 latency ≤ 20 ms"
        ]
    );
    assert_eq!(
        phrases(Some("staging")),
        [
            "p95 latency ≤ 400 ms",
            "throughput ≥ 18/s",
            "POST /orders: error rate ≤ 2 %",
            "POST /orders: p95 latency ≤ 300 ms",
            "GET /orders/{id}: p50 latency ≤ 20 ms",
            "GET /menu: p99 latency ≤ 1 s"
        ]
    );
}

#[test]
fn every_parameter_can_be_written() {
    let catalogue = read(
        "scenarios:
  - name: Jitter
    type: network_delay
    intensity: light
    duration: 1.5s
    target: api
    parameters: {delay_ms: 2.5, jitter_ms: \"20ms\", bandwidth: 1M, interface: eth1, expected_impact: Waits.}
    fidelity: packet
    abort_conditions: {error_rate_percent: 90}
  - name: Loss
    type: network_loss
    intensity: light
    duration: 2m
    parameters: {loss_percent: 0.5, connections: half_open}
    mechanism: proxy
  - name: Half
    type: cpu_exhaust
    intensity: light
    duration: 1
    parameters: {cpu_workers: 2, cpu_load_percent: 50}
  - name: Syncs
    type: disk_stress
    intensity: light
    duration: 1
    parameters: {sync_delay_ms: 20}
  - name: Leak
    type: memory_leak
    intensity: light
    duration: 500ms
    parameters: {memory_size: 1048576}
  - name: Crash
    type: container_crash
    intensity: light
    duration: 30.0
    parameters: {container: web, downtime: 500ms}
  - name: Hang
    type: database_down
    intensity: light
    duration: \"45\"
    parameters: {database: db, mode: hang, recovery_time_expected: 5s}
  - name: Platform
    type: service_recovery
    intensity: light
    duration: 1h
    parameters: {container: web, recovery_time_expected: 5}
",
    );
    let scenario = |name: &str| catalogue.scenario(name).unwrap().clone();
    let (interface, delay, jitter) =
        (Some("eth1".into()), Duration::from_micros(2500), Duration::from_millis(20));
    let bandwidth = Some(ByteSize::new(1 << 20));
    assert_eq!(scenario("Jitter").fault, Fault::NetworkDelay { delay, jitter, bandwidth, interface });
    let packet = Pin { mechanism: None, fidelity: Some(Fidelity::Packet) };
    assert_eq!(scenario("Jitter").pin, packet);
    assert_eq!(scenario("Jitter").service(), Some("api"));
    assert_eq!(scenario("Jitter").expected_impact.as_deref(), Some("Waits."));
    let own = AbortConditions { error_rate: Percent::new(90.0).ok(), ..AbortConditions::default() };
    assert_eq!(scenario("Jitter").abort_conditions, Some(own), "in place of the catalogue's, not over them");
    let loss = Percent::new(0.5).unwrap();
    let connections = Some(ConnectionFault::HalfOpen);
    assert_eq!(scenario("Loss").fault, Fault::NetworkLoss { loss, connections, interface: None });
    assert_eq!(scenario("Loss").pin, Pin { mechanism: Some("proxy".into()), fidelity: None });
    let (workers, load) = (NonZeroU32::new(2).unwrap(), Percent::new(50.0).unwrap());
    assert_eq!(scenario("Half").fault, Fault::CpuExhaust { workers, load });
    let sync = Some(SyncFault::Delay(Duration::from_millis(20)));
    assert_eq!(scenario("Syncs").fault, Fault::DiskStress { workers: NonZeroU32::MIN, sync });
    assert!(scenario("Leak").pin == Pin::default());
    assert_eq!(scenario("Leak").fault, Fault::MemoryLeak { size: ByteSize::new(1 << 20) });
    let crash = Fault::ContainerCrash {
        container: Some("web".into()),
        downtime: Duration::from_millis(500),
        recovery_time_expected: None,
    };
    assert_eq!((scenario("Crash").fault, scenario("Crash").duration), (crash, secs(30)));
    let hang = Fault::DatabaseDown {
        database: Some("db".into()),
        mode: OutageMode::Hang,
        recovery_time_expected: Some(secs(5)),
    };
    assert_eq!((scenario("Hang").fault, scenario("Hang").duration), (hang, secs(45)));
    assert_eq!(scenario("Platform").service(), Some("web"));
    assert_eq!(scenario("Platform").duration, secs(3600));
}

#[test]
fn anchors_aliases_and_merge_keys_work() {
    let catalogue = read(
        "scenarios:
  - &base
    name: First
    type: cpu_exhaust
    intensity: light
    duration: 30
    parameters: &two {cpu_workers: 2}
  - {name: Second, type: cpu_exhaust, intensity: heavy, duration: 60, parameters: *two}
  - <<: *base
    name: Third
    duration: 5
",
    );
    let third = catalogue.scenario("Third").unwrap();
    assert_eq!((third.duration, third.intensity), (secs(5), Intensity::Light));
    assert_eq!(catalogue.scenario("Second").unwrap().fault, third.fault);
}

#[test]
fn line_endings_and_a_byte_order_mark_do_not_matter() {
    let windows = format!("\u{feff}{}", Catalogue::BUILTIN.replace('\n', "\r\n"));
    assert_eq!(&read(&windows), Catalogue::builtin());
    let mistakes =
        Catalogue::read("chaos.yml", "\u{feff}safty: {}\r\nsafety: {x: 1}\r\n".as_bytes()).unwrap_err();
    let places: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.column)).collect();
    assert_eq!(places, [(1, 1), (2, 10)]);
}

#[test]
fn mistakes_can_be_read_by_programs() {
    let mistakes =
        Catalogue::read("chaos.yml", b"safety: {cooldown_seconds: -1}\nscenaros: []\n").unwrap_err();
    assert_eq!(mistakes.count(), 2);
    let last = mistakes.iter().last().unwrap();
    assert_eq!((last.file.as_str(), last.line, last.column), ("chaos.yml", 2, 1));
    assert_eq!(last.help.as_deref(), Some("did you mean `scenarios`?"));
    let excerpt = last.excerpt.as_ref().unwrap();
    assert_eq!((excerpt.text.as_str(), excerpt.offset, excerpt.width), ("scenaros: []", 0, 8));
}
