//! Sign-ins through Twilio Verify.

use serde_json::json;

use crate::support::plivo::Plivo;
use crate::support::verify::{CODE, Checks, Verify};
use crate::support::{PHONE, Server, body_of_request, body_of_verify, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

#[tokio::test]
async fn a_code_that_twilio_made_signs_in_once_and_is_in_no_answer_or_log() {
    let twilio = Verify::start().await;
    let server = Server::with(&twilio.settings());
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(twilio.asked("/Verifications", "To"), [PHONE]);
    assert_eq!(twilio.asked("/Verifications", "Channel"), ["sms"]);
    let bad = wrong(CODE);
    let unknown = server.post(VERIFY, &body_of_verify(PHONE, &bad)).await;
    unknown.is_error(400, "invalid_otp", "Invalid OTP");
    let signed_in = server.post(VERIFY, &body_of_verify(PHONE, CODE)).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    let again = server.post(VERIFY, &body_of_verify(PHONE, CODE)).await;
    again.is_error(400, "invalid_otp", "Invalid OTP");
    assert_eq!(twilio.asked("/VerificationCheck", "Code"), [&bad, CODE]);
    let log = server.whole_log();
    assert!(!log.contains(CODE) && !log.contains(PHONE), "{log}");
}

#[tokio::test]
async fn what_is_over_at_twilio_is_answered_as_a_wrong_code_is() {
    let twilio = Verify::start().await;
    let server = Server::with(&twilio.settings());
    server.post(START, &body_of_request(PHONE)).await;
    let bad = body_of_verify(PHONE, &wrong(CODE));
    let unlike = server.post(VERIFY, &bad).await;
    twilio.set(Checks::Gone);
    let gone = server.post(VERIFY, &body_of_verify(PHONE, CODE)).await;
    assert_eq!(gone, unlike);
}

#[tokio::test]
async fn while_twilio_is_down_nothing_is_accepted_and_the_same_try_is_repeated_afterwards() {
    let twilio = Verify::start().await;
    let server = Server::with(&twilio.settings());
    server.post(START, &body_of_request(PHONE)).await;
    twilio.set(Checks::Fails);
    let body = json!({ "phone": PHONE, "otp": CODE, "attempt_id": "try-1" });
    let reply = server.post(VERIFY, &body).await;
    reply.is_error(500, "verify_failed", "Failed to verify code");
    twilio.set(Checks::Works);
    let reply = server.post(VERIFY, &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(twilio.asked("/VerificationCheck", "Code"), [CODE, CODE]);
    assert!(!server.whole_log().contains("canary-of-the-vendor"));
}

#[tokio::test]
async fn what_twilio_verify_surely_did_not_start_the_backup_sends() {
    let twilio = Verify::start().await;
    let plivo = Plivo::start().await;
    let mut settings = [&twilio.settings()[..], &plivo.settings()].concat();
    let nobody = ("TWILIO_VERIFY_BASE_URL", "http://127.0.0.1:9");
    settings.retain(|(name, _)| *name != nobody.0);
    settings.push(nobody);
    let server = Server::with(&settings);
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let (_, code) = plivo.codes().remove(0);
    let signed_in = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    assert!(twilio.asked("", "To").is_empty());
}
