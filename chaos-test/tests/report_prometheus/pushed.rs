//! `cargo chaos report --push` against what answers, what does not, and what answers something else.

use crate::gateway::{Answer, Gateway};
use crate::sandbox::{Ended, Sandbox, ended};
use crate::{goes_down, passes};

const AUTH: &str = "CHAOS_TEST_PUSHGATEWAY_AUTH";
const URL: &str = "CHAOS_TEST_PUSHGATEWAY_URL";

/// Pushes what is in there, without a proxy in between and with no variable but those.
pub(crate) fn push(sandbox: &Sandbox, url: &str, more: &[&str], env: &[(&str, &str)]) -> Ended {
    let args = [&["report", "--push", "--pushgateway-url", url], more].concat();
    run(sandbox, &args, env)
}

fn run(sandbox: &Sandbox, args: &[&str], env: &[(&str, &str)]) -> Ended {
    let mut command = sandbox.command(args);
    for name in [AUTH, URL, "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        command.env_remove(name);
    }
    ended(command.envs(env.iter().copied()))
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.keep(&passes("survives").report());
    sandbox
}

fn ok() -> Answer {
    Answer::Says("200 OK", String::new())
}

#[test]
fn it_tries_again_until_it_is_taken() {
    let gateway = Gateway::new(|n, request| match n {
        0 => Answer::Says("503 Service Unavailable", "starting".into()),
        1 => Answer::HangsUp,
        2 => Answer::Says("429 Too Many Requests", String::new()),
        _ if request.header("authorization") == Some("Bearer s3cr3t-t0k3n") => ok(),
        _ => Answer::Says("401 Unauthorized", String::new()),
    });
    let sandbox = sandbox();
    let args = ["--job-name", "nightly", "--group-label", "shard=2", "--prometheus", "chaos.prom"];
    let ended = push(&sandbox, &gateway.url, &args, &[(AUTH, "Bearer s3cr3t-t0k3n")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!format!("{ended:?}").contains("s3cr3t"), "{ended:?}");
    let requests = gateway.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert_eq!(request.line, "PUT /metrics/job/nightly/shard/2 HTTP/1.1");
        assert_eq!(request.header("authorization"), Some("Bearer s3cr3t-t0k3n"));
        assert_eq!(request.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        assert_eq!(request.body, sandbox.read("chaos.prom"));
    }
}

#[test]
fn what_will_not_change_is_not_tried_again_and_no_secret_is_told() {
    for status in ["400 Bad Request", "401 Unauthorized", "403 Forbidden", "404 Not Found", "302 Found"] {
        let echo = move |_, request: &crate::gateway::Request| {
            let header = request.header("authorization").unwrap_or_default();
            Answer::Says(status, format!("<p>\u{1b}[31mnot you:\n{header}</p>{}", "x".repeat(5000)))
        };
        let gateway = Gateway::new(echo);
        let ended = push(&sandbox(), &gateway.url, &[], &[(AUTH, "Bearer s3cr3t-t0k3n")]);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(gateway.requests().len(), 1);
        let last = ended.stderr.lines().last().unwrap();
        let begin = format!(
            "error: cannot push to {}/metrics/job/chaos-test, in one try (of at most 30 s): it answers {status}, <p> \
             [31mnot you: (not told)</p>xxx",
            gateway.url
        );
        assert!(last.starts_with(&begin) && last.contains("help: ") && last.len() < 800, "{last}\n{begin}");
        assert!(!format!("{ended:?}").contains("s3cr3t"), "{ended:?}");
    }
}

#[test]
fn a_login_in_the_url_is_sent_and_not_told() {
    let gateway =
        Gateway::new(|n, _| if n == 0 { ok() } else { Answer::Says("400 Bad Request", "no".into()) });
    let url = gateway.url.replace("http://", "http://me:s%40cret@");
    for code in [0, 2] {
        let ended = push(&sandbox(), &url, &[], &[]);
        assert_eq!(ended.code, Some(code), "{ended:?}");
        assert!(ended.stderr.contains(&gateway.url), "{ended:?}");
        assert!(!ended.stderr.contains("cret"), "{ended:?}");
    }
    assert_eq!(gateway.requests()[0].header("authorization"), Some("Basic bWU6c0BjcmV0"));
    // Who says what was sent says it to nobody.
    let echo = Gateway::new(|_, request| {
        Answer::Says("400 Bad Request", request.header("authorization").unwrap_or_default().into())
    });
    let ended = push(&sandbox(), &echo.url.replace("http://", "http://me:s%40cret@"), &[], &[]);
    assert!(ended.stderr.contains("(not told)") && !ended.stderr.contains("bWU6c0BjcmV0"), "{ended:?}");
    // The variable outranks it, and may name the place.
    let gateway = Gateway::new(|_, _| ok());
    let url = gateway.url.replace("http://", "http://me:s%40cret@");
    let ended = run(&sandbox(), &["report", "--push"], &[(URL, &url), (AUTH, "Bearer x")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(gateway.requests()[0].header("authorization"), Some("Bearer x"));
}

#[test]
fn what_does_not_answer_is_given_up_on() {
    let hangs = Gateway::new(|_, _| Answer::Hangs);
    let sandbox = sandbox();
    let ended = push(&sandbox, &hangs.url, &["--push-timeout", "2", "--out", "out"], &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("in one try (of at most 2 s): no answer in time; help: "), "{ended:?}");
    assert!(hangs.requests().len() <= 1);
    // Everything else is there.
    for file in ["chaos_report.md", "chaos_metrics.prom", "resilience_validation.json", "chaos_results.json"]
    {
        assert!(sandbox.path("out").join(file).is_file(), "{file}");
    }
    // Nobody is there. (The port was somebody's a moment ago.)
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ended = push(&sandbox, &format!("http://{gone}"), &[], &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("in 5 tries (of at most 30 s): Connection refused"), "{ended:?}");
    // It stays as it is.
    let broken = Gateway::new(|_, _| Answer::Says("500 Internal Server Error", "out of disk".into()));
    let ended = push(&sandbox, &broken.url, &["--push-timeout", "60s"], &[]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.stderr.contains("it answers 500 Internal Server Error, out of disk; help: "), "{ended:?}");
    assert_eq!(broken.requests().len(), 5);
}

#[test]
fn a_push_that_was_taken_changes_no_exit_code() {
    let gateway = Gateway::new(|_, _| ok());
    let sandbox = Sandbox::new();
    sandbox.keep(&goes_down("goes_down").report());
    assert_eq!(push(&sandbox, &gateway.url, &[], &[]).code, Some(0));
    assert_eq!(push(&sandbox, &gateway.url, &["--fail-on-violation"], &[]).code, Some(1));
    assert_eq!(
        push(&sandbox, "http://127.0.0.1:1", &["--fail-on-violation", "--push-timeout", "1"], &[]).code,
        Some(2)
    );
}

#[test]
fn wrong_usage_is_said_before_anything_is_read() {
    // There are no records in here.
    let sandbox = Sandbox::new();
    let there = "http://127.0.0.1:1";
    for (args, env, said) in [
        (
            vec!["--push"],
            vec![],
            "name the Pushgateway with --pushgateway-url or $CHAOS_TEST_PUSHGATEWAY_URL",
        ),
        (vec!["--pushgateway-url", there], vec![], "--push"),
        (vec!["--job-name", "x"], vec![], "--push"),
        (
            vec!["--push", "--pushgateway-url", "https://u:s3cr3t@a"],
            vec![],
            "curl -X PUT --data-binary @FILE https://a/",
        ),
        (vec!["--push", "--pushgateway-url", "u:s3cr3t@a"], vec![], "http://pushgateway.example:9091"),
        (vec!["--push", "--pushgateway-url", there, "--job-name", ""], vec![], "--job-name is empty"),
        (
            vec!["--push", "--pushgateway-url", there, "--group-label", "test=x"],
            vec![],
            "is a label of the metrics",
        ),
        (
            vec!["--push", "--pushgateway-url", there, "--group-label", "a=1", "--group-label", "a=2"],
            vec![],
            "--group-label a is given twice",
        ),
        (vec!["--push", "--pushgateway-url", there, "--push-timeout", "0"], vec![], "no time"),
        (
            vec!["--push", "--pushgateway-url", there],
            vec![(AUTH, "Bearer s3cr3t\nx")],
            "one line of visible characters",
        ),
    ] {
        let ended = run(&sandbox, &[&["report"], args.as_slice()].concat(), &env);
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(said), "{args:?}: {ended:?}");
        assert!(!ended.stderr.contains("s3cr3t"), "{args:?}: {ended:?}");
    }
}
