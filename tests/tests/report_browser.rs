//! The HTML report as people use it: a real browser opens it, filters, sorts, opens a test, and has nothing to complain
//! about. Without Chromium (Debian: `apt-get install chromium`) this says so and does nothing, unless `CHAOS_TEST_REQUIRE`
//! names `chromium`.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a browser has to be looked for and started, and gets its page as a file"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use chaos_test::model::{EventKind, Outcome};
use chaos_test::report::render::{HtmlDetails, html};
use chaos_test::report::{Report, Summary};
use serde_json::Value;
use suite::stress;
use synthetic::{Story, delayed, ms};

#[path = "../../chaos-test/tests/synthetic/mod.rs"]
mod synthetic;

/// What is done to the page, and what came of it.
const DRIVER: &str = include_str!("report_browser/driver.js");
/// Around the page: a frame is as wide as it is told, where a window without a screen is not, and takes down what the
/// driver has found.
const FRAME: &str = "<!DOCTYPE html><body><script>addEventListener('message', (event) => {\
    const found = document.createElement('pre');\
    found.id = 'driver';\
    found.textContent = event.data;\
    document.body.append(found);\
    });</script><iframe src=page.html height=900 width=";
/// Before the page's own script: whatever goes wrong is written down.
const WITNESS: &str = "window.wrong = [];\
    addEventListener('error', (event) => wrong.push(String(event.message)));\
    addEventListener('unhandledrejection', (event) => wrong.push(String(event.reason)));\
    for (const level of ['error', 'warn']) console[level] = (...said) => wrong.push(said.join(' '));";

/// Where Chromium is; without it, says so.
fn chromium_or_skip() -> Option<PathBuf> {
    let known = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
    let found = known.into_iter().map(PathBuf::from).find(|path| path.is_file());
    let missing = found.is_none().then(|| format!("none of {}", known.join(", ")));
    stress::has("chromium", missing).then_some(found).flatten()
}

/// A suite with something of everything.
fn reports() -> Vec<Report> {
    let down = |story: Story| {
        story.chaos(|n, sample| {
            if (300..500).contains(&n) {
                sample.outcome = Outcome::ConnectError;
            }
        })
    };
    let slow = |name: &str| Story::new(name).chaos(|_, sample| sample.latency += ms(804));
    let mut reports = vec![
        slow("checkout_is_slow::medium_network_delay").note("retry 3").report(),
        down(Story::new("stock_goes_down")).report(),
        Story::new("never_injected").dry().report(),
        slow("</script><img src=x onerror=\"console.error(1)\">").report(),
    ];
    reports.extend((0..15).map(|n| Story::new(&format!("survives_{n}")).chaos(delayed).report()));
    reports[0].trace.events.iter_mut().for_each(|event| event.kind = EventKind::Alert);
    reports
}

fn page() -> String {
    let (reports, mut details) = (reports(), HtmlDetails::default());
    reports.iter().for_each(|report| details.add(report));
    html(&Summary::of(reports), &details, 1_750_000_000.0)
}

/// The same page with somebody who does things to it; the policy of the page itself would not let them in.
fn driven(page: &str) -> String {
    let policy =
        page.split("Content-Security-Policy\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    let page = page.replacen(policy.expect("a policy"), "script-src 'unsafe-inline'", 1);
    let page = page.replacen("<head>", &format!("<head><script>{WITNESS}</script>"), 1);
    page.replacen("</body>", &format!("<script>{DRIVER}</script></body>"), 1)
}

/// What a page has become once its scripts are done, and what the browser said of it.
struct Opened {
    document: String,
    console: Vec<String>,
}

fn open(chromium: &Path, page: &str, frame: Option<u32>, dark: bool) -> Opened {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("page.html");
    fs::write(&file, page).expect("written");
    let shown = frame.map_or(file, |width| {
        let frame = dir.path().join("frame.html");
        fs::write(&frame, format!("{FRAME}{width}></iframe>")).expect("written");
        frame
    });
    let output = Command::new(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-extensions"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"])
        .args(["--window-size=1600,1000"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg(format!("--blink-settings=preferredColorScheme={}", u8::from(!dark)))
        .arg(format!("file://{}", shown.display()))
        .stdin(Stdio::null())
        .output()
        .expect("chromium starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    Opened {
        document: String::from_utf8_lossy(&output.stdout).into_owned(),
        console: said.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect(),
    }
}

/// What the driver has found, by name.
fn findings(opened: &Opened) -> Value {
    let found =
        opened.document.split("<pre id=\"driver\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let found = found.unwrap_or_else(|| panic!("the driver did not finish: {:?}", opened.console));
    let json = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

#[test]
fn the_page_as_it_is_runs_its_script_and_nothing_else() {
    let Some(chromium) = chromium_or_skip() else { return };
    let opened = open(&chromium, &page(), None, false);
    assert_eq!(opened.console, Vec::<String>::new(), "its own policy must let its style and script in");
    assert!(opened.document.contains("<html lang=\"en\" class=\"js\">"), "the script has run");
    assert!(opened.document.contains("role=\"status\">19 tests</p>"));
}

#[test]
fn it_filters_sorts_and_opens_on_any_width_and_in_either_scheme() {
    let Some(chromium) = chromium_or_skip() else { return };
    let page = driven(&page());
    for (width, dark) in [(1440, false), (820, true), (390, false)] {
        let opened = open(&chromium, &page, Some(width), dark);
        let found = findings(&opened);
        println!("{width} px: {found:#}");
        assert_eq!(found["wrong"], serde_json::json!([]), "{width} px");
        assert_eq!(opened.console, Vec::<String>::new(), "{width} px");
        let steps = found["steps"].as_object().expect("steps");
        assert!(steps.len() >= 20, "{steps:?}");
        let failed: Vec<_> = steps.iter().filter(|(_, held)| **held != Value::Bool(true)).collect();
        assert!(failed.is_empty(), "at {width} px: {failed:?}");
        assert_eq!(found["width"], width);
        assert_eq!(found["dark"], dark, "the scheme of the system is taken");
    }
}
