use chaos_test::inject::injector_for;
use chaos_test::model::{Catalogue, Scenario, SloProfile};
use chaos_test::port::Target;

/// What is to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    /// The whole catalogue.
    Everything,
    /// One scenario, by its name or an unambiguous part of it.
    Scenario(String),
    /// All of a group, by its name or its short name.
    Group(String),
}

/// The scenarios selected, in the order they are run.
pub(crate) fn chosen<'c>(
    catalogue: &'c Catalogue,
    selection: &Selection,
) -> Result<Vec<&'c Scenario>, String> {
    match selection {
        Selection::Everything => Ok(catalogue.scenarios().iter().collect()),
        Selection::Scenario(name) => one(catalogue, name).map(|scenario| vec![scenario]),
        Selection::Group(name) => {
            let group = catalogue.group(name).map_err(|unknown| unknown.to_string())?;
            let named = |name: &String| catalogue.scenario(name).map_err(|unknown| unknown.to_string());
            group.scenarios.iter().map(named).collect()
        }
    }
}

fn one<'c>(catalogue: &'c Catalogue, name: &str) -> Result<&'c Scenario, String> {
    let unknown = match catalogue.scenario(name) {
        Ok(scenario) => return Ok(scenario),
        Err(unknown) => unknown,
    };
    let part = name.to_lowercase();
    let holds =
        |scenario: &&Scenario| !part.trim().is_empty() && scenario.name.to_lowercase().contains(&part);
    let found: Vec<&Scenario> = catalogue.scenarios().iter().filter(holds).collect();
    match found.as_slice() {
        [] => Err(unknown.to_string()),
        [only] => Ok(only),
        several => {
            let names: Vec<String> =
                several.iter().map(|scenario| format!("\"{}\"", scenario.name)).collect();
            Err(format!(
                "\"{name}\" is a part of {} scenarios: give one of {}",
                names.len(),
                names.join(", ")
            ))
        }
    }
}

/// Why a scenario cannot be run against that target, if it cannot.
pub(crate) fn refused(scenario: &Scenario, profile: &SloProfile, target: &Target) -> Option<String> {
    let kind = scenario.fault.kind();
    if profile.allowed_scenarios.as_ref().is_some_and(|allowed| !allowed.contains(&scenario.name)) {
        return Some(format!("the SLO profile \"{}\" does not allow it", profile.name));
    }
    injector_for(&scenario.fault).support(&scenario.fault, target).choose(kind, &scenario.pin).err()
}

#[cfg(test)]
mod tests {
    use chaos_test::model::Catalogue;

    use super::{Selection, chosen};

    fn names(selection: Selection) -> Result<Vec<String>, String> {
        let found = chosen(Catalogue::builtin(), &selection)?;
        Ok(found.into_iter().map(|scenario| scenario.name.clone()).collect())
    }

    #[test]
    fn a_name_or_an_unambiguous_part_of_it() {
        let one = |name: &str| names(Selection::Scenario(name.into()));
        for name in ["Light Network Delay", "light network", "LIGHT NETWORK DELAY"] {
            assert_eq!(one(name), Ok(vec!["Light Network Delay".into()]), "{name}");
        }
        assert_eq!(
            one("network delay").unwrap_err(),
            "\"network delay\" is a part of 3 scenarios: give one of \"Light Network Delay\", \"Medium Network Delay\", \
             \"Heavy Network Delay\""
        );
        assert!(one("Lihgt Network Delay").unwrap_err().contains("did you mean \"Light Network Delay\"?"));
        assert!(one("").is_err() && one(" ").is_err());
    }

    #[test]
    fn a_group_by_its_name_or_its_short_name() {
        let group = |name: &str| names(Selection::Group(name.into()));
        assert_eq!(group("smoke"), group("smoke_test"));
        assert_eq!(group("smoke").unwrap().len(), 3);
        assert!(group("smok").unwrap_err().starts_with("no group named \"smok\""));
        assert_eq!(names(Selection::Everything).unwrap().len(), Catalogue::builtin().scenarios().len());
    }
}
