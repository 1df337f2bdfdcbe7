use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::desk::{TOKENS, me, post, records, server, sign_in};
use crate::signed::{TOKEN, widget_hash};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server};

#[tokio::test(flavor = "multi_thread")]
async fn section_4_suspected_token_compromise() {
    let server = server();
    let tokens = sign_in(&server, PHONE).await;
    let others = sign_in(&server, OTHER_PHONE).await;
    assert_eq!(me(&server, &tokens).await, 200);

    // What was done in this person's name.
    let user = tokens.json()["user"]["id"].as_str().unwrap().to_owned();
    let all = records(&server).await;
    let theirs = all
        .iter()
        .filter(|record| record["user_id"] == user.as_str());
    assert!(theirs.count() >= 1, "{all:?}");

    // Every session ends, and nobody else's does.
    let whom = json!({ "user_id": user, "reason": "stolen laptop" });
    let out = post(&server, "/api/v1/auth/logout-all", &whom).await;
    assert_eq!((out.status, &out.json()["ended"]), (200, &json!(1)));
    assert_eq!(me(&server, &tokens).await, 401);
    let body = json!({ "refresh_token": tokens.text("refresh_token") });
    let renewed = server.post("/api/auth/token/refresh", &body).await;
    assert_eq!(renewed.status, 401, "{renewed:?}");
    assert_eq!(me(&server, &others).await, 200);
    let reset = format!("/admin/otp/users/{user}/force-password-reset");
    assert_eq!(post(&server, &reset, &json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn section_5_jwt_secret_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}/otp.db", folder.path().display());
    let with = |secret: &str| {
        Server::with(&[
            TOKENS,
            ("OTP_KEYS", ""),
            ("SECRET_KEY", secret),
            ("DATABASE_URL", &database),
        ])
    };
    let server = with("7f5c1e0d2b9a48638d7e6f1a2c3b4d5e7f5c1e0d2b9a48638d7e6f1a2c3b4d5e");
    let tokens = sign_in(&server, PHONE).await;
    assert_eq!(me(&server, &tokens).await, 200);
    drop(server);

    // A new secret, and a restart: every token is refused, and people sign in again.
    let server = with("0a9b8c7d6e5f4031221304f5e6d7c8b90a9b8c7d6e5f4031221304f5e6d7c8b9");
    assert_eq!(me(&server, &tokens).await, 401);
    let tokens = sign_in(&server, PHONE).await;
    assert_eq!(me(&server, &tokens).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn section_6_oauth_state_token_mismatch() {
    let server = server();
    let start = async || {
        let started = server.get("/api/auth/oauth/github/start").await;
        let cookie = started.header("set-cookie").unwrap().to_owned();
        let (pair, _) = cookie.split_once(';').unwrap();
        (started.text("state"), pair.to_owned())
    };
    let back = async |state: &str, cookie: &str| {
        let path = format!("/api/auth/oauth/github/callback?state={state}");
        let request = server.client.get(server.url(&path));
        Reply::of(request.header("cookie", cookie)).await
    };
    // Two flows at once, and a browser that keeps no cookies.
    let (first, first_cookie) = start().await;
    let (_, second_cookie) = start().await;
    for cookie in [second_cookie.as_str(), "none=1"] {
        let refused = back(&first, cookie).await;
        refused.is_error(400, "invalid_state", "Invalid state token");
    }
    // Whoever waits too long.
    let mut database = server.database().await;
    let late = sqlx::query("UPDATE otp_states SET expires_at = expires_at - 600000");
    late.execute(&mut database).await.unwrap();
    let refused = back(&first, &first_cookie).await;
    refused.is_error(400, "invalid_state", "Invalid state token");
    // The flow once more.
    let (state, cookie) = start().await;
    assert_eq!(back(&state, &cookie).await.status, 200);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test has the real clock"
)]
fn widget() -> Value {
    let at = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let hash = widget_hash(TOKEN, &format!("auth_date={at}\nid=42"));
    json!({ "id": 42, "auth_date": at, "hash": hash })
}

#[tokio::test(flavor = "multi_thread")]
async fn section_7_telegram_signature_validation_failures() {
    const ROUTE: &str = "/api/auth/telegram";
    let old = "1000:the-token-before";
    let server = Server::with(&[("TELEGRAM_BOT_TOKEN", old)]);
    assert_eq!(server.post(ROUTE, &widget()).await.status, 401);
    // The bot's new token, and a restart. With both nobody is shut out meanwhile.
    for tokens in [TOKEN.to_owned(), format!("{old}, {TOKEN}")] {
        let server = Server::with(&[("TELEGRAM_BOT_TOKEN", &tokens)]);
        let signed_in = server.post(ROUTE, &widget()).await;
        assert_eq!(signed_in.status, 200, "{signed_in:?}");
        assert!(!server.whole_log().contains(TOKEN));
    }
}
