use toml_edit::{Array, DocumentMut, InlineTable, Item, Value};

/// Where chaos-test comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The registry, at this version.
    Version(String),
    /// A folder.
    Path(String),
    /// A repository, and what of it: `rev`, `branch` or `tag`, and which.
    Git { url: String, at: Option<(&'static str, String)> },
    /// As the workspace's `[workspace.dependencies]` say.
    Workspace,
}

const NAME: &str = "chaos-test";

/// The manifest with chaos-test among its dev-dependencies; nothing if it is there.
///
/// # Errors
/// It is no manifest.
pub(super) fn with_dependency(
    text: &str,
    source: &Source,
    features: &[&str],
) -> Result<Option<String>, String> {
    let mut manifest = parse(text)?;
    // Older editions have both spellings, and of the two Cargo reads only the one with the hyphen.
    let is_old = manifest.contains_key("dev_dependencies") && !manifest.contains_key("dev-dependencies");
    let key = if is_old { "dev_dependencies" } else { "dev-dependencies" };
    let table = manifest.entry(key).or_insert_with(toml_edit::table);
    let Some(table) = table.as_table_like_mut() else {
        return Err(format!("has a `{key}` that is no table"));
    };
    if table.contains_key(NAME) {
        return Ok(None);
    }
    table.insert(NAME, Item::Value(dependency(source, features)));
    Ok(Some(manifest.to_string()))
}

/// Where chaos-test comes from by the manifest of a package; nothing if it is no dev-dependency of it.
pub(super) fn source_of_package(text: &str) -> Result<Option<Source>, String> {
    Ok(dev_dependencies(&parse(text)?).and_then(named))
}

/// Whether chaos-test is a dev-dependency without one of these features; what a workspace says for it is not looked at.
pub(super) fn lacks(text: &str, features: &[&str]) -> Result<bool, String> {
    let manifest = parse(text)?;
    let Some(there) = dev_dependencies(&manifest).and_then(|all| all.get(NAME)) else { return Ok(false) };
    let on = there.get("features").and_then(Item::as_array);
    let is_on = |name: &str| on.is_some_and(|on| on.iter().any(|each| each.as_str() == Some(name)));
    Ok(there.get("workspace").is_none() && !features.iter().all(|name| is_on(name)))
}

fn dev_dependencies(manifest: &DocumentMut) -> Option<&Item> {
    manifest.get("dev-dependencies").or_else(|| manifest.get("dev_dependencies"))
}

/// Where it comes from by what the manifest of a workspace has for its members, if it has it.
pub(super) fn source_of_workspace(text: &str) -> Result<Option<Source>, String> {
    let manifest = parse(text)?;
    let dependencies = manifest.get("workspace").and_then(|workspace| workspace.get("dependencies"));
    Ok(dependencies.and_then(named))
}

fn named(dependencies: &Item) -> Option<Source> {
    let there = dependencies.get(NAME)?;
    let text = |key: &str| there.get(key).and_then(Item::as_str).map(str::to_owned);
    if there.get("workspace").is_some() {
        return Some(Source::Workspace);
    }
    let version = || there.as_str().map(str::to_owned).or_else(|| text("version")).map(Source::Version);
    let at = ["rev", "branch", "tag"].into_iter().find_map(|key| Some((key, text(key)?)));
    let git = text("git").map(|url| Source::Git { url, at });
    git.or_else(|| text("path").map(Source::Path)).or_else(version)
}

/// Whether Cargo looks for test files by itself.
pub(super) fn finds_tests(text: &str) -> Result<bool, String> {
    let manifest = parse(text)?;
    let auto = manifest.get("package").and_then(|package| package.get("autotests"));
    Ok(auto.and_then(Item::as_bool).unwrap_or(true))
}

fn parse(text: &str) -> Result<DocumentMut, String> {
    text.parse().map_err(|error| format!("is no TOML: {error}"))
}

fn dependency(source: &Source, features: &[&str]) -> Value {
    let mut table = InlineTable::new();
    match source {
        Source::Version(version) if features.is_empty() => return version.as_str().into(),
        Source::Version(version) => table.insert("version", version.as_str().into()),
        Source::Path(path) => table.insert("path", path.as_str().into()),
        Source::Git { url, at } => {
            if let Some((key, which)) = at {
                table.insert(*key, which.as_str().into());
            }
            table.insert("git", url.as_str().into())
        }
        Source::Workspace => table.insert("workspace", true.into()),
    };
    if !features.is_empty() {
        table.insert("features", Value::Array(features.iter().copied().collect::<Array>()));
    }
    table.into()
}

#[cfg(test)]
mod tests {
    use super::{Source, lacks, source_of_package, source_of_workspace, with_dependency};

    fn added(text: &str, source: Source, features: &[&str]) -> String {
        let after = with_dependency(text, &source, features).unwrap().expect("it was not there");
        assert_eq!(with_dependency(&after, &source, features), Ok(None), "twice is once");
        after
    }

    #[test]
    fn what_was_there_stays_as_it_was() {
        let text = "# mine\n[package]\nname = \"shop\" # the shop\n\n[dev-dependencies]\ntokio = \"1\"\n\n[profile.dev]\ndebug = 1\n";
        let after = added(text, Source::Version("0.1".into()), &[]);
        assert_eq!(after, text.replace("tokio = \"1\"\n", "tokio = \"1\"\nchaos-test = \"0.1\"\n"));
    }

    #[test]
    fn the_older_spelling_stays_the_only_one() {
        let text = "[package]\nname = \"shop\"\n\n[dev_dependencies]\ntokio = \"1\"\n";
        let after = added(text, Source::Version("0.1".into()), &[]);
        assert_eq!(after, format!("{text}chaos-test = \"0.1\"\n"));
        assert_eq!(source_of_package(&after), Ok(Some(Source::Version("0.1".into()))));
    }

    #[test]
    fn a_feature_that_is_not_on_is_missed() {
        for (line, expected) in [
            ("tokio = \"1\"", false),
            ("chaos-test = \"0.1\"", true),
            ("chaos-test = { version = \"0.1\", features = [\"containers\"] }", false),
            ("chaos-test = { workspace = true }", false),
        ] {
            let text = format!("[dev-dependencies]\n{line}\n");
            assert_eq!(lacks(&text, &["containers"]), Ok(expected), "{line}");
            assert_eq!(lacks(&text, &[]), Ok(false), "{line}");
        }
    }

    #[test]
    fn each_source_has_its_form() {
        for (source, features, expected) in [
            (
                Source::Version("0.1".into()),
                &["containers"][..],
                r#"chaos-test = { version = "0.1", features = ["containers"] }"#,
            ),
            (Source::Path("../chaos-test".into()), &[], r#"chaos-test = { path = "../chaos-test" }"#),
            (
                Source::Git { url: "https://example.org/x".into(), at: None },
                &[],
                r#"chaos-test = { git = "https://example.org/x" }"#,
            ),
            (Source::Workspace, &[], "chaos-test = { workspace = true }"),
        ] {
            let after = added("[package]\nname = \"shop\"\n", source.clone(), features);
            assert_eq!(source_of_package(&after), Ok(Some(source)));
            assert_eq!(after, format!("[package]\nname = \"shop\"\n\n[dev-dependencies]\n{expected}\n"));
        }
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        assert!(
            with_dependency("[package", &Source::Workspace, &[]).unwrap_err().starts_with("is no TOML: ")
        );
        let odd = "dev-dependencies = 1\n";
        assert!(with_dependency(odd, &Source::Workspace, &[]).unwrap_err().contains("no table"));
        let pinned = "[dev-dependencies]\nchaos-test = { git = \"https://example.org/x\", tag = \"v1\" }\n";
        let of_tag = Source::Git { url: "https://example.org/x".into(), at: Some(("tag", "v1".into())) };
        assert_eq!(source_of_package(pinned), Ok(Some(of_tag)));
        let version = Source::Version("0.1".into());
        assert_eq!(
            source_of_workspace("[workspace.dependencies]\nchaos-test = \"0.1\"\n"),
            Ok(Some(version))
        );
        assert_eq!(source_of_workspace("[workspace]\nmembers = []\n"), Ok(None));
        assert_eq!(source_of_package("[dev-dependencies]\ntokio = \"1\"\n"), Ok(None));
    }
}
