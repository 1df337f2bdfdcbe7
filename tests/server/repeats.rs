use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinSet;

use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

async fn named(server: &Server, key: &str, phone: &str) -> Reply {
    let request = server
        .client
        .post(server.url(START))
        .header("Idempotency-Key", key);
    Reply::of(request.json(&body_of_request(phone))).await
}

#[tokio::test]
async fn fifty_parallel_repeats_of_one_start_make_one_challenge_and_one_message() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let server = Arc::new(Server::with(&twilio.settings()));
    let mut starts = JoinSet::new();
    for _ in 0..50 {
        let server = Arc::clone(&server);
        starts.spawn(async move { named(&server, "start-1", PHONE).await });
    }
    let replies = starts.join_all().await;
    let ids: BTreeSet<_> = replies
        .iter()
        .map(|reply| reply.text("challenge_id"))
        .collect();
    assert_eq!(ids.len(), 1);
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(twilio.posted().len(), 1);
}

#[tokio::test]
async fn a_key_that_named_another_start_is_refused() {
    let server = Server::start();
    assert_eq!(named(&server, "start-1", PHONE).await.status, 200);
    let reply = named(&server, "start-1", OTHER_PHONE).await;
    let detail = "Idempotency-Key was used for another request";
    reply.is_error(422, "idempotency_conflict", detail);
    let reply = named(&server, &"k".repeat(129), PHONE).await;
    reply.is_error(400, "invalid_idempotency_key", "Invalid Idempotency-Key");
}

#[tokio::test]
async fn a_repeated_try_gets_the_recorded_answer_and_no_second_session() {
    let server = Arc::new(Server::start());
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let body = json!({ "phone": PHONE, "otp": code, "attempt_id": "try-1" });
    let mut tries = JoinSet::new();
    for _ in 0..20 {
        let (server, body) = (Arc::clone(&server), body.clone());
        tries.spawn(async move { server.post(VERIFY, &body).await });
    }
    let replies = tries.join_all().await;
    let answers: BTreeSet<_> = replies
        .iter()
        .map(|reply| (reply.status, &reply.body))
        .collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(replies[0].status, 200);
    let again = server.post(VERIFY, &body).await;
    assert_eq!(again.body, replies[0].body);
    let other = json!({ "phone": PHONE, "otp": code, "attempt_id": "try-2" });
    server
        .post(VERIFY, &other)
        .await
        .is_error(400, "invalid_otp", "Invalid OTP");
}

#[tokio::test]
async fn a_repeated_try_gets_its_answer_after_a_crash() {
    let server = Server::start();
    let code = server
        .post(START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    let body = json!({ "phone": PHONE, "otp": code, "attempt_id": "try-1" });
    let before = server.post(VERIFY, &body).await;
    let server = server.kill_and_restart();
    let after = server.post(VERIFY, &body).await;
    assert_eq!((after.status, after.body), (200, before.body));
}

#[tokio::test]
async fn an_attempt_id_that_is_none_is_refused() {
    let server = Server::start();
    for id in [json!("a b"), json!("a".repeat(65)), json!(1)] {
        let body = json!({ "phone": PHONE, "otp": "123456", "attempt_id": id });
        let reply = server.post(VERIFY, &body).await;
        reply.is_error(400, "invalid_attempt_id", "Invalid attempt_id");
    }
}
