//! The catalogue: a YAML file of scenarios, groups, SLO profiles and safety rules.
//!
//! Purpose: turn the bytes of a file into a [`Catalogue`], or into [`Diagnostics`] that name every
//! mistake in it at once, each with its place, the rule it breaks and the way to put it right.
//!
//! How: [`syntax`] reads bytes into a tree of [`node`]s that know their places. The readers (one file per
//! section) walk that tree into a [`raw::RawCatalogue`] and report what is wrong by itself. [`merge`]
//! lays it over the built-in catalogue and reports names that lead nowhere.
//!
//! Invariants: a [`Catalogue`] holds no name that leads nowhere, no two scenarios whose tests would have
//! the same name, and no value out of range. Reading is total: any bytes give a catalogue or diagnostics,
//! within a few megabytes of memory.
//! Not here: reading a file from disk, and what a scenario does. The module `schema` describes such a file to editors,
//! from the readers' own tables of keys.

mod bounds;
mod conditions;
mod diagnostic;
mod entry;
mod environments;
mod fields;
mod group;
mod lookup;
mod merge;
mod monitoring;
mod node;
mod parameters;
mod raw;
mod reporter;
mod safety;
#[cfg(feature = "schema")]
mod schema;
mod severity;
mod spelling;
mod syntax;
mod targets;
mod value;

use std::sync::LazyLock;

pub use diagnostic::{Diagnostic, Diagnostics, Excerpt};
pub use group::Group;
pub use lookup::UnknownName;
#[cfg(feature = "cli")]
pub(crate) use monitoring::is_path;
pub use severity::SeverityBounds;

use super::{Monitoring, Objectives, Safety, Scenario, SloProfile};
use environments::{BASE, Profile};
use raw::RawCatalogue;
use reporter::Reporter;
use targets::Targets;

/// Scenarios, groups, SLO profiles and safety rules, all checked.
///
/// ```
/// use chaos_test::model::Catalogue;
/// let yaml = b"slo_targets: {mttr_seconds: 12}\n";
/// let catalogue = Catalogue::read("chaos.yml", yaml).unwrap();
/// assert_eq!(catalogue.scenarios().len(), 19);
/// assert_eq!(catalogue.group("smoke").unwrap().name, "smoke_test");
///
/// let mistakes = Catalogue::read("chaos.yml", b"scenaros: []\n").unwrap_err();
/// assert!(mistakes.to_string().contains("did you mean `scenarios`?"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    scenarios: Vec<Scenario>,
    groups: Vec<Group>,
    targets: Targets,
    severity: Option<SeverityBounds>,
    profiles: Vec<Profile>,
    safety: Safety,
    monitoring: Monitoring,
}

impl Catalogue {
    /// The text of the built-in catalogue, `scenarios/chaos_scenarios.yml`.
    pub const BUILTIN: &'static str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/chaos_scenarios.yml"));

