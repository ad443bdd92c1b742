use serde_yaml::budget::BudgetBreach;
use serde_yaml::{DuplicateKeyPolicy, NonFiniteFloatPolicy, Options};

use super::diagnostic::Diagnostics;
use super::node::{Node, Span, Spanned};
use super::reporter::Reporter;

/// The largest file read, in bytes.
const LARGEST: usize = 1 << 20;

/// What an empty file should have been.
const EXPECTED: &str = "expected at least one of `scenarios`, `scenario_groups`, `slo_targets`, `slo_severity`, \
                        `environments`, `safety`, `monitoring`";

/// The text of a file; its bytes may be anything.
pub(super) fn text<'a>(file: &str, bytes: &'a [u8]) -> Result<&'a str, Diagnostics> {
    let refuse = |readable: &str, message: String, help: &str| {
        let mut out = Reporter::new(file, readable);
        out.report(end_of(readable), message, help.to_owned());
        out.finish()
    };
    if bytes.len() > LARGEST {
        let message = format!("the file has {} bytes: a catalogue may have at most 1 MiB", bytes.len());
        refuse(
            "",
            message,
            "is this the right file? A large catalogue can be split: each test names its own file",
        )?;
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        let message = "the file is UTF-16: a catalogue must be UTF-8";
        refuse("", message.into(), "save it again with the encoding UTF-8")?;
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let (good, bad) = bytes.split_at(error.valid_up_to());
            let message = format!("the file is not UTF-8: byte {:#04x} at offset {}", bad[0], good.len());
            refuse(&String::from_utf8_lossy(good), message, "save it again with the encoding UTF-8")?;
            ""
        }
    };
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The place right behind a text.
fn end_of(text: &str) -> Span {
    let line = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Span { line: line as u32, column: column as u32, length: 0 }
}

/// The nodes of a text; a mistake that keeps it from being YAML goes to `out`.
pub(super) fn nodes(text: &str, out: &mut Reporter<'_>) -> Option<Spanned<Node>> {
    let start = Span { line: 1, column: 1, length: 0 };
    if text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#') || line == "---") {
        out.report(start, "the file is empty", EXPECTED.to_owned());
        return None;
    }
    match serde_yaml::from_str_with_options::<Spanned<Node>>(text, options()) {
        Ok(root) if matches!(&root.value, Node::Null) => {
            out.report(root.span, "the file is empty", EXPECTED.to_owned());
            None
        }
        Ok(root) => Some(root),
        Err(error) => {
            let error = error.without_snippet();
            let at = error.location().map_or(start, Span::from);
            let (message, help) = explain(error, text, at);
            out.report(at, message, help);
            None
        }
    }
}

/// Far more than a catalogue needs, and little enough that a hostile file is refused in milliseconds.
fn options() -> Options {
    serde_yaml::options! {
        budget: serde_yaml::budget! {
            max_depth: 24,
            flow_nesting_limit: 200,
            max_nodes: 50_000,
            max_events: 150_000,
            max_aliases: 500,
            max_anchors: 500,
            max_merge_keys: 500,
            max_recorded_anchor_events: 50_000,
            max_recorded_anchor_bytes: 1 << 20,
            max_total_scalar_bytes: 4 << 20,
            max_documents: 2,
            enforce_alias_anchor_ratio: false,
        },
        alias_limits: serde_yaml::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 16,
            max_alias_expansions_per_anchor: 500,
        },
        // Reported by our own walk, each with both places.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        // `no` and `off` are words here, as in YAML 1.2.
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    }
}

/// A parser's error in words that name the rule and the fix.
fn explain(error: &serde_yaml::Error, text: &str, at: Span) -> (String, Option<String>) {
    use serde_yaml::Error as E;
    let (message, help) = match error {
        E::AliasError { error, .. } => return explain(error, text, at),
        E::MultipleDocuments { .. } => {
            ("a second document starts here: a catalogue is one YAML document", "put the two into two files")
        }
        E::Budget { breach, .. } => too_large(breach),
        E::AliasReplayLimitExceeded { .. }
        | E::AliasExpansionLimitExceeded { .. }
        | E::AliasReplayStackDepthExceeded { .. }
        | E::AliasReplayCounterOverflow { .. } => TOO_REPETITIVE,
        E::RecursiveReferencesRequireWeakTypes { .. } => (
            "this alias (`*name`) stands inside what it repeats",
            "write out what it should repeat; a catalogue cannot contain itself",
        ),
        E::UnknownAnchor { .. } => (
            "this alias (`*name`) has no anchor (`&name`) before it",
            "define the anchor first, or put a text that starts with `*` in quotes",
        ),
        E::MergeValueNotMapOrSeqOfMaps { .. } => (
            "`<<` takes an alias of a mapping",
            "write `<<: *name`, with `&name` at the mapping to be merged",
        ),
        E::UnsupportedTag { .. } | E::InvalidScalar { .. } => (
            "a tag (`!name`) means nothing in a catalogue",
            "remove the tag, or put a text that starts with `!` in quotes",
        ),
        E::UnexpectedContainerEndWhileReadingKeyNode { .. }
        | E::NullIntoString { .. }
        | E::Unexpected { .. } => {
            ("a key must be a word, not a list, a mapping or nothing", "write `key: value`")
        }
        error => {
            let reason = error.to_string();
            let reason = reason.rsplit_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason);
            // The scanner's own limit has no variant.
            if !reason.contains("recursion limit") {
                let line = text.lines().nth(at.line.saturating_sub(1) as usize).unwrap_or_default();
                let help = likely_cause(reason, line).to_owned();
                return (format!("this is not valid YAML: {reason}"), Some(help));
            }
            TOO_DEEP
        }
    };
    (message.to_owned(), Some(help.to_owned()))
}

const TOO_DEEP: (&str, &str) = (
    "the file nests deeper than 24 levels: a catalogue needs 5",
    "check the indentation and the brackets up to here",
);

const TOO_REPETITIVE: (&str, &str) = (
    "the file is too large once its aliases (`*name`) are written out",
    "write out what they repeat, or split the file",
);

fn too_large(breach: &BudgetBreach) -> (&'static str, &'static str) {
    match breach {
        BudgetBreach::Depth { .. } => TOO_DEEP,
        BudgetBreach::Nodes { .. } | BudgetBreach::Events { .. } => (
            "the file has more than 50000 values, aliases written out",
            "split it: each test names its own file",
        ),
        BudgetBreach::Documents { .. } => (
            "a further document starts here: a catalogue is one YAML document",
            "put them into several files",
        ),
        _ => TOO_REPETITIVE,
    }
}

/// The slip that most often makes such a line invalid.
fn likely_cause(reason: &str, line: &str) -> &'static str {
    let indent = &line[..line.len() - line.trim_start().len()];
    if indent.contains('\t') {
        "the line is indented with a tab: YAML indents with spaces"
    } else if line.contains(|c: char| c.is_control() && c != '\t') {
        "the line has a control character in it: remove it"
    } else if reason.contains("unclosed") {
        "close what begins here"
    } else if line.matches(": ").count() > 1 && !line.contains('{') {
        "a text that contains `: ` must be in quotes"
    } else {
        "look here and on the lines before for an indentation that does not line up, a missing quote or bracket, or a \
         missing space after `:`"
    }
}
