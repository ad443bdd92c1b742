use std::ops::RangeInclusive;
use std::time::Duration;

use super::node::{Node, Spanned, quoted};
use super::reporter::Reporter;
use super::spelling;
use crate::units::{ByteSize, Percent, Rate, parse_duration, seconds};

/// A unit that a plain number under some key is in.
struct TimeUnit {
    seconds: f64,
    expected: &'static str,
    help: &'static str,
}

const SECONDS: TimeUnit = TimeUnit {
    seconds: 1.0,
    expected: "a number of seconds or a time span such as \"45s\" or \"2m\"",
    help: "for example 30 or \"30s\"",
};

const MILLISECONDS: TimeUnit = TimeUnit {
    seconds: 1e-3,
    expected: "a number of milliseconds or a time span such as \"200ms\"",
    help: "for example 200 or \"200ms\"",
};

const NEGATIVE: &str = "a time span cannot be negative";

/// The rule that a text breaks as a name, with the way out.
pub(super) fn broken_name(text: &str) -> Option<(&'static str, &'static str)> {
    const LONGEST: usize = 100;
    if text.trim().is_empty() {
        Some(("a name", "a name has at least one letter or digit"))
    } else if text.chars().any(char::is_control) {
        Some(("a name on one line", "a name cannot contain line breaks, tabs or other control characters"))
    } else if text.trim() != text {
        Some((
            "a name without spaces around it",
            "remove the spaces inside the quotes: names are compared exactly",
        ))
    } else if text.chars().count() > LONGEST {
        Some(("a name of at most 100 characters", "shorten it, and say the rest in `description`"))
    } else {
        None
    }
}

/// Whether a text can be shown as it is in a unit parser's message.
fn readable(text: &str) -> bool {
    !text.is_empty() && text.len() <= 40 && !text.contains(char::is_control)
}

/// One value of a mapping: its key, the place the mapping has in the file, what was found.
///
/// Every reader answers `None` when the value is not what it should be, and has reported it by then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'n> {
    pub(super) key: &'n str,
    pub(super) place: &'n str,
    pub(super) node: &'n Spanned<Node>,
}

impl<'n> Field<'n> {
    /// Reports a value that breaks the rule `expected`; `help` is for a value of about the right kind.
    fn wrong(&self, expected: &str, help: &str, out: &mut Reporter<'_>) {
        let found = &self.node.value;
        let help = match found {
            Node::Null => "give it a value, or remove the line",
            Node::Seq(_) | Node::Map(_) if !expected.contains("list") => "give it a single value",
            _ => help,
        };
        let message = format!("`{}` in {}: expected {expected}, found {found}", self.key, self.place);
        out.report(self.node.span, message, help.to_owned());
    }

    /// Reports a value that a unit's parser refused; its message says what was expected.
    pub(super) fn refused(&self, reason: &str, help: &str, out: &mut Reporter<'_>) {
        out.report(self.node.span, format!("`{}` in {}: {reason}", self.key, self.place), help.to_owned());
    }

    /// Any text.
    pub(super) fn text(&self, out: &mut Reporter<'_>) -> Option<String> {
        if let Node::Str(text) = &self.node.value {
            return Some(text.clone());
        }
        self.wrong("text", "put it in quotes to make it text", out);
        None
    }

    /// A name: one line, neither empty nor padded with spaces.
    pub(super) fn name(&self, out: &mut Reporter<'_>) -> Option<String> {
        let text = self.text(out)?;
        match broken_name(&text) {
            None => Some(text),
            Some((expected, help)) => {
                self.wrong(expected, help, out);
                None
            }
        }
    }

