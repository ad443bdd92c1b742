//! `docs/quick-reference.md`: its commands are those of this program, and so are its exit codes.
#![allow(clippy::disallowed_methods, reason = "reads and writes a file of the repository, in tests only")]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use clap::{Arg, Command, CommandFactory};

use crate::exit;

const END: &str = "<!-- end -->";

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/quick-reference.md")
}

/// The text in front of a part, the part, and the text behind it.
fn parted<'t>(text: &'t str, marker: &str) -> (&'t str, &'t str, &'t str) {
    let at = text.find(marker).unwrap_or_else(|| panic!("docs/quick-reference.md has no {marker}"));
    let (before, rest) = text.split_at(at + marker.len());
    let length = rest.find(END).unwrap_or_else(|| panic!("nothing ends {marker}"));
    (before, &rest[..length], &rest[length..])
}

/// `UPDATE_EXPECTED=1` writes it instead of comparing it; read what it wrote.
#[test]
fn the_commands_in_the_quick_reference_are_those_of_the_program() {
    let there = fs::read_to_string(file()).expect("docs/quick-reference.md is there");
    let (before, _, after) = parted(&there, "<!-- generated: commands -->");
    let expected = format!("{before}\n\n{}{after}", commands());
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        fs::write(file(), &expected).expect("docs/quick-reference.md can be written");
        return;
    }
    assert!(
        there == expected,
        "the commands in docs/quick-reference.md are not those of the program: `just reference` writes them"
    );
}

fn commands() -> String {
    let mut whole = super::Cli::command();
    whole.build();
    let shown =
        whole.get_subcommands().filter(|command| !command.is_hide_set() && command.get_name() != "help");
    shown.map(section).collect()
}

fn section(command: &Command) -> String {
    let mut out = format!("### `cargo chaos {}`\n\n", command.get_name());
    let about = command.get_about().map(|about| line(&about.to_string())).unwrap_or_default();
    let _ = writeln!(out, "{about}\n\n| argument | does |\n|---|---|");
    let own = |arg: &&Arg| !arg.is_hide_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    for arg in command.get_arguments().filter(own) {
        let _ = writeln!(out, "| `{}` | {} |", cell(&typed(arg)), cell(&does(arg)));
    }
    out + "\n"
}

/// How the argument is typed: `-q`, `--quiet`; `--output [FILE]`; `[RECORD]…`.
fn typed(arg: &Arg) -> String {
    let value = value(arg);
    if arg.is_positional() {
        return if arg.is_required_set() { value } else { format!("[{value}]") };
    }
    let short = arg.get_short().map(|short| format!("-{short}"));
    let long = arg.get_long_and_visible_aliases().unwrap_or_default();
    let mut names: Vec<String> =
        short.into_iter().chain(long.into_iter().map(|long| format!("--{long}"))).collect();
    if let (false, Some(last)) = (value.is_empty(), names.last_mut()) {
        *last = format!("{last} {value}");
    }
    names.join("`, `")
}

/// The value's name, in brackets where it may be left out, with `…` where there may be several; nothing for a flag.
fn value(arg: &Arg) -> String {
    if !arg.get_action().takes_values() {
        return String::new();
    }
    let names: Vec<&str> =
        arg.get_value_names().unwrap_or_default().iter().map(|name| name.as_str()).collect();
    let name = if names.is_empty() { arg.get_id().as_str().to_uppercase() } else { names.join(" ") };
    match arg.get_num_args() {
        Some(number) if number.max_values() > 1 => format!("{name}…"),
        Some(number) if number.min_values() == 0 => format!("[{name}]"),
        _ => name,
    }
}

/// What the short help says, with the values that there are and the one that is taken where none is given.
fn does(arg: &Arg) -> String {
    let mut text = arg.get_help().map(|help| line(&help.to_string())).unwrap_or_default();
    if !arg.get_action().takes_values() {
        return text;
    }
    let words: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|word| !word.is_hide_set())
        .map(|word| format!("`{}`", word.get_name()))
        .collect();
    if !words.is_empty() {
        text += &format!(": {}", words.join(", "));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() {
        text += &format!(" [default: {}]", defaults.join(" "));
    }
    text
}

/// A text on one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The first number of each line.
fn codes<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<u8> {
    lines.filter_map(|line| line.split([' ', '|', '`']).find_map(|word| word.parse().ok())).collect()
}

#[test]
fn the_exit_codes_in_the_quick_reference_are_those_of_the_help() {
    let there = fs::read_to_string(file()).expect("docs/quick-reference.md is there");
    let (_, table, _) = parted(&there, "<!-- checked: exit codes -->");
    let listed = codes(table.lines().filter(|line| line.starts_with("| `")));
    let told = codes(exit::ALL.lines().skip(1).take_while(|line| !line.is_empty()));
    assert_eq!(listed, told);
    assert!(told.len() > 5, "{told:?}");
}
