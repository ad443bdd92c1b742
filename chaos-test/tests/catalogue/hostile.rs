//! Files that are made to hurt: refused, with little memory, whatever they are.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use chaos_test::model::Catalogue;
use proptest::prelude::*;

/// The most memory this process ever held, in KiB; `None` where `/proc` does not say.
fn high_water_mark() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// The mark is that of the process: one at a time.
static MEASURING: Mutex<()> = Mutex::new(());

#[track_caller]
fn refused_within_64_mib(name: &str, text: &[u8]) -> String {
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    // Where the kernel allows it, the mark begins again from what is held now.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let before = high_water_mark();
    let message = Catalogue::read(name, text).expect_err("a hostile file was accepted").to_string();
    if let (Some(before), Some(after)) = (before, high_water_mark()) {
        let grown = after.saturating_sub(before);
        assert!(grown < 64 * 1024, "{name} took {grown} KiB");
    }
    assert!(message.len() < 64 * 1024, "{name}: a message of {} bytes", message.len());
    message
}

#[test]
fn a_large_anchor_with_many_aliases_is_refused() {
    let mut text = format!("a: &a \"{}\"\nb:\n", "x".repeat(1_000_000));
    for _ in 0..5000 {
        text.push_str("- *a\n");
    }
    let message = refused_within_64_mib("aliases.yml", text.as_bytes());
    assert!(message.contains("once its aliases (`*name`) are written out"), "{message}");
}

#[test]
fn a_file_of_ten_megabytes_is_refused_unread() {
    let mut text = String::from("scenarios:\n");
    while text.len() < 10 << 20 {
        text.push_str("  - {name: Busy, type: cpu_exhaust}\n");
    }
    let message = refused_within_64_mib("large.yml", text.as_bytes());
    assert!(message.contains("at most 1 MiB"), "{message}");
}

#[test]
fn a_megabyte_of_mistakes_is_counted_and_cut() {
    let mut text = String::from("slo_targets:\n");
    for key in 0..20_000 {
        writeln!(text, "  key_{key}: 1").unwrap();
    }
    let message = refused_within_64_mib("mistakes.yml", text.as_bytes());
    assert!(message.ends_with("… and 19950 more\n\n20000 mistakes in mistakes.yml"), "{message}");
}

#[test]
fn many_nodes_on_one_line_are_refused() {
    for piece in ["[],", "{},", "a: 1,", "? ,", "&a x,", "!t x,", "- ", "? ", "[", "{a: "] {
        let text = format!("scenarios: [{}", piece.repeat(1_000_000 / piece.len()));
        refused_within_64_mib("nodes.yml", text.as_bytes());
    }
    for line in
        ["- \n", "a:\n", "\n", "\r", "'", "\"", "- - - - - - - -\n", "? a\n", "# c\n", "|\n", "%a\n", "...\n"]
    {
        let text = format!("x: 1\n{}", line.repeat(1_000_000 / line.len()));
        if let Err(mistakes) = Catalogue::read("lines.yml", text.as_bytes()) {
            assert!(mistakes.to_string().len() < 64 * 1024);
        }
    }
}

/// Anything that looks at every name for every other name would be noticed here.
#[test]
fn thousands_of_names_are_taken_in_stride() {
    let mut text = String::from("scenarios:\n");
    for name in 0..3000 {
        writeln!(text, "- {{name: S{name}, type: service_recovery, intensity: light, duration: 9}}").unwrap();
    }
    let names: String = (0..3000).map(|name| format!("S{name}, ")).collect();
    let good = format!("{text}scenario_groups: {{all: {{scenarios: [{names}]}}}}\n");
    let catalogue = Catalogue::read("names.yml", good.as_bytes()).unwrap();
    assert_eq!((catalogue.scenarios().len(), catalogue.group("all").unwrap().scenarios.len()), (3019, 3000));

    let bad = format!("{text}scenario_groups: {{all: {{scenarios: [{}]}}}}\n", names.replace('S', "T"));
    let message = refused_within_64_mib("names.yml", bad.as_bytes());
    assert!(message.ends_with("3000 mistakes in names.yml"), "{message}");

    let environments: String = (0..10_000).map(|name| format!("  e{name}: {{}}\n")).collect();
    let catalogue =
        Catalogue::read("names.yml", format!("environments:\n{environments}").as_bytes()).unwrap();
    assert_eq!(catalogue.profiles().len(), 10_004);
}

/// A change that a slip of the hand makes to a file.
#[derive(Debug, Clone)]
enum Slip {
    Flip(usize, u8),
    Delete(usize),
    Double(usize),
    Swap(usize, usize),
    Cut(usize),
    Insert(usize, &'static str),
}

fn slip() -> impl Strategy<Value = Slip> {
    let at = 0..100_000_usize;
    let pieces = prop::sample::select(vec![
        "\t", "- ", ": ", "*a", "&a ", "<<: ", "!!", "[", "{", "\"", "'", "|", "\u{feff}", "\0", "---\n",
        "~", "-1", ".inf",
    ]);
    prop_oneof![
        (at.clone(), any::<u8>()).prop_map(|(at, byte)| Slip::Flip(at, byte)),
        at.clone().prop_map(Slip::Delete),
        at.clone().prop_map(Slip::Double),
        (at.clone(), at.clone()).prop_map(|(one, other)| Slip::Swap(one, other)),
        at.clone().prop_map(Slip::Cut),
        (at, pieces).prop_map(|(at, piece)| Slip::Insert(at, piece)),
    ]
}

fn slipped(text: &[u8], slip: &Slip) -> Vec<u8> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut bytes = text.to_vec();
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let count = lines.len();
    match slip {
        Slip::Flip(at, byte) => {
            let at = at % bytes.len();
            bytes[at] = *byte;
            return bytes;
        }
        Slip::Cut(at) => {
            bytes.truncate(at % bytes.len());
            return bytes;
        }
        Slip::Insert(at, piece) => {
            let at = at % bytes.len();
            bytes.splice(at..at, piece.bytes());
            return bytes;
        }
        Slip::Delete(at) => {
            lines.remove(at % count);
        }
        Slip::Double(at) => lines.insert(at % count, lines[at % count]),
        Slip::Swap(one, other) => lines.swap(one % count, other % count),
    }
    lines.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_give_a_catalogue_or_mistakes(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        if let Err(mistakes) = Catalogue::read("any.yml", &bytes) {
            prop_assert!(mistakes.count() > 0 && !mistakes.to_string().is_empty());
        }
    }

    #[test]
    fn any_text_gives_a_catalogue_or_mistakes(text in "[-a-c:\\[\\]{}&*!|>'\"%@#?,\\n\\t ~<0-9.é]{0,200}") {
        if let Err(mistakes) = Catalogue::read("any.yml", text.as_bytes()) {
            prop_assert!(mistakes.count() > 0 && !mistakes.to_string().is_empty());
        }
    }

    #[test]
    fn slips_in_the_built_in_file_give_a_catalogue_or_mistakes(slips in prop::collection::vec(slip(), 1..6)) {
        let text = slips.iter().fold(Catalogue::BUILTIN.as_bytes().to_vec(), |text, slip| slipped(&text, slip));
        match Catalogue::read("slipped.yml", &text) {
            Ok(catalogue) => {
                prop_assert!(catalogue.scenarios().len() >= 19);
                let mut names = catalogue.groups().iter().flat_map(|group| &group.scenarios);
                prop_assert!(names.all(|name| catalogue.scenario(name).is_ok()));
            }
            Err(mistakes) => prop_assert!(mistakes.count() > 0 && !mistakes.to_string().is_empty()),
        }
    }
}
