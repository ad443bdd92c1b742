//! A scenario's name as the name of its test.
//!
//! The library derives the same names (`chaos_test::model::slug`); a test below holds the two together.

/// A scenario's name as the name of a test: lower case, words joined by `_`, never a keyword and never
/// starting with a digit.
pub(crate) fn slug(name: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_become_identifiers() {
        for (name, test) in [
            ("Medium CPU Stress", "medium_cpu_stress"),
            ("500 errors (p99 > 2s)", "_500_errors_p99_2s"),
            ("match", "match_"),
            ("Größe", "größe"),
            ("  -- ", "scenario"),
            ("a__b", "a_b"),
        ] {
            assert_eq!(slug(name), test, "{name:?}");
            syn::parse_str::<syn::Ident>(test).expect(test);
        }
    }

    /// The library's own source, where it is at hand (it is not in the published crate).
    #[test]
    #[allow(clippy::disallowed_methods)]
    fn the_library_derives_the_same_names() {
        let part = |source: &str| {
            let start = source.find(" fn slug(").expect("a function slug");
            let end = start + source[start..].find("\n];").expect("the end of KEYWORDS");
            source[start..end].split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../chaos-test/src");
        if sources.is_dir() {
            let library = std::fs::read_to_string(sources.join("model/scenario.rs")).expect("it is there");
            assert_eq!(part(include_str!("slug.rs")), part(&library));
        }
    }
}
