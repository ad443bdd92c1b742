//! JSON Schemas of what is left of a run, made from the types: `docs/schema`.
//!
//! Purpose: whoever reads a record or a validation with another program can hold it against a schema.
//! Invariants: a schema's version is that of the format it describes.
//! Not here: the types' own parts, which are derived or stand in a `schema` module of their layer.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::Value;

use super::render::{VALIDATION_VERSION, Validation};
use super::{FORMAT_VERSION, Report};

/// A record, as [`Report::from_json`] takes it.
///
/// What is not required may be absent in a record of the same version that an older writer left, and whatever else there is
/// is not read.
///
/// ```
/// use chaos_test::report::{FORMAT_VERSION, schema};
/// let record = schema::record();
/// assert_eq!(record["title"], "A chaos test's record");
/// assert_eq!(record["properties"]["format_version"]["const"], FORMAT_VERSION);
/// ```
pub fn record() -> Value {
    let of = of::<Report>(SchemaSettings::draft2020_12().for_deserialize());
    finished(of, "record", FORMAT_VERSION, "A chaos test's record")
}

/// A `resilience_validation.json`, as it is written.
///
/// ```
/// use chaos_test::report::render::VALIDATION_VERSION;
/// use chaos_test::report::schema;
/// let validation = schema::validation();
/// assert_eq!(validation["properties"]["format_version"]["const"], VALIDATION_VERSION);
/// ```
pub fn validation() -> Value {
    let of = of::<Validation>(SchemaSettings::draft2020_12().for_serialize());
    finished(of, "validation", VALIDATION_VERSION, "What a run's chaos tests came to")
}

fn of<T: JsonSchema>(settings: SchemaSettings) -> Schema {
    let settings = settings.with_transform(RecursiveTransform(without_example));
    settings.into_generator().into_root_schema_for::<T>()
}

/// Of a type's documentation what stands before its example: that is for who writes Rust.
fn without_example(schema: &mut Schema) {
    if let Some(Value::String(text)) = schema.get_mut("description")
        && let Some(at) = text.find("```")
    {
        text.truncate(text[..at].trim_end().len());
    }
}

/// With its name and its version, which is the only one that it describes.
fn finished(mut schema: Schema, name: &str, version: u32, title: &str) -> Value {
    schema.insert("$id".into(), format!("{name}-v{version}.schema.json").into());
    schema.insert("title".into(), title.into());
    let mut value = schema.to_value();
    if let Some(format) = value.pointer_mut("/properties/format_version").and_then(Value::as_object_mut) {
        format.insert("const".into(), version.into());
    }
    if let Some(required) = value.get_mut("required").and_then(Value::as_array_mut)
        && !required.iter().any(|key| key == "format_version")
    {
        required.insert(0, "format_version".into());
    }
    value
}
