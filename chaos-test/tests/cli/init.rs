use std::fs;

use crate::sandbox::{Ended, Sandbox};

#[path = "init_again.rs"]
mod again;

/// Goes with the first release.
const UNPUBLISHED: &str = "note: version 0.1 of chaos-test is not published yet, so Cargo will not find it: \
                           say --git URL or --path DIR\n";

const MAIN: &str = r#"fn main() {
    let port = std::env::args().skip_while(|argument| argument != "--port").nth(1);
    route("/orders"); route("/api/health");
}
"#;

/// A service's repository: one package with a binary, and whatever else is there.
fn repository(files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    sandbox.write("src/main.rs", MAIN);
    fs::create_dir(sandbox.path(".git")).unwrap();
    files.iter().for_each(|(name, text)| drop(sandbox.write(name, text)));
    sandbox
}

fn init(sandbox: &Sandbox, args: &[&str]) -> Ended {
    sandbox.run(&[&["init"], args].concat())
}

/// All files of the repository, and their texts.
fn files(sandbox: &Sandbox) -> Vec<(String, String)> {
    fn below(dir: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    below(&sandbox.path(""), &mut found);
    let root = sandbox.path("");
    let name = |path: &std::path::Path| path.strip_prefix(&root).unwrap().display().to_string();
    let mut all: Vec<_> = found.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect();
    all.sort();
    all
}

#[test]
fn a_repository_gets_its_first_test_and_a_second_call_finds_nothing_to_do() {
    let sandbox = repository(&[]);
    let before = files(&sandbox);
    // Nobody agreed: it shows everything, and does nothing.
    let shown = init(&sandbox, &["--github", "--gitlab", "--grafana"]);
    assert_eq!(shown.code, Some(2), "{shown:?}");
    assert!(shown.stderr.contains("nothing was written; --yes writes it"), "{shown:?}");
    assert_eq!(files(&sandbox), before);

    let done = init(&sandbox, &["--github", "--gitlab", "--grafana", "--yes"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), UNPUBLISHED), "{done:?}");
    assert!(done.stdout.starts_with(&shown.stdout), "what is shown is what is written");
    assert_eq!(
        sandbox.read("Cargo.toml"),
        format!("{}\n[dev-dependencies]\nchaos-test = \"0.1\"\n", before[0].1)
    );
    let test = sandbox.read("tests/chaos.rs");
    assert!(test.contains(".args([\"--port\", \"{port}\"])") && test.contains("\"/api/health\""), "{test}");
    for file in [
        ".config/nextest.toml",
        ".github/workflows/chaos.yml",
        ".gitlab-ci.yml",
        ".gitlab/chaos.yml",
        "chaos/grafana/chaos-test.json",
        "chaos/prometheus/chaos-test.rules.yml",
    ] {
        assert!(!sandbox.read(file).is_empty());
    }
    assert_eq!(sandbox.read(".gitignore"), "/target\n/chaos-report\n");
    assert!(!sandbox.read("chaos_scenarios.yml").contains("monitoring:"), "its health path is the usual one");
    let checked = sandbox.run(&["check"]);
    assert!(checked.stdout.starts_with("chaos_scenarios.yml: no mistakes"), "{checked:?}");

    let written = files(&sandbox);
    let again = init(&sandbox, &["--github", "--gitlab", "--grafana", "--yes"]);
    assert_eq!(
        (again.code, again.stdout.as_str(), again.stderr.as_str()),
        (Some(0), "nothing to do: everything is there\n", ""),
        "{again:?}"
    );
    assert_eq!(files(&sandbox), written);
}

