//! Requests that no client of ours would send, to every operation.

use reqwest::RequestBuilder;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

use super::document::Operation;
use super::{Listener, MIKE, schema, server};
use crate::support::{Reply, body_of_request, body_of_verify};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

const SEED: u64 = 0x6f74_702d_6b69_7401;
/// Bodies of an operation that mix whatever there is.
const MIXED: usize = 12;
const PARTS: [&str; 6] = ["nobody", "twilio", "%ff", "%00", "..%2f", "%F0%9F%92%A5"];
const QUERIES: [&str; 5] = ["=&&=", "a=%ff&a=%00", "a=1&a=2", "%", "dry_run=perhaps"];

fn odd_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!([[{}]]),
        json!(""),
        json!("\u{0}"),
        json!("\u{1f4a5}\u{202e}\r\n"),
        json!("+"),
        json!("' OR 1=1 --"),
        json!("9".repeat(4_000)),
    ]
}

/// Whoever calls: the tokens of a session and of an operator.
struct Caller<'a> {
    listener: &'a Listener<'a>,
    token: String,
    dice: Dice,
}

impl<'a> Caller<'a> {
    async fn new(listener: &'a Listener<'a>, phone: &str) -> Self {
        let server = listener.server;
        let sent = server
            .post("/api/auth/otp/request", &body_of_request(phone))
            .await;
        let try_it = body_of_verify(phone, &sent.text("preview_code"));
        let signed_in = server.post("/api/auth/verify-otp", &try_it).await;
        Self {
            listener,
            token: signed_in.text("access_token"),
            dice: Dice(SEED),
        }
    }

    fn request(&mut self, operation: &Operation<'_>, part: &str, query: &str) -> RequestBuilder {
        self.ask(operation, operation.method, part, query)
    }

    fn ask(
        &mut self,
        operation: &Operation<'_>,
        method: &str,
        part: &str,
        query: &str,
    ) -> RequestBuilder {
        let path: Vec<&str> = operation
            .path
            .split('/')
            .map(|name| if name.starts_with('{') { part } else { name })
            .collect();
        let mut request = self
            .listener
            .ask(method, &format!("{}{query}", path.join("/")));
        if operation.is_for("operator") {
            request = request.header("x-admin-token", MIKE);
        }
        if operation.is_for("session") {
            request = request.bearer_auth(&self.token);
        }
        if self.dice.roll(2) == 0 {
            request = request.header(ACCEPT, "application/problem+json");
        }
        request
    }

    async fn send(&self, operation: &Operation<'_>, request: RequestBuilder) -> Reply {
        self.listener.keeps_to(operation, request).await
    }

    /// Sends bytes as JSON.
    async fn json(&mut self, operation: &Operation<'_>, body: impl Into<Vec<u8>>) -> Reply {
        let request = self.request(operation, "nobody", "");
        let request = request
            .header(CONTENT_TYPE, "application/json")
            .body(body.into());
        self.send(operation, request).await
    }

    async fn all(&mut self, operation: &Operation<'_>) {
        self.lines(operation).await;
        self.methods(operation).await;
        if operation.body().is_some() {
            self.kinds(operation).await;
            self.sizes(operation).await;
        }
        if let Some(schema) = operation.json_body() {
            self.members(operation, schema).await;
            self.mixtures(operation, schema).await;
        }
    }

