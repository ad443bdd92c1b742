//! The steps before anything is injected: what is built and chosen, what the runner can do, whether the service is there.

use std::fs;

use chaos_test::model::{Catalogue, slug};

use crate::has;
use crate::runner::{Ended, Runner};

/// What nextest is told to run for a group of the built-in catalogue, or for `all` of it.
fn named(group: &str) -> String {
    let catalogue = Catalogue::builtin();
    let of_group = catalogue.groups().iter().find(|known| known.name == group);
    let is_in = |name: &str| of_group.is_none_or(|group| group.scenarios.iter().any(|each| each == name));
    let names =
        catalogue.scenarios().iter().map(|scenario| scenario.name.as_str()).filter(|&name| is_in(name));
    format!("test(/(^|::)({})(::|$)/)\n", names.map(slug).collect::<Vec<_>>().join("|"))
}

/// What both choosers do. `choose` runs one, for a group, in a folder that it was given.
pub(crate) fn chooses_by_the_catalogue(choose: impl Fn(&Runner, &str) -> Ended) {
    if !has("jq") {
        return;
    }
    for group in ["all", "smoke_test", "stress_test"] {
        let runner = Runner::new();
        runner.has_a_package();
        let chosen = choose(&runner, group);
        assert_eq!(chosen.code, Some(0), "{group}: {chosen:?}");
        assert_eq!(runner.read("ci/build/package-dir"), "shop\n");
        assert_eq!(runner.read("ci/build/named"), named(group));
        // Every chaos test, those too whose names say no scenario.
        let filter = if group == "all" { "all()\n".to_owned() } else { named(group) };
        assert_eq!(runner.read("ci/build/filter"), filter);
    }

    let runner = Runner::new();
    runner.has_a_package();
    let unknown = choose(&runner, "nightly");
    assert!(unknown.code == Some(2) && unknown.told.contains("has no group nightly"), "{unknown:?}");
    assert!(!runner.path("ci/build/filter").exists());
    // A group of the package's own is found by its catalogue.
    let own = "scenario_groups:\n  nightly: {description: Ours, scenarios: [Light CPU Stress]}\n";
    runner.write("shop/chaos_scenarios.yml", own);
    assert_eq!(choose(&runner, "nightly").code, Some(0));
    assert_eq!(runner.read("ci/build/filter"), "test(/(^|::)(light_cpu_stress)(::|$)/)\n");

    runner.write("metadata.json", r#"{"packages": []}"#);
    let nobody = choose(&runner, "all");
    assert!(nobody.code == Some(2) && nobody.told.contains("there is no package shop"), "{nobody:?}");
}

#[test]
fn what_runs_is_found_by_the_catalogue() {
    chooses_by_the_catalogue(|runner, group| {
        runner.step("setup", "Choose the tests", &[("INTENSITY", group)])
    });
}

#[test]
fn what_all_jobs_use_is_built_once() {
    let runner = Runner::new();
    // It is a link to the real one, through which another would be written.
    fs::remove_file(runner.path("ci/build/cargo-chaos")).unwrap();
    for program in ["cargo", "cargo-chaos", "cargo-nextest"] {
        runner.pretend(&format!("bin/{program}"), "exit 0");
    }
    let built = runner.step("setup", "Build once", &[]);
    assert_eq!(built.code, Some(0), "{built:?}");
    assert_eq!(
        runner.read("asked"),
        "install chaos-test --version 0.1.0 --features cli --locked\n\
         nextest archive --locked --package shop --archive-file ci/build/tests.tar.zst\n"
    );
    assert!(runner.path("ci/build/cargo-chaos").is_file() && runner.path("ci/build/cargo-nextest").is_file());
    runner.pretend("bin/cargo", "exit 101");
    assert_eq!(runner.step("setup", "Build once", &[]).code, Some(101));
}

#[test]
fn what_the_runner_can_inject_is_told() {
    let runner = Runner::new();
    for code in [0, 2] {
        runner.pretend("ci/build/cargo-chaos", &format!("echo this host; exit {code}"));
        let told = runner.step("deploy_service", "What this runner can inject", &[]);
        assert!(told.code == Some(code) && told.told.contains("this host"), "{told:?}");
    }
    assert_eq!(runner.read("asked"), "doctor\ndoctor\n");
}

#[test]
fn the_service_has_to_start_before_anything_is_injected() {
    let runner = Runner::new();
    runner.write("ci/build/named", "test(/one/)\n");
    let started = |code: i32, group: &str| {
        let script = format!("echo \"dry: $CHAOS_TEST_DRY_RUN, into $CHAOS_TEST_DIR\"; exit {code}");
        runner.pretend("ci/build/cargo-nextest", &script);
        runner.step("deploy_service", "Start the environment of the tests", &[("INTENSITY", group)])
    };
    let well = started(0, "all");
    assert_eq!(well.code, Some(0), "{well:?}");
    assert!(well.told.contains("dry: 1, into ") && well.told.contains("/ci/dry-run\n"), "{well:?}");
    let asked = runner.read("asked");
    for part in ["nextest run --profile chaos ", " --partition count:1/1000000 ", " -E test(/one/)\n"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    // It did not start, or cannot be listed.
    for (code, group) in [(100, "all"), (100, "smoke_test"), (104, "all")] {
        assert_eq!(started(code, group).code, Some(code), "{group}");
    }
    // Nobody named a test by a scenario: of a group there must be one.
    let none = started(4, "all");
    assert!(
        none.code == Some(0) && none.told.contains("::notice::no test is named by a scenario"),
        "{none:?}"
    );
    let none = started(4, "smoke_test");
    assert!(none.code == Some(4) && none.told.contains("::error::no chaos test has a scenario"), "{none:?}");
}

#[test]
fn a_target_has_to_answer_before_anything_is_injected() {
    let inputs = [("TARGET_URL", "http://shop:80"), ("INTENSITY", "smoke_test")];
    let waited = |answers: &str, dry_run: i32| {
        let runner = Runner::new();
        runner.write("ci/build/package-dir", ".\n");
        runner.pretend("bin/curl", answers);
        runner.pretend("bin/sleep", "exit 0");
        runner.pretend("ci/build/cargo-chaos", &format!("exit {dry_run}"));
        let ended = runner.step("deploy_service", "Wait for the target", &inputs);
        (ended, runner.read("asked"))
    };
    let (there, asked) = waited("echo . >>tries; [ \"$(wc -l <tries)\" -eq 3 ]", 0);
    assert_eq!(there.code, Some(0), "{there:?}");
    assert_eq!(asked.matches("--max-time 5 http://shop:80\n").count(), 3, "{asked}");
    assert_eq!(asked.matches("\n5\n").count(), 2, "it waits in between: {asked}");
    assert!(asked.ends_with("run --target http://shop:80 --group smoke_test --dry-run\n"), "{asked}");
    // It answers, and nothing of the group is possible there.
    assert_eq!(waited("exit 0", 2).0.code, Some(2));

    let (nobody, asked) = waited("exit 7", 0);
    assert!(nobody.code == Some(1) && nobody.told.contains("within five minutes"), "{nobody:?}");
    assert!(asked.matches("--max-time").count() == 60 && !asked.contains("--dry-run"), "{asked}");
}
