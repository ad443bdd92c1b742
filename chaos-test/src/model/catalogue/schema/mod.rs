//! A catalogue file as a JSON Schema: what an editor completes, shows and underlines while somebody writes one.
//!
//! Purpose: the same keys and ranges as the readers', in words that editors understand.
//!
//! Invariants: every mapping is made of the table of keys that its reader checks against, so a key without a schema is a
//! panic in the test that makes the file in `docs/schema`. What a reader takes is valid. It is draft 7 and holds no
//! `$ref`: that is what the language servers for YAML support, and with it a text stands beside every key.
//! Not here: what needs more than one value to be seen, such as a name that leads nowhere.

mod scenario;
mod sections;
mod values;

use serde_json::{Value, json};

use super::raw;
use values::{list, mapping, told};

/// The schema of a whole file.
pub(super) fn of_a_file() -> Value {
    let mut schema = mapping(raw::KEYS.known, &[], section);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["$id"] = json!("chaos_scenarios.schema.json");
    schema["title"] = json!("A catalogue of chaos-test");
    // A file without any entry is a mistake.
    schema["minProperties"] = json!(1);
    told(
        "Scenarios, groups, SLO profiles and safety rules. They extend the built-in catalogue: a \
         scenario or group of the same name replaces the built-in one, the other sections are overridden \
         key by key.",
        schema,
    )
}

fn section(key: &str) -> Value {
    match key {
        "scenarios" => told(
            "What can go wrong. A scenario of the same name as a built-in one replaces it; the others \
             are added.",
            list(scenario::scenario()),
        ),
        "scenario_groups" => told("Sets of scenarios that are run together, by name.", sections::groups()),
        "slo_targets" => told(
            "The bounds that a run is judged by, unless an environment says otherwise. An absent one is \
             inherited from the built-in catalogue.",
            sections::targets(),
        ),
        "slo_severity" => told(
            "Two sets of bounds, by what breaking one comes to. They outrank `slo_targets`, those of \
             environments too.",
            sections::severity(),
        ),
        "environments" => told(
            "SLO profiles, by name: `staging`. What one leaves out is inherited: from the built-in \
             one of its name, then from `slo_targets`.",
            sections::environments(),
        ),
        "safety" => told("What is asked of every run, for safety.", sections::safety()),
        "monitoring" => told("What is watched on each service during a run.", sections::monitoring()),
        _ => values::unknown(key),
    }
}