    /// Odd paths, queries and headers.
    async fn lines(&mut self, operation: &Operation<'_>) {
        for part in PARTS {
            let request = self.request(operation, part, "");
            self.send(operation, request).await;
        }
        let declared = operation.said["parameters"].as_array();
        let names = declared
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "query");
        let queries = QUERIES.into_iter().map(str::to_owned);
        let queries = queries.chain(names.flat_map(|one| {
            let name = one["name"].as_str().unwrap();
            ["", "-1", "%ff", "99999999999999999999", "%F0%9F%92%A5"]
                .map(|value| format!("{name}={value}&{name}={value}"))
        }));
        for query in queries {
            let request = self.request(operation, "nobody", &format!("?{query}"));
            self.send(operation, request).await;
        }
        let headers = declared
            .into_iter()
            .flatten()
            .filter(|one| one["in"] == "header");
        for header in headers {
            let name = header["name"].as_str().unwrap();
            for value in [&b""[..], b"\xff\xfe", b"a,b", &[b'x'; 2_000]] {
                let value = HeaderValue::from_bytes(value).unwrap();
                let twice = self.request(operation, "nobody", "");
                let twice = twice.header(name, value.clone()).header(name, value);
                self.send(operation, twice).await;
            }
        }
    }

    /// Methods that the path does not have.
    async fn methods(&mut self, operation: &Operation<'_>) {
        let known = self.listener.document.methods_of(operation.path);
        for method in ["get", "post", "put", "delete", "patch"] {
            if known.contains(method) {
                continue;
            }
            let request = self.ask(operation, method, "nobody", "");
            let reply = Reply::of(request).await;
            assert_eq!(reply.status, 405, "{method} {}: {reply:?}", operation.path);
            assert_eq!(reply.json()["code"], "method_not_allowed");
        }
    }

    /// Bodies that are declared as something else, and as nothing.
    async fn kinds(&mut self, operation: &Operation<'_>) {
        for kind in [
            "",
            "text/html",
            "application/xml",
            "application/json; charset=latin1",
            "\\",
        ] {
            let request = self.request(operation, "nobody", "");
            let request = request.header(CONTENT_TYPE, kind).body("{}");
            self.send(operation, request).await;
        }
        let packed = self.request(operation, "nobody", "");
        let packed = packed.header("content-encoding", "gzip");
        let packed = packed.header(CONTENT_TYPE, "application/json").body("{}");
        self.send(operation, packed).await;
        for kind in operation.body().unwrap()["content"]
            .as_object()
            .unwrap()
            .keys()
        {
            for body in [
                &b""[..],
                b"\xff\xfe\x00",
                b"%%%=",
                b"{",
                b"a: [",
                b"token=\xff",
            ] {
                let request = self.request(operation, "nobody", "");
                let request = request.header(CONTENT_TYPE, kind).body(body.to_vec());
                self.send(operation, request).await;
            }
        }
    }

    async fn sizes(&mut self, operation: &Operation<'_>) {
        let most = operation.body().unwrap()["x-max-bytes"].as_u64().unwrap();
        let most = usize::try_from(most).unwrap();
        let kinds = operation.body().unwrap()["content"].as_object().unwrap();
        let kind = kinds.keys().next().unwrap().clone();
        let request = self.request(operation, "twilio", "");
        let request = request
            .header(CONTENT_TYPE, kind)
            .body(" ".repeat(most + 1));
        let reply = self.send(operation, request).await;
        assert_eq!(reply.status, 413, "{} {reply:?}", operation.path);
    }

    /// Each member wrong, missing, twice; and shapes that are no object of members.
    async fn members(&mut self, operation: &Operation<'_>, schema: &Value) {
        let whole = schema::sample(schema);
        for shape in [
            "null",
            "[]",
            "\"text\"",
            "1",
            "{",
            "{}{}",
            "{\"a\":1}",
            "[{}]",
        ] {
            self.json(operation, shape).await;
        }
        let deep = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
        self.json(operation, deep).await;
        self.json(operation, whole.to_string()).await;
        for name in schema["properties"].as_object().into_iter().flatten() {
            let name = name.0;
            let mut without = whole.clone();
            without.as_object_mut().unwrap().remove(name);
            self.json(operation, without.to_string()).await;
            for value in odd_values() {
                let mut odd = whole.clone();
                odd[name] = value.clone();
                self.json(operation, odd.to_string()).await;
                self.json(operation, json!({ name: value }).to_string())
                    .await;
            }
            let twice = format!("{{{name:?}:\"a\",{name:?}:\"b\"}}");
            let reply = self.json(operation, twice).await;
            assert_eq!(reply.status, 400, "{} {name}: {reply:?}", operation.path);
            let latin = [
                format!("{{{name:?}:\"").into_bytes(),
                vec![0xe9],
                b"\"}".to_vec(),
            ];
            self.json(operation, latin.concat()).await;
        }
    }

    /// Some members as they should be, some odd, some missing.
    async fn mixtures(&mut self, operation: &Operation<'_>, schema: &Value) {
        let odd = odd_values();
        for _ in 0..MIXED {
            let mut body = schema::sample(schema);
            for name in schema["properties"].as_object().into_iter().flatten() {
                let members = body.as_object_mut().unwrap();
                match self.dice.roll(4) {
                    0 => drop(members.remove(name.0)),
                    1 => {
                        drop(members.insert(name.0.clone(), odd[self.dice.roll(odd.len())].clone()))
                    }
                    _ => {}
                }
            }
            self.json(operation, body.to_string()).await;
        }
    }
}

/// Whatever ends sessions comes last.
fn in_order<'a>(listener: &'a Listener<'_>) -> Vec<Operation<'a>> {
    let mut all = listener.document.operations();
    all.sort_by_key(|one| one.path.contains("logout"));
    all
}

#[tokio::test]
async fn nothing_that_is_sent_to_a_public_route_is_answered_otherwise_than_the_document_says() {
    let server = server();
    let listener = Listener::public(&server).await;
    let mut caller = Caller::new(&listener, "+14155550171").await;
    for operation in in_order(&listener) {
        caller.all(&operation).await;
    }
    listener.kept();
}

#[tokio::test]
async fn nothing_that_an_operator_sends_is_answered_otherwise_than_the_document_says() {
    let server = server();
    let listener = Listener::operators(&server).await;
    let mut caller = Caller::new(&listener, "+14155550172").await;
    for operation in in_order(&listener) {
        caller.all(&operation).await;
    }
    listener.kept();
}
