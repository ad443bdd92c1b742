//! A catalogue as an editor sees it: what the reader takes is valid, and little else is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chaos_test::model::Catalogue;
use jsonschema::Validator;
use serde_json::Value;

/// Files of `scenarios/invalid` that no schema can refuse: what is wrong in them takes more than one value to see.
const ONLY_THE_READER_SEES: [&str; 6] = [
    "downtime_too_long",
    "duplicate_scenario",
    "duplicate_slug",
    "duplicate_slug_builtin",
    "environment_unknown_scenario",
    "group_unknown_scenario",
];

fn validator() -> Validator {
    jsonschema::draft7::new(&Catalogue::schema()).unwrap()
}

/// A file as YAML 1.2 has it, which is what editors read; `None` where it is no YAML.
fn yaml(bytes: &[u8]) -> Option<Value> {
    let options = serde_yaml::options! {
        budget: serde_yaml::budget! { max_depth: 24, flow_nesting_limit: 200, max_nodes: 50_000 },
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_yaml::from_str_with_options(std::str::from_utf8(bytes).ok()?, options).ok()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every YAML file below that directory; links are not followed.
fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = entry.path();
        let name = entry.file_name().into_string().unwrap_or_default();
        if entry.file_type().unwrap().is_dir() {
            if !name.starts_with('.') && name != "target" {
                files(&path, found);
            }
        } else if name.ends_with(".yml") || name.ends_with(".yaml") {
            found.push(path);
        }
    }
}

