/// What a run leaves in a repository: the target directory, where records are, and what a pipeline reports.
const LEFT: [&str; 2] = ["target", "chaos-report"];

/// A `.gitignore` that covers what a run leaves; nothing if it does.
pub(super) fn with_lines(text: &str) -> Option<String> {
    let covers = |line: &str, name: &str| {
        let line = line.trim();
        let line = line.strip_prefix("**/").or_else(|| line.strip_prefix('/')).unwrap_or(line);
        let line = line.strip_suffix("/**").or_else(|| line.strip_suffix("/*")).unwrap_or(line);
        line.strip_suffix('/').unwrap_or(line) == name
    };
    let missing = LEFT.into_iter().filter(|name| !text.lines().any(|line| covers(line, name)));
    let missing: String = missing.map(|name| format!("/{name}\n")).collect();
    if missing.is_empty() {
        return None;
    }
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Some(format!("{text}{end}{missing}"))
}

#[cfg(test)]
mod tests {
    use super::with_lines;

    #[test]
    fn only_what_is_missing_is_added() {
        let both = "/target\n/chaos-report\n";
        assert_eq!(with_lines("").as_deref(), Some(both));
        for covered in ["target/\n", "/target\n", "**/target", "target/**\n", "# x\n target \n"] {
            let after = with_lines(covered).unwrap();
            assert_eq!(after.matches("target").count(), 1, "{after}");
            assert!(after.ends_with("\n/chaos-report\n"), "{after}");
            assert_eq!(with_lines(&after), None);
        }
        assert_eq!(with_lines("node_modules").as_deref(), Some("node_modules\n/target\n/chaos-report\n"));
    }
}
