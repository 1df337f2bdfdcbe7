//! Whom a `user_id` means: the account, and the addresses that it signs in by.

use serde_json::{Value, json};

use super::{START, VERIFY, get, post, server};
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

#[tokio::test]
async fn whoever_records_name_by_a_pseudonym_is_helped_by_it() {
    let server = server();
    let nobodys = "+14155550177";
    let code = server.post(START, &body_of_request(nobodys)).await;
    let code = code.text("preview_code");
    for _ in 0..5 {
        let body = body_of_verify(nobodys, &wrong(&code));
        assert_ne!(server.post(VERIFY, &body).await.status, 200);
    }
    assert_eq!(
        server.post(START, &body_of_request(nobodys)).await.status,
        429
    );
    // What the dashboard names is what every step takes.
    let board = get(&server, "/admin/otp/dashboard").await.json();
    let name = board["attackers"]["users"][0]["name"].as_str().unwrap();
    assert!(name.starts_with("dst:"), "{board}");
    let whom = json!({ "user_id": name, "reason": "she called" });
    let told = post(&server, "/admin/otp/explain", &whom).await.json();
    assert_eq!(told["refused_by"], json!(["locked"]), "{told}");
    let by_phone = json!({ "phone": nobodys, "reason": "she called" });
    let by_phone = post(&server, "/admin/otp/explain", &by_phone).await.json();
    assert_eq!(by_phone["recorded_as"], json!([name]));
    let opened = post(&server, "/admin/otp/unlock", &whom).await;
    assert_eq!(opened.json()["count"], 1, "{opened:?}");
    assert_eq!(
        server.post(START, &body_of_request(nobodys)).await.status,
        200
    );
    for (path, least) in [("limits/clear", 1), ("revoke", 1)] {
        let done = post(&server, &format!("/admin/otp/{path}"), &whom).await;
        assert!(
            done.json()["count"].as_u64() >= Some(least),
            "{path}: {done:?}"
        );
    }
    // Half of one is nobody's name.
    for cut in ["dst:", &name[..20], &format!("{name}A"), "dst:!"] {
        for path in ["revoke", "unlock", "limits/clear", "explain"] {
            let whom = json!({ "user_id": cut, "reason": "she called" });
            let reply = post(&server, &format!("/admin/otp/{path}"), &whom).await;
            reply.is_error(400, "invalid_user_id", "Invalid user_id");
        }
    }
}

#[tokio::test]
async fn a_users_records_are_found_by_what_explain_says() {
    let server = server();
    started(&server).await;
    let told = post(&server, "/admin/otp/explain", &user()).await.json();
    let names = told["recorded_as"].as_array().unwrap();
    assert_eq!(names[0], "test-user");
    let audit = get(&server, "/admin/otp/audit").await.body;
    let is_in = |name: &&Value| audit.contains(name.as_str().unwrap());
    assert!(names[1..].iter().any(|name| is_in(&name)), "{told} {audit}");
}
