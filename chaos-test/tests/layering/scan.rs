//! Sources as tokens, and the paths they name.

/// A path that a file names.
pub(crate) struct Named {
    pub(crate) path: Vec<String>,
    /// It begins in this crate.
    pub(crate) local: bool,
    pub(crate) in_tests: bool,
}

/// Every path that begins with `crate`, `super` or `self`, and every one that begins with one of `others`.
pub(crate) fn names(tokens: &[&str], file: &[String], others: &[&str]) -> Vec<Named> {
    let mut named = Vec::new();
    let mut module = file.to_vec();
    // For every open brace, the depth of the module it is in.
    let mut braces = Vec::new();
    for at in 0..tokens.len() {
        let before = at.checked_sub(1).map_or("", |before| tokens[before]);
        match tokens[at] {
            "{" => {
                braces.push(module.len());
                if at >= 2 && tokens[at - 2] == "mod" {
                    module.push(before.to_owned());
                }
            }
            "}" => module.truncate(braces.pop().unwrap_or(file.len())),
            first if before != "::" && tokens.get(at + 1) == Some(&"::") => {
                let local = matches!(first, "crate" | "super" | "self");
                if !local && !others.contains(&first) {
                    continue;
                }
                let in_tests = module.iter().any(|name| name == "tests");
                let mut paths = Vec::new();
                expand(tokens, &mut at.clone(), if local { &module } else { &[] }, &mut paths);
                named.extend(paths.into_iter().map(|path| Named { path, local, in_tests }));
            }
            _ => {}
        }
    }
    named
}

/// The absolute paths that begin at `at` in the module `base`; `crate::{a, b::c}` is two.
pub(crate) fn expand(tokens: &[&str], at: &mut usize, base: &[String], paths: &mut Vec<Vec<String>>) {
    let mut path = base.to_vec();
    while let Some(token) = tokens.get(*at) {
        *at += 1;
        match *token {
            "crate" => path.clear(),
            "super" => drop(path.pop()),
            "self" => {}
            "{" => {
                while tokens.get(*at).is_some_and(|token| *token != "}") {
                    match tokens[*at] {
                        "," => *at += 1,
                        // Another name for the one before.
                        "as" => *at += 2,
                        _ => expand(tokens, at, &path, paths),
                    }
                }
                *at += 1;
                return;
            }
            name => path.push(name.to_owned()),
        }
        if tokens.get(*at) != Some(&"::") {
            break;
        }
        *at += 1;
    }
    paths.push(path);
}

/// Words, `::`, and every other sign by itself.
pub(crate) fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let length = match word {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            word => word,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// The text without comments and without what is inside strings and characters.
pub(crate) fn code(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let mut word = false;
    while let Some(c) = rest.chars().next() {
        let raw = if word { None } else { raw_string(rest) };
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw {
            length
        } else if c == '"' {
            quoted(rest, '"')
        } else if c == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            0
        };
        word = skipped == 0 && (c.is_alphanumeric() || c == '_');
        if skipped == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            out.push(' ');
            rest = &rest[skipped..];
        }
    }
    out
}

/// The length of the raw string that begins here: `r"…"`, `br#"…"#`.
fn raw_string(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('b').or(text.strip_prefix('c')).unwrap_or(text).strip_prefix('r')?;
    let hashes = inner.len() - inner.trim_start_matches('#').len();
    let body = inner[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = body.find(&end).map_or(body.len(), |at| at + end.len());
    Some(text.len() - body.len() + length)
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether a `'` begins a character and not a lifetime.
fn is_character(text: &str) -> bool {
    let mut next = text.chars().skip(1);
    matches!((next.next(), next.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}
