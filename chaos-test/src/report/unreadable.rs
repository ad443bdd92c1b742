use std::ops::RangeInclusive;
use std::str::Utf8Error;

use serde::Deserialize;

use super::{FORMAT_VERSION, OLDEST_FORMAT, show};

/// Of what a damaged record holds, a message repeats no more characters than this.
const LONGEST: usize = 400;

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

/// Why these bytes are no record that can be read. They are text; `damage` is what serde found, if it found any.
pub(super) fn why(bytes: &[u8], damage: Option<serde_json::Error>, known: &RangeInclusive<u32>) -> String {
    match bytes.trim_ascii().first() {
        None => return "the file is empty".into(),
        Some(b'{') => {}
        Some(_) if bytes.starts_with("\u{feff}".as_bytes()) => {
            return "not JSON: it begins with a byte order mark, which an editor or a shell put there; write it again \
                    without one"
                .into();
        }
        Some(_) => return "not a chaos-test record: it is no JSON object".into(),
    }
    let version = match serde_json::from_slice::<Version>(bytes) {
        Ok(version) => version.format_version,
        Err(error) if error.to_string().starts_with("duplicate field") => {
            return told("a damaged record", &error);
        }
        Err(error) if error.is_data() => {
            return "not a chaos-test record: it has no number `format_version`".into();
        }
        Err(error) if error.is_eof() => return told("cut short", &error),
        Err(error) => return told("not JSON", &error),
    };
    if !known.contains(&version) {
        return format!(
            "a record of format {version}, and this version reads formats {OLDEST_FORMAT} to {FORMAT_VERSION}: use the \
             cargo-chaos of the chaos-test that wrote it"
        );
    }
    damage.map_or_else(|| "a damaged record".into(), |error| told("a damaged record", &error))
}

/// Why these bytes are no text.
pub(super) fn not_text(bytes: &[u8], error: Utf8Error) -> String {
    match error.error_len() {
        // It ends in the middle of a character.
        None if bytes.trim_ascii().starts_with(b"{") => format!("cut short: after {} bytes", bytes.len()),
        _ => format!("not JSON: byte {} is not UTF-8", error.valid_up_to() + 1),
    }
}

/// What serde says, which repeats what the file says: on one line, and not all of it.
fn told(what: &str, error: &serde_json::Error) -> String {
    let message = show::printable(&error.to_string());
    match message.char_indices().nth(LONGEST) {
        // Where it stands is at the end.
        Some((at, _)) => {
            format!("{what}: {}… at line {} column {}", &message[..at], error.line(), error.column())
        }
        None => format!("{what}: {message}"),
    }
}
