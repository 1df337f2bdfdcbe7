//! The operators' routes: who may, what is on record, and what a dry run leaves alone.

mod allowed;
mod doors;
mod failed;
mod keys;
mod list;
mod logout;
mod notify;
mod otpctl;
mod pass;
mod people;
mod steps;
mod store;
mod strangers;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Reply, Server};

const TOKENS: &str = "mike:token-of-mike-0123456789,anna:token-of-anna-0123456789";
const MIKE: &str = "token-of-mike-0123456789";
const BLACKLIST: &str = "/admin/otp/blacklist";
const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

fn server() -> Server {
    Server::with(&[("ADMIN_TOKENS", TOKENS)])
}

async fn call(server: &Server, method: Method, path: &str, body: Option<&Value>) -> Reply {
    let url = format!("http://{}{path}", server.admin);
    let mut request = server.client.request(method, url);
    request = request.header("x-admin-token", MIKE);
    if let Some(body) = body {
        request = request.json(body);
    }
    Reply::of(request).await
}

async fn post(server: &Server, path: &str, body: &Value) -> Reply {
    call(server, Method::POST, path, Some(body)).await
}

async fn get(server: &Server, path: &str) -> Reply {
    call(server, Method::GET, path, None).await
}

/// What operators did beside reading this, as `operator: what: why`.
async fn acts(server: &Server) -> Vec<String> {
    let export = get(server, "/admin/otp/audit").await;
    assert_eq!(export.status, 200, "{export:?}");
    let lines = export
        .body
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let acts = lines.filter(|line: &Value| {
        line["action"] == "OPERATOR_ACTION" && line["reason"] != "export_audit"
    });
    acts.map(|line| {
        let part = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        format!("{}: {}: {}", part("operator"), part("reason"), part("why"))
    })
    .collect()
}

fn phone_block(phone: &str) -> Value {
    json!({ "type": "phone", "value": phone, "note": "Incident #123" })
}
