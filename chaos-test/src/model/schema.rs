//! How the types that are stored in a short form are described to a validator of JSON.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{DoorCheck, Endpoint, NoiseWindow, Sample};

/// JSON has no word for what is not a number: it is written as `null`.
pub(super) fn number_or_null(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "null"], "format": "double"})
}

impl JsonSchema for Sample {
    fn schema_name() -> Cow<'static, str> {
        "Sample".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let whole = generator.subschema_for::<u64>();
        let code = json_schema!({
            "description": "0 good, 1 connection failed, 2 timed out, 3 wrong body, 4 failed, 5 panicked, 6 dropped; \
                            from 100 on an unexpected HTTP status.",
            "type": "integer",
            "anyOf": [{"minimum": 0, "maximum": 6}, {"minimum": 100, "maximum": 999}]
        });
        row(
            "One observation: `[at, lag, latency, code]`, times in whole microseconds.",
            &[&whole, &whole, &whole, &code],
        )
    }
}

impl JsonSchema for NoiseWindow {
    fn schema_name() -> Cow<'static, str> {
        "NoiseWindow".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let whole = generator.subschema_for::<u64>();
        // What is more than a thousand is read as a thousand.
        let share = generator.subschema_for::<Option<u16>>();
        let running = generator.subschema_for::<Option<u32>>();
        row(
            "How the host did for a while: `[at, over, lag, pressure, steal, running]`, times in whole microseconds, \
             shares in thousandths.",
            &[&whole, &whole, &whole, &share, &share, &running],
        )
    }
}

impl JsonSchema for DoorCheck {
    fn schema_name() -> Cow<'static, str> {
        "DoorCheck".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let whole = generator.subschema_for::<u64>();
        row(
            "One check past a front door and one through it: `[direct, through]`, in whole microseconds.",
            &[&whole, &whole],
        )
    }
}

impl JsonSchema for Endpoint {
    fn schema_name() -> Cow<'static, str> {
        "Endpoint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A method and a path: `POST /orders`.", "type": "string"})
    }
}

/// An array of exactly these.
fn row(description: &str, items: &[&Schema]) -> Schema {
    json_schema!({
        "description": description,
        "type": "array",
        "prefixItems": items,
        "minItems": items.len(),
        "maxItems": items.len()
    })
}
