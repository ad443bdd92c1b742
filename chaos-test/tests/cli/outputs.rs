use insta::assert_snapshot;
use serde_json::Value;

use crate::reports::{body_failed, error, fail, pass};
use crate::sandbox::Sandbox;
use crate::synthetic::Story;
use chaos_test::model::Outcome;

#[test]
fn help_teaches_every_exit_code() {
    let sandbox = Sandbox::new();
    for (args, codes) in [
        (&["--help"][..], &[0, 1, 2, 3, 4, 5, 6][..]),
        (&["report", "--help"], &[0, 1, 2, 3, 4]),
        (&["report", "-h"], &[0, 1, 2, 3, 4]),
        (&["chaos", "help", "report"], &[0, 1, 2, 3, 4]),
        (&["verify", "--help"], &[0, 2, 3, 4, 6]),
        (&["run", "--help"], &[0, 1, 2]),
        (&["reap", "--help"], &[0, 2, 5]),
    ] {
        let help = sandbox.run(args);
        assert_eq!(help.code, Some(0));
        let code = |line: &str| line.strip_prefix("  ")?.split_once("  ")?.0.parse::<u32>().ok();
        assert_eq!(help.stdout.lines().filter_map(code).collect::<Vec<_>>(), codes, "{args:?}");
        assert!(help.stdout.contains("Examples:"));
        let widest = help.stdout.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(110), "{widest:?} in {args:?}");
    }
}

