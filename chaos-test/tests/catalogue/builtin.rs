//! The built-in file: exactly the scenarios, groups and bounds it is documented to have.

use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::model::{
    AbortConditions, Alerts, Catalogue, Fault, FaultKind, HealthCheck, Intensity, Metric, Monitoring,
    OutageMode, Safety, slug,
};
use chaos_test::units::{ByteSize, Percent};

const MIB: u64 = 1024 * 1024;

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn percent(value: f64) -> Percent {
    Percent::new(value).unwrap()
}

fn levels(thing: &str) -> [(String, Intensity); 3] {
    let levels = [Intensity::Light, Intensity::Medium, Intensity::Heavy];
    levels.map(|level| (format!("{}{} {thing}", level.name()[..1].to_uppercase(), &level.name()[1..]), level))
}

/// Name, fault, intensity and seconds of every scenario.
fn documented() -> Vec<(String, Fault, Intensity, u64)> {
    let interface = Some("eth0".to_owned());
    let mut all = Vec::new();
    let mut family = |thing: &str, seconds: [u64; 3], fault: &dyn Fn(usize) -> Fault| {
        for (index, (name, intensity)) in levels(thing).into_iter().enumerate() {
            all.push((name, fault(index), intensity, seconds[index]));
        }
    };
    let number = |n: u32| NonZeroU32::new(n).unwrap();
    family("CPU Stress", [30, 45, 60], &|i| Fault::CpuExhaust {
        workers: number([2, 4, 8][i]),
        load: Percent::HUNDRED,
    });
    family("Memory Stress", [30, 45, 60], &|i| Fault::MemoryLeak {
        size: ByteSize::new([256, 512, 1024][i] * MIB),
    });
    family("Network Delay", [30, 45, 60], &|i| Fault::NetworkDelay {
        delay: Duration::from_millis([50, 200, 500][i]),
        jitter: Duration::ZERO,
        bandwidth: None,
        interface: interface.clone(),
    });
    family("Packet Loss", [30, 45, 30], &|i| Fault::NetworkLoss {
        loss: percent([5.0, 15.0, 30.0][i]),
        connections: None,
        interface: interface.clone(),
    });
    family("Disk Stress", [30, 45, 60], &|i| Fault::DiskStress { workers: number([1, 2, 4][i]), sync: None });
    let database = |recovery| Fault::DatabaseDown {
        database: Some("postgres".into()),
        mode: OutageMode::Crash,
        recovery_time_expected: Some(secs(recovery)),
    };
    let crash =
        Fault::ContainerCrash { container: None, downtime: secs(2), recovery_time_expected: Some(secs(15)) };
    let recovery = Fault::ServiceRecovery { container: None, recovery_time_expected: None };
    all.push(("Application Container Restart".into(), crash, Intensity::Medium, 60));
    all.push(("Database Brief Outage".into(), database(15), Intensity::Light, 10));
    all.push(("Database Extended Outage".into(), database(20), Intensity::Heavy, 30));
    all.push(("Service Recovery".into(), recovery, Intensity::Medium, 60));
    all
}

#[test]
fn it_has_the_documented_scenarios() {
    let found: Vec<_> = Catalogue::builtin()
        .scenarios()
        .iter()
        .map(|s| (s.name.clone(), s.fault.clone(), s.intensity, s.duration.as_secs()))
        .collect();
    assert_eq!(found, documented());
    assert_eq!(found.len(), 19);
}

#[test]
fn every_scenario_says_what_it_teaches() {
    for scenario in Catalogue::builtin().scenarios() {
        assert!(scenario.description.len() > 40, "{}", scenario.name);
        assert!(scenario.expected_impact.as_ref().is_some_and(|text| text.len() > 15), "{}", scenario.name);
        assert_eq!((&scenario.target, &scenario.abort_conditions), (&None, &None));
    }
}

#[test]
fn it_has_the_documented_groups() {
    let groups = Catalogue::builtin().groups();
    let found: Vec<_> =
        groups.iter().map(|group| (group.name.as_str(), group.scenarios.join(", "))).collect();
    let expected = [
        ("smoke_test", "Light CPU Stress, Light Memory Stress, Light Network Delay"),
        (
            "standard_test",
            "Medium CPU Stress, Medium Memory Stress, Medium Network Delay, Light Packet Loss, Light Disk Stress",
        ),
        (
            "stress_test",
            "Heavy CPU Stress, Heavy Memory Stress, Heavy Network Delay, Medium Packet Loss, Heavy Disk Stress",
        ),
        ("infrastructure_test", "Application Container Restart, Database Brief Outage, Service Recovery"),
        (
            "production_readiness",
            "Medium CPU Stress, Medium Memory Stress, Medium Network Delay, Application Container Restart, Database \
             Brief Outage",
        ),
    ];
    assert_eq!(found, expected.map(|(name, scenarios)| (name, scenarios.to_owned())));
}

