use crate::report::show;

/// A text that XML can hold: of what it cannot, a sign stands in its place, so that nobody wonders what was lost.
///
/// Besides, quick-junit takes out terminal colours, and tabs and carriage returns with them; so none is left here.
pub(in crate::report) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => out.push('\n'),
            '\t' => out.push_str("    "),
            '\r' if chars.peek() == Some(&'\n') => {}
            _ => out.push(show::picture(c)),
        }
    }
    out
}

/// The same for an attribute, where a reader takes a line break for a space.
pub(in crate::report) fn line(text: &str) -> String {
    visible(text).replace('\n', "\u{240a}")
}
