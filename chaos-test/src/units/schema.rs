//! How quantities are described to a validator of JSON.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Percent, Rate};

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A percentage.", "type": "number", "minimum": 0, "maximum": 100})
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How often something is done per second, from one a minute on.",
            "type": "number",
            "minimum": 1.0 / 60.0,
            "maximum": 1000
        })
    }
}
