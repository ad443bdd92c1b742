//! A reader of the text format 0.0.4 that takes nothing that is not in it.

use std::collections::{BTreeMap, BTreeSet};

pub(crate) type Labels = BTreeMap<String, String>;

/// All series of a document, by metric, in its order.
pub(crate) struct Document(Vec<(String, Vec<(Labels, f64)>)>);

impl Document {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub(crate) fn values(&self, metric: &str) -> impl Iterator<Item = (&Labels, f64)> {
        let found = self.0.iter().filter(move |(name, _)| name == metric);
        found.flat_map(|(_, series)| series).map(|(labels, value)| (labels, *value))
    }

    /// The value of the series with just those labels.
    pub(crate) fn value(&self, metric: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let wanted: Labels = labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        self.values(metric).find(|(labels, _)| **labels == wanted).map(|(_, value)| value)
    }

    /// The value of the only series.
    pub(crate) fn only(&self, metric: &str) -> f64 {
        let values: Vec<f64> = self.values(metric).map(|(_, value)| value).collect();
        assert_eq!(values.len(), 1, "{metric}: {values:?}");
        values[0]
    }
}

/// Reads a document; panics at whatever is not allowed, and at a series that stands there twice.
pub(crate) fn parse(text: &str) -> Document {
    assert!(text.ends_with('\n') && !text.contains("\n\n"), "{text:?}");
    let mut document = Vec::new();
    let mut lines = text.strip_suffix('\n').unwrap().split('\n').peekable();
    let mut seen = BTreeSet::new();
    while let Some(line) = lines.next() {
        let help = line.strip_prefix("# HELP ").unwrap_or_else(|| panic!("no HELP: {line:?}"));
        let (name, help) = help.split_once(' ').expect("a help text");
        assert!(is_name(name) && !help.is_empty() && seen.insert(name), "{line:?}");
        assert_eq!(lines.next(), Some(format!("# TYPE {name} gauge").as_str()));
        let mut series: Vec<(Labels, f64)> = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            let rest = line.strip_prefix(name).unwrap_or_else(|| panic!("not of {name}: {line:?}"));
            let (labels, value) = labels(rest);
            assert!(series.iter().all(|(known, _)| *known != labels), "twice: {line:?}");
            let number = value.strip_prefix(' ').unwrap_or_else(|| panic!("no space: {line:?}"));
            let allowed = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | 'e');
            assert!(number.chars().all(allowed) && number.len() < 30, "{line:?}");
            series.push((labels, number.parse().unwrap_or_else(|_| panic!("no number: {line:?}"))));
        }
        assert!(!series.is_empty(), "{name} has no series");
        document.push((name.to_owned(), series));
    }
    Document(document)
}

/// The labels a text begins with, and what is behind them.
fn labels(text: &str) -> (Labels, &str) {
    let mut labels = Labels::new();
    let Some(mut rest) = text.strip_prefix('{') else { return (labels, text) };
    loop {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {rest:?}"));
        assert!(is_name(name), "{name:?}");
        let (value, after) = quoted(after);
        assert!(!value.is_empty(), "{name}: to Prometheus an empty label is none");
        assert!(labels.insert(name.into(), value).is_none(), "{name} twice");
        match after.split_at(1) {
            (",", after) => rest = after,
            ("}", after) => return (labels, after),
            _ => panic!("neither another label nor the end: {after:?}"),
        }
    }
}

/// A value up to its closing quote, and what is behind that.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    loop {
        match letters.next().unwrap_or_else(|| panic!("no end: {text:?}")) {
            (at, '"') => return (value, &text[at + 1..]),
            (_, '\\') => value.push(match letters.next() {
                Some((_, 'n')) => '\n',
                Some((_, c @ ('\\' | '"'))) => c,
                other => panic!("not an escape: {other:?} in {text:?}"),
            }),
            (_, c) => {
                assert!(!c.is_control(), "{c:?} in {text:?}");
                value.push(c);
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_lowercase();
    name.starts_with(first) && name.chars().all(|c| first(c) || c == '_')
}
