//! "Did you mean": the nearest known word, or the known words.

/// How many known words a message lists.
const LISTED: usize = 20;

/// The help line for `wanted`, which is none of `known`; `quote` stands on both sides of a word.
pub(crate) fn help<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>, quote: char) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(near) = nearest(wanted, &known) {
        return format!("\n  help: did you mean {quote}{near}{quote}?");
    }
    if known.is_empty() {
        return String::new();
    }
    let listed: Vec<String> = known.iter().take(LISTED).map(|word| format!("{quote}{word}{quote}")).collect();
    let more = match known.len().saturating_sub(LISTED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    format!("\n  help: known: {}{more}", listed.join(", "))
}

/// The known word that `wanted` is probably a misspelling of.
pub(crate) fn nearest<'a>(wanted: &str, known: &[&'a str]) -> Option<&'a str> {
    let wanted = plain(wanted);
    let alike = known
        .iter()
        .map(|word| (strsim::normalized_damerau_levenshtein(&wanted, &plain(word)), *word))
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let mut holding = known.iter().filter(|word| wanted.len() >= 3 && plain(word).contains(&wanted));
    match (alike, holding.next(), holding.next()) {
        (_, Some(only), None) => Some(only),
        (alike, _, _) => alike.map(|(_, word)| word),
    }
}

/// A word without the differences nobody means: case, and how its parts are joined.
fn plain(word: &str) -> String {
    word.to_lowercase().replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelling_names_the_word_meant() {
        let known = ["Light CPU Stress", "Medium CPU Stress", "Service Recovery"];
        assert_eq!(nearest("Medum CPU Stres", &known), Some("Medium CPU Stress"));
        assert_eq!(nearest("medium_cpu_stress", &known), Some("Medium CPU Stress"));
        assert_eq!(nearest("recovery", &known), Some("Service Recovery"), "part of one");
        assert_eq!(nearest("CPU", &known), None, "part of two");
        assert_eq!(nearest("DNS outage", &known), None);
    }

    #[test]
    fn without_a_near_word_at_most_twenty_are_listed() {
        let words: Vec<String> = (0..25).map(|n| format!("word{n}")).collect();
        let text = help("zzz", words.iter().map(String::as_str), '`');
        assert!(text.starts_with("\n  help: known: `word0`, `word1`"), "{text}");
        assert!(text.ends_with("`word19` and 5 more"), "{text}");
        assert_eq!(help("zzz", [], '`'), "");
    }
}
