use std::fmt;

use super::node::quoted;
use super::spelling::{listed, nearest};

/// A name that a catalogue does not have.
///
/// ```
/// use chaos_test::model::Catalogue;
/// let unknown = Catalogue::builtin().profile(Some("stagin")).unwrap_err();
/// assert_eq!(unknown.to_string(), r#"no SLO profile named "stagin": did you mean "staging"?"#);
/// assert_eq!(unknown.suggestion.as_deref(), Some("staging"));
/// assert_eq!(unknown.known, ["default", "development", "staging", "production"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownName {
    /// What was looked for: `scenario`, `group`, `SLO profile`.
    pub what: &'static str,
    /// The name asked for.
    pub name: String,
    /// The name that was probably meant.
    pub suggestion: Option<String>,
    /// Every name there is.
    pub known: Vec<String>,
}

impl UnknownName {
    pub(super) fn new<'k>(what: &'static str, name: &str, known: impl IntoIterator<Item = &'k str>) -> Self {
        let known: Vec<String> = known.into_iter().map(str::to_owned).collect();
        let suggestion = nearest(name, known.iter().map(String::as_str)).map(str::to_owned);
        Self { what, name: name.to_owned(), suggestion, known }
    }
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no {} named {}: ", self.what, quoted(&self.name))?;
        match &self.suggestion {
            Some(suggestion) => write!(f, "did you mean \"{suggestion}\"?"),
            None if self.known.is_empty() => f.write_str("there are none"),
            None => write!(f, "there are {}", listed(self.known.iter().map(String::as_str), '"')),
        }
    }
}

impl std::error::Error for UnknownName {}