#[test]
fn every_catalogue_of_this_repository_is_valid() {
    let schema = validator();
    let mut found = Vec::new();
    files(&repository(), &mut found);
    let mut count = 0;
    for file in found {
        let bytes = fs::read(&file).unwrap();
        if Catalogue::read("file", &bytes).is_err() {
            continue;
        }
        let value = yaml(&bytes).unwrap_or_else(|| panic!("{} is read as YAML", file.display()));
        let errors: Vec<String> = schema
            .iter_errors(&value)
            .map(|error| format!("{}: {}: {error}", file.display(), error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        count += 1;
    }
    // The built-in one, three of the tests, one of the examples.
    assert!(count >= 5, "only {count} catalogues were found");
}

#[test]
fn the_corpus_of_bad_files_is_invalid_but_for_what_no_schema_can_see() {
    let schema = validator();
    let mut found = Vec::new();
    files(&repository().join("scenarios/invalid"), &mut found);
    assert!(found.len() >= 30, "only {} files", found.len());
    let valid: BTreeSet<String> = found
        .iter()
        .filter(|file| yaml(&fs::read(file).unwrap()).is_some_and(|value| schema.is_valid(&value)))
        .map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let expected: BTreeSet<String> = ONLY_THE_READER_SEES.map(str::to_owned).into();
    assert_eq!(valid, expected);
}

/// A catalogue of one scenario of that type, with whatever else it has.
fn one(kind: &str, more: &str) -> String {
    format!("scenarios: [{{name: Mine, type: {kind}, intensity: light, duration: 30{more}}}]")
}

#[track_caller]
fn assert_alike(schema: &Validator, text: &str, good: bool) {
    let read = Catalogue::read("file", text.as_bytes());
    let mistakes = read.err().map_or_else(String::new, |mistakes| mistakes.to_string());
    assert_eq!(mistakes.is_empty(), good, "the reader: {text}\n{mistakes}");
    let value = yaml(text.as_bytes()).unwrap_or_else(|| panic!("it is YAML: {text}"));
    let errors: Vec<String> = schema.iter_errors(&value).map(|error| error.to_string()).collect();
    assert_eq!(errors.is_empty(), good, "the schema: {text}\n{}", errors.join("\n"));
}

#[test]
fn what_the_reader_takes_is_valid() {
    let schema = validator();
    for text in [
        "scenarios: []",
        "scenario_groups: {}",
        "scenarios: [{name: 遅い網, type: database_down, intensity: heavy, duration: 1.5m}]",
        "scenario_groups: {mine: {scenarios: [Light CPU Stress]}}",
        "slo_targets: {mttr_seconds: 0}",
        "slo_targets: {mttr_seconds: '45'}",
        "slo_targets: {mttr_seconds: 31536000}",
        "slo_targets: {mttr_seconds: 500 µs}",
        "slo_targets: {max_error_rate_percent: 0, min_availability_percent: 100}",
        "slo_targets: {max_error_rate_percent: '5 %'}",
        "slo_targets: {max_latency_degradation_ms: 0, max_latency_p95_ms: .5s}",
        "slo_targets: {min_throughput_per_second: 30/min}",
        "slo_targets: {min_throughput_per_second: 1000}",
        "slo_targets: {recovery: {required_health_checks: 1000}}",
        "slo_targets: {endpoints: [{endpoint: 'GET /orders/{id}', max_latency_p50_ms: 5}]}",
        "slo_severity: {warning: {}, blocking: {max_recovery_time_seconds: 1h}}",
        "environments: {qa: {}}",
        "environments: {qa: {allowed_scenarios: []}}",
        "safety: {auto_rollback: yes, cooldown_seconds: 0, require_confirmation: []}",
        "safety: {allowed_targets: [db.example, 10.1.0.0/16, '[fd00::1]:80']}",
        "monitoring: {metrics: [], health_check: {endpoint: /}}",
    ] {
        assert_alike(&schema, text, true);
    }
    for (kind, more) in [
        ("cpu_exhaust", ", parameters: {cpu_workers: 1024, cpu_load_percent: 12.5%}"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 2.0}, mechanism: workers"),
        ("memory_leak", ", parameters: {memory_size: 4096}"),
        ("memory_leak", ", parameters: {memory_size: .5 GiB}"),
        ("network_delay", ", parameters: {delay_ms: 0.5, jitter_ms: 0, bandwidth: 1m}, fidelity: packet"),
        ("network_loss", ", parameters: {loss_percent: 100, connections: half_open}, target: app"),
        ("disk_stress", ", parameters: {io_workers: 1}"),
        ("disk_stress", ", parameters: {sync_delay_ms: 5}, mechanism: seccomp-notify"),
        ("disk_stress", ", parameters: {sync_error: ENOSPC, expected_impact: Much.}"),
        ("container_crash", ""),
        ("container_crash", ", parameters: {}, abort_conditions: {}"),
        ("container_crash", ", parameters: {downtime: 29.9}, abort_conditions: {consecutive_failures: 1}"),
        ("database_down", ", parameters: {mode: partition, database: postgres}"),
        ("service_recovery", ", parameters: {recovery_time_expected: 5s}, description: ''"),
    ] {
        assert_alike(&schema, &one(kind, more), true);
    }
}

#[test]
fn what_neither_takes() {
    let schema = validator();
    for text in [
        "{}",
        "[]",
        "scenarios:",
        "scenarios: [{name: '?', type: database_down, intensity: heavy, duration: 30}]",
        "scenario_groups: {mine: {scenarios: []}}",
        "scenario_groups: {mine: {scenarios: [Light CPU Stress, Light CPU Stress]}}",
        "scenario_groups: {mine: [Light CPU Stress]}",
        "slo_targets: {mttr_seconds: 31536001}",
        "slo_targets: {mttr_seconds: 1 minute}",
        "slo_targets: {mttr_seconds: .}",
        "slo_targets: {max_error_rate_percent: 100.1}",
        "slo_targets: {max_error_rate_percent: 5%%}",
        "slo_targets: {max_latency_degradation_ms: '200'}",
        "slo_targets: {max_latency_p95_ms: 0}",
        "slo_targets: {max_recovery_time_seconds: 5}",
        "slo_targets: {min_throughput_per_second: 0.01}",
        "slo_targets: {recovery: {max_recovery_time_seconds: 0}}",
        "slo_targets: {endpoints: [{endpoint: GET /}]}",
        "slo_targets: {endpoints: [{endpoint: 'GET /a?b', max_latency_p50_ms: 5}]}",
        "slo_severity: {warning: {recovery: {}}}",
        "environments: {dev: {}}",
        "environments: {qa: {mttr_seconds: 5}}",
        "safety: {auto_rollback: false}",
        "safety: {abort_conditions: {consecutive_failures: 0}}",
        "monitoring: {metrics: [weather]}",
        "monitoring: {health_check: {endpoint: health}}",
        "monitoring: {health_check: {endpoint: //elsewhere/health}}",
        "monitoring: {health_check: {endpoint: '/\\elsewhere/health'}}",
    ] {
        assert_alike(&schema, text, false);
    }
    for (kind, more) in [
        ("cpu_exhaust", ""),
        ("cpu_exhaust", ", parameters: {}"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 1025}"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 1.5}"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 1, cpu_load_percent: 0}"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 1, io_workers: 1}"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 1}, fidelity: packet"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 1}, mechanism: netem"),
        ("cpu_exhaust", ", parameters: {cpu_workers: 1}, cpu_workers: 1"),
        ("memory_leak", ", parameters: {memory_size: 4095}"),
        ("memory_leak", ", parameters: {memory_size: 1 Gi}"),
        ("network_delay", ", parameters: {delay_ms: 0}"),
        ("network_loss", ", parameters: {loss_percent: 5, connections: refused}"),
        ("disk_stress", ", parameters: {expected_impact: None.}"),
        ("disk_stress", ", parameters: {io_workers: 1, sync_error: EIO}"),
        ("disk_stress", ", parameters: {sync_delay_ms: 1, sync_error: EIO}"),
        ("container_crash", ", parameters: {downtime: 0}"),
        ("container_crash", ", parameters: ~"),
        ("database_down", ", target: ''"),
        ("earthquake", ""),
    ] {
        assert_alike(&schema, &one(kind, more), false);
    }
}
