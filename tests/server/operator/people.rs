//! Whom a `user_id` means: the account, and the addresses that it signs in by.

use serde_json::{Value, json};

use super::{START, VERIFY, post, server};
use crate::support::{Reply, Server, body_of_request, body_of_verify, wrong};

/// The phone of the user that a development server begins with.
const PHONE: &str = "+14155550100";

fn user() -> Value {
    json!({ "user_id": "test-user", "reason": "Incident #123" })
}

async fn started(server: &Server) -> Reply {
    server.post(START, &body_of_request(PHONE)).await
}

async fn verified(server: &Server, code: &str) -> Reply {
    server.post(VERIFY, &body_of_verify(PHONE, code)).await
}

#[tokio::test]
async fn a_users_codes_are_revoked_by_the_users_id() {
    let server = server();
    let code = started(&server).await.text("preview_code");
    let dry = post(&server, "/admin/otp/revoke?dry_run=true", &user()).await;
    assert_eq!(dry.json()["count"], 1, "{dry:?}");
    let revoked = post(&server, "/admin/otp/revoke", &user()).await;
    assert_eq!(revoked.json()["count"], 1, "{revoked:?}");
    assert_eq!(verified(&server, &code).await.status, 400);
}

#[tokio::test]
async fn a_locked_user_is_explained_and_unlocked_by_the_users_id() {
    let server = server();
    let code = started(&server).await.text("preview_code");
    for _ in 0..5 {
        assert_ne!(verified(&server, &wrong(&code)).await.status, 200);
    }
    assert_eq!(started(&server).await.text("code"), "locked");
    let told = post(&server, "/admin/otp/explain", &user()).await.json();
    assert_eq!(told["refused_by"], json!(["locked"]), "{told}");
    assert!(told["toll_fraud"].is_object(), "{told}");
    let opened = post(&server, "/admin/otp/unlock", &user()).await;
    assert_eq!(opened.json()["count"], 1, "{opened:?}");
    assert_eq!(started(&server).await.status, 200);
}

#[tokio::test]
async fn a_users_limits_are_cleared_and_widened_by_the_users_id() {
    let server = server();
    for _ in 0..5 {
        assert_eq!(started(&server).await.status, 200);
    }
    assert_eq!(started(&server).await.status, 429);
    let cleared = post(&server, "/admin/otp/limits/clear", &user()).await;
    assert_ne!(cleared.json()["count"], 0, "{cleared:?}");
    for _ in 0..5 {
        assert_eq!(started(&server).await.status, 200);
    }
    assert_eq!(started(&server).await.status, 429);
    let vip = json!({
        "what": "vip", "user_id": "test-user", "times": 2, "expires_in": 3600, "reason": "VIP",
    });
    let begun = post(&server, "/admin/otp/override", &vip).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    assert_eq!(started(&server).await.status, 200);
}

#[tokio::test]
async fn starts_by_a_users_name_are_cleared_and_widened_too() {
    let server = server();
    let by_name = async || {
        let path = "/browser/api/v1/identity/auth/otp/initiate";
        let body = json!({ "user_id": "test-user" });
        server.post(path, &body).await.status
    };
    for _ in 0..5 {
        assert_eq!(by_name().await, 200);
    }
    assert_eq!(by_name().await, 429);
    post(&server, "/admin/otp/limits/clear", &user()).await;
    for _ in 0..5 {
        assert_eq!(by_name().await, 200);
    }
    assert_eq!(by_name().await, 429);
    let vip = json!({
        "what": "vip", "user_id": "test-user", "times": 2, "expires_in": 3600, "reason": "VIP",
    });
    post(&server, "/admin/otp/override", &vip).await;
    assert_eq!(by_name().await, 200);
}

#[tokio::test]
async fn somebody_elses_codes_stay_where_a_user_is_named() {
    let server = server();
    let other = "+14155550177";
    let started = server.post(START, &body_of_request(other)).await;
    let code = started.text("preview_code");
    let nobody = json!({ "user_id": "nobody", "reason": "Incident #123" });
    for whom in [user(), nobody] {
        let revoked = post(&server, "/admin/otp/revoke", &whom).await;
        assert_eq!(revoked.json()["count"], 0, "{revoked:?}");
    }
    let body = body_of_verify(other, &code);
    assert_eq!(server.post(VERIFY, &body).await.status, 200);
}
