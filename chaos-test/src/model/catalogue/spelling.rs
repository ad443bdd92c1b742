/// Longer texts are not misspelled names.
const LONGEST: usize = 64;
/// How many names a message lists.
const LISTED: usize = 40;

/// The known name that `name` was probably meant to be.
///
/// A third of the letters may be wrong; else the words of `name` must all be words of exactly one known
/// name (`workers` → `cpu_workers`).
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let wanted = plain(name);
    let mut best: Option<(usize, &str)> = None;
    let mut partial = Vec::new();
    for candidate in known {
        let plain = plain(candidate);
        let distance = strsim::osa_distance(&wanted, &plain);
        let allowed = (wanted.chars().count().max(plain.chars().count()) / 3).max(1);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
        if wanted.len() > 1 && wanted.split('_').all(|word| plain.split('_').any(|known| known == word)) {
            partial.push(candidate);
        }
    }
    match (best, partial.as_slice()) {
        // Close in letters beats sharing words, unless only one shares all its words.
        (Some((0 | 1, name)), _) | (Some((_, name)), []) => Some(name),
        (_, [name]) => Some(name),
        (best, _) => best.map(|(_, name)| name),
    }
}

fn plain(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(|c| if c == '-' || c == ' ' { '_' } else { c }).collect()
}

/// Names as a message lists them: each in `quote`s, in their order, not endlessly many.
pub(super) fn listed<'k>(names: impl IntoIterator<Item = &'k str>, quote: char) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> =
        names.by_ref().take(LISTED).map(|name| format!("{quote}{name}{quote}")).collect();
    match names.count() {
        0 => shown.join(", "),
        more => format!("{}, … and {more} more", shown.join(", ")),
    }
}

/// The help for a name that is not known: the name that was meant, or all there are.
pub(super) fn help(name: &str, known: &[&str], kind: &str, quote: char) -> String {
    match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean {quote}{meant}{quote}?"),
        None => format!("{kind} {}", listed(known.iter().copied(), quote)),
    }
}
