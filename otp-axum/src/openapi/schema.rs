use serde_json::{Value, json};

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

    /// A text that is not empty.
    #[must_use]
    pub fn some_text() -> Self {
        Self(json!({ "type": "string", "minLength": 1 }))
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
        let nothing = Self(json!({ "type": "object", "additionalProperties": false }));
        members
            .into_iter()
            .fold(nothing, |object, (name, schema)| object.with(name, schema))
    }

    /// Adds a member to an object. A name that ends with `?` may be missing.
    #[must_use]
    pub fn with(mut self, name: &str, schema: Self) -> Self {
        let (bare, may_be_missing) = match name.strip_suffix('?') {
            Some(bare) => (bare, true),
            None => (name, false),
        };
        let Some(object) = self.0.as_object_mut() else {
            return self;
        };
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.insert(bare.to_owned(), schema.0);
        }
        if may_be_missing {
            return self;
        }
        let required = object.entry("required").or_insert_with(|| json!([]));
        if let Some(required) = required.as_array_mut() {
            required.push(json!(bare));
        }
        self
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
