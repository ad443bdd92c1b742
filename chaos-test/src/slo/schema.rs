//! How a step of a recovery curve, stored in a short form, is described to a validator of JSON.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{CurveStep, StepState};

impl JsonSchema for CurveStep {
    fn schema_name() -> Cow<'static, str> {
        "CurveStep".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let whole = generator.subschema_for::<u64>();
        let latency = generator.subschema_for::<Option<u64>>();
        let state = generator.subschema_for::<StepState>();
        json_schema!({
            "description": "`[at, n, bad, p50, p95, state]`, times in whole microseconds.",
            "type": "array",
            "prefixItems": [whole, whole, whole, latency, latency, state],
            "minItems": 6,
            "maxItems": 6
        })
    }
}
