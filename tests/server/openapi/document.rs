use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::schema;
use crate::support::Reply;

/// A document as it was served.
pub(super) struct Document(pub(super) Value);

/// One of its operations.
pub(super) struct Operation<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) said: &'a Value,
}

impl Document {
    pub(super) fn operations(&self) -> Vec<Operation<'_>> {
        let items = self.0["paths"].as_object().unwrap();
        items
            .iter()
            .flat_map(|(path, item)| {
                item.as_object()
                    .unwrap()
                    .iter()
                    .map(|(method, said)| Operation { path, method, said })
            })
            .collect()
    }

    pub(super) fn operation(&self, method: &str, path: &str) -> Operation<'_> {
        let mut all = self.operations().into_iter();
        all.find(|one| one.method == method && one.path == path)
            .unwrap_or_else(|| panic!("{method} {path} is not in the document"))
    }

    pub(super) fn methods_of(&self, path: &str) -> BTreeSet<String> {
        let item = self.0["paths"][path].as_object().unwrap();
        item.keys().cloned().collect()
    }

    /// Checks what `OpenAPI` 3.1.0 asks of a document's structure.
    pub(super) fn is_sound(&self) {
        let document = &self.0;
        assert_eq!(document["openapi"], "3.1.0");
        for member in ["title", "version"] {
            assert!(document["info"][member].is_string(), "info.{member}");
        }
        self.resolves(document);
        let mut ids = BTreeSet::new();
        for one in self.operations() {
            let what = format!("{} {}", one.method, one.path);
            assert!(one.path.starts_with('/'), "{what}");
            let id = one.said["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{what}: {id} is there twice");
            assert!(!one.said["summary"].as_str().unwrap().is_empty(), "{what}");
            self.declares_its_parameters(&one);
            let responses = one.said["responses"].as_object().unwrap();
            assert!(!responses.is_empty(), "{what} answers nothing");
            for (status, response) in responses {
                let number: u16 = status.parse().unwrap();
                assert!((200..600).contains(&number), "{what}: {status}");
                assert!(response["description"].is_string(), "{what}: {status}");
            }
            for scheme in one.said["security"].as_array().into_iter().flatten() {
                for name in scheme.as_object().unwrap().keys() {
                    let known = &document["components"]["securitySchemes"][name];
                    assert!(known["type"].is_string(), "{what}: {name}");
                }
            }
        }
    }

    fn declares_its_parameters(&self, one: &Operation<'_>) {
        let what = format!("{} {}", one.method, one.path);
        let mut seen = BTreeSet::new();
        let mut in_path = BTreeSet::new();
        for parameter in one.said["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().unwrap();
            let place = parameter["in"].as_str().unwrap();
            assert!(
                ["path", "query", "header", "cookie"].contains(&place),
                "{what}"
            );
            assert!(parameter["schema"].is_object(), "{what}: {name}");
            assert!(seen.insert((place, name)), "{what}: {name} is there twice");
            if place == "path" {
                assert_eq!(parameter["required"], true, "{what}: {name}");
                in_path.insert(name);
            }
        }
        let named = one.path.split('/').filter_map(|part| {
            let part = part.strip_prefix('{')?;
            part.strip_suffix('}')
        });
        assert_eq!(in_path, named.collect(), "{what}");
    }

    /// Finds what every `$ref` points to.
    fn resolves(&self, value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    let pointer = to.strip_prefix('#').unwrap_or_else(|| panic!("{to}"));
                    assert!(self.0.pointer(pointer).is_some(), "{to} leads nowhere");
                }
                members.values().for_each(|value| self.resolves(value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.resolves(value)),
            _ => {}
        }
    }
}

impl Operation<'_> {
    pub(super) fn body(&self) -> Option<&Map<String, Value>> {
        self.said["requestBody"].as_object()
    }

    /// Gives the schema of a JSON body.
    pub(super) fn json_body(&self) -> Option<&Value> {
        self.body()?["content"]
            .get("application/json")?
            .get("schema")
    }

    pub(super) fn is_for(&self, scheme: &str) -> bool {
        let schemes = self.said["security"].as_array();
        schemes
            .into_iter()
            .flatten()
            .any(|one| one.get(scheme).is_some())
    }

    /// Says what is wrong with an answer: a status, a kind or a member that nobody promised.
    pub(super) fn allows(&self, reply: &Reply) -> Result<(), String> {
        let Some(response) = self.said["responses"].get(reply.status.to_string()) else {
            return Err(format!("{} is not in the document", reply.status));
        };
        if reply.status >= 500 {
            return Err("nothing was down".to_owned());
        }
        let promised = response.get("headers").and_then(Value::as_object);
        let mut promised = promised.into_iter().flat_map(|headers| headers.keys());
        if let Some(missing) = promised.find(|name| reply.header(name).is_none()) {
            return Err(format!("no {missing}"));
        }
        let Some(contents) = response.get("content").and_then(Value::as_object) else {
            return match reply.body.is_empty() {
                true => Ok(()),
                false => Err("a body that nobody promised".to_owned()),
            };
        };
        if reply.body.is_empty() && response["description"] == "Done" {
            return Ok(());
        }
        let kind = reply.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let Some(content) = contents.get(kind) else {
            return Err(format!("{kind:?} is not in the document"));
        };
        if !kind.ends_with("json") || kind.ends_with("ndjson") {
            return Ok(());
        }
        let body = serde_json::from_str(&reply.body).map_err(|error| error.to_string())?;
        schema::check(&content["schema"], &body)
    }
}
