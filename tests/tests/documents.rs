//! The documents: every link leads somewhere, every block of README, quick start and guide is run by something, and all Rust
//! is compiled.
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "test code may touch files")]

use std::collections::HashMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// A document as its path in the repository and its text.
fn document(path: &str) -> (PathBuf, String) {
    (PathBuf::from(path), fs::read_to_string(repository().join(path)).unwrap())
}

fn documents() -> Vec<(PathBuf, String)> {
    let root = repository();
    let of = |folder: &str| {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|end| end == "md"))
    };
    let mut paths: Vec<PathBuf> = of("").chain(of("docs")).collect();
    paths.sort();
    let name = |path: &Path| path.strip_prefix(&root).unwrap().to_path_buf();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The lines outside of blocks of code, with what is between backticks left out.
fn prose(text: &str) -> String {
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    let plain = |line: &str| line.split('`').step_by(2).collect::<Vec<_>>().join("`");
    lines.map(|line| plain(line) + "\n").collect()
}

/// Where the links of a text lead: `[text](here)`, and `[name]: here`.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.trim()));
    let named = prose.lines().filter_map(|line| {
        let (name, link) = line.trim().strip_prefix('[')?.split_once("]: ")?;
        (!name.contains(']')).then(|| link.trim())
    });
    inline.chain(named).map(str::to_owned).collect()
}

/// The anchors that GitHub makes of a text's headings.
fn anchors(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut seen: HashMap<String, usize> = HashMap::new();
    let headings = text.lines().filter(|line| {
        inside ^= line.trim_start().starts_with("```");
        !inside && line.starts_with('#')
    });
    let anchor = |heading: &str| -> String {
        let plain = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = plain.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings
        .map(|heading| {
            let anchor = anchor(heading);
            let times = seen.entry(anchor.clone()).or_default();
            *times += 1;
            if *times == 1 { anchor } else { format!("{anchor}-{}", *times - 1) }
        })
        .collect()
}

/// A path without `..` and `.`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

#[test]
fn every_link_leads_somewhere() {
    let documents = documents();
    let texts: HashMap<&Path, &str> =
        documents.iter().map(|(path, text)| (path.as_path(), text.as_str())).collect();
    let (mut inside, mut outside, mut broken) = (0, 0, Vec::new());
    for (path, text) in &documents {
        for link in links(text) {
            if link.contains("://") {
                outside += 1;
                if !link.starts_with("https://") && !link.starts_with("http://") {
                    broken.push(format!("{}: {link}: not an address of the web", path.display()));
                }
                continue;
            }
            inside += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                file => plain(&path.parent().unwrap().join(file)),
            };
            if !repository().join(&target).exists() {
                broken.push(format!("{}: {link}: there is no {}", path.display(), target.display()));
            } else if !anchor.is_empty()
                && !texts
                    .get(target.as_path())
                    .is_some_and(|text| anchors(text).iter().any(|there| there == anchor))
            {
                broken.push(format!("{}: {link}: {} has no such heading", path.display(), target.display()));
            }
        }
    }
    println!("{} documents, {inside} links within, {outside} to the web (not followed)", documents.len());
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(inside > 100, "links are found");
}

/// The kind of each block of a document, `rust,no_run`, and what it holds, with the comment right in front of it.
fn blocks(text: &str) -> Vec<(String, String, String)> {
    let (mut found, mut open, mut before) = (Vec::new(), None::<(String, String)>, String::new());
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(kind)) => open = Some((kind.to_owned(), String::new())),
            (None, None) => before = line.to_owned(),
            (Some(_), Some(_)) => {
                let (kind, held) = open.take().unwrap();
                found.push((kind, held, std::mem::take(&mut before)));
            }
            (Some((_, held)), None) => *held += &format!("{line}\n"),
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

/// The commands of the README and how `.ci/run` runs them.
const RUN_BY_CI: [(&str, &str); 2] = [
    ("cargo run --example demo", "cargo run --locked --example demo"),
    ("cargo nextest run", "cargo nextest run --locked"),
];

/// Those that it does not run: the recipe of the justfile, and why it is left to people.
const NOT_RUN_BY_CI: [(&str, &str, &str); 1] = [(
    "just containers",
    "\ncontainers:\n",
    "it takes too long; the step `containers` has a part of it, without the suites catalogue, killed and side_by_side",
)];

/// The documents whose blocks the newcomer follows: what the line says that cuts them up.
fn followed(newcomer: &str) -> Vec<&str> {
    let cuts = |line: &&str| line.starts_with("awk ") && line.contains("blocks.awk");
    let line = newcomer.lines().find(cuts).expect("tests/newcomer/run reads documents");
    line.split_whitespace().filter(|word| word.ends_with(".md")).collect()
}

