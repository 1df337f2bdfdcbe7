//! Signing in by Telegram.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::signed::{TOKEN, init_data, widget_hash};
use crate::support::{Reply, Server};

const ROUTE: &str = "/api/auth/telegram";
const NEXT: &str = "1000:the-next-token-of-a-test";

fn server() -> Server {
    let tokens = format!("{TOKEN}, {NEXT}");
    Server::with(&[("TELEGRAM_BOT_TOKEN", &tokens)])
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test has the real clock"
)]
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs()
}

/// What the widget's script hands over: numbers where they are numbers.
fn widget(token: &str, id: u64, at: u64) -> Value {
    let lines = format!("auth_date={at}\nfirst_name=Ann\nid={id}");
    let hash = widget_hash(token, &lines);
    json!({ "id": id, "first_name": "Ann", "auth_date": at, "hash": hash })
}

async fn me(server: &Server, tokens: &Reply) -> Reply {
    let token = tokens.text("access_token");
    let request = server.client.get(server.url("/api/me"));
    Reply::of(request.header(AUTHORIZATION, format!("Bearer {token}"))).await
}

#[tokio::test]
async fn whom_the_widget_or_a_mini_app_names_is_signed_in_as_the_same_person_each_time() {
    let server = server();
    let mut users = Vec::new();
    for (number, token) in [TOKEN, NEXT].into_iter().enumerate() {
        let at = now() - u64::try_from(number).unwrap();
        for body in [
            widget(token, 42, at),
            json!({ "initData": init_data(token, 42, at) }),
            json!({ "init_data": init_data(token, 42, at - 9) }),
        ] {
            let reply = server.post(ROUTE, &body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            assert_eq!(reply.text("token_type"), "bearer");
            let user = reply.json()["user"].clone();
            assert_eq!(me(&server, &reply).await.json(), user);
            users.push(user);
        }
    }
    users.dedup();
    assert_eq!(
        users,
        [json!({ "id": "telegram-42", "email": "telegram-42@example.com" })]
    );
    let texts = json!({
        "id": "43",
        "auth_date": now().to_string(),
        "hash": widget_hash(TOKEN, &format!("auth_date={}\nid=43", now())),
    });
    let other = server.post(ROUTE, &texts).await;
    assert_eq!(other.json()["user"]["id"], "telegram-43");
}

#[tokio::test]
async fn attack_a_login_is_taken_once_and_never_forged_stale_or_bent() {
    let server = server();
    let body = widget(TOKEN, 42, now());
    assert_eq!(server.post(ROUTE, &body).await.status, 200);
    let mut bent = widget(TOKEN, 42, now());
    bent["id"] = json!(43);
    let mut more = widget(TOKEN, 42, now());
    more["username"] = json!("ann");
    let mut upper = widget(TOKEN, 42, now());
    upper["hash"] = json!(upper["hash"].as_str().unwrap().to_uppercase());
    for refused in [
        body,
        bent,
        more,
        upper,
        widget("1000:of-another-bot", 42, now()),
        widget(TOKEN, 42, now() - 400),
        widget(TOKEN, 42, now() + 400),
        json!({ "initData": init_data(TOKEN, 42, now() - 400) }),
        json!({ "initData": widget(TOKEN, 42, now())["hash"] }),
        json!({ "initData": 7 }),
        json!({}),
    ] {
        let reply = server.post(ROUTE, &refused).await;
        reply.is_error(401, "invalid_signature", "Invalid signature");
    }
    let log = server.whole_log();
    assert!(!log.contains(TOKEN) && !log.contains("Ann"), "{log}");
}

#[tokio::test]
async fn without_a_bot_nobody_signs_in_and_the_rest_is_as_everywhere() {
    let server = Server::start();
    let reply = server.post(ROUTE, &widget(TOKEN, 42, now())).await;
    reply.is_error(401, "invalid_signature", "Invalid signature");
    server
        .get(ROUTE)
        .await
        .is_error(405, "method_not_allowed", "Method not allowed");
    let send = async |kind: &str, body: String| {
        let request = server.client.post(server.url(ROUTE));
        Reply::of(request.header(CONTENT_TYPE, kind).body(body)).await
    };
    let hash = "0".repeat(64);
    for malformed in [
        format!(r#"{{"id":42,"id":43,"hash":"{hash}"}}"#),
        format!(r#"{{"id":{{"id":42}},"hash":"{hash}"}}"#),
        format!(r#"["{hash}"]"#),
        String::new(),
    ] {
        let reply = send("application/json", malformed).await;
        reply.is_error(400, "malformed", "Malformed request body");
    }
    let reply = send("text/plain", "{}".to_owned()).await;
    let detail = "Content-Type must be application/json";
    reply.is_error(415, "unsupported_media_type", detail);
    let reply = send("application/json", " ".repeat(17 * 1024)).await;
    reply.is_error(413, "too_large", "Request body too large");
}

#[test]
fn a_token_that_is_none_stops_the_start() {
    let refused = Server::refused(&[("TELEGRAM_BOT_TOKEN", "1000:a,,1000:b")]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.starts_with("error: TELEGRAM_BOT_TOKEN: "),
        "{}",
        refused.stderr
    );
}
