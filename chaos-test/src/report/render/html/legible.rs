use std::borrow::Cow;

use chrono::DateTime;
use maud::{Markup, html};

/// More characters of one text than this are not shown; the record has the rest.
const MOST: usize = 4000;

/// Markup without what would not be seen, or would make something else be seen: control characters, and those that turn
/// the direction of the text after them. All of them come from records.
pub(super) fn legible(markup: String) -> String {
    let hidden = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if markup.contains(hidden) { markup.replace(hidden, "\u{fffd}") } else { markup }
}

/// The beginning of a text that may be of any length.
pub(super) fn clipped(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MOST) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{} … (more in the record)", &text[..end])),
    }
}

/// The name of a test, which may go on in the next line where one of its words ends, if it is no longer than names are.
pub(super) fn name(name: &str) -> Markup {
    const LONGEST: usize = 400;
    let is_end = |at: usize, c: char| c == '_' || c == ':' && !name[at + 1..].starts_with(':');
    let ends = name.char_indices().filter(|(at, c)| is_end(*at, *c) && name.len() <= LONGEST);
    let mut parts = Vec::new();
    let mut from = 0;
    for (at, _) in ends {
        parts.push(&name[from..=at]);
        from = at + 1;
    }
    parts.push(&name[from..]);
    html! {
        @for (n, part) in parts.iter().enumerate() {
            @if n > 0 { wbr; }
            (part)
        }
    }
}

/// A number in a drawing: tenths of a unit are less than can be seen.
pub(super) fn px(number: f64) -> String {
    let text = format!("{number:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A moment as people write it: `2025-06-15 15:06:40 UTC`.
pub(super) fn moment(since_1970: f64) -> String {
    // Not before it, and not past the year 9999.
    let seconds = since_1970.clamp(0.0, 253_402_300_799.0) as i64;
    DateTime::from_timestamp(seconds, 0).unwrap_or_default().format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        assert_eq!(moment(0.0), "1970-01-01 00:00:00 UTC");
        assert_eq!(moment(1_750_000_000.9), "2025-06-15 15:06:40 UTC");
        assert_eq!(moment(951_782_400.0), "2000-02-29 00:00:00 UTC");
        assert_eq!(moment(f64::NAN), "1970-01-01 00:00:00 UTC");
        assert_eq!(moment(f64::MAX), "9999-12-31 23:59:59 UTC");
    }

    #[test]
    fn what_cannot_be_seen_is_shown_as_such() {
        assert_eq!(
            legible("a\u{0}b\u{1b}[31m\r\n\tc\u{202e}".into()),
            "a\u{fffd}b\u{fffd}[31m\u{fffd}\n\tc\u{fffd}"
        );
        assert_eq!(clipped("short"), "short");
        assert_eq!(
            clipped(&"ä".repeat(5000)).chars().count(),
            4000 + " … (more in the record)".chars().count()
        );
        assert_eq!(name("it::bears_<b>").into_string(), "it::<wbr>bears_<wbr>&lt;b&gt;");
        assert_eq!(name(":").into_string(), ":<wbr>");
        assert_eq!((px(12.04), px(0.25), px(-3.96)), ("12".into(), "0.2".into(), "-4".into()));
    }
}
