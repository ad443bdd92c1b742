//! Mutations of bytes and of lines.

use std::ops::Range;

use fastrand::Rng;

/// Numbers at the edges of what types hold.
const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1",
    "100",
    "101",
    "255",
    "256",
    "65535",
    "65536",
    "999999999",
    "1000000000",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551615",
    "18446744073709551614",
    "18446744073709551616",
    "18446744073709",
    "1e308",
    "-1e308",
    "1e309",
    "5e-324",
    "1e-9",
    "0.0001",
    "99.99999999999999",
    "0.1",
    ".5",
    "1e",
    "1_000",
    "0x10",
    "NaN",
    ".inf",
    "-.inf",
    "1e400",
];

/// Changes some bytes: flips, cuts, doubles, splices, swaps, edge numbers, words.
pub(crate) fn bytes(input: &[u8], others: &[Vec<u8>], dictionary: &[&str], rng: &mut Rng) -> Vec<u8> {
    let mut out = input.to_vec();
    if out.is_empty() {
        return others[rng.usize(..others.len())].clone();
    }
    match rng.u32(..11) {
        0 => {
            let at = rng.usize(..out.len());
            out[at] ^= 1 << rng.u32(..8);
        }
        1 => {
            let at = rng.usize(..out.len());
            out[at] = rng.u8(..);
        }
        2 => out.truncate(rng.usize(..out.len())),
        3 => drop(out.drain(range(&out, rng))),
        4 => {
            // A range, once or often.
            let doubled = out[range(&out, rng)].to_vec();
            let at = rng.usize(..=out.len());
            let times = if rng.u32(..20) == 0 { 500 } else { 1 };
            out.splice(at..at, doubled.repeat(times));
        }
        5 => {
            let other = &others[rng.usize(..others.len())];
            let (from, to) = (rng.usize(..=other.len()), rng.usize(..out.len()));
            out.truncate(to);
            out.extend_from_slice(&other[from..]);
        }
        6 => {
            let other = &others[rng.usize(..others.len())];
            if !other.is_empty() {
                let (place, piece) = (range(&out, rng), range(other, rng));
                out.splice(place, other[piece].iter().copied());
            }
        }
        7 | 8 => {
            let number = NUMBERS[rng.usize(..NUMBERS.len())];
            if let Some(place) = a_number(&out, rng) {
                out.splice(place, number.bytes());
            }
        }
        _ => {
            let word = dictionary[rng.usize(..dictionary.len())];
            let place = if rng.bool() {
                a_word(&out, rng)
            } else {
                let at = rng.usize(..=out.len());
                at..at
            };
            out.splice(place, word.bytes());
        }
    }
    out
}

/// Changes some lines: takes one away, doubles, swaps, moves deeper, takes one of another file.
pub(crate) fn lines(input: &[u8], others: &[Vec<u8>], rng: &mut Rng) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = input.split_inclusive(|byte| *byte == b'\n').collect();
    if lines.is_empty() {
        return others[rng.usize(..others.len())].clone();
    }
    let at = rng.usize(..lines.len());
    let to = rng.usize(..lines.len());
    let indented = [b"  ", lines[at]].concat();
    let other = &others[rng.usize(..others.len())];
    match rng.u32(..7) {
        0 => drop(lines.remove(at)),
        1 => lines.insert(to, lines[at]),
        2 => lines.swap(at, to),
        3 => lines[at] = &indented,
        4 => lines[at] = lines[at].strip_prefix(b"  ").unwrap_or(lines[at]),
        5 => {
            let theirs: Vec<&[u8]> = other.split_inclusive(|byte| *byte == b'\n').collect();
            if !theirs.is_empty() {
                let from = rng.usize(..theirs.len());
                let count = rng.usize(1..=12).min(theirs.len() - from);
                lines.splice(at..at, theirs[from..from + count].iter().copied());
            }
        }
        _ => drop(lines.drain(at.min(to)..at.max(to))),
    }
    lines.concat()
}

/// Mostly a short one.
fn range(bytes: &[u8], rng: &mut Rng) -> Range<usize> {
    let from = rng.usize(..bytes.len());
    let most = if rng.u32(..4) == 0 { bytes.len() - from } else { (bytes.len() - from).min(64) };
    from..from + rng.usize(1..=most)
}

/// Where a number stands, if there is one after some place.
fn a_number(bytes: &[u8], rng: &mut Rng) -> Option<Range<usize>> {
    token(
        bytes,
        rng,
        |byte| byte.is_ascii_digit() || b".-+eE".contains(&byte),
        |first| first.is_ascii_digit(),
    )
}

fn a_word(bytes: &[u8], rng: &mut Rng) -> Range<usize> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"_\"".contains(&byte);
    token(bytes, rng, word, word).unwrap_or(0..0)
}

fn token(
    bytes: &[u8],
    rng: &mut Rng,
    inside: impl Fn(u8) -> bool,
    first: impl Fn(u8) -> bool,
) -> Option<Range<usize>> {
    let from = rng.usize(..bytes.len());
    let start = from + bytes[from..].iter().position(|byte| first(*byte))?;
    let length = bytes[start..].iter().position(|byte| !inside(*byte)).unwrap_or(bytes.len() - start);
    Some(start..start + length)
}
