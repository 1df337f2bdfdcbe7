use serde_json::json;

use crate::support::{PHONE, Server, body_of_request};

const START: &str = "/api/auth/otp/request";

#[tokio::test]
async fn a_start_names_its_challenge_and_says_when_it_ends() {
    let server = Server::start();
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.text("status"), "ok");
    assert!(!reply.text("challenge_id").is_empty());
    let (resend, end) = (reply.text("resend_at"), reply.text("expires_at"));
    assert!(resend < end, "{resend} {end}");
    for time in [resend, end] {
        let shape: String = time
            .chars()
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    }
    let code = reply.text("preview_code");
    assert!(
        code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{code}"
    );
}

#[tokio::test]
async fn a_number_is_taken_as_people_write_it() {
    let server = Server::start();
    let typed = server
        .post(START, &body_of_request("+1 (415) 555-0123"))
        .await;
    let code = typed.text("preview_code");
    let body = json!({ "phone": PHONE, "otp": code });
    assert_eq!(server.post("/api/auth/verify-otp", &body).await.status, 200);
}

#[tokio::test]
async fn without_an_address_a_start_says_that_a_phone_is_required() {
    let server = Server::start();
    let nothing = [
        json!({}),
        json!({ "phone": "" }),
        json!({ "phone": null, "email": "" }),
        json!({ "channel": "sms" }),
    ];
    for body in nothing {
        server
            .post(START, &body)
            .await
            .is_error(400, "phone_required", "phone required");
    }
}

#[tokio::test]
async fn what_is_no_number_or_address_is_refused_by_name() {
    let server = Server::start();
    let phones = [
        json!("4155550123"),
        json!("+1"),
        json!("+14155550123;ext=1"),
        json!("+1415555012\u{0}3"),
        json!("tel:+14155550123"),
        json!("mike@example.org"),
        json!(14155550123_i64),
        json!(["+14155550123"]),
        json!(true),
    ];
    for phone in phones {
        let reply = server.post(START, &json!({ "phone": phone })).await;
        reply.is_error(400, "invalid_phone", "Invalid phone number");
    }
    for email in [
        json!("mike"),
        json!("a@b.c\r\nBcc: x@y"),
        json!("a@localhost"),
        json!(1),
    ] {
        let reply = server.post(START, &json!({ "email": email })).await;
        reply.is_error(400, "invalid_email", "Invalid email address");
    }
}

#[tokio::test]
async fn two_addresses_at_once_are_refused() {
    let server = Server::start();
    let both = json!({ "phone": PHONE, "email": "mike@example.org" });
    let reply = server.post(START, &both).await;
    reply.is_error(400, "two_addresses", "phone or email, not both");
}

#[tokio::test]
async fn an_unregistered_purpose_starts_nothing() {
    let server = Server::start();
    for purpose in [json!("delete-account"), json!("LOGIN"), json!(["login"])] {
        let body = json!({ "phone": PHONE, "purpose": purpose });
        server
            .post(START, &body)
            .await
            .is_error(400, "unknown_purpose", "Unknown purpose");
    }
    let known = json!({ "phone": PHONE, "purpose": "mfa" });
    assert_eq!(
        server.post(START, &known).await.text("preview_code").len(),
        6
    );
}

#[tokio::test]
async fn a_channel_is_one_that_fits_the_address() {
    let server = Server::start();
    let over = |channel: &str| json!({ "phone": PHONE, "channel": channel });
    assert_eq!(server.post(START, &over("voice")).await.status, 200);
    let reply = server.post(START, &over("pigeon")).await;
    reply.is_error(400, "unknown_channel", "Unknown channel");
    let reply = server.post(START, &over("email")).await;
    reply.is_error(400, "channel_mismatch", "Channel does not fit the address");
    let body = json!({ "phone": PHONE, "locale": "not a tag" });
    server
        .post(START, &body)
        .await
        .is_error(400, "invalid_locale", "Invalid locale");
}

#[tokio::test]
async fn the_fixed_preview_code_is_everybodys_code() {
    let server = Server::with(&[("DEV_PREVIEW_CODE", "123456")]);
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.text("preview_code"), "123456");
}
