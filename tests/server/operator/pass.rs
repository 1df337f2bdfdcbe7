//! Letting somebody in by hand: a pass from an operator, a cookie for whoever brings it.

use std::collections::BTreeMap;
use std::sync::Arc;

use reqwest::Method;
use reqwest::header::COOKIE;
use serde_json::{Value, json};
use sqlx::query;
use tokio::task::JoinSet;

use super::{START, VERIFY, acts, call, get, post, server};
use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify};

const PASS: &str = "/admin/otp/session";
const BRING: &str = "/auth/fan/from-onboarding";

async fn pass(server: &Server) -> String {
    let body = json!({ "user_id": "test-user", "reason": "Incident #123" });
    let issued = post(server, PASS, &body).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    issued.text("sessionId")
}

async fn bring(server: &Server, pass: &str) -> Reply {
    server.post(BRING, &json!({ "sessionId": pass })).await
}

fn cookie(reply: &Reply) -> String {
    let cookie = reply.header("set-cookie").unwrap();
    cookie.split_once(';').unwrap().0.to_owned()
}

async fn me(server: &Server, cookie: &str) -> Reply {
    let request = server.client.get(server.url("/api/me"));
    Reply::of(request.header(COOKIE, cookie)).await
}

#[tokio::test]
async fn somebody_whom_no_code_reaches_is_let_in_by_a_pass_once() {
    let server = server();
    let pass = pass(&server).await;
    let welcome = bring(&server, &pass).await;
    let user = json!({ "id": "test-user", "email": "test-user@example.com" });
    assert_eq!(welcome.json(), json!({ "status": "ok", "user": user }));
    let set = welcome.header("set-cookie").unwrap();
    for needed in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/"] {
        assert!(set.contains(needed), "{set}");
    }
    let cookie = cookie(&welcome);
    assert_eq!(me(&server, &cookie).await.json(), user);
    let again = bring(&server, &pass).await;
    again.is_error(401, "invalid_session", "Invalid session");
    assert_eq!(again.header("set-cookie"), None);
    assert_eq!(
        acts(&server).await,
        ["mike: provision_session: Incident #123"]
    );
    let export = get(&server, "/admin/otp/audit").await.body;
    let lines = export
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    let ours: Vec<Value> = lines
        .filter(|line: &Value| line["reason"] == "provision_session")
        .collect();
    assert_eq!(ours[0]["user_id"], "test-user", "{export}");
    let log = server.whole_log();
    for secret in [&pass, cookie.split_once('=').unwrap().1] {
        assert!(!export.contains(secret) && !log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn attack_fifty_browsers_with_one_pass_at_once_are_one_session() {
    let server = Arc::new(server());
    let pass = pass(&server).await;
    let mut tries = JoinSet::new();
    for _ in 0..50 {
        let (server, pass) = (Arc::clone(&server), pass.clone());
        tries.spawn(async move { bring(&server, &pass).await.status });
    }
    let mut counts = BTreeMap::new();
    for status in tries.join_all().await {
        *counts.entry(status).or_insert(0) += 1;
    }
    assert_eq!(counts, BTreeMap::from([(200, 1), (401, 49)]));
}

#[tokio::test]
async fn a_pass_is_for_a_user_who_is_there_by_any_of_their_names() {
    let server = server();
    let code = server.post(START, &body_of_request(PHONE)).await;
    let body = body_of_verify(PHONE, &code.text("preview_code"));
    let id = server.post(VERIFY, &body).await.json()["user"]["id"].clone();
    for (body, user) in [
        (json!({ "user_id": "test-user" }), json!("test-user")),
        (
            json!({ "email": "test-user@example.com" }),
            json!("test-user"),
        ),
        (json!({ "phone": "+14155550100" }), json!("test-user")),
        (json!({ "phone": PHONE }), id),
    ] {
        let issued = post(&server, PASS, &body).await;
        assert_eq!(issued.json()["user_id"], user, "{body}: {issued:?}");
        let welcome = bring(&server, &issued.text("sessionId")).await;
        assert_eq!(welcome.json()["user"]["id"], user);
    }
    for unknown in [
        json!({ "user_id": "nobody" }),
        json!({ "user_id": "" }),
        json!({ "phone": "+14155550199" }),
        json!({ "email": "nobody@example.com" }),
    ] {
        let reply = post(&server, PASS, &unknown).await;
        reply.is_error(404, "unknown_user", "Unknown user");
    }
    let detail = "user_id, phone or email, exactly one";
    for unclear in [
        json!({}),
        json!({ "user_id": "test-user", "phone": "+14155550100" }),
    ] {
        let reply = post(&server, PASS, &unclear).await;
        reply.is_error(400, "name_one", detail);
    }
    let reply = post(&server, PASS, &json!({ "phone": "12" })).await;
    reply.is_error(400, "invalid_phone", "Invalid phone number");
    let reply = post(&server, PASS, &json!({ "email": "12" })).await;
    reply.is_error(400, "invalid_email", "Invalid email address");
    let reply = post(&server, PASS, &json!({ "sessionId": "mine" })).await;
    reply.is_error(400, "malformed", "Malformed request body");
    let reply = call(&server, Method::GET, PASS, None).await;
    reply.is_error(405, "method_not_allowed", "Method not allowed");
}

#[tokio::test]
async fn a_dry_run_issues_no_pass_and_is_on_record_as_one() {
    let server = server();
    let body = json!({ "user_id": "test-user", "note": "to see" });
    let dry = post(&server, "/admin/otp/session?dry_run=true", &body).await;
    let told = json!({ "status": "ok", "dry_run": true, "user_id": "test-user" });
    assert_eq!((dry.status, dry.json()), (200, told));
    let kept: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM otp_states")
        .fetch_one(&mut server.database().await)
        .await
        .unwrap();
    assert_eq!(kept, 0);
    assert_eq!(
        acts(&server).await,
        ["mike: preview_provision_session: to see"]
    );
}

#[tokio::test]
async fn what_is_no_pass_or_one_of_ten_minutes_ago_signs_nobody_in() {
    let server = server();
    let state = server.get("/api/auth/oauth/github/start").await;
    let state = state.text("state");
    for made_up in [
        "0d3f3b1e-6f0f-4a52-9c5f-3f1d9f3b7a10",
        "test-user",
        &"x".repeat(8_000),
        &state,
    ] {
        let reply = bring(&server, made_up).await;
        reply.is_error(401, "invalid_session", "Invalid session");
    }
    let old = pass(&server).await;
    let aged = "UPDATE otp_states SET expires_at = expires_at - 600000";
    query(aged)
        .execute(&mut server.database().await)
        .await
        .unwrap();
    let reply = bring(&server, &old).await;
    reply.is_error(401, "invalid_session", "Invalid session");
    for missing in [
        json!({}),
        json!({ "sessionId": "" }),
        json!({ "sessionId": null }),
    ] {
        let reply = server.post(BRING, &missing).await;
        reply.is_error(400, "session_id_required", "sessionId required");
    }
    let reply = server.post(BRING, &json!({ "sessionId": 7 })).await;
    reply.is_error(401, "invalid_session", "Invalid session");
    let reply = server.post(BRING, &json!({ "session_id": "x" })).await;
    reply.is_error(400, "malformed", "Malformed request body");
    let reply = bring(&server, &"x".repeat(17 * 1024)).await;
    reply.is_error(413, "too_large", "Request body too large");
    let reply = server.get(BRING).await;
    reply.is_error(405, "method_not_allowed", "Method not allowed");
}

#[tokio::test]
async fn a_pass_lets_in_while_there_is_no_redis() {
    let server = Server::with(&[
        ("ADMIN_TOKENS", super::TOKENS),
        ("REDIS_URL", "redis://127.0.0.1:9"),
        ("OTP_REDIS_OUTAGE", "memory"),
    ]);
    let pass = pass(&server).await;
    let welcome = bring(&server, &pass).await;
    assert_eq!(me(&server, &cookie(&welcome)).await.status, 200);
}
