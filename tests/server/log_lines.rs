//! The sentences that operators search the log for, each by what causes it.

use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, Server, body_of_request, body_of_verify, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

/// Finds the lines of a log that have a sentence, and checks that they show nothing of anybody's.
#[track_caller]
fn lines<'a>(log: &'a str, sentence: &str) -> Vec<&'a str> {
    let found: Vec<&str> = log.lines().filter(|line| line.contains(sentence)).collect();
    assert!(!found.is_empty(), "{sentence:?} is not in {log}");
    for line in &found {
        assert!(!line.contains("4155550"), "{line}");
    }
    found
}

#[tokio::test]
async fn a_limit_that_is_met_says_rate_limit_exceeded() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "1")]);
    server.post(START, &body_of_request(PHONE)).await;
    let refused = server.post(START, &body_of_request(OTHER_PHONE)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(lines(&server.whole_log(), "Rate limit exceeded").len(), 1);
}

#[tokio::test]
async fn a_provider_that_keeps_failing_says_failed_to_send_and_circuit_breaker_open() {
    let refused = Answer::Fails(401, r#"{"code":20003,"message":"Authenticate"}"#);
    let twilio = Twilio::start(refused).await;
    let server = Server::with(&twilio.settings());
    for last in 0..8 {
        let phone = format!("+1415555012{last}");
        server.post(START, &body_of_request(&phone)).await;
    }
    let log = server.whole_log();
    assert_eq!(lines(&log, "failed to send").len(), 8);
    let opened = lines(&log, "Circuit breaker OPEN");
    assert!(opened[0].contains("twilio"), "{opened:?}");
}

#[tokio::test]
async fn a_store_that_takes_no_writes_says_failed_to_store_challenge() {
    let server = Server::start();
    let mut database = server.database().await;
    let begin = sqlx::query("BEGIN EXCLUSIVE");
    begin.execute(&mut database).await.unwrap();
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 503);
    let verify = body_of_verify(PHONE, "123456");
    assert_eq!(server.post(VERIFY, &verify).await.status, 503);
    let end = sqlx::query("ROLLBACK");
    end.execute(&mut database).await.unwrap();
    let log = server.whole_log();
    assert_eq!(lines(&log, "failed to store challenge").len(), 1);
    assert_eq!(lines(&log, "failed to read challenge").len(), 1);
}

#[tokio::test]
async fn an_account_that_is_locked_says_so() {
    let server = Server::start();
    let mut locked = None;
    for _ in 0..40 {
        let started = server.post(START, &body_of_request(PHONE)).await;
        if started.status != 200 {
            locked = Some(started);
            break;
        }
        let typo = wrong(&started.text("preview_code"));
        for _ in 0..5 {
            server.post(VERIFY, &body_of_verify(PHONE, &typo)).await;
        }
    }
    let refused = locked.expect("guesses run out");
    assert_eq!(refused.status, 429, "{refused:?}");
    if refused.text("code") != "locked" {
        let verify = body_of_verify(PHONE, "123456");
        let refused = server.post(VERIFY, &verify).await;
        refused.is_error(429, "locked", "Account temporarily locked");
    }
    let log = server.whole_log();
    assert!(!lines(&log, "Account temporarily locked").is_empty());
}
