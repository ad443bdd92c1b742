use std::fmt;

/// How many mistakes are printed; the rest are counted.
const PRINTED: usize = 50;

/// One mistake in a catalogue file: what it is, where it stands, how to put it right.
///
/// ```
/// use chaos_test::model::{Catalogue, Diagnostic};
/// fn annotation(mistake: &Diagnostic) -> String {
///     let Diagnostic { file, line, column, message, .. } = mistake;
///     format!("::error file={file},line={line},col={column}::{message}")
/// }
/// let mistakes = Catalogue::read("chaos.yml", b"scenaros: []\n").unwrap_err();
/// assert!(mistakes.iter().map(annotation).all(|line| line.starts_with("::error file=chaos.yml,line=1,col=1::")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What is wrong: the input and the rule.
    pub message: String,
    /// How to put it right.
    pub help: Option<String>,
    /// The offending line, cut to what fits a screen.
    pub excerpt: Option<Excerpt>,
}

/// A piece of a source line with the part of it that is meant.
///
/// ```
/// use chaos_test::model::{Catalogue, Excerpt};
/// fn meant(excerpt: &Excerpt) -> String {
///     excerpt.text.chars().skip(excerpt.offset).take(excerpt.width).collect()
/// }
/// let mistakes = Catalogue::read("chaos.yml", b"scenaros: []\n").unwrap_err();
/// let excerpts: Vec<&Excerpt> = mistakes.iter().filter_map(|mistake| mistake.excerpt.as_ref()).collect();
/// assert_eq!(meant(excerpts[0]), "scenaros");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Excerpt {
    /// The text, without control characters other than tabs.
    pub text: String,
    /// How many characters of it stand before the part that is meant.
    pub offset: usize,
    /// How many characters the part has, at least 1.
    pub width: usize,
}

impl fmt::Display for Diagnostic {
    /// The mistake as rustc would show it: message, place, the line with a caret, help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        write!(f, "error: {}\n {margin}--> {}:{}:{}", self.message, self.file, self.line, self.column)?;
        if let Some(excerpt) = &self.excerpt {
            // Tabs are repeated under the line, so that the caret stands right at any tab width.
            let indent: String = excerpt
                .text
                .chars()
                .take(excerpt.offset)
                .map(|c| if c == '\t' { '\t' } else { ' ' })
                .collect();
            write!(f, "\n {margin} |\n {number} | {}", excerpt.text)?;
            write!(f, "\n {margin} | {indent}{}", "^".repeat(excerpt.width))?;
        }
        if let Some(help) = &self.help {
            write!(f, "\n {margin} = help: {help}")?;
        }
        Ok(())
    }
}

/// Every mistake of one catalogue file, in the order of its lines.
///
/// ```
/// use chaos_test::model::Catalogue;
/// let yaml = b"safety: {cooldown_seconds: -1}\nscenaros: []\n";
/// let mistakes = Catalogue::read("chaos.yml", yaml).unwrap_err();
/// let lines: Vec<u32> = mistakes.iter().map(|mistake| mistake.line).collect();
/// assert_eq!(lines, [1, 2]);
/// assert!(mistakes.to_string().ends_with("2 mistakes in chaos.yml"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// Mistakes that were counted and not kept.
    dropped: usize,
}

impl Diagnostics {
    pub(super) fn new(mut found: Vec<Diagnostic>, dropped: usize) -> Self {
        found.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        Self { found, dropped }
    }

    /// The mistakes, in the order of their lines. After two hundred, more are only counted.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.found.iter()
    }

    /// How many mistakes there are.
    pub fn count(&self) -> usize {
        self.found.len() + self.dropped
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.found.into_iter()
    }
}

impl fmt::Display for Diagnostics {
    /// The first fifty mistakes, a blank line between them, and how many there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.found.iter().take(PRINTED).enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            diagnostic.fmt(f)?;
        }
        let total = self.count();
        if total > PRINTED {
            write!(f, "\n\n… and {} more", total - PRINTED)?;
        }
        if let (true, Some(first)) = (total > 1, self.found.first()) {
            write!(f, "\n\n{total} mistakes in {}", first.file)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