#[test]
fn it_has_the_documented_bounds() {
    let catalogue = Catalogue::builtin();
    let names: Vec<String> = catalogue.profiles().into_iter().map(|profile| profile.name).collect();
    assert_eq!(names, ["default", "development", "staging", "production"]);
    for (name, mttr, errors, availability) in [
        (None, 30, 5.0, 95.0),
        (Some("development"), 60, 10.0, 90.0),
        (Some("dev"), 60, 10.0, 90.0),
        (Some("staging"), 45, 5.0, 95.0),
        (Some("production"), 30, 1.0, 99.0),
        (Some("prod"), 30, 1.0, 99.0),
    ] {
        let objectives = catalogue.profile(name).unwrap().objectives;
        assert_eq!(objectives.time_to_recover, Some(secs(mttr)), "{name:?}");
        assert_eq!(objectives.error_rate, Some(percent(errors)), "{name:?}");
        assert_eq!(objectives.availability, Some(percent(availability)), "{name:?}");
        // Set once, inherited by all.
        assert_eq!(objectives.latency_degradation, Some(Duration::from_millis(500)), "{name:?}");
        assert_eq!(objectives.recovery.time, Some(secs(10)), "{name:?}");
        assert_eq!(objectives.recovery.required_health_checks, 3, "{name:?}");
        assert_eq!(objectives.recovery.health_check_interval, secs(2), "{name:?}");
    }
    let allowed = catalogue.profile(Some("prod")).unwrap().allowed_scenarios.unwrap();
    assert_eq!(
        allowed,
        ["Light CPU Stress", "Light Memory Stress", "Light Network Delay", "Light Packet Loss"]
    );
    assert_eq!(catalogue.profile(Some("staging")).unwrap().allowed_scenarios, None);
    assert_eq!(catalogue.severity(), None);
}

#[test]
fn it_has_the_documented_safety_and_monitoring() {
    let catalogue = Catalogue::builtin();
    let safety = Safety {
        abort_conditions: AbortConditions {
            error_rate: Some(percent(50.0)),
            consecutive_failures: Some(10),
            response_time: Some(secs(5)),
        },
        cooldown: secs(5),
        max_total_duration: secs(1800),
        require_confirmation: vec![FaultKind::ContainerCrash, FaultKind::DatabaseDown],
        allowed_targets: Vec::new(),
    };
    assert_eq!(catalogue.safety(), &safety);
    let monitoring = Monitoring {
        metrics: Metric::ALL.iter().map(|(_, metric)| *metric).collect(),
        sampling_interval: secs(5),
        health_check: HealthCheck { endpoint: "/api/health".into(), timeout: secs(5), interval: secs(2) },
        alerts: Alerts {
            cpu: Some(percent(90.0)),
            memory: Some(percent(85.0)),
            error_rate: Some(percent(10.0)),
            response_time: Some(secs(1)),
        },
    };
    assert_eq!(catalogue.monitoring(), &monitoring);
}

#[test]
fn every_name_leads_back_to_what_it_names() {
    let catalogue = Catalogue::builtin();
    let mut tests = std::collections::HashSet::new();
    for scenario in catalogue.scenarios() {
        assert_eq!(catalogue.scenario(&scenario.name).unwrap(), scenario);
        assert!(tests.insert(slug(&scenario.name)));
    }
    for group in catalogue.groups() {
        assert_eq!(catalogue.group(&group.name).unwrap(), group);
        let short = group.name.split('_').next().unwrap();
        assert_eq!(catalogue.group(short).unwrap(), group);
        assert!(group.scenarios.iter().all(|name| catalogue.scenario(name).is_ok()));
    }
    for profile in catalogue.profiles() {
        assert_eq!(catalogue.profile(Some(&profile.name)).unwrap(), profile);
    }
}

#[test]
fn a_wrong_name_says_what_was_meant() {
    let catalogue = Catalogue::builtin();
    let error = catalogue.scenario("Medum CPU Stres").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no scenario named \"Medum CPU Stres\": did you mean \"Medium CPU Stress\"?"
    );
    let error = catalogue.scenario("medium cpu stress").unwrap_err();
    assert_eq!(error.suggestion.as_deref(), Some("Medium CPU Stress"));
    let error = catalogue.group("nightly").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no group named \"nightly\": there are \"smoke_test\", \"standard_test\", \"stress_test\", \
         \"infrastructure_test\", \"production_readiness\""
    );
    let error = catalogue.profile(Some("prodution")).unwrap_err();
    assert_eq!(error.to_string(), "no SLO profile named \"prodution\": did you mean \"production\"?");
}

/// The file that is shipped with the crate is the one at the top of the repository.
#[test]
fn reading_it_again_changes_nothing() {
    let again = Catalogue::read("chaos_scenarios.yml", Catalogue::BUILTIN.as_bytes()).unwrap();
    assert_eq!(&again, Catalogue::builtin());
}
