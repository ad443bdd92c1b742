//! A catalogue of the earlier tool, as it is: `docs/migrating.md` says that it is accepted unchanged.

use std::time::Duration;

use chaos_test::model::{Catalogue, Fault};
use chaos_test::units::Percent;

use crate::runs::{measured, service};
use crate::sandbox::Sandbox;

/// The file, to the byte.
const FILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/earlier_tool.yml"));

/// What `check` says of it: two scenarios, a group and an environment more than the built-in catalogue.
const FINE: &str =
    "chaos_scenarios.yml: no mistakes: 14 scenarios (21 with the built-in ones), 6 groups, 5 SLO profiles\n";

#[test]
fn a_file_of_the_earlier_tool_has_no_mistakes() {
    let sandbox = Sandbox::new();
    sandbox.write("chaos_scenarios.yml", FILE);
    // By its name, and as the one that applies here.
    for args in [&["check", "chaos_scenarios.yml"][..], &["check"]] {
        let ended = sandbox.run(args);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(0), FINE), "{ended:?}");
        assert_eq!(ended.stderr, "", "{args:?}");
    }
    let list = sandbox.run(&["list"]);
    assert_eq!((list.code, list.stderr.as_str()), (Some(0), ""), "{list:?}");
    for part in ["Checkout Behind A Slow Link", "checkout_behind_a_slow_link", "incidents", "preview"] {
        assert!(list.stdout.contains(part), "{part} in {list:?}");
    }
}

#[test]
fn a_file_of_the_earlier_tool_means_what_it_says() {
    let catalogue = Catalogue::read("earlier_tool.yml", FILE.as_bytes()).unwrap();
    let heavy = catalogue.scenario("Heavy Network Delay").unwrap();
    assert_eq!(heavy.duration, Duration::from_secs(60));
    assert_eq!(heavy.service(), Some("shop-app"));
    assert_eq!(heavy.expected_impact.as_deref(), Some("Client timeouts"));
    let Fault::NetworkDelay { delay, interface, .. } = &heavy.fault else { panic!("{:?}", heavy.fault) };
    assert_eq!((*delay, interface.as_deref()), (Duration::from_millis(500), Some("eth0")));
    // `container` and `database` name the service.
    for (name, service) in [
        ("Application Container Restart", "shop-app"),
        ("Database Brief Outage", "shop-postgres"),
        ("Service Recovery", "shop-app"),
    ] {
        assert_eq!(catalogue.scenario(name).unwrap().service(), Some(service), "{name}");
    }
    assert_eq!(catalogue.group("incidents").unwrap().scenarios.len(), 2);

    // A blocking bound is that of every environment; what it leaves out is the environment's own.
    let bounds = |name| catalogue.profile(Some(name)).unwrap().objectives;
    for name in ["development", "staging", "preview", "production"] {
        assert_eq!(bounds(name).error_rate, Percent::new(10.0).ok(), "{name}");
        assert_eq!(bounds(name).warnings.error_rate, Percent::new(3.0).ok(), "{name}");
    }
    assert_eq!(bounds("staging").time_to_recover, Some(Duration::from_secs(45)));
    assert_eq!(bounds("preview").time_to_recover, Some(Duration::from_secs(30)));
    assert_eq!(catalogue.profile(Some("prod")).unwrap().allowed_scenarios.unwrap().len(), 4);
    assert_eq!(catalogue.safety(), Catalogue::builtin().safety());
    assert_eq!(catalogue.monitoring(), Catalogue::builtin().monitoring());
}

#[test]
fn run_takes_a_file_of_the_earlier_tool() {
    let url = service("200 OK");
    let dry = |scenario: &[&str]| {
        let sandbox = Sandbox::new();
        sandbox.write("chaos_scenarios.yml", FILE);
        let start = ["run", "--target", &url, "--config", "chaos_scenarios.yml", "--dry-run"];
        measured(&sandbox, &[&start[..], &["--baseline-samples", "30"], scenario].concat())
    };
    for name in ["Light Network Delay", "Checkout Behind A Slow Link"] {
        let ended = dry(&["--scenario", name]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(ended.stderr.contains(&format!("Dry run of \"{name}\"")), "{ended:?}");
        assert!(ended.stdout.contains("Skipped(dry run)"), "{ended:?}");
    }
    // An environment's list of what it allows holds.
    let refused = dry(&["--scenario", "Heavy Network Delay", "--slo", "production"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("the SLO profile \"production\" does not allow it"), "{refused:?}");
}
