//! A code to an address of whoever is signed in.

use serde_json::json;

use crate::support::authenticator::claims;
use crate::support::mailer::Mailer;
use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

const SEND: &str = "/api/auth/mfa/send-code";
const VERIFY: &str = "/api/auth/mfa/verify";

#[track_caller]
fn is_wrong(reply: &Reply) {
    reply.is_error(400, "invalid_otp", "Invalid OTP");
}

#[tokio::test]
async fn a_code_goes_to_the_users_own_address_and_makes_a_newer_session() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let sent = server.post_as(&tokens, SEND, &json!({})).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(sent.text("status"), "ok");
    for member in ["challenge_id", "resend_at", "expires_at"] {
        assert!(!sent.text(member).is_empty());
    }
    let code = sent.text("preview_code");
    assert_eq!(code.len(), 6);
    is_wrong(
        &server
            .post_as(&tokens, VERIFY, &json!({ "otp": wrong(&code) }))
            .await,
    );
    let body =
        json!({ "otp": code, "challenge_id": sent.text("challenge_id"), "attempt_id": "try-1" });
    let verified = server.post_as(&tokens, VERIFY, &body).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    assert_eq!(verified.json()["user"], tokens.json()["user"]);
    let said = claims(&verified);
    assert_ne!(said["sid"], claims(&tokens)["sid"]);
    // The same phone twice is no second factor.
    assert_eq!(
        (&said["amr"], &said["acr"]),
        (&json!(["sms"]), &json!("restricted"))
    );
    let repeated = server.post_as(&tokens, VERIFY, &body).await;
    assert_eq!(repeated.text("access_token"), verified.text("access_token"));
    let again = json!({ "otp": code });
    is_wrong(&server.post_as(&tokens, VERIFY, &again).await);
}

#[tokio::test]
async fn a_code_of_one_purpose_or_person_is_worth_nothing_for_another() {
    let server = Server::start();
    let (ann, bob) = (
        server.sign_in(PHONE).await,
        server.sign_in(OTHER_PHONE).await,
    );
    let sent = server.post_as(&ann, SEND, &json!({})).await;
    let (code, id) = (sent.text("preview_code"), sent.text("challenge_id"));
    for body in [
        json!({ "otp": code }),
        json!({ "otp": code, "challenge_id": id }),
    ] {
        is_wrong(&server.post_as(&bob, VERIFY, &body).await);
    }
    for id in [json!("no id"), json!(7)] {
        let body = json!({ "otp": code, "challenge_id": id });
        is_wrong(&server.post_as(&ann, VERIFY, &body).await);
    }
    for sign_in in [
        json!({ "phone": PHONE, "otp": code, "challenge_id": id }),
        json!({ "phone": PHONE, "otp": code, "challenge_id": id, "purpose": "mfa" }),
    ] {
        is_wrong(&server.post("/api/auth/verify-otp", &sign_in).await);
    }
    let taken = server.post_as(&ann, VERIFY, &json!({ "code": code })).await;
    assert_eq!(taken.status, 200, "{taken:?}");
}

#[tokio::test]
async fn what_cannot_be_read_or_reached_is_said() {
    let server = Server::start();
    let tokens = server.sign_in(PHONE).await;
    let reply = server.post_as(&tokens, VERIFY, &json!({})).await;
    reply.is_error(400, "otp_required", "otp required");
    let reply = server
        .post_as(&tokens, SEND, &json!({ "channel": "pigeon" }))
        .await;
    reply.is_error(400, "unknown_channel", "Unknown channel");
    let reply = server
        .post_as(&tokens, SEND, &json!({ "channel": "email" }))
        .await;
    reply.is_error(400, "channel_unavailable", "Channel not available");
    let reply = server
        .post_as(&tokens, SEND, &json!({ "phone": OTHER_PHONE }))
        .await;
    reply.is_error(400, "malformed", "Malformed request body");
    let chat = server
        .post_as(&tokens, SEND, &json!({ "channel": "whatsapp" }))
        .await;
    assert_eq!(chat.status, 200, "{chat:?}");
}

#[tokio::test]
async fn a_provider_that_fails_is_no_success_and_is_told_without_its_name() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let server = Server::with(&twilio.settings());
    let started = server
        .post("/api/auth/otp/request", &body_of_request(PHONE))
        .await;
    assert_eq!(started.status, 200, "{started:?}");
    let code = twilio.posted()[0].code();
    let tokens = server
        .post("/api/auth/verify-otp", &body_of_verify(PHONE, &code))
        .await;
    let refused = r#"{"code":20003,"message":"Authenticate"}"#;
    twilio.answers(Answer::Fails(401, refused));
    let failed = server.post_as(&tokens, SEND, &json!({})).await;
    failed.is_error(500, "send_failed", "Failed to send verification code");
    assert_eq!(twilio.posted().len(), 2);
}

#[tokio::test]
async fn what_surely_did_not_leave_for_the_phone_goes_to_the_users_mailbox() {
    let (twilio, mailer) = (
        Twilio::start(Answer::Accepts).await,
        Mailer::answering(202).await,
    );
    let mut settings = [&twilio.settings()[..], &mailer.settings()].concat();
    settings.push(("ADMIN_TOKENS", "mike:token-of-mike-0123456789"));
    let server = Server::with(&settings);
    let started = server
        .post("/api/auth/otp/request", &body_of_request(PHONE))
        .await;
    assert_eq!(started.status, 200, "{started:?}");
    let code = twilio.posted()[0].code();
    let tokens = server
        .post("/api/auth/verify-otp", &body_of_verify(PHONE, &code))
        .await;
    let mut database = server.database().await;
    sqlx::query("UPDATE users SET email = 'ann@example.org' WHERE phone = $1")
        .bind(PHONE)
        .execute(&mut database)
        .await
        .unwrap();
    let refused = r#"{"code":21408,"message":"Permission to send an SMS has not been enabled"}"#;
    twilio.answers(Answer::Fails(400, refused));
    let sent = server.post_as(&tokens, SEND, &json!({})).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(mailer.mails().len(), 1);
    // And with text messages switched off it begins there.
    let off = json!({ "what": "channel_off", "channel": "sms", "reason": "x", "expires_in": 3600 });
    let url = format!("http://{}/admin/otp/override", server.admin);
    let off = server.client.post(url).json(&off);
    let off = Reply::of(off.header("x-admin-token", "token-of-mike-0123456789")).await;
    assert_eq!(off.status, 200, "{off:?}");
    let sent = server.post_as(&tokens, SEND, &json!({})).await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(mailer.mails().len(), 2);
    let phones = twilio.posted().len();
    assert_eq!(phones, 2, "the first code and the one that was refused");
}
