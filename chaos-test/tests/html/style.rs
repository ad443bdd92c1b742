use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::markup::within;
use super::{page, pass};

/// The policy names the style and the script by their digests. After a change of either, write the new one to `page.rs`.
#[test]
fn the_policy_allows_the_style_and_the_script_as_they_are() {
    let page = page(&[pass("survives").report()]);
    let policy = within(&page, "Content-Security-Policy", "\">");
    let digests = ["style", "script"].map(|tag| {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        let content = within(&page, &open, &close);
        let content = content.strip_prefix(open.as_str()).unwrap().strip_suffix(close.as_str()).unwrap();
        format!("{tag}-src 'sha256-{}'", base64(&Sha256::digest(content)))
    });
    let nothing_else = "default-src 'none'; base-uri 'none'; form-action 'none'";
    let expected = format!("content=\"{nothing_else}; {}", digests.join("; "));
    // As an attribute has it, or as it is.
    let policy = policy.replace("&#39;", "'");
    assert!(policy.contains(&expected), "{expected} is not {policy}");
    assert!(
        policy.trim_end_matches(['"', '>']).ends_with(&digests[1]),
        "and there is no more in it: {policy}"
    );
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |three: &[u8]| -> String {
        let bits =
            three.iter().chain(&[0, 0]).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        let letter =
            |n: usize| if n <= three.len() { LETTERS[bits >> (18 - 6 * n) & 63] as char } else { '=' };
        (0..4).map(letter).collect()
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn the_page_loads_nothing_and_builds_no_markup_from_data() {
    let page = page(&[pass("survives").report()]);
    for never in
        ["http://", "https://", "url(", "@import", "innerHTML", "outerHTML", "insertAdjacentHTML", "eval("]
    {
        assert!(!page.contains(never), "{never}");
    }
}

/// What is read has a contrast of 4.5 to 1 and more on what it stands on (WCAG 2.2, 1.4.3), in both schemes.
#[test]
fn colours_can_be_told_from_what_they_are_on() {
    let page = page(&[pass("survives").report()]);
    let style = within(&page, "<style>", "</style>");
    let schemes: Vec<BTreeMap<&str, [f64; 3]>> = style
        .split("--bg:")
        .skip(1)
        .take(3)
        .map(|block| {
            let block = &block[..block.find('}').unwrap()];
            let pairs = block.split(';').filter_map(|pair| pair.split_once(':'));
            let named =
                pairs.map(|(name, value)| (name.trim().trim_start_matches('-'), colour(value.trim())));
            named.chain([("bg", colour(block.split(';').next().unwrap().trim()))]).collect()
        })
        .collect();
    let dark = schemes[1].clone();
    assert_eq!(dark, schemes[2], "the scheme of the system and the one that was chosen are the same dark");
    for scheme in &schemes {
        let texts = ["text", "muted", "link", "pass", "fail", "inconclusive", "aborted", "error", "skipped"];
        for text in texts {
            for below in ["bg", "raised"] {
                let ratio = contrast(scheme[text], scheme[below]);
                assert!(ratio >= 4.5, "{text} on {below}: {ratio:.2}");
            }
        }
        // The names of panels stand on the phases.
        for below in ["inject", "chaos", "recovery"] {
            let ratio = contrast(scheme["text"], scheme[below]);
            assert!(ratio >= 4.5, "text on {below}: {ratio:.2}");
        }
        // What is drawn and not read: 3 to 1 (1.4.11).
        for drawn in ["text", "good", "timeout", "refused", "status", "down", "fail"] {
            for below in ["bg", "raised", "inject", "chaos", "recovery"] {
                let ratio = contrast(scheme[drawn], scheme[below]);
                assert!(ratio >= 3.0, "{drawn} on {below}: {ratio:.2}");
            }
        }
    }
}

fn colour(hex: &str) -> [f64; 3] {
    let hex = hex.trim_start_matches('#');
    let hex = if hex.len() == 3 { hex.chars().flat_map(|c| [c, c]).collect() } else { hex.to_owned() };
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect(&hex)) / 255.0)
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let luminance = |[r, g, b]: [f64; 3]| 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}
