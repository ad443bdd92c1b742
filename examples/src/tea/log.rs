//! One line of JSON per event, on stderr.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

pub(super) fn info(event: &str, about: &[(&str, &str)]) {
    write("info", event, about);
}

pub(super) fn warn(event: &str, about: &[(&str, &str)]) {
    write("warn", event, about);
}

fn write(level: &str, event: &str, about: &[(&str, &str)]) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut line = Map::new();
    line.insert("at".into(), Value::from(since.as_secs_f64()));
    line.insert("level".into(), level.into());
    line.insert("event".into(), event.into());
    line.extend(about.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))));
    // Whoever closed our stderr does not want to know.
    let _ = writeln!(std::io::stderr(), "{}", Value::Object(line));
}