#[test]
fn the_report_as_markdown() {
    let sandbox = Sandbox::new();
    sandbox.keep(&pass("survives").report());
    sandbox.keep(&fail("is_slow").report());
    sandbox.keep(&body_failed("is|odd").report());
    sandbox.keep(&error("never_starts").report());
    let ended = sandbox.run(&["report"]);
    assert_snapshot!(ended.stdout, @r#"
    # Chaos report

    **failed**: 1 of 4 tests passed (1 Error, 2 Fail)

    | test | scenario | SLO | verdict | what happened |
    |---|---|---|---|---|
    | `never_starts` | Medium Network Delay | staging | ❌ Error(setup) | Error(setup) under "Medium Network Delay": service \`app\` was not ready within 30 s |
    | `is_slow` | Medium Network Delay | staging | ❌ Fail | SLO "staging" breached under "Medium Network Delay": p95 latency degradation 804 ms > 500 ms |
    | `is\|odd` | Medium Network Delay | staging | ❌ Fail | the test body failed under "Medium Network Delay" while SLO "staging" held: the order \| is \*lost\* … |
    | `survives` | Medium Network Delay | staging | ✅ Pass | SLO "staging" held under "Medium Network Delay" |

    ## Violations

    | test | objective | limit | measured |
    |---|---|---|---|
    | `is_slow` | p95 degradation | ≤ 500 ms | 804 ms |

    ## Recommendations

    - No fault has been injected: mend the start of the environment first. (`never_starts`: setup: service \`app\` was not ready within 30 s)
    - Answers took longer: look at what the slow path waits for, and give it a time limit, a cache or a smaller share of what is scarce. (`is_slow`: p95 latency degradation 804 ms > 500 ms)
    - The body checks what the objectives cannot see: its own message is the place to begin. (`is\|odd`: the test body failed: the order \| is \*lost\* second line)

    ## `never_starts`

    ❌ Error(setup) under "Medium Network Delay": service \`app\` was not ready within 30 s

    - test binary `shop::checkout`, run `run-1`, took 44 s
    - record: `target/chaos-test/run-1/shop__checkout__never_starts.json`
    - rerun: `cargo nextest run -E 'binary_id(=shop::checkout) & test(=never_starts)'`

    ## `is_slow`

    ❌ SLO "staging" breached under "Medium Network Delay": p95 latency degradation 804 ms > 500 ms

    | objective | limit | measured (99.9 % interval) | verdict | samples |
    |---|---|---|---|---|
    | error rate | ≤ 5 % | 0 % (0 % … 0.76 %) | pass | n = 1000 |
    | availability | ≥ 95 % | 100 % | pass |  |
    | worst time to recover | ≤ 45 s | no outage | pass |  |
    | recovery time | ≤ 10 s | under 20 ms (0 s … 26 ms) | pass |  |
    | p95 degradation | ≤ 500 ms | 804 ms | FAIL | n = 1000, 1000 over the limit |

    - fault: network\_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
    - timeline: baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
    - stream: app: 8 ms · 10 ms · 10 ms → 812 ms · 814 ms · 814 ms (p50 · p95 · p99, baseline → chaos), p95 10 ms in recovery; 100 % of 1000 good in chaos, 100 % of 650 good in recovery; no outage
    - curve: `app: ~~~~~~~~~~~~~~~~~~~~|············  (1.08 s a step; | fault gone, · normal, ~ slow)`
    - test binary `shop::checkout`, run `run-1`, took 44 s
    - record: `target/chaos-test/run-1/shop__checkout__is_slow.json`
    - rerun: `cargo nextest run -E 'binary_id(=shop::checkout) & test(=is_slow)'`

    ## `is\|odd`

    ❌ the test body failed under "Medium Network Delay" while SLO "staging" held: the order \| is \*lost\* …

    | objective | limit | measured (99.9 % interval) | verdict | samples |
    |---|---|---|---|---|
    | error rate | ≤ 5 % | 0 % (0 % … 0.76 %) | pass | n = 1000 |
    | availability | ≥ 95 % | 100 % | pass |  |
    | worst time to recover | ≤ 45 s | no outage | pass |  |
    | recovery time | ≤ 10 s | under 20 ms (0 s … 26 ms) | pass |  |
    | p95 degradation | ≤ 500 ms | 200 ms | pass | n = 1000 |

    - fault: network\_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
    - timeline: baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
    - stream: app: 8 ms · 10 ms · 10 ms → 208 ms · 210 ms · 210 ms (p50 · p95 · p99, baseline → chaos), p95 10 ms in recovery; 100 % of 1000 good in chaos, 100 % of 650 good in recovery; no outage
    - curve: `app: ~~~~~~~~~~~~~~~~~~~~|············  (1.08 s a step; | fault gone, · normal, ~ slow)`
    - body: the order \| is \*lost\* second line
    - test binary `shop::checkout`, run `run-1`, took 44 s
    - record: `target/chaos-test/run-1/shop__checkout__is\|odd.json`
    - rerun: `cargo nextest run -E 'binary_id(=shop::checkout) & test(=is\|odd)'`

    ## `survives`

    ✅ SLO "staging" held under "Medium Network Delay"

    | objective | limit | measured (99.9 % interval) | verdict | samples |
    |---|---|---|---|---|
    | error rate | ≤ 5 % | 0 % (0 % … 0.76 %) | pass | n = 1000 |
    | availability | ≥ 95 % | 100 % | pass |  |
    | worst time to recover | ≤ 45 s | no outage | pass |  |
    | recovery time | ≤ 10 s | under 20 ms (0 s … 26 ms) | pass |  |
    | p95 degradation | ≤ 500 ms | 200 ms | pass | n = 1000 |

    - fault: network\_delay 200 ms on app by proxy (stream): asked 200.0 ms, measured 200.4 ms in 20 of 20 checks
    - timeline: baseline 10.0 s │ inject 10 ms │ chaos 20.0 s │ revert 4 ms │ recovered within 20 ms
    - stream: app: 8 ms · 10 ms · 10 ms → 208 ms · 210 ms · 210 ms (p50 · p95 · p99, baseline → chaos), p95 10 ms in recovery; 100 % of 1000 good in chaos, 100 % of 650 good in recovery; no outage
    - curve: `app: ~~~~~~~~~~~~~~~~~~~~|············  (1.08 s a step; | fault gone, · normal, ~ slow)`
    - test binary `shop::checkout`, run `run-1`, took 44 s
    - record: `target/chaos-test/run-1/shop__checkout__survives.json`
    - rerun: `cargo nextest run -E 'binary_id(=shop::checkout) & test(=survives)'`
    "#);
}

#[test]
fn the_validation_has_the_keys_that_pipelines_know() {
    let sandbox = Sandbox::new();
    let down = Story::new("goes_down").chaos(|_, sample| sample.outcome = Outcome::ConnectError);
    sandbox.keep(&down.report());
    sandbox.run(&["report"]);
    let text = sandbox.read("runs/run-1/resilience_validation.json");
    let mut validation: Value = serde_json::from_str(&text).unwrap();
    let written = validation["timestamp"].as_f64().unwrap();
    assert!(written > 1.7e9, "{written}");
    validation["timestamp"] = 0.into();
    assert_snapshot!(format!("{validation:#}"));
}
