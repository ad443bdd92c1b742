use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AbortConditions, Fault, Pin};

/// One named entry of a catalogue: a fault, an intensity, a duration, a target.
///
/// ```
/// use chaos_test::model::{Catalogue, Scenario};
/// use chaos_test::units::TimeUnits;
///
/// let scenario: &Scenario = Catalogue::builtin().scenario("Database Brief Outage").unwrap();
/// assert_eq!(scenario.service(), Some("postgres"));
/// assert_eq!(scenario.duration, 10.seconds());
/// assert!(scenario.fault.makes_an_outage());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Scenario {
    /// The name users write, unique in its catalogue: `Medium CPU Stress`.
    pub name: String,
    /// What goes wrong.
    pub fault: Fault,
    /// How hard, for people who choose by it.
    pub intensity: Intensity,
    /// How long the chaos phase lasts.
    pub duration: Duration,
    /// What it is about, for people.
    pub description: String,
    /// The service it is aimed at; without one, the environment's first service.
    pub target: Option<String>,
    /// What its author expects to see, for people.
    pub expected_impact: Option<String>,
    /// Abort conditions of its own, in place of the catalogue's.
    pub abort_conditions: Option<AbortConditions>,
    /// Which rungs of the ladder it is content with.
    #[serde(default)]
    pub pin: Pin,
}

impl Scenario {
    /// The service this scenario is aimed at, if it says so anywhere.
    pub fn service(&self) -> Option<&str> {
        self.target.as_deref().or_else(|| self.fault.named_service())
    }
}

/// How hard a scenario is.
///
/// ```
/// use chaos_test::model::{Catalogue, Intensity};
///
/// let catalogue = Catalogue::builtin();
/// let smoke = catalogue.group("smoke").unwrap();
/// let hardest = smoke.scenarios.iter().map(|name| catalogue.scenario(name).unwrap().intensity).max();
/// assert_eq!(hardest, Some(Intensity::Light));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Intensity {
    /// `light`
    Light,
    /// `medium`
    Medium,
    /// `heavy`
    Heavy,
}

impl Intensity {
    /// The name a catalogue gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Medium => "medium",
            Self::Heavy => "heavy",
        }
    }
}

impl fmt::Display for Intensity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A scenario's name as the name of a test: lower case, words joined by `_`, never a keyword and never
/// starting with a digit.
///
/// The attribute macro derives the same names; a test of the macro crate holds the two together.
///
/// ```
/// use chaos_test::model::slug;
/// assert_eq!(slug("Medium CPU Stress"), "medium_cpu_stress");
/// assert_eq!(slug("500 errors (p99 > 2s)"), "_500_errors_p99_2s");
/// assert_eq!(slug("match"), "match_");
/// ```
pub fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('_') && !out.is_empty() {
            out.push('_');
        }
    }
    let trimmed = out.trim_end_matches('_');
    if trimmed.is_empty() {
        return "scenario".into();
    }
    if trimmed.starts_with(|c: char| c.is_numeric()) {
        return format!("_{trimmed}");
    }
    if KEYWORDS.contains(&trimmed) { format!("{trimmed}_") } else { trimmed.to_owned() }
}

const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop",
    "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static",
    "struct", "super", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual",
    "where", "while", "yield",
];
