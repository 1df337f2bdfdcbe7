//! The document of the routes: whole, true, and no answer outside it.

mod contract;
mod document;
mod fuzz;
mod schema;

use std::collections::BTreeMap;
use std::sync::Mutex;

use reqwest::{Method, RequestBuilder};

use self::document::{Document, Operation};
use crate::support::{Reply, Server};

const TOKENS: &str = "mike:token-of-mike-0123456789,anna:token-of-anna-0123456789";
const MIKE: &str = "token-of-mike-0123456789";

/// A listener, and the document that it serves.
struct Listener<'a> {
    server: &'a Server,
    address: &'a str,
    document: Document,
    wrong: Mutex<BTreeMap<String, String>>,
}

/// Starts a server that has operators, and whose callers may ask as often as they like.
fn server() -> Server {
    Server::with(&[("ADMIN_TOKENS", TOKENS), ("RATE_LIMIT_REQUESTS", "10000")])
}

impl<'a> Listener<'a> {
    async fn public(server: &'a Server) -> Self {
        Self::of(server, &server.address).await
    }

    async fn operators(server: &'a Server) -> Self {
        Self::of(server, &server.admin).await
    }

    async fn of(server: &'a Server, address: &'a str) -> Self {
        let url = format!("http://{address}/openapi.json");
        let asked = server.client.get(url).header("x-admin-token", MIKE);
        let reply = Reply::of(asked).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        Self {
            server,
            address,
            document: Document(reply.json()),
            wrong: Mutex::default(),
        }
    }

    fn ask(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
        let url = format!("http://{}{path}", self.address);
        self.server.client.request(method, url)
    }

    /// Sends a request of an operation and notes what about the answer the document does not say.
    async fn keeps_to(&self, operation: &Operation<'_>, request: RequestBuilder) -> Reply {
        let sent = request.try_clone().unwrap().build().unwrap();
        let reply = Reply::of(request).await;
        if let Err(wrong) = operation.allows(&reply) {
            let body = sent.body().and_then(|body| body.as_bytes());
            let body = String::from_utf8_lossy(body.unwrap_or_default());
            let body: String = body.chars().take(200).collect();
            let what = format!("{} {}: {wrong}", operation.method, operation.path);
            let how = format!("{} {:?} {body} {reply:?}", sent.url(), sent.headers());
            self.wrong.lock().unwrap().entry(what).or_insert(how);
        }
        reply
    }

    /// Fails where anything was noted.
    fn kept(&self) {
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