    /// A whole number in a range.
    pub(super) fn whole(&self, range: RangeInclusive<u32>, out: &mut Reporter<'_>) -> Option<u32> {
        let number = match &self.node.value {
            Node::Int(number) => u32::try_from(*number).ok(),
            Node::Float(number) if number.fract() == 0.0 && (0.0..1e9).contains(number) => {
                Some(*number as u32)
            }
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let help = match &self.node.value {
                Node::Str(text) if text.trim().parse::<u32>().is_ok() => "remove the quotes".to_owned(),
                _ => format!("for example `{}: {}`", self.key, (*range.start()).max(2)),
            };
            let expected = if *range.end() == u32::MAX {
                format!("a whole number of at least {}", range.start())
            } else {
                format!("a whole number from {} to {}", range.start(), range.end())
            };
            self.wrong(&expected, &help, out);
        }
        number
    }

    /// A percentage, as a number or as `"5%"`.
    pub(super) fn percent(&self, out: &mut Reporter<'_>) -> Option<Percent> {
        let percent = match &self.node.value {
            Node::Int(number) => Percent::new(*number as f64).ok(),
            Node::Float(number) => Percent::new(*number).ok(),
            Node::Str(text) => text.parse().ok(),
            _ => None,
        };
        if percent.is_none() {
            self.wrong("a percentage from 0 to 100", "for example 5 or 99.5", out);
        }
        percent
    }

    /// A time span, as a number of seconds or as `"45s"`.
    pub(super) fn seconds(&self, out: &mut Reporter<'_>) -> Option<Duration> {
        self.span(&SECONDS, out)
    }

    /// A time span, as a number of milliseconds or as `"200ms"`.
    pub(super) fn millis(&self, out: &mut Reporter<'_>) -> Option<Duration> {
        if let Node::Str(text) = &self.node.value
            && text.trim().parse::<f64>().is_ok()
        {
            // Elsewhere a text without a unit is seconds; under a key that says milliseconds it is a trap.
            let reason = format!("the text {} has no unit", quoted(text));
            let text = text.trim();
            self.refused(&reason, &format!("write {text} (milliseconds) or \"{text}ms\""), out);
            return None;
        }
        self.span(&MILLISECONDS, out)
    }

    /// A time span of seconds, longer than nothing.
    pub(super) fn some_seconds(&self, out: &mut Reporter<'_>) -> Option<Duration> {
        let span = self.seconds(out)?;
        self.more_than_zero(span, Duration::ZERO, SECONDS.help, out)
    }

    /// A time span of milliseconds, longer than nothing.
    pub(super) fn some_millis(&self, out: &mut Reporter<'_>) -> Option<Duration> {
        let span = self.millis(out)?;
        self.more_than_zero(span, Duration::ZERO, MILLISECONDS.help, out)
    }

    /// A time span of milliseconds that an answer may take.
    pub(super) fn limit_millis(&self, out: &mut Reporter<'_>) -> Option<Duration> {
        let span = self.millis(out)?;
        if span.is_zero() {
            self.wrong("more than 0", "no answer takes no time: write for example 200 or \"200ms\"", out);
            return None;
        }
        Some(span)
    }

    /// How often a second, as a number or as `"20/s"`.
    pub(super) fn rate(&self, out: &mut Reporter<'_>) -> Option<Rate> {
        let rate = match &self.node.value {
            Node::Int(number) => Rate::per_second(*number as f64).ok(),
            Node::Float(number) => Rate::per_second(*number).ok(),
            Node::Str(text) => text.parse().ok(),
            _ => None,
        };
        if rate.is_none() {
            let expected = "a number per second from 1/60 to 1000, or a rate such as \"20/s\"";
            self.wrong(expected, "for example 20 or \"20/s\"", out);
        }
        rate
    }

    /// A percentage above 0.
    pub(super) fn some_percent(&self, out: &mut Reporter<'_>) -> Option<Percent> {
        let percent = self.percent(out)?;
        self.more_than_zero(percent.value(), 0.0, "for example 5", out).map(|_| percent)
    }

    fn more_than_zero<T: PartialEq>(
        &self,
        value: T,
        zero: T,
        example: &str,
        out: &mut Reporter<'_>,
    ) -> Option<T> {
        if value == zero {
            self.wrong("more than 0", &format!("with 0, nothing would happen: write {example}"), out);
            return None;
        }
        Some(value)
    }

