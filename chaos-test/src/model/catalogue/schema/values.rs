use serde_json::{Value, json};

/// A year in seconds: a longer time span is a mistake.
const YEAR: u64 = 31_536_000;

/// Digits with at most one point, at least one digit.
const NUMBER: &str = r"([0-9]+\.?[0-9]*|\.[0-9]+)";

/// No control character, and no space around it.
const ONE_LINE: &str = r"^[^\x00-\x20\x7f-\xa0]([^\x00-\x1f\x7f-\x9f]*[^\x00-\x20\x7f-\xa0])?$";

/// At least one character that may be a letter or a digit: of ASCII what is one, of everything else anything.
const SOME_LETTER: &str = r"[^\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]";

/// A method, then a path without a query.
const ENDPOINT: &str = r#"^\s*[A-Z]+\s+/[!-"$->@-~]*\s*$"#;

/// A schema with the text that an editor shows.
pub(super) fn told(text: &str, mut schema: Value) -> Value {
    schema["description"] = json!(text);
    schema
}

/// A schema with what is taken where the key is absent.
pub(super) fn default(value: Value, mut schema: Value) -> Value {
    schema["default"] = value;
    schema
}

/// A mapping that takes these keys and no others.
pub(super) fn mapping(keys: &[&str], required: &[&str], of: impl Fn(&str) -> Value) -> Value {
    let mut properties = json!({});
    for &key in keys {
        properties[key] = of(key);
    }
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

/// A mapping whose keys are names that the user chooses.
pub(super) fn named(key: Value, entry: Value) -> Value {
    json!({"type": "object", "propertyNames": key, "additionalProperties": entry})
}

/// A key of a reader's table that nobody has described here.
pub(super) fn unknown(key: &str) -> Value {
    unreachable!("the key `{key}` of the catalogue has no schema: add it in model/catalogue/schema")
}

pub(super) fn list(entry: Value) -> Value {
    json!({"type": "array", "items": entry})
}

/// A list of different names.
pub(super) fn names() -> Value {
    json!({"type": "array", "items": name(), "uniqueItems": true})
}

pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A text on one line, neither empty nor padded.
pub(super) fn name() -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": 100, "pattern": ONE_LINE})
}

/// A name that tests can be named after.
pub(super) fn speaking_name() -> Value {
    let mut schema = name();
    schema["allOf"] = json!([{"pattern": SOME_LETTER}]);
    schema
}

/// One of a set of words.
pub(super) fn choice<'w>(words: impl IntoIterator<Item = &'w str>) -> Value {
    json!({"type": "string", "enum": words.into_iter().collect::<Vec<_>>()})
}

pub(super) fn whole(least: u32, most: u32) -> Value {
    json!({"type": "integer", "minimum": least, "maximum": most})
}

/// `5`, `99.5` or `"5%"`.
pub(super) fn percent() -> Value {
    json!({
        "type": ["number", "string"],
        "minimum": 0,
        "maximum": 100,
        "pattern": format!(r"^\s*{NUMBER}\s*%?\s*$")
    })
}

/// The same, above 0.
pub(super) fn some_percent() -> Value {
    more_than_zero(percent())
}

/// A number of seconds, or a text such as `"45s"`.
pub(super) fn seconds() -> Value {
    json!({
        "type": ["number", "string"],
        "minimum": 0,
        "maximum": YEAR,
        "pattern": format!(r"^\s*{NUMBER}\s*(us|µs|ms|s|secs?|m|mins?|h)?\s*$")
    })
}

/// The same, longer than nothing.
pub(super) fn some_seconds() -> Value {
    more_than_zero(seconds())
}

/// A number of milliseconds, or a text such as `"200ms"`, which needs its unit.
pub(super) fn millis() -> Value {
    json!({
        "type": ["number", "string"],
        "minimum": 0,
        "maximum": YEAR * 1000,
        "pattern": format!(r"^\s*{NUMBER}\s*(us|µs|ms|s|secs?|m|mins?|h)\s*$")
    })
}

/// The same, longer than nothing.
pub(super) fn some_millis() -> Value {
    more_than_zero(millis())
}

fn more_than_zero(mut schema: Value) -> Value {
    if let Some(schema) = schema.as_object_mut() {
        schema.remove("minimum");
        schema.insert("exclusiveMinimum".into(), json!(0));
    }
    schema
}

/// A number of bytes, at least a page, or a text such as `"256M"`.
pub(super) fn size() -> Value {
    json!({
        "type": ["integer", "string"],
        "minimum": 4096,
        "pattern": format!(r"^\s*{NUMBER}\s*[kKmMgGtT]?(iB|[bB])?\s*$")
    })
}

/// A number a second, or a text such as `"20/s"` or `"30/min"`.
pub(super) fn rate() -> Value {
    json!({
        "type": ["number", "string"],
        "minimum": 1.0 / 60.0,
        "maximum": 1000,
        "pattern": format!(r"^\s*{NUMBER}\s*/(s|sec|second|m|min|minute)\s*$")
    })
}

/// A method and a path: `POST /orders`.
pub(super) fn endpoint() -> Value {
    json!({"type": "string", "pattern": ENDPOINT})
}

/// A path without its host.
pub(super) fn path() -> Value {
    json!({"type": "string", "maxLength": 100, "pattern": r"^/([^/\\\s]\S*)?$"})
}
