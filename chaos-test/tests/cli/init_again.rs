//! Calls after the first, and what is said only once.

use super::{MAIN, files, init, repository, typed};
use crate::sandbox::Sandbox;

const DONE: &str = "nothing to do: everything is there\n";

fn package(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
}

#[test]
fn a_second_call_needs_no_flags_of_the_first() {
    let calls: [&[&str]; 3] =
        [&["--bin", "shop"], &["--image", "shop:1", "--port", "80"], &["--url", "http://127.0.0.1:8000"]];
    for first in calls {
        // Of two binaries nobody can choose, and without a terminal nobody is asked.
        let sandbox = repository(&[("src/bin/other.rs", "fn main() {}")]);
        assert_eq!(init(&sandbox, &[first, &["--yes"]].concat()).code, Some(0), "{first:?}");
        let before = [sandbox.read("Cargo.toml"), sandbox.read("tests/chaos.rs")];

        let second = init(&sandbox, &["--github", "--yes"]);
        assert_eq!((second.code, second.stderr.as_str()), (Some(0), ""), "{first:?}: {second:?}");
        assert!(sandbox.read(".github/workflows/chaos.yml").contains("PACKAGE: \"shop\""));
        assert_eq!([sandbox.read("Cargo.toml"), sandbox.read("tests/chaos.rs")], before);

        let written = files(&sandbox);
        let third = init(&sandbox, &["--github", "--yes"]);
        assert_eq!((third.code, third.stdout.as_str()), (Some(0), DONE), "{first:?}: {third:?}");
        assert_eq!(files(&sandbox), written);
    }
}

#[test]
fn a_folder_of_the_repository_is_named_as_every_clone_has_it() {
    let sandbox = Sandbox::new();
    sandbox.write("Cargo.toml", "[workspace]\nmembers = [\"a/shop\"]\nresolver = \"3\"\n");
    sandbox.write("a/shop/Cargo.toml", &package("shop"));
    sandbox.write("a/shop/src/main.rs", MAIN);
    sandbox.write("a/chaos/Cargo.toml", &package("chaos-test"));
    sandbox.write("a/chaos/src/lib.rs", "");
    let done = init(&sandbox, &["--yes", "--path", "a/chaos", "--github"]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    let manifest = sandbox.read("a/shop/Cargo.toml");
    assert!(manifest.ends_with("[dev-dependencies]\nchaos-test = { path = \"../chaos\" }\n"), "{manifest}");
    let workflow = sandbox.read(".github/workflows/chaos.yml");
    assert!(workflow.contains("cargo install --path 'a/chaos' --locked"), "{workflow}");
    assert_eq!(init(&sandbox, &["--yes", "--path", "a/chaos", "--github"]).stdout, DONE);

    // What is outside of it may be anywhere in another clone.
    let outside = repository(&[]);
    let folder = sandbox.path("a/chaos").display().to_string();
    assert_eq!(init(&outside, &["--yes", "--path", &folder]).code, Some(0));
    let manifest = outside.read("Cargo.toml");
    assert!(manifest.contains(&format!("chaos-test = {{ path = \"{folder}\" }}")), "{manifest}");
}

#[test]
fn without_a_binary_it_asks_for_an_image_or_an_address() {
    let library = || {
        let sandbox = Sandbox::new();
        sandbox.write("Cargo.toml", &package("shop"));
        sandbox.write("src/lib.rs", "");
        sandbox
    };
    let sandbox = library();
    let before = files(&sandbox);
    for undecided in ["\n", "shop\nshop 0x50\nhttps://shop\n", "shop:1.2 8080\nn\n"] {
        let ended = typed(&sandbox, undecided);
        assert_eq!(ended.code, Some(2), "{undecided:?}: {ended:?}");
        assert!(ended.stdout.contains("package \"shop\" has no binary"), "{ended:?}");
        assert_eq!(files(&sandbox), before, "{undecided:?}");
    }
    let done = typed(&sandbox, "shop:1.2\nshop:1.2 8080\ny\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.stdout.contains("\"shop:1.2\" is neither NAME:TAG PORT nor http://HOST:PORT"), "{done:?}");
    assert!(sandbox.read("tests/chaos.rs").contains("GenericImage::new(\"shop\", \"1.2\")"));
    assert!(sandbox.read("Cargo.toml").contains("features = [\"containers\"]"));

    let sandbox = library();
    let done = typed(&sandbox, "http://127.0.0.1:8000\ny\n");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(sandbox.read("tests/chaos.rs").contains(".url(\"app\", \"http://127.0.0.1:8000\")"));
}
