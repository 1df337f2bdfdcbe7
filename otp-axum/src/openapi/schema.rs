use serde_json::{Map, Value, json};

/// What a value looks like (JSON Schema 2020-12, as `OpenAPI` 3.1 has it).
#[derive(Clone, Debug, PartialEq)]
pub struct Schema(Value);

impl Schema {
    /// Anything.
    #[must_use]
    pub fn any() -> Self {
        Self(json!({}))
    }

    /// A text.
    #[must_use]
    pub fn text() -> Self {
        Self(json!({ "type": "string" }))
    }

    /// A text of 1 to so many characters.
    #[must_use]
    pub fn text_up_to(characters: usize) -> Self {
        Self(json!({ "type": "string", "minLength": 1, "maxLength": characters }))
    }

    /// One of these words.
    #[must_use]
    pub fn word<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let words: Vec<_> = words.into_iter().collect();
        Self(json!({ "type": "string", "enum": words }))
    }

    /// A time as RFC 3339 has it.
    #[must_use]
    pub fn time() -> Self {
        Self(json!({ "type": "string", "format": "date-time" }))
    }

    /// A phone number as people write it, with its country code.
    #[must_use]
    pub fn phone() -> Self {
        Self(json!({ "type": "string", "examples": ["+14155550123"] }))
    }

    /// An e-mail address.
    #[must_use]
    pub fn email() -> Self {
        Self(json!({ "type": "string", "format": "email" }))
    }

    /// A whole number from 0.
    #[must_use]
    pub fn integer() -> Self {
        Self(json!({ "type": "integer", "minimum": 0 }))
    }

    /// A whole number of a range.
    #[must_use]
    pub fn within(least: u64, most: u64) -> Self {
        Self(json!({ "type": "integer", "minimum": least, "maximum": most }))
    }

    /// True or false.
    #[must_use]
    pub fn flag() -> Self {
        Self(json!({ "type": "boolean" }))
    }

    /// A list of values that look alike.
    #[must_use]
    pub fn list(of: &Self) -> Self {
        Self(json!({ "type": "array", "items": of.0 }))
    }

    /// An object of any names, whose values look alike.
    #[must_use]
    pub fn map(of: &Self) -> Self {
        Self(json!({ "type": "object", "additionalProperties": of.0 }))
    }

    /// This, or `null`.
    #[must_use]
    pub fn or_null(self) -> Self {
        Self(json!({ "anyOf": [self.0, { "type": "null" }] }))
    }

    /// One of these.
    #[must_use]
    pub fn either(of: impl IntoIterator<Item = Self>) -> Self {
        let of: Vec<_> = of.into_iter().map(|schema| schema.0).collect();
        Self(json!({ "anyOf": of }))
    }

    /// An object of exactly these members. A name that ends with `?` may be missing.
    #[must_use]
    pub fn object<'a>(members: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (name, schema) in members {
            let (name, may_be_missing) = match name.strip_suffix('?') {
                Some(name) => (name, true),
                None => (name, false),
            };
            if !may_be_missing {
                required.push(name);
            }
            properties.insert(name.to_owned(), schema.0);
        }
        let mut object = json!({
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        });
        if let (false, Some(object)) = (required.is_empty(), object.as_object_mut()) {
            object.insert("required".to_owned(), json!(required));
        }
        Self(object)
    }

    /// Adds a sentence about it.
    #[must_use]
    pub fn about(mut self, sentence: &str) -> Self {
        if let Some(schema) = self.0.as_object_mut() {
            schema.insert("description".to_owned(), json!(sentence));
        }
        self
    }

    /// Gives it as JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.0.clone()
    }
}
