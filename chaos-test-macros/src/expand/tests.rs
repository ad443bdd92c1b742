//! `golden/pass/X.rs` expands to `X.expanded.rs`; `golden/fail/X.rs` gives the errors of `X.errors`.
//! `CHAOS_TEST_GOLDEN=write cargo test -p chaos-test-macros` writes what is expected anew: read the diff.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use tempfile::TempDir;

use super::{Failed, expand};
use crate::locate::Site;

/// The most lines that one more scenario may add, and that the module's head may have.
const LINES_PER_TEST: usize = 15;
const LINES_OF_HEAD: usize = 25;

/// A repository to expand in: nothing in it, or an own catalogue for `own_*`.
struct Repository(TempDir);

impl Repository {
    fn of(golden: &Path) -> Self {
        let root = TempDir::new().expect("a temporary directory");
        let write = |file: &str, text: &str| fs::write(root.path().join(file), text).expect("written");
        write("Cargo.toml", "[workspace]\n");
        if stem(golden).starts_with("own_") {
            write(
                "chaos_scenarios.yml",
                "scenarios: [{name: Slow Payments}, {name: 500 errors}, {name: '500 Errors!'}, {name: x²}, {name: match}]
scenario_groups: {odd: {scenarios: [500 errors, match]}, twins: {scenarios: [500 errors, 500 Errors!]},
                  empty: {}, broken: {scenarios: [Slow Paiments]}}
environments: {qa: {}}
",
            );
        }
        write("broken.yml", "scenarios:\n  - {nam: Slow Payments}\n");
        Self(root)
    }

    fn expand(&self, golden: &Path) -> Result<TokenStream, Failed> {
        let root = fs::canonicalize(self.0.path()).expect("a directory");
        let (attr, item) = split(&fs::read_to_string(golden).expect("a golden file"));
        expand(attr, item, &Site { manifest_dir: Some(root), ..Site::default() })
    }

    fn without_root(&self, text: &str) -> String {
        let root = fs::canonicalize(self.0.path()).expect("a directory");
        text.replace(root.to_str().expect("UTF-8"), "/repo")
    }
}

/// What rustc hands to the macro: the arguments of the first `#[chaos_test(…)]`, and everything else.
fn split(source: &str) -> (TokenStream, TokenStream) {
    let (mut attr, mut item) = (None, Vec::new());
    for tree in source.parse::<TokenStream>().expect("tokens") {
        if let (TokenTree::Group(group), None) = (&tree, &attr)
            && group.delimiter() == Delimiter::Bracket
            && group.stream().to_string().starts_with("chaos_test")
        {
            item.pop();
            let arguments = group.stream().into_iter().nth(1);
            attr = Some(match arguments {
                Some(TokenTree::Group(arguments)) => arguments.stream(),
                _ => TokenStream::new(),
            });
            continue;
        }
        item.push(tree);
    }
    (attr.expect("#[chaos_test]"), item.into_iter().collect())
}

fn stem(golden: &Path) -> &str {
    golden.file_stem().and_then(|stem| stem.to_str()).expect("a name")
}

fn goldens(dir: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(dir);
    let files = fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .filter(|file| !stem(file).ends_with(".expanded"))
        .collect();
    files.sort();
    files
}

/// Compares with the file beside `golden`; returns what is wrong.
fn compare(golden: &Path, extension: &str, actual: &str) -> Option<String> {
    let file = golden.with_extension(extension);
    if env::var_os("CHAOS_TEST_GOLDEN").is_some() {
        fs::write(file, actual).expect("written");
        return None;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    (expected != actual).then(|| format!("{}: expected\n{expected}\nbut it is\n{actual}", file.display()))
}

fn pretty(tokens: TokenStream) -> String {
    prettyplease::unparse(&syn::parse2(tokens).expect("the expansion parses"))
}

#[test]
fn expansions_are_as_stored() {
    let mut wrong = Vec::new();
    let goldens = goldens("pass");
    assert!(goldens.len() >= 15);
    for golden in goldens {
        let repository = Repository::of(&golden);
        match repository.expand(&golden) {
            Ok(tokens) => {
                wrong.extend(compare(&golden, "expanded.rs", &repository.without_root(&pretty(tokens))))
            }
            Err(failed) => wrong.push(format!("{}: {}", golden.display(), failed.error)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expansions_are_short() {
    for golden in goldens("pass") {
        let text = pretty(
            Repository::of(&golden).expand(&golden).unwrap_or_else(|failed| panic!("{}", failed.error)),
        );
        let module = text.split_once("#[cfg(test)]\nmod ").expect("a module").1;
        let (head, tests) = module.split_once("\n    };\n").expect("a head");
        let head = head.lines().count() + 1;
        assert!(head <= LINES_OF_HEAD, "{}: {head} lines before the tests\n{text}", golden.display());
        // A test ends with its brace; attributes that were passed on are the user's lines.
        let user = |line: &&str| line.trim_start().starts_with("#[") && *line != "    #[test]";
        // Arguments of another macro are listed and cloned, one by one at this printer's width.
        let most = if module.contains("move |") { LINES_PER_TEST + 4 } else { LINES_PER_TEST };
        for test in tests.trim_end_matches("\n}\n").split_inclusive("\n    }\n") {
            let lines = test.lines().filter(|line| !user(line)).count();
            assert!(lines <= most, "{}: {lines} lines\n{text}", golden.display());
        }
    }
}

#[test]
fn the_body_keeps_every_token() {
    let source =
        "#[chaos_test(scenario = \"Service Recovery\")] async fn f() { let x = 1 ; strange! { <<< } }";
    let (attr, item) = split(source);
    let tokens = expand(attr, item, &Site::default()).unwrap_or_else(|failed| panic!("{}", failed.error));
    assert!(tokens.to_string().contains("async fn f () { let x = 1 ; strange ! { <<< } }"), "{tokens}");
}

#[test]
fn all_errors_come_at_once_with_their_places() {
    let mut wrong = Vec::new();
    for golden in goldens("fail") {
        let repository = Repository::of(&golden);
        match repository.expand(&golden) {
            Ok(tokens) => wrong.push(format!("{}: expanded to {tokens}", golden.display())),
            Err(failed) => {
                let mut text = String::new();
                for error in failed.error {
                    let place = error.span().source_text().unwrap_or_else(|| "#[chaos_test]".into());
                    text += &format!(
                        "error: {error}\n  at: {}\n",
                        place.split_whitespace().collect::<Vec<_>>().join(" ")
                    );
                }
                text += &format!(
                    "stays:\n{}",
                    syn::parse2(failed.original)
                        .map_or_else(|_| "…\n".into(), |file| prettyplease::unparse(&file))
                );
                wrong.extend(compare(&golden, "errors", &repository.without_root(&text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
