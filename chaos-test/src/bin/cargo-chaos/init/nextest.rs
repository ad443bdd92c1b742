use toml_edit::{DocumentMut, Item};

/// The profile and the test group, where there is no configuration of nextest.
pub(super) const WHOLE: &str = include_str!("../../../../assets/init/nextest.toml");
/// Where the group's table begins in it.
const GROUPS: &str = "\n[test-groups]\n";
const GROUP: &str = "chaos-host";

/// A configuration of nextest with our profile and group; nothing if it has a profile of that name.
///
/// # Errors
/// It is no configuration.
pub(super) fn with_profile(text: &str) -> Result<Option<String>, String> {
    if text.trim().is_empty() {
        return Ok(Some(WHOLE.to_owned()));
    }
    let parse = |text: &str| text.parse::<DocumentMut>().map_err(|error| format!("is no TOML: {error}"));
    let mut there = parse(text)?;
    if there.get("profile").is_some_and(|profiles| profiles.get("chaos").is_some()) {
        return Ok(None);
    }
    let (profile, groups) = WHOLE.split_once(GROUPS).expect("the asset has both");
    let has_groups = there.get("test-groups").is_some();
    if let Some(table) = there.get_mut("test-groups") {
        let Some(table) = table.as_table_like_mut() else {
            return Err("has `test-groups` that are no table".into());
        };
        if !table.contains_key(GROUP) {
            table.insert(GROUP, group());
        }
    }
    let mut after = there.to_string();
    if !after.ends_with('\n') {
        after.push('\n');
    }
    after = format!("{after}\n{profile}");
    if !has_groups {
        after += &format!("{GROUPS}{groups}");
    }
    parse(&after)?;
    Ok(Some(after))
}

/// Our group, as the asset has it.
fn group() -> Item {
    let asset: DocumentMut = WHOLE.parse().expect("the asset is TOML");
    let groups = asset.get("test-groups").and_then(Item::as_table).cloned().unwrap_or_default();
    groups.get(GROUP).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{WHOLE, with_profile};

    fn extended(text: &str) -> String {
        let after = with_profile(text).unwrap().expect("it was not there");
        assert_eq!(with_profile(&after), Ok(None), "twice is once");
        let document: toml_edit::DocumentMut = after.parse().unwrap();
        assert_eq!(document["test-groups"]["chaos-host"]["max-threads"].as_integer(), Some(1));
        assert_eq!(document["profile"]["chaos"]["retries"].as_integer(), Some(0));
        assert_eq!(document["profile"]["chaos"]["overrides"][0]["test-group"].as_str(), Some("chaos-host"));
        after
    }

    #[test]
    fn it_is_added_to_what_is_there() {
        assert_eq!(extended(""), WHOLE);
        let plain = "# ours\n[profile.default]\nretries = 2";
        assert!(extended(plain).starts_with("# ours\n[profile.default]\nretries = 2\n\n# Chaos tests"));
        let grouped =
            "[test-groups]\ndatabase = { max-threads = 2 } # one\n\n[profile.ci]\nfail-fast = false\n";
        let after = extended(grouped);
        assert!(
            after.starts_with(
                "[test-groups]\ndatabase = { max-threads = 2 } # one\nchaos-host = { max-threads = 1 }\n"
            ),
            "{after}"
        );
        assert_eq!(after.matches("[test-groups]").count(), 1);
    }

    #[test]
    fn a_profile_of_that_name_stays() {
        assert_eq!(with_profile("[profile.chaos]\nretries = 3\n"), Ok(None));
        assert!(with_profile("[profile").unwrap_err().starts_with("is no TOML: "));
        assert!(with_profile("test-groups = 1\n").unwrap_err().contains("no table"));
    }
}
