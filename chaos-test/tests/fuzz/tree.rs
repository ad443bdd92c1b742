//! Mutations of JSON as the tree it is: what comes of them is JSON again, and often still a record.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// The input with one node bent; `None` where it is no JSON.
pub(crate) fn bent(input: &[u8], others: &[Vec<u8>], rng: &mut Rng) -> Option<Vec<u8>> {
    let mut tree: Value = serde_json::from_slice(input).ok()?;
    let kind = rng.u32(..10);
    if kind == 0 {
        // A node of another record, most often from the same place.
        let other: Value = serde_json::from_slice(&others[rng.usize(..others.len())]).ok()?;
        let path = path(&tree, rng);
        let taken = at(&other, &path).unwrap_or(&other).clone();
        *at_mut(&mut tree, &path)? = taken;
    } else if kind == 1 {
        // Two nodes that are alike change places.
        let (one, other) = (path(&tree, rng), path(&tree, rng));
        let (first, second) = (at(&tree, &one)?.clone(), at(&tree, &other)?.clone());
        if std::mem::discriminant(&first) == std::mem::discriminant(&second) {
            *at_mut(&mut tree, &one)? = second;
            if let Some(place) = at_mut(&mut tree, &other) {
                *place = first;
            }
        }
    } else {
        let path = path(&tree, rng);
        bend(at_mut(&mut tree, &path)?, rng);
    }
    serde_json::to_vec(&tree).ok()
}

fn bend(node: &mut Value, rng: &mut Rng) {
    match node {
        _ if rng.u32(..12) == 0 => *node = other_kind(rng),
        Value::Null => *node = if rng.bool() { number(rng) } else { json!({"secs": time(rng), "nanos": 0}) },
        Value::Bool(value) => *value = !*value,
        Value::Number(_) => *node = number(rng),
        Value::String(text) => *text = string(text, rng),
        Value::Array(items) => list(items, rng),
        Value::Object(map) => object(map, rng),
    }
}

fn list(items: &mut Vec<Value>, rng: &mut Rng) {
    if items.is_empty() {
        return;
    }
    let (one, other) = (rng.usize(..items.len()), rng.usize(..items.len()));
    match rng.u32(..7) {
        0 => drop(items.remove(one)),
        1 => items.insert(other, items[one].clone()),
        2 => items.swap(one, other),
        3 => items.truncate(one),
        4 => items.extend(vec![items[one].clone(); rng.usize(1..40)]),
        5 => items.reverse(),
        _ => items.iter_mut().skip(one).take(60).for_each(|item| bend(item, rng)),
    }
}

fn object(map: &mut Map<String, Value>, rng: &mut Rng) {
    let keys: Vec<String> = map.keys().cloned().collect();
    if keys.is_empty() {
        return;
    }
    let key = &keys[rng.usize(..keys.len())];
    match rng.u32(..6) {
        0 => drop(map.remove(key)),
        1 => drop(map.insert(string(key, rng), Value::Null)),
        2 if map.contains_key("secs") => {
            map.insert("secs".into(), time(rng));
        }
        2 => {
            if let Some(value) = map.remove(key) {
                map.insert(keys[rng.usize(..keys.len())].clone(), value);
            }
        }
        _ => {
            if let Some(value) = map.get_mut(key) {
                bend(value, rng);
            }
        }
    }
}

/// A node: through each level, or to an end of it.
fn path(tree: &Value, rng: &mut Rng) -> Vec<Step> {
    let (mut path, mut node) = (Vec::new(), tree);
    while rng.u32(..8) > 0 {
        let step = match node {
            Value::Array(items) if !items.is_empty() => Step::Item(rng.usize(..items.len())),
            Value::Object(map) if !map.is_empty() => {
                Step::Key(map.keys().nth(rng.usize(..map.len())).cloned().unwrap_or_default())
            }
            _ => break,
        };
        node = step.of(node).unwrap_or(&Value::Null);
        path.push(step);
    }
    path
}

enum Step {
    Item(usize),
    Key(String),
}

impl Step {
    fn of<'v>(&self, node: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Item(n) => node.get(n),
            Self::Key(key) => node.get(key),
        }
    }
}

fn at<'v>(tree: &'v Value, path: &[Step]) -> Option<&'v Value> {
    path.iter().try_fold(tree, |node, step| step.of(node))
}

fn at_mut<'v>(tree: &'v mut Value, path: &[Step]) -> Option<&'v mut Value> {
    path.iter().try_fold(tree, |node, step| match step {
        Step::Item(n) => node.get_mut(n),
        Step::Key(key) => node.get_mut(key),
    })
}

fn number(rng: &mut Rng) -> Value {
    const WHOLE: &[i128] = &[
        0,
        1,
        2,
        3,
        6,
        99,
        100,
        101,
        255,
        256,
        999,
        1000,
        65535,
        999_999_999,
        1_000_000_000,
        1 << 32,
        1 << 53,
        u64::MAX as i128,
        u64::MAX as i128 - 1,
        u32::MAX as i128,
        i64::MAX as i128,
        -1,
        i64::MIN as i128,
        18_446_744_073_709,
    ];
    const FLOATS: &[f64] = &[
        0.0,
        -0.0,
        0.5,
        1.0,
        1e-9,
        1e-300,
        5e-324,
        1e308,
        -1e308,
        f64::MAX,
        f64::MIN,
        1e19,
        0.999_999_999,
        100.000_001,
    ];
    match rng.u32(..4) {
        0 => json!(FLOATS[rng.usize(..FLOATS.len())]),
        1 => json!(rng.u64(..60_000_000)),
        2 => json!(rng.u64(..) >> rng.u32(..64)),
        _ => {
            let whole = WHOLE[rng.usize(..WHOLE.len())];
            u64::try_from(whole).map_or_else(|_| json!(whole as i64), |whole| json!(whole))
        }
    }
}

/// Seconds: within a run, or at the end of all time.
fn time(rng: &mut Rng) -> Value {
    match rng.u32(..4) {
        0 => json!(u64::MAX - rng.u64(..3)),
        1 => json!(rng.u64(..) >> rng.u32(..64)),
        _ => json!(rng.u64(..60)),
    }
}

fn string(text: &str, rng: &mut Rng) -> String {
    const TEXTS: &[&str] = &[
        "",
        " ",
        "\0",
        "\n",
        "a\nb",
        "a\r# b",
        "\u{1b}[2J",
        "</script><img src=x onerror=alert(1)>",
        "]]>",
        "&amp;",
        "\"'`|\\",
        "\u{2028}\u{202e}",
        "\u{feff}",
        "\u{fffe}\u{ffff}",
        "🦀",
        "e\u{301}",
        "POST /orders",
        "body",
        "app",
        "error_rate",
        "fail",
        "pass",
        "network_loss",
    ];
    match rng.u32(..4) {
        0 => text.chars().rev().collect(),
        1 => text.repeat(rng.usize(1..200)),
        2 => format!("{text}{}", TEXTS[rng.usize(..TEXTS.len())]),
        _ => TEXTS[rng.usize(..TEXTS.len())].into(),
    }
}

fn other_kind(rng: &mut Rng) -> Value {
    match rng.u32(..6) {
        0 => Value::Null,
        1 => json!(true),
        2 => number(rng),
        3 => json!(string("x", rng)),
        4 => json!([]),
        _ => json!({}),
    }
}
