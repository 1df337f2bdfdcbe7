use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::Schema;
use super::operation::{Body, Operation, PATH};
use crate::json::LARGEST;
use crate::refusal::Refusal;

/// What an API says of itself, put together route by route.
#[derive(Clone, Debug, Default)]
pub struct Document {
    operations: BTreeMap<(String, &'static str), Operation>,
}

/// What any route with a body may refuse.
const OF_BODIES: [Refusal; 4] = [
    Refusal::MALFORMED,
    Refusal::REQUEST_TIMEOUT,
    Refusal::TOO_LARGE,
    Refusal::UNSUPPORTED_MEDIA_TYPE,
];

/// What no operation can say.
const ELSEWHERE: &str = "Errors are `{detail, code}`; who accepts application/problem+json gets \
    that. Paths that are not here answer 404 `not_found`, other methods 405 `method_not_allowed`.";

impl Document {
    pub(super) fn add(&mut self, path: &str, operation: &Operation) {
        let key = (path.to_owned(), operation.method.name());
        self.operations.insert(key, operation.clone());
    }

    /// Says of every route that an operator's token opens it.
    pub(crate) fn guard(&mut self) {
        self.operations.values_mut().for_each(Operation::guard);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.operations.extend(other.operations);
    }

    /// Gives the document as `OpenAPI` 3.1.0.
    #[must_use]
    pub fn to_json(&self, title: &str, version: &str) -> Value {
        let mut paths = Map::new();
        for ((path, method), operation) in &self.operations {
            let item = paths.entry(path.as_str()).or_insert_with(|| json!({}));
            if let Some(item) = item.as_object_mut() {
                item.insert((*method).to_owned(), described(path, operation));
            }
        }
        let token = |name: &str| json!({ "type": "http", "scheme": "bearer", "description": name });
        json!({
            "openapi": "3.1.0",
            "info": { "title": title, "version": version, "description": ELSEWHERE },
            "paths": paths,
            "components": {
                "securitySchemes": {
                    "session": token("the access token of a session"),
                    "operator": token("an operator's token"),
                    "operator_header": {
                        "type": "apiKey", "in": "header", "name": "X-Admin-Token",
                        "description": "the same token, as the runbooks send it",
                    },
                },
            },
        })
    }
}

fn described(path: &str, operation: &Operation) -> Value {
    let parts = || operation.parameters.iter().filter(|one| one.place == PATH);
    let mut parameters: Vec<_> = named_in(path)
        .map(|name| {
            let schema = parts().find(|one| one.name == name);
            let schema = schema.map_or_else(Schema::text, |one| one.schema.clone());
            json!({ "in": PATH, "name": name, "required": true, "schema": schema.to_json() })
        })
        .collect();
    let others = operation.parameters.iter();
    parameters.extend(others.filter(|one| one.place != PATH).map(|one| {
        json!({ "in": one.place, "name": one.name, "required": false, "schema": one.schema.to_json() })
    }));
    let mut described = json!({
        "operationId": id(path, operation),
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses(operation),
    });
    if let Some(members) = described.as_object_mut() {
        if let Some(body) = &operation.body {
            let most = operation.largest.unwrap_or(LARGEST);
            members.insert("requestBody".to_owned(), request(body, most));
        }
        if !operation.security.is_empty() {
            let schemes = operation.security.iter();
            let either: Vec<_> = schemes.map(|scheme| json!({ *scheme: [] })).collect();
            members.insert("security".to_owned(), either.into());
        }
    }
    described
}

/// Finds the names of a path's variable parts.
fn named_in(path: &str) -> impl Iterator<Item = &str> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn id(path: &str, operation: &Operation) -> String {
    let words = path.split(|sign: char| !sign.is_ascii_alphanumeric());
    let words = words.filter(|word| !word.is_empty());
    std::iter::once(operation.method.name())
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

fn request(body: &Body, most: usize) -> Value {
    let schema = body.schema.to_json();
    let kinds = body.kinds.iter().map(|kind| {
        let content = json!({ "schema": schema });
        ((*kind).to_owned(), content)
    });
    json!({
        "required": body.required,
        "content": kinds.collect::<Map<_, _>>(),
        "x-max-bytes": most,
    })
}

fn responses(operation: &Operation) -> Value {
    let mut responses = BTreeMap::new();
    let mut refused: BTreeMap<u16, Vec<Refusal>> = BTreeMap::new();
    let of_bodies = OF_BODIES.iter().filter(|_| operation.body.is_some());
    for refusal in operation.refusals.iter().chain(of_bodies) {
        let alike = refused.entry(refusal.status().as_u16()).or_default();
        if !alike.contains(refusal) {
            alike.push(*refusal);
        }
    }
    for (status, refusals) in refused {
        let described = refusal(status, &refusals, operation.pages);
        responses.insert(status.to_string(), described);
    }
    for answer in &operation.answers {
        let described = responses
            .entry(answer.status.to_string())
            .or_insert_with(|| json!({ "description": "Done" }));
        let (Some(members), Some((kind, schema))) = (described.as_object_mut(), &answer.content)
        else {
            continue;
        };
        let contents = members.entry("content").or_insert_with(|| json!({}));
        if let Some(contents) = contents.as_object_mut() {
            contents.insert((*kind).to_owned(), json!({ "schema": schema.to_json() }));
        }
    }
    json!(responses)
}

/// Describes the answers of one status: the two forms of an error, and the words of its code.
fn refusal(status: u16, refusals: &[Refusal], pages: bool) -> Value {
    let codes: Vec<_> = refusals.iter().map(Refusal::code).collect();
    let said = refusals
        .iter()
        .map(|refusal| format!("`{}`: {}", refusal.code(), refusal.detail()));
    let code = json!({ "type": "string", "enum": codes });
    let text = json!({ "type": "string" });
    let plain = json!({
        "type": "object",
        "required": ["detail", "code"],
        "properties": { "detail": text, "code": code },
    });
    let problem = json!({
        "type": "object",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text, "title": text, "status": { "const": status }, "detail": text, "code": code,
        },
    });
    let mut described = json!({
        "description": said.collect::<Vec<_>>().join("; "),
        "content": {
            "application/json": { "schema": plain },
            "application/problem+json": { "schema": problem },
        },
    });
    let contents = described.get_mut("content").and_then(Value::as_object_mut);
    if let (true, Some(contents)) = (pages, contents) {
        contents.insert("text/html".to_owned(), json!({ "schema": text }));
    }
    if let (401, Some(members)) = (status, described.as_object_mut()) {
        let scheme = json!({ "description": "How to be let in", "schema": text });
        members.insert("headers".to_owned(), json!({ "WWW-Authenticate": scheme }));
    }
    if let (429 | 503, Some(members)) = (status, described.as_object_mut()) {
        let seconds = json!({ "type": "integer", "minimum": 1 });
        let retry = json!({ "description": "Seconds to wait", "schema": seconds });
        members.insert("headers".to_owned(), json!({ "Retry-After": retry }));
    }
    described
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::Schema;

    #[test]
    fn every_way_to_refuse_is_in_the_document_once_with_its_word() {
        let mut document = Document::default();
        let operation = Operation::post("Greets")
            .takes(Schema::object([
                ("name", Schema::text()),
                ("loud?", Schema::flag()),
            ]))
            .gives_nothing(204)
            .refuses([Refusal::THROTTLED, Refusal::LOCKED, Refusal::THROTTLED]);
        document.add("/greet/{who}", &operation);
        let json = document.to_json("Greetings", "1.0.0");
        let described = &json["paths"]["/greet/{who}"]["post"];
        let statuses: Vec<_> = described["responses"].as_object().unwrap().keys().collect();
        assert_eq!(statuses, ["204", "400", "408", "413", "415", "429"]);
        let schema = &described["responses"]["429"]["content"]["application/json"]["schema"];
        let codes = json!(["rate_limited", "locked"]);
        assert_eq!(schema["properties"]["code"]["enum"], codes);
        assert_eq!(described["parameters"][0]["name"], "who");
        let body = &described["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(body["required"], json!(["name"]));
    }
}
