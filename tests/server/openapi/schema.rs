//! As much of JSON Schema as the document uses, both ways: whether a value fits, and one that does.

use serde_json::{Map, Value, json};

/// Says what about a value does not fit.
pub(super) fn check(schema: &Value, value: &Value) -> Result<(), String> {
    let Some(said) = schema.as_object() else {
        return Err(format!("{schema} is no schema"));
    };
    for (word, wanted) in said {
        let fits = match word.as_str() {
            "type" => is_a(wanted.as_str().unwrap(), value),
            "const" => wanted == value,
            "enum" => wanted.as_array().unwrap().contains(value),
            "anyOf" => {
                let mut any = wanted.as_array().unwrap().iter();
                any.any(|one| check(one, value).is_ok())
            }
            "minimum" => value
                .as_f64()
                .is_none_or(|it| it >= wanted.as_f64().unwrap()),
            "maximum" => value
                .as_f64()
                .is_none_or(|it| it <= wanted.as_f64().unwrap()),
            "minLength" => long(value).is_none_or(|it| it >= wanted.as_u64().unwrap()),
            "maxLength" => long(value).is_none_or(|it| it <= wanted.as_u64().unwrap()),
            "required" => {
                let mut names = wanted.as_array().unwrap().iter();
                names.all(|name| value.get(name.as_str().unwrap()).is_some())
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    check(wanted, item)?;
                }
                true
            }
            "properties" | "additionalProperties" => true,
            "description" | "examples" | "format" => true,
            other => return Err(format!("{other} is not understood here")),
        };
        if !fits {
            return Err(format!("{value} against {word}: {wanted}"));
        }
    }
    members(said, value)
}

fn members(said: &Map<String, Value>, value: &Value) -> Result<(), String> {
    let nothing = Map::new();
    let known = said.get("properties").and_then(Value::as_object);
    let known = known.unwrap_or(&nothing);
    for (name, member) in value.as_object().into_iter().flatten() {
        let schema = known.get(name).or_else(|| said.get("additionalProperties"));
        match schema {
            Some(Value::Bool(false)) => return Err(format!("{name} is not promised")),
            None | Some(Value::Bool(true)) => {}
            Some(schema) => check(schema, member).map_err(|wrong| format!("{name}: {wrong}"))?,
        }
    }
    Ok(())
}

fn is_a(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{other} is no type"),
    }
}

fn long(value: &Value) -> Option<u64> {
    value.as_str().map(|text| text.chars().count() as u64)
}

/// Makes a value that fits.
pub(super) fn sample(schema: &Value) -> Value {
    if let Some(first) = schema["anyOf"].get(0).or_else(|| schema["enum"].get(0)) {
        return match schema.get("anyOf") {
            Some(_) => sample(first),
            None => first.clone(),
        };
    }
    if let Some(example) = schema["examples"].get(0) {
        return example.clone();
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("email")) => json!("someone@example.org"),
        (Some("string"), Some("date-time")) => json!("2026-01-31T12:00:00Z"),
        (Some("string"), _) => json!("text"),
        (Some("integer"), _) => schema.get("minimum").cloned().unwrap_or(json!(1)),
        (Some("boolean"), _) => json!(false),
        (Some("array"), _) => json!([sample(&schema["items"])]),
        (Some("object"), _) => {
            let members = schema["properties"].as_object().into_iter().flatten();
            let members = members.map(|(name, schema)| (name.clone(), sample(schema)));
            Value::Object(members.collect())
        }
        _ => Value::Null,
    }
}

#[test]
fn a_value_that_was_not_promised_is_seen() {
    let schema = json!({
        "type": "object",
        "required": ["name"],
        "properties": { "name": { "type": "string", "maxLength": 3 } },
        "additionalProperties": false,
    });
    assert!(check(&schema, &json!({ "name": "abc" })).is_ok());
    for wrong in [
        json!({}),
        json!({ "name": 1 }),
        json!({ "name": "abcd" }),
        json!({ "name": "abc", "more": 1 }),
        json!([]),
    ] {
        assert!(check(&schema, &wrong).is_err(), "{wrong}");
    }
    assert!(check(&schema, &json!({ "name": "a" })).is_ok());
}
