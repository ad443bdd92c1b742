//! The names a catalogue knows: scenarios, groups, environments, and nothing else of it.
//!
//! Whether a scenario makes sense is checked by `cargo chaos check` and when the test runs.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::suggest;

const BUILT_IN: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/chaos_scenarios.yml"));

/// The names of one catalogue, or of one extended by another.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Names {
    scenarios: Vec<String>,
    groups: BTreeMap<String, Vec<String>>,
    environments: Vec<String>,
}

#[derive(Deserialize)]
struct RawNames {
    scenarios: Option<Vec<RawScenario>>,
    scenario_groups: Option<BTreeMap<String, RawGroup>>,
    environments: Option<BTreeMap<String, IgnoredAny>>,
}

#[derive(Deserialize)]
struct RawScenario {
    name: String,
}

#[derive(Deserialize)]
struct RawGroup {
    scenarios: Option<Vec<String>>,
}

impl Names {
    /// The catalogue that comes with the crate.
    pub(crate) fn built_in() -> &'static Self {
        static NAMES: LazyLock<Names> = LazyLock::new(|| {
            Names::parse(BUILT_IN).unwrap_or_else(|message| panic!("the built-in catalogue: {message}"))
        });
        &NAMES
    }

    /// Reads a catalogue; an error is one line.
    pub(crate) fn parse(yaml: &str) -> Result<Self, String> {
        let raw: RawNames = serde_yaml::from_str(yaml).map_err(|error| {
            error.without_snippet().to_string().lines().next().unwrap_or("not YAML").to_owned()
        })?;
        let groups = raw.scenario_groups.unwrap_or_default().into_iter();
        Ok(Self {
            scenarios: raw.scenarios.unwrap_or_default().into_iter().map(|scenario| scenario.name).collect(),
            groups: groups.map(|(name, group)| (name, group.scenarios.unwrap_or_default())).collect(),
            environments: raw.environments.unwrap_or_default().into_keys().collect(),
        })
    }

    /// These names with those of `own` added; a group of the same name is replaced.
    pub(crate) fn extended_by(&self, own: &Self) -> Self {
        let mut all = self.clone();
        let new = |known: &[String], names: &[String]| -> Vec<String> {
            names.iter().filter(|name| !known.contains(name)).cloned().collect()
        };
        all.scenarios.extend(new(&self.scenarios, &own.scenarios));
        all.environments.extend(new(&self.environments, &own.environments));
        all.groups.extend(own.groups.clone());
        all
    }

    /// Whether there is this scenario; the error says which one was probably meant.
    pub(crate) fn scenario(&self, wanted: &str) -> Result<(), String> {
        if self.scenarios.iter().any(|name| name == wanted) {
            return Ok(());
        }
        if let Ok((group, _)) = self.group(wanted) {
            return Err(format!(
                "no scenario named \"{wanted}\"\n  help: it is a group: `group = \"{group}\"`"
            ));
        }
        let help = suggest::help(wanted, self.scenarios.iter().map(String::as_str), '"');
        Err(format!("no scenario named \"{wanted}\"{help}"))
    }

    /// A group's full name and its scenarios, for that name or its short form (`smoke` for `smoke_test`).
    pub(crate) fn group(&self, wanted: &str) -> Result<(&str, &[String]), String> {
        let found = ["", "_test", "_readiness"]
            .iter()
            .find_map(|suffix| self.groups.get_key_value(&format!("{wanted}{suffix}")));
        if let Some((name, scenarios)) = found {
            return Ok((name, scenarios));
        }
        if self.scenarios.iter().any(|name| name == wanted) {
            return Err(format!(
                "no group named \"{wanted}\"\n  help: it is a scenario: `scenario = \"{wanted}\"`"
            ));
        }
        let help = suggest::help(wanted, self.groups.keys().map(String::as_str), '"');
        Err(format!("no group named \"{wanted}\"{help}"))
    }

    /// An SLO profile's full name, for that name or its short form.
    pub(crate) fn slo(&self, wanted: &str) -> Result<&str, String> {
        let long = match wanted {
            "dev" => "development",
            "prod" => "production",
            other => other,
        };
        let known = || self.environments.iter().map(String::as_str).chain(["default"]);
        known().find(|name| *name == wanted).or_else(|| known().find(|name| *name == long)).ok_or_else(|| {
            format!("no SLO profile named \"{wanted}\"{}", suggest::help(wanted, known(), '"'))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn the_built_in_catalogue_has_its_names() {
        let names = Names::built_in();
        assert_eq!(names.scenarios.len(), 19);
        assert_eq!(names.groups.len(), 5);
        for name in names.groups.values().flatten() {
            names.scenario(name).expect("a group names known scenarios");
        }
        assert_eq!(names.scenario("Service Recovery"), Ok(()));
    }

    #[test]
    fn short_names() {
        let names = Names::built_in();
        assert_eq!(names.group("smoke").expect("smoke").0, "smoke_test");
        assert_eq!(names.group("smoke_test").expect("exact").0, "smoke_test");
        assert_eq!(names.group("production").expect("production").0, "production_readiness");
        assert_eq!(names.slo("dev"), Ok("development"));
        assert_eq!(names.slo("prod"), Ok("production"));
        assert_eq!(names.slo("staging"), Ok("staging"));
        assert_eq!(names.slo("default"), Ok("default"));
    }

    #[test]
    fn a_short_name_needs_its_environment_and_an_exact_name_goes_first() {
        let names = Names::parse("environments: {dev: {}, development: {}, stage: {}}").expect("parses");
        assert_eq!(names.slo("dev"), Ok("dev"));
        assert!(names.slo("prod").is_err());
        let names = Names::parse("scenario_groups: {smoke: {}, smoke_test: {}}").expect("parses");
        assert_eq!(names.group("smoke").expect("smoke").0, "smoke");
    }

    #[test]
    fn unknown_names_are_told_with_what_was_meant() {
        let names = Names::built_in();
        let message = names.scenario("Medum CPU Stres").expect_err("misspelt");
        assert_eq!(
            message,
            "no scenario named \"Medum CPU Stres\"\n  help: did you mean \"Medium CPU Stress\"?"
        );
        let message = names.scenario("smoke").expect_err("a group");
        assert_eq!(message, "no scenario named \"smoke\"\n  help: it is a group: `group = \"smoke_test\"`");
        let message = names.group("Service Recovery").expect_err("a scenario");
        assert!(message.ends_with("help: it is a scenario: `scenario = \"Service Recovery\"`"), "{message}");
        let message = names.slo("qa").expect_err("unknown");
        let known = "\"development\", \"production\", \"staging\", \"default\"";
        assert_eq!(message, format!("no SLO profile named \"qa\"\n  help: known: {known}"));
    }

    #[test]
    fn own_names_extend_and_replace_by_name() {
        let own = "
            scenarios: [{name: Slow Payments, type: network_delay, duration: 3}, {name: Service Recovery}]
            scenario_groups: {smoke_test: {scenarios: [Slow Payments]}}
            environments: {qa: {slo_targets: {mttr_seconds: 5}}}
            anything_else: [1, {a: b}]";
        let all = Names::built_in().extended_by(&Names::parse(own).expect("parses"));
        assert_eq!(all.scenarios.len(), 20);
        assert_eq!(all.group("smoke").expect("smoke").1, ["Slow Payments"]);
        assert_eq!(all.group("stress").expect("stress").1.len(), 5);
        assert_eq!(all.slo("qa"), Ok("qa"));
    }

    #[test]
    fn what_does_not_parse_is_one_line_with_its_place() {
        let message = Names::parse("scenarios:\n  - nam: x\n").expect_err("no name");
        assert!(message.contains("name") && message.contains("line 2"), "{message}");
        assert!(!message.contains('\n'), "{message}");
        assert_eq!(Names::parse("scenarios:\n"), Ok(Names::default()));
    }
}
