use std::collections::BTreeMap;
use std::fmt::Write;

use super::Metric;

/// The labels of a series: names of ours, values of anybody's.
#[derive(Debug, Clone, Default)]
pub(super) struct Labels(Vec<(&'static str, String)>);

impl Labels {
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// `{scenario="Medium CPU Stress",test="survives"}`; to Prometheus a label without a value is no label.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.0.iter().filter(|(_, value)| !value.is_empty()) {
            let begin = if text.is_empty() { '{' } else { ',' };
            let _ = write!(text, "{begin}{name}=\"{}\"", escaped(value));
        }
        if !text.is_empty() {
            text.push('}');
        }
        text
    }
}

/// A label's value between its quotes. What is neither text nor a new line would reach terminals and web pages from
/// there.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

/// A document in the making.
#[derive(Default)]
pub(super) struct Exposition(String);

impl Exposition {
    /// All series of a metric, sorted; of two with the same labels the later one. A metric without any is left out.
    pub(super) fn family(&mut self, metric: &Metric, series: Vec<(Labels, f64)>) {
        let known = series.into_iter().filter(|(_, value)| value.is_finite());
        let series: BTreeMap<String, f64> = known.map(|(labels, value)| (labels.text(), value)).collect();
        if series.is_empty() {
            return;
        }
        let (name, out) = (metric.name, &mut self.0);
        let _ = writeln!(out, "# HELP {name} {}\n# TYPE {name} gauge", metric.help);
        for (labels, value) in series {
            let _ = writeln!(out, "{name}{labels} {}", number(value));
        }
    }

    pub(super) fn text(self) -> String {
        self.0
    }
}

/// A number at full precision. A damaged record may hold any, and some have three hundred digits.
fn number(value: f64) -> String {
    let usual = value == 0.0 || (1e-6..1e15).contains(&value.abs());
    if usual { format!("{value}") } else { format!("{value:e}") }
}
