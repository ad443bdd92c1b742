//! The shape of values: rates, durations, words.
//!
//! Only the shape. What a value means, and whether it is sensible, the library decides when the test runs.

use crate::suggest;

/// Checks the value of `key`.
pub(crate) fn check(key: &str, value: &str) -> Result<(), String> {
    match key {
        "repeat" => rate(value),
        "duration" => duration(value).and_then(|number| positive(value, number)),
        "baseline" => duration(value).map(drop),
        "inconclusive" => word(value, &["pass", "fail", "extend"]),
        "flavor" => word(value, &["multi_thread", "current_thread"]),
        "target" if !value.contains("://") => Err(format!("\"{value}\" is no URL")),
        _ => Ok(()),
    }
}

fn rate(value: &str) -> Result<(), String> {
    let number = value.strip_suffix("/s").or_else(|| value.strip_suffix("/min")).and_then(number);
    let number = number.ok_or_else(|| format!("\"{value}\" is no rate: a number, then `/s` or `/min`"))?;
    positive(value, number)
}

fn duration(value: &str) -> Result<f64, String> {
    ["ms", "s", "m"]
        .iter()
        .find_map(|unit| value.strip_suffix(unit).and_then(number))
        .ok_or_else(|| format!("\"{value}\" is no duration: a number, then `ms`, `s` or `m`"))
}

fn positive(value: &str, number: f64) -> Result<(), String> {
    if number > 0.0 { Ok(()) } else { Err(format!("\"{value}\" must be more than 0")) }
}

fn word(value: &str, known: &[&str]) -> Result<(), String> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(format!("\"{value}\" is not known here{}", suggest::help(value, known.iter().copied(), '"')))
}

/// Digits, with at most one point between digits.
fn number(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(part) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn right_shapes() {
        for (key, value) in [
            ("repeat", "20/s"),
            ("repeat", "0.5/s"),
            ("repeat", "90/min"),
            ("duration", "10s"),
            ("duration", "1.5m"),
            ("duration", "250ms"),
            ("baseline", "0s"),
            ("inconclusive", "fail"),
            ("flavor", "current_thread"),
            ("target", "http://localhost:8000"),
        ] {
            assert_eq!(check(key, value), Ok(()), "{key} = {value:?}");
        }
    }

    #[test]
    fn wrong_shapes() {
        for (key, value) in [
            ("repeat", "20"),
            ("repeat", "20/h"),
            ("repeat", "0/s"),
            ("repeat", "-1/s"),
            ("repeat", "/s"),
            ("duration", "10"),
            ("duration", "10 s"),
            ("duration", "1e3s"),
            ("duration", ".5s"),
            ("duration", "5.s"),
            ("duration", "0s"),
            ("duration", "infs"),
            ("baseline", "s"),
            ("inconclusive", "maybe"),
            ("flavor", "multithread"),
            ("target", "localhost"),
        ] {
            assert!(check(key, value).is_err(), "{key} = {value:?}");
        }
    }
}
