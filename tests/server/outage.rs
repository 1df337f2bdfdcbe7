use serde_json::json;
use sqlx::query;

use crate::support::{PHONE, Server, body_of_request, body_of_verify};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

#[tokio::test]
async fn while_the_store_takes_no_writes_nothing_is_accepted_and_afterwards_the_code_works() {
    let server = Server::start();
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let mut database = server.database().await;
    query("BEGIN EXCLUSIVE")
        .execute(&mut database)
        .await
        .unwrap();
    for (path, body) in [
        (START, body_of_request(PHONE)),
        (VERIFY, body_of_verify(PHONE, &code)),
    ] {
        let reply = server.post(path, &body).await;
        reply.is_error(503, "unavailable", "Service unavailable");
        assert_eq!(reply.header("retry-after"), Some("5"));
    }
    // What fails for people must show to the operator.
    assert_eq!(server.get("/readyz").await.status, 503);
    let status = server.get("/otp/status").await;
    assert_eq!(status.text("database"), "unavailable", "{status:?}");
    query("ROLLBACK").execute(&mut database).await.unwrap();
    let reply = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn a_sign_in_that_failed_after_the_code_was_right_is_had_by_repeating_the_try() {
    let server = Server::start();
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let mut database = server.database().await;
    query("ALTER TABLE otp_sessions RENAME TO away")
        .execute(&mut database)
        .await
        .unwrap();
    let body = json!({ "phone": PHONE, "otp": code, "attempt_id": "try-1" });
    let reply = server.post(VERIFY, &body).await;
    reply.is_error(503, "unavailable", "Service unavailable");
    assert_eq!(reply.header("retry-after"), Some("5"));
    query("ALTER TABLE away RENAME TO otp_sessions")
        .execute(&mut database)
        .await
        .unwrap();
    let reply = server.post(VERIFY, &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[tokio::test]
async fn an_expired_code_is_answered_as_an_unknown_one_is() {
    let server = Server::start();
    let unknown = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    let started = server.post(START, &body_of_request(PHONE)).await;
    let (code, id) = (started.text("preview_code"), started.text("challenge_id"));
    let mut database = server.database().await;
    let expired =
        query("UPDATE auth_challenges SET expires_at = created_at, ended_at = created_at");
    assert_eq!(
        expired
            .execute(&mut database)
            .await
            .unwrap()
            .rows_affected(),
        1
    );
    let by_id = json!({ "phone": PHONE, "otp": code, "challenge_id": id });
    for body in [by_id, body_of_verify(PHONE, &code)] {
        assert_eq!(server.post(VERIFY, &body).await, unknown);
    }
}
