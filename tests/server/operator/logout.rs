//! Ending somebody's sessions, by the path that people end their own by.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::{MIKE, START, TOKENS, VERIFY, acts, call, post, server};
use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify};

const OUT: &str = "/api/v1/auth/logout-all";

/// Signs the phone in and gives the access token and the user's id.
async fn sign_in(server: &Server) -> (String, Value) {
    let started = server.post(START, &body_of_request(PHONE)).await;
    let body = body_of_verify(PHONE, &started.text("preview_code"));
    let signed_in = server.post(VERIFY, &body).await;
    let user = signed_in.json()["user"]["id"].clone();
    (signed_in.text("access_token"), user)
}

async fn me(server: &Server, token: &str) -> u16 {
    let request = server.client.get(server.url("/api/me"));
    Reply::of(request.bearer_auth(token)).await.status
}

async fn as_bearer(server: &Server, address: &str, token: &str, body: Option<&Value>) -> Reply {
    let request = server.client.post(format!("http://{address}{OUT}"));
    let request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    Reply::of(match body {
        Some(body) => request.json(body),
        None => request,
    })
    .await
}

#[tokio::test]
async fn an_operator_ends_the_sessions_of_whom_they_name_after_a_dry_run_that_ends_none() {
    let server = server();
    let (first, user) = sign_in(&server).await;
    let (second, _) = sign_in(&server).await;
    let body = json!({ "user_id": user, "reason": "stolen laptop" });
    let dry = post(&server, "/api/v1/auth/logout-all?dry_run=true", &body).await;
    assert_eq!(
        dry.json(),
        json!({ "status": "ok", "dry_run": true, "count": 2, "ended": 2, "sample": [user] })
    );
    assert_eq!(me(&server, &first).await, 200);
    let done = as_bearer(&server, &server.admin, MIKE, Some(&body)).await;
    assert_eq!((done.status, &done.json()["ended"]), (200, &json!(2)));
    for token in [&first, &second] {
        assert_eq!(me(&server, token).await, 401);
    }
    let path = format!("/admin/otp/users/{}/logout-all", user.as_str().unwrap());
    let again = call(&server, Method::POST, &path, None).await;
    assert_eq!(again.json()["ended"], 0, "by its other path, none is left");
    assert_eq!(
        acts(&server).await,
        [
            "mike: preview_logout_all: stolen laptop",
            "mike: logout_all: stolen laptop",
            "mike: logout_all: no reason given",
        ]
    );
}

#[tokio::test]
async fn nobody_else_ends_a_session_that_is_not_theirs() {
    let server = server();
    let (token, user) = sign_in(&server).await;
    let body = json!({ "user_id": user });
    let reply = as_bearer(&server, &server.admin, &token, Some(&body)).await;
    reply.is_error(401, "unauthorized", "Operator token required");
    let reply = as_bearer(&server, &server.address, MIKE, Some(&body)).await;
    reply.is_error(401, "not_signed_in", "Not signed in");
    assert_eq!(me(&server, &token).await, 200);
    for (body, code, detail) in [
        (json!({}), "user_id_required", "user_id required"),
        (
            json!({ "user_id": "" }),
            "invalid_user_id",
            "Invalid user_id",
        ),
        (
            json!({ "user": "x" }),
            "malformed",
            "Malformed request body",
        ),
    ] {
        post(&server, OUT, &body).await.is_error(400, code, detail);
    }
    let get = call(&server, Method::GET, OUT, None).await;
    get.is_error(405, "method_not_allowed", "Method not allowed");
}

/// An address that no other process on this machine takes: its number is in it.
fn shared_address() -> String {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    format!("127.{}.{middle}.{low}:18080", 64 | (high & 63))
}

#[tokio::test]
async fn on_a_shared_listener_people_end_their_own_sessions_and_operators_anybodys() {
    let address = shared_address();
    let server = Server::with(&[
        ("ADMIN_TOKENS", TOKENS),
        ("BIND_ADDR", &address),
        ("ADMIN_BIND_ADDR", &address),
    ]);
    let (first, user) = sign_in(&server).await;
    let own = as_bearer(&server, &address, &first, None).await;
    assert_eq!((own.status, own.json()), (200, json!({ "ended": 1 })));
    let (second, _) = sign_in(&server).await;
    let body = json!({ "user_id": user, "note": "stolen laptop" });
    let wrong = server.client.post(server.url(OUT)).json(&body);
    let wrong = Reply::of(wrong.header("x-admin-token", "token-of-nobody-01234")).await;
    wrong.is_error(401, "unauthorized", "Operator token required");
    assert_eq!(me(&server, &second).await, 200);
    let done = as_bearer(&server, &address, MIKE, Some(&body)).await;
    assert_eq!(done.json()["ended"], 1, "{done:?}");
    assert_eq!(me(&server, &second).await, 401);
    assert_eq!(acts(&server).await, ["mike: logout_all: stolen laptop"]);
    // Its document shows the operators' routes to operators, and what is served to everybody else.
    for (token, shown) in [
        (None, false),
        (Some("token-of-nobody-01234"), false),
        (Some(MIKE), true),
    ] {
        let mut request = server.client.get(server.url("/openapi.json"));
        if let Some(token) = token {
            request = request.header("x-admin-token", token);
        }
        let document = Reply::of(request).await;
        assert_eq!(document.status, 200, "{document:?}");
        let paths = document.json()["paths"].clone();
        assert_eq!(paths.get("/admin/otp/dashboard").is_some(), shown);
        assert!(paths.get("/api/auth/otp/request").is_some());
    }
}