    /// The built-in catalogue.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Catalogue> = LazyLock::new(|| {
            let empty = Catalogue {
                scenarios: Vec::new(),
                groups: Vec::new(),
                targets: Targets::default(),
                severity: None,
                profiles: Vec::new(),
                safety: Safety::default(),
                monitoring: Monitoring::default(),
            };
            match empty.extended("chaos_scenarios.yml", Catalogue::BUILTIN.as_bytes()) {
                Ok(catalogue) => catalogue,
                Err(mistakes) => unreachable!("the built-in catalogue is tested: {mistakes}"),
            }
        });
        &BUILTIN
    }

    /// The built-in catalogue with what a file replaces and adds.
    ///
    /// Scenarios and groups replace those of the same name; environments, SLO targets, safety and
    /// monitoring replace key by key. `file` is only shown in messages.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        Self::builtin().extended(file, bytes)
    }

    fn extended(&self, file: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        let text = syntax::text(file, bytes)?;
        let mut out = Reporter::new(file, text);
        let catalogue = match syntax::nodes(text, &mut out) {
            Some(root) => merge::merge(self, RawCatalogue::read(&root, &mut out), &mut out),
            None => self.clone(),
        };
        out.finish().map(|()| catalogue)
    }

    /// A JSON Schema of such a file, for editors: `docs/schema/chaos_scenarios.schema.json`.
    ///
    /// It takes every file that [`read`](Self::read) takes. It cannot refuse all that `read` refuses: a name that leads
    /// nowhere, or the same name twice, is for `read` to find.
    #[cfg(feature = "schema")]
    pub fn schema() -> serde_json::Value {
        schema::of_a_file()
    }

    /// Every scenario: the built-in ones first, then those added.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }

    /// The scenario with exactly that name.
    pub fn scenario(&self, name: &str) -> Result<&Scenario, UnknownName> {
        let names = self.scenarios.iter().map(|scenario| scenario.name.as_str());
        let found = self.scenarios.iter().find(|scenario| scenario.name == name);
        found.ok_or_else(|| UnknownName::new("scenario", name, names))
    }

    /// Every group.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The group with that name, or with that short name: `smoke` is `smoke_test`, `production` is
    /// `production_readiness`.
    pub fn group(&self, name: &str) -> Result<&Group, UnknownName> {
        let named = |name: &str| self.groups.iter().find(|group| group.name == name);
        named(name)
            .or_else(|| named(&format!("{name}_test")))
            .or_else(|| named(&format!("{name}_readiness")))
            .ok_or_else(|| {
                UnknownName::new("group", name, self.groups.iter().map(|group| group.name.as_str()))
            })
    }

    /// Every SLO profile, `default` first.
    pub fn profiles(&self) -> Vec<SloProfile> {
        let base = SloProfile {
            name: BASE.to_owned(),
            objectives: self.by_severity(self.targets.objectives()),
            allowed_scenarios: None,
        };
        std::iter::once(base).chain(self.profiles.iter().map(|profile| self.inherited(profile))).collect()
    }

    /// The SLO profile of an environment, inheritance applied; `None` and `default` give the base targets.
    ///
    /// `dev` and `prod` are short for `development` and `production`.
    pub fn profile(&self, name: Option<&str>) -> Result<SloProfile, UnknownName> {
        let name = name.unwrap_or(BASE);
        let long = environments::long_name(name).unwrap_or(name);
        let profiles = self.profiles();
        match profiles.iter().find(|profile| profile.name == long) {
            Some(profile) => Ok(profile.clone()),
            None => {
                Err(UnknownName::new("SLO profile", name, profiles.iter().map(|known| known.name.as_str())))
            }
        }
    }

    /// What an environment is, for people; empty when its author did not say.
    pub fn profile_description(&self, name: &str) -> &str {
        self.profiles.iter().find(|profile| profile.name == name).map_or("", |profile| &profile.description)
    }

    fn inherited(&self, profile: &Profile) -> SloProfile {
        SloProfile {
            name: profile.name.clone(),
            objectives: self.by_severity(profile.targets.over(&self.targets).objectives()),
            allowed_scenarios: profile.allowed_scenarios.clone(),
        }
    }

    /// The bounds of a profile, those of `slo_severity` over them.
    fn by_severity(&self, objectives: Objectives) -> Objectives {
        let Some(SeverityBounds { blocking, warning }) = &self.severity else { return objectives };
        let bounds = blocking.over(&objectives.bounds());
        Objectives { warnings: warning.clone(), ..objectives }.with_bounds(bounds)
    }

    /// What it asks of every run, for safety.
    pub fn safety(&self) -> &Safety {
        &self.safety
    }

    /// What is watched on each service during a run.
    pub fn monitoring(&self) -> &Monitoring {
        &self.monitoring
    }

    /// Which bounds only warn and which block, where the catalogue says so (`slo_severity`). They are in every
    /// [profile](Self::profile) already.
    pub fn severity(&self) -> Option<&SeverityBounds> {
        self.severity.as_ref()
    }
}