/// Whether the Rust of a document is among the documented tests of this package.
fn is_doctest(name: &str) -> bool {
    let compiled = fs::read_to_string(repository().join("tests/src/lib.rs")).unwrap();
    compiled.contains(&format!("include_str!(\"../../{name}\")"))
}

#[test]
fn every_block_is_run_by_something() {
    let (mut by_doctests, mut by_newcomer, mut of_commands, mut shown) = (0, 0, 0, 0);
    let mut by_ci = 0;
    let mut left_out = Vec::new();
    let read = |file: &str| fs::read_to_string(repository().join(file)).unwrap();
    let (newcomer, ci, recipes) = (read("tests/newcomer/run"), read(".ci/run"), read("justfile"));
    let followed = followed(&newcomer);
    for name in ["README.md", "docs/quick-start.md", "docs/guide.md"] {
        let (_, text) = document(name);
        let is_typed = followed.contains(&name);
        for (kind, held, before) in blocks(&text) {
            match kind.as_str() {
                // The newcomer writes it.
                "rust" | "yaml" if is_typed && before.starts_with("<!-- file: ") => by_newcomer += 1,
                "rust" | "rust,no_run" => {
                    assert!(is_doctest(name), "{name} is no doctest");
                    by_doctests += 1;
                }
                "console" if is_typed => by_newcomer += 1,
                "console" => {
                    for line in held.lines() {
                        let typed = line.strip_prefix("$ ").unwrap_or_else(|| panic!("{name}: {line}"));
                        let typed = typed.split('#').next().unwrap().trim();
                        if let Some((_, command)) = RUN_BY_CI.iter().find(|(command, _)| *command == typed) {
                            assert!(ci.contains(command), ".ci/run does not run `{command}`");
                            by_ci += 1;
                        } else if let Some((_, recipe, why)) =
                            NOT_RUN_BY_CI.iter().find(|(command, ..)| *command == typed)
                        {
                            assert!(recipes.contains(recipe), "the justfile has no recipe for `{typed}`");
                            left_out.push(format!("`{typed}`: {why}"));
                        } else {
                            panic!("{name}: nothing runs `{typed}`");
                        }
                    }
                    of_commands += 1;
                }
                // What a program prints, or a drawing.
                "text" => shown += 1,
                kind => panic!("{name}: nothing runs a block of {kind:?}"),
            }
        }
    }
    println!(
        "{} blocks found: {by_newcomer} run by tests/newcomer/run, {by_doctests} by doctests, {of_commands} of commands of \
         which .ci/run runs {by_ci}; {shown} are output or drawings",
        by_newcomer + by_doctests + of_commands + shown
    );
    for command in &left_out {
        println!("not run by CI: {command}");
    }
    assert_eq!(left_out.len(), NOT_RUN_BY_CI.len(), "one is no longer in a document");
    assert!(by_newcomer > 8 && by_doctests > 4 && by_ci > 0, "blocks are found");
}

/// What a reader copies must compile, wherever it stands.
#[test]
fn all_rust_is_compiled_by_something() {
    let read = |file: &str| fs::read_to_string(repository().join(file)).unwrap();
    let newcomer = read("tests/newcomer/run");
    let followed = followed(&newcomer);
    let (mut found, mut rotten) = (0, Vec::new());
    for (path, text) in documents() {
        let name = path.to_str().unwrap();
        let is_compiled = is_doctest(name);
        for (kind, ..) in blocks(&text).into_iter().filter(|(kind, ..)| kind.starts_with("rust")) {
            found += 1;
            // `ignore` and its like compile nothing.
            if !(is_compiled || followed.contains(&name)) || !["rust", "rust,no_run"].contains(&kind.as_str())
            {
                rotten.push(format!("{name}: nothing compiles a block of {kind:?}"));
            }
        }
    }
    assert!(rotten.is_empty(), "{}", rotten.join("\n"));
    assert!(found > 14, "blocks are found");
}

#[test]
fn links_and_headings_are_found() {
    let text = "# A `b` c: d/e\n[x](y.md#z) and [q][n], `[not](this)`\n\n[n]: other.md\n[o][p]: no link\n```text\n[no](one)\n# no heading\n```\n## A `b` c: d/e\n";
    assert_eq!(links(text), ["y.md#z", "other.md"]);
    assert_eq!(anchors(text), ["a-b-c-de", "a-b-c-de-1"]);
    assert_eq!(plain(Path::new("docs/../tests/./a.rs")), Path::new("tests/a.rs"));
}