    fn span(&self, unit: &TimeUnit, out: &mut Reporter<'_>) -> Option<Duration> {
        let number = match &self.node.value {
            Node::Int(number) => *number as f64,
            Node::Float(number) if number.is_finite() => *number,
            Node::Str(text) if readable(text) && !text.trim().starts_with('-') => {
                let span = parse_duration(text);
                return span.map_err(|error| self.refused(&error.to_string(), unit.help, out)).ok();
            }
            Node::Str(text) if readable(text) => {
                self.wrong(unit.expected, &format!("{NEGATIVE}; {}", unit.help), out);
                return None;
            }
            _ => {
                self.wrong(unit.expected, unit.help, out);
                return None;
            }
        };
        let span = seconds(number * unit.seconds).ok();
        if span.is_none() {
            let rule = if number < 0.0 { NEGATIVE } else { "a time span is at most one year" };
            self.wrong(unit.expected, &format!("{rule}; {}", unit.help), out);
        }
        span
    }

    /// A size of at least one page, as `"256M"` or a number of bytes.
    pub(super) fn size(&self, out: &mut Reporter<'_>) -> Option<ByteSize> {
        const SMALLEST: u64 = 4096;
        let size = match &self.node.value {
            Node::Int(number) => u64::try_from(*number).map(ByteSize::new).ok(),
            Node::Str(text) if readable(text) => match text.parse::<ByteSize>() {
                Ok(size) => Some(size),
                Err(error) => {
                    self.refused(&error.to_string(), "for example \"256M\"", out);
                    return None;
                }
            },
            _ => None,
        };
        match size {
            Some(size) if size.bytes() >= SMALLEST => return Some(size),
            Some(size) => {
                let bytes = size.bytes();
                let help = format!("a plain number is bytes; for mebibytes write \"{}M\"", bytes.max(1));
                self.wrong("a size of at least 4 KiB", &help, out);
            }
            None => self.wrong("a size such as \"256M\" or \"1G\"", "K, M, G and T are powers of 1024", out),
        }
        None
    }

    /// One of a set of words; `what` names the set's members (`an intensity`).
    pub(super) fn choice<T: Copy>(
        &self,
        what: &str,
        options: &[(&'static str, T)],
        out: &mut Reporter<'_>,
    ) -> Option<T> {
        let names: Vec<&str> = options.iter().map(|(name, _)| *name).collect();
        match &self.node.value {
            Node::Str(text) => {
                if let Some((_, value)) = options.iter().find(|(name, _)| name == text) {
                    return Some(*value);
                }
                self.wrong(what, &spelling::help(text, &names, "one of", '`'), out);
            }
            _ => self.wrong(what, &format!("one of {}", spelling::listed(names, '`')), out),
        }
        None
    }

    /// A list, each of its entries as a value of this key.
    pub(super) fn entries(&self, of: &str, out: &mut Reporter<'_>) -> Option<Vec<Field<'n>>> {
        match &self.node.value {
            Node::Seq(nodes) => Some(nodes.iter().map(|node| Field { node, ..*self }).collect()),
            found => {
                let help = match found {
                    Node::Map(_) => "begin each of its entries with `- `",
                    _ => "write one `- …` per line, or `[a, b]`",
                };
                self.wrong(&format!("a list of {of}"), help, out);
                None
            }
        }
    }

    /// A list of different names, each with its place.
    pub(super) fn names(&self, of: &str, out: &mut Reporter<'_>) -> Option<Vec<Spanned<String>>> {
        let mut names: Vec<Spanned<String>> = Vec::new();
        let mut seen = std::collections::HashMap::new();
        for entry in self.entries(of, out)? {
            let Some(name) = entry.name(out) else { continue };
            let span = entry.node.span;
            if let Some(line) = seen.insert(name.clone(), span.line) {
                let message = format!("`{}` in {} has {} twice", self.key, self.place, quoted(&name));
                out.report(span, message, format!("it is on line {line} already: remove one"));
                continue;
            }
            names.push(Spanned { value: name, span });
        }
        Some(names)
    }
}