#[test]
fn what_is_there_stays() {
    let own = "scenarios:\n  - {name: Mine, type: network_delay, intensity: light, duration: 5, description: x, parameters: {delay_ms: 5}}\n";
    let sandbox = repository(&[
        ("tests/chaos.rs", "// mine\n"),
        ("chaos_scenarios.yml", own),
        (".config/nextest.toml", "# ours\n[profile.default]\nretries = 2\n"),
        (".gitignore", "target/\n"),
        (".github/workflows/chaos.yml", "# mine\n"),
        (".gitlab-ci.yml", "# mine\n"),
    ]);
    let done = init(&sandbox, &["--yes", "--github", "--gitlab"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    for file in ["tests/chaos.rs", ".github/workflows/chaos.yml"] {
        assert!(done.stderr.contains(&format!("{file} is there and stays as it is")), "{file}: {done:?}");
    }
    assert!(done.stderr.contains(".gitlab-ci.yml is yours; add to it"), "{done:?}");
    assert_eq!(sandbox.read("tests/chaos.rs"), "// mine\n");
    assert_eq!(sandbox.read("chaos_scenarios.yml"), own);
    assert_eq!(sandbox.read(".gitignore"), "target/\n/chaos-report\n");
    assert!(
        sandbox
            .read(".config/nextest.toml")
            .starts_with("# ours\n[profile.default]\nretries = 2\n\n# Chaos tests")
    );
    assert_eq!(sandbox.read(".github/workflows/chaos.yml"), "# mine\n");
}

#[test]
fn in_a_workspace_the_service_is_found_or_asked_for() {
    let package =
        |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.toml", "[workspace]\nmembers = [\"lib\", \"shop\"]\nresolver = \"3\"\n\n[workspace.dependencies]\nchaos-test = \"0.1\"\n");
    sandbox.write("lib/Cargo.toml", &package("lib"));
    sandbox.write("lib/src/lib.rs", "");
    sandbox.write("shop/Cargo.toml", &package("shop"));
    sandbox.write("shop/src/main.rs", MAIN);
    let done = init(&sandbox, &["--yes"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        sandbox.read("shop/Cargo.toml").ends_with("[dev-dependencies]\nchaos-test = { workspace = true }\n")
    );
    assert!(
        sandbox.path("shop/tests/chaos.rs").is_file() && sandbox.path("shop/chaos_scenarios.yml").is_file()
    );
    assert!(sandbox.path(".config/nextest.toml").is_file() && !sandbox.path("shop/.config").exists());
    // A library has no service in it, and of two nobody can choose.
    let library = init(&sandbox, &["lib"]);
    assert!(library.code == Some(2) && library.stderr.contains("has no binary"), "{library:?}");
    sandbox.write("lib/src/bin/other.rs", "fn main() {}");
    let two = init(&sandbox, &[]);
    assert!(two.code == Some(2) && two.stderr.contains("which package is the service?"), "{two:?}");
    assert_eq!(init(&sandbox, &["--package", "shop"]).stdout, "nothing to do: everything is there\n");
}

#[test]
fn a_pipeline_added_later_takes_the_command_line_from_where_the_library_comes() {
    let sandbox = repository(&[]);
    assert_eq!(init(&sandbox, &["--yes", "--git", "https://example.org/chaos"]).code, Some(0));
    assert!(sandbox.read("Cargo.toml").contains("chaos-test = { git = \"https://example.org/chaos\" }"));
    let done = init(&sandbox, &["--yes", "--github"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let workflow = sandbox.read(".github/workflows/chaos.yml");
    assert!(
        workflow.contains("cargo install --git 'https://example.org/chaos' chaos-test --locked"),
        "{workflow}"
    );
    // A path in a manifest counts from that; in the pipeline it counts from the repository.
    let member = Sandbox::new();
    member.write("Cargo.toml", "[workspace]\nmembers = [\"a/shop\"]\nresolver = \"3\"\n");
    member.write("a/shop/Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dev-dependencies]\nchaos-test = { path = \"../chaos\" }\n");
    member.write("a/shop/src/main.rs", MAIN);
    member.write(
        "a/chaos/Cargo.toml",
        "[package]\nname = \"chaos-test\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    member.write("a/chaos/src/lib.rs", "");
    let done = init(&member, &["--yes", "--gitlab"]);
    assert_eq!(done.code, Some(0), "{done:?}");
    let pipeline = member.read(".gitlab/chaos.yml");
    assert!(pipeline.contains("cargo install --path 'a/chaos' --locked"), "{pipeline}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let broken = repository(&[("chaos_scenarios.yml", "scenarios: [{name: x}]\n")]);
    let unfit = repository(&[(".config/nextest.toml", "[profile")]);
    let fine = repository(&[("src/bin/other.rs", "fn main() {}")]);
    let nothing = Sandbox::new();
    let long = format!("/{}", "h".repeat(100));
    let cases: [(&Sandbox, &[&str], &str); 13] = [
        (&broken, &[], "chaos_scenarios.yml:1"),
        (&unfit, &[], "is no TOML"),
        (&nothing, &[], "is in no package"),
        (&fine, &["nowhere"], "nowhere: "),
        (&fine, &[], "which binary of package \"shop\" is the service? It has \"other\", \"shop\""),
        (&fine, &["--bin", "shpo"], "has no binary \"shpo\""),
        (&fine, &["--bin", "shop", "--port-arg", "--listen"], "has no {port} in it"),
        (&fine, &["--bin", "shop", "--health", "health"], "a path begins with /"),
        (&fine, &["--bin", "shop", "--health", "//elsewhere/"], "names no host"),
        (&fine, &["--bin", "shop", "--health", &long], "at most 100 characters"),
        (&fine, &["--url", "https://example.org"], "only http:// addresses"),
        (&fine, &["--url", "http://127.0.0.1:80/api"], "only host and port of an address are used"),
        (&fine, &["--bin", "shop", "--path", "src"], "there is no Cargo.toml in it"),
    ];
    for (sandbox, args, expected) in cases {
        let before = files(sandbox);
        let ended = init(sandbox, &[args, &["--yes"]].concat());
        assert_eq!(ended.code, Some(2), "{args:?}: {ended:?}");
        assert!(ended.stderr.contains(expected), "{args:?}: {ended:?}");
        assert_eq!(files(sandbox), before, "{args:?}");
    }
}

/// The same at a terminal, with somebody who types that.
fn typed(sandbox: &Sandbox, typed: &str) -> Ended {
    sandbox.at_a_terminal("init", &[], typed)
}

#[test]
fn at_a_terminal_it_asks_which_is_meant_and_whether_to_write() {
    let sandbox = repository(&[("src/bin/other.rs", "fn main() {}")]);
    let before = files(&sandbox);
    for undecided in ["\n", "5\nnone\n0\n", "shop\nn\n", "2\n\n"] {
        let ended = typed(&sandbox, undecided);
        assert!(ended.code == Some(2), "{undecided:?}: {ended:?}");
        assert!(ended.stdout.contains("which binary of package \"shop\" is the service?"), "{ended:?}");
        assert_eq!(files(&sandbox), before, "{undecided:?}");
    }
    let done = typed(&sandbox, "shpo\n2\ny\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("\"shpo\" is none of them"), "{done:?}");
    assert!(sandbox.read("tests/chaos.rs").contains("Process::cargo_bin(\"shop\")"));
}

#[test]
fn images_and_addresses_are_services_too() {
    let image = repository(&[]);
    let done =
        init(&image, &["--yes", "--image", "registry:5000/shop:1.2", "--port", "8080", "--health", "/up"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), UNPUBLISHED), "{done:?}");
    assert!(image.read("tests/chaos.rs").contains("GenericImage::new(\"registry:5000/shop\", \"1.2\")"));
    assert!(image.read("Cargo.toml").contains("features = [\"containers\"]"));
    // So that a run without a test asks the same; where it is the usual path nothing is said.
    let asks = |sandbox: &Sandbox| sandbox.read("chaos_scenarios.yml").contains("endpoint: \"/up\"");
    assert!(asks(&image) && image.run(&["check"]).code == Some(0));
    let url = repository(&[]);
    let done = init(&url, &["--yes", "--url", "http://127.0.0.1:8000"]);
    assert!(done.code == Some(0) && done.stderr.contains("--health says another"), "{done:?}");
    assert!(url.read("tests/chaos.rs").contains(".url(\"app\", \"http://127.0.0.1:8000\")"));
    assert!(url.read("chaos_scenarios.yml").contains("endpoint: \"/health\""), "what its test asks");
    // A catalogue that is there stays, and it is said what is missing in it.
    let own = repository(&[("chaos_scenarios.yml", "monitoring: {health_check: {endpoint: /ready}}\n")]);
    let before = own.read("chaos_scenarios.yml");
    let done = init(&own, &["--yes", "--bin", "shop", "--health", "/up"]);
    assert!(done.code == Some(0) && done.stderr.contains("asks /ready, unless you write"), "{done:?}");
    assert_eq!(own.read("chaos_scenarios.yml"), before);
}

#[test]
fn chaos_tests_in_another_file_get_no_second_target_of_their_name() {
    for file in ["tests/chaos/main.rs", "tests/chaos_orders.rs"] {
        let sandbox = repository(&[(file, "#[test]\nfn mine() {}\n")]);
        let done = init(&sandbox, &["--yes", "--github"]);
        assert!(done.code == Some(0) && done.stderr.contains("has chaos tests already"), "{file}: {done:?}");
        assert!(!sandbox.path("tests/chaos.rs").exists(), "{file}");
        assert_eq!(init(&sandbox, &["--yes", "--github"]).stdout, "nothing to do: everything is there\n");
    }
}

#[test]
fn lines_end_as_they_did() {
    let manifest = "[package]\r\nname = \"shop\"\r\nversion = \"0.1.0\"\r\nedition = \"2024\"\r\n";
    let sandbox = repository(&[
        ("Cargo.toml", manifest),
        (".gitignore", "target/\r\n"),
        (".config/nextest.toml", "[profile.ci]\r\nretries = 1\r\n"),
    ]);
    assert_eq!(init(&sandbox, &["--yes"]).code, Some(0));
    let expected = format!("{manifest}\r\n[dev-dependencies]\r\nchaos-test = \"0.1\"\r\n");
    assert_eq!(sandbox.read("Cargo.toml"), expected);
    for file in [".gitignore", ".config/nextest.toml"] {
        let text = sandbox.read(file);
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "{file}");
    }
}

#[test]
fn a_link_is_extended_where_it_leads() {
    let sandbox = repository(&[("shared/ignored", "target/\n")]);
    std::os::unix::fs::symlink("shared/ignored", sandbox.path(".gitignore")).unwrap();
    assert_eq!(init(&sandbox, &["--yes"]).code, Some(0));
    assert!(sandbox.path(".gitignore").is_symlink());
    assert!(sandbox.read("shared/ignored").len() > "target/\n".len());
}

#[test]
fn a_feature_that_the_test_needs_is_missed() {
    let manifest = "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dev-dependencies]\nchaos-test = \"0.1\"\n";
    let sandbox = repository(&[("Cargo.toml", manifest)]);
    let done = init(&sandbox, &["--yes", "--image", "shop:1", "--port", "80"]);
    assert!(done.stderr.contains("without the feature containers"), "{done:?}");
    assert_eq!(sandbox.read("Cargo.toml"), manifest);
}
