use serde_json::{Value, json};

use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

#[tokio::test]
async fn a_phone_signs_in_with_the_code_that_was_shown() {
    let server = Server::start();
    let code = start(&server, PHONE).await.text("preview_code");
    let reply = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.text("token_type"), "bearer");
    let (access, refresh) = (reply.text("access_token"), reply.text("refresh_token"));
    assert!(access.split('.').count() == 3 && refresh.len() >= 90);
    assert_eq!(reply.json()["user"]["email"], "+14155550123@example.com");
}

#[tokio::test]
async fn an_email_address_signs_in_too_and_as_the_same_user_next_time() {
    let server = Server::start();
    let mut users = Vec::new();
    for spelling in ["mike@example.org", "Mike@Example.ORG"] {
        let started = server.post(START, &json!({ "email": spelling })).await;
        let code = started.text("preview_code");
        let reply = server
            .post(VERIFY, &json!({ "email": spelling, "otp": code }))
            .await;
        users.push(reply.json()["user"].clone());
    }
    assert_eq!(users[0]["email"], "mike@example.org");
    assert_eq!(users[0], users[1]);
}

#[tokio::test]
async fn the_mailbox_that_a_phones_address_is_made_of_is_another_user() {
    let server = Server::start();
    let code = start(&server, PHONE).await.text("preview_code");
    let phone = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    let email = phone.json()["user"]["email"].clone();
    let started = server.post(START, &json!({ "email": email })).await;
    let body = json!({ "email": email, "otp": started.text("preview_code") });
    let mailbox = server.post(VERIFY, &body).await;
    assert_eq!(mailbox.status, 200);
    assert_ne!(mailbox.json()["user"]["id"], phone.json()["user"]["id"]);
}

#[tokio::test]
async fn without_address_or_code_a_try_says_what_is_required() {
    let server = Server::start();
    let bodies = [
        json!({}),
        json!({ "phone": PHONE }),
        json!({ "otp": "123456" }),
        json!({ "phone": "", "otp": "123456" }),
        json!({ "phone": PHONE, "otp": "" }),
    ];
    for body in bodies {
        let reply = server.post(VERIFY, &body).await;
        reply.is_error(400, "phone_and_otp_required", "phone and otp required");
    }
    let reply = server.post(VERIFY, &body_of_verify("+1", "123456")).await;
    reply.is_error(400, "invalid_phone", "Invalid phone number");
    let reply = server
        .post(VERIFY, &json!({ "email": "mike", "otp": "123456" }))
        .await;
    reply.is_error(400, "invalid_email", "Invalid email address");
}

#[tokio::test]
async fn unknown_wrong_malformed_consumed_and_foreign_codes_get_one_and_the_same_answer() {
    let server = Server::start();
    let unknown = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    unknown.is_error(400, "invalid_otp", "Invalid OTP");

    let started = start(&server, PHONE).await;
    let (code, id) = (started.text("preview_code"), started.text("challenge_id"));
    let with_id = |id: &str, code: &str| json!({ "phone": PHONE, "otp": code, "challenge_id": id });
    let other = json!({ "phone": OTHER_PHONE, "otp": code, "challenge_id": id });
    let bodies = [
        body_of_verify(PHONE, &wrong(&code)),
        with_id(&id, &wrong(&code)),
        with_id(&other_id(&id), &code),
        with_id("no id", &code),
        json!({ "phone": PHONE, "otp": code, "challenge_id": 7 }),
        body_of_verify(PHONE, &format!("{code}0")),
        json!({ "phone": PHONE, "otp": code, "purpose": "recovery" }),
        json!({ "phone": PHONE, "otp": code, "challenge_id": id, "purpose": "mfa" }),
        other,
    ];
    for body in bodies {
        assert_eq!(server.post(VERIFY, &body).await, unknown, "{body}");
    }
    assert_eq!(server.post(VERIFY, &with_id(&id, &code)).await.status, 200);
    for body in [with_id(&id, &code), body_of_verify(PHONE, &code)] {
        assert_eq!(server.post(VERIFY, &body).await, unknown, "consumed");
    }
}

#[tokio::test]
async fn c03_a_code_that_is_no_string_is_an_invalid_code() {
    let server = Server::with(&[("DEV_PREVIEW_CODE", "123456")]);
    start(&server, PHONE).await;
    let values = [
        json!(123_456),
        json!(123_456.0),
        Value::Null,
        json!(["123456"]),
        json!([]),
        json!({ "otp": "123456" }),
        json!(true),
        json!("1e5"),
        json!("0x1E240"),
        json!("123456.0"),
        json!("+123456"),
        json!("-0"),
        json!("123456\u{0}"),
        json!("123456\n"),
        json!("１２３４５６"),
        json!("1\u{200b}23456"),
        json!("12345"),
    ];
    for otp in values {
        let reply = server
            .post(VERIFY, &json!({ "phone": PHONE, "otp": otp }))
            .await;
        reply.is_error(400, "invalid_otp", "Invalid OTP");
    }
    // None of them was a guess.
    assert_eq!(
        server
            .post(VERIFY, &body_of_verify(PHONE, "123456"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn c01_a_code_is_taken_as_people_copy_it_and_counts_once() {
    let server = Server::with(&[("DEV_PREVIEW_CODE", "123456")]);
    for otp in [
        " 123456",
        "123456 ",
        "123 456",
        "123-456",
        "  1-2 3-4 5-6  ",
    ] {
        let id = start(&server, PHONE).await.text("challenge_id");
        let body = json!({ "phone": PHONE, "otp": otp, "challenge_id": id });
        // Other kinds of space and hyphen are never what was sent.
        for odd in ["123\u{a0}456", "123\u{2011}456", "123\t456", "123_456"] {
            let body = json!({ "phone": PHONE, "otp": odd, "challenge_id": id });
            let reply = server.post(VERIFY, &body).await;
            reply.is_error(400, "invalid_otp", "Invalid OTP");
        }
        let reply = server.post(VERIFY, &body).await;
        assert_eq!(reply.status, 200, "{otp:?} {reply:?}");
        // Spelled otherwise it is the same code, and used (D04).
        let again = json!({ "phone": PHONE, "otp": "123456", "challenge_id": id });
        let again = server.post(VERIFY, &again).await;
        again.is_error(400, "invalid_otp", "Invalid OTP");
    }
}

#[tokio::test]
async fn c01_a_wrong_code_with_spaces_in_it_is_one_guess_as_it_is_without() {
    let server = Server::start();
    let code = start(&server, PHONE).await.text("preview_code");
    let wrong = wrong(&code);
    let spaced = format!("{} {}", &wrong[..3], &wrong[3..]);
    for guess in [&spaced, &wrong, &spaced, &wrong, &spaced] {
        let reply = server.post(VERIFY, &body_of_verify(PHONE, guess)).await;
        reply.is_error(400, "invalid_otp", "Invalid OTP");
    }
    let spent = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    spent.is_error(429, "locked", "Account temporarily locked");
}

#[tokio::test]
async fn c07_what_cannot_be_the_code_spends_the_address_and_no_guess() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "12")]);
    let code = start(&server, PHONE).await.text("preview_code");
    let guess = body_of_verify(PHONE, &wrong(&code));
    let shape = server.post(VERIFY, &guess).await;
    shape.is_error(400, "invalid_otp", "Invalid OTP");
    let long = "1".repeat(10_000);
    let malformed = ["12345", "1234567", "-", " ", &long, "12 34", "123 4567"];
    for otp in malformed {
        let reply = server.post(VERIFY, &body_of_verify(PHONE, otp)).await;
        assert_eq!(reply, shape, "{otp:.20}");
    }
    let verified = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(verified.status, 200, "{verified:?}");
    // One wrong, one right and seven malformed were asked for by this address; three are left.
    for _ in 0..3 {
        let reply = server.post(VERIFY, &body_of_verify(PHONE, "1234")).await;
        reply.is_error(400, "invalid_otp", "Invalid OTP");
    }
    let limited = server.post(VERIFY, &body_of_verify(PHONE, "1234")).await;
    limited.is_error(429, "rate_limited", "Too many requests");
}

#[tokio::test]
async fn c07_ten_megabytes_in_a_codes_place_are_not_read() {
    let server = Server::start();
    let code = start(&server, PHONE).await.text("preview_code");
    let body = body_of_verify(PHONE, &"1".repeat(10 << 20));
    let sent = server.client.post(server.url(VERIFY)).json(&body).send();
    // The server answers before it has the body, so the client may not get to hear it.
    if let Ok(reply) = sent.await {
        assert_eq!(reply.status(), 413);
    }
    let verified = server.post(VERIFY, &body_of_verify(PHONE, &code)).await;
    assert_eq!(verified.status, 200, "{verified:?}");
}

#[tokio::test]
async fn e04_the_right_code_of_another_address_is_refused_and_not_used_up() {
    let server = Server::start();
    let mine = start(&server, PHONE).await;
    start(&server, OTHER_PHONE).await;
    let (code, id) = (mine.text("preview_code"), mine.text("challenge_id"));
    let foreign = json!({ "phone": OTHER_PHONE, "otp": code, "challenge_id": id });
    server
        .post(VERIFY, &foreign)
        .await
        .is_error(400, "invalid_otp", "Invalid OTP");
    let own = json!({ "phone": PHONE, "otp": code, "challenge_id": id });
    assert_eq!(server.post(VERIFY, &own).await.status, 200);
}

#[tokio::test]
async fn a_newer_code_replaces_the_older_one() {
    let server = Server::start();
    let first = start(&server, PHONE).await.text("preview_code");
    let second = start(&server, PHONE).await.text("preview_code");
    if first != second {
        let reply = server.post(VERIFY, &body_of_verify(PHONE, &first)).await;
        reply.is_error(400, "invalid_otp", "Invalid OTP");
    }
    assert_eq!(
        server
            .post(VERIFY, &body_of_verify(PHONE, &second))
            .await
            .status,
        200
    );
}

/// An id of the same form that nobody was given.
fn other_id(id: &str) -> String {
    let last = if id.ends_with('A') { "Q" } else { "A" };
    format!("{}{last}", &id[..id.len() - 1])
}

async fn start(server: &Server, phone: &str) -> Reply {
    let reply = server.post(START, &body_of_request(phone)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply
}

#[tokio::test]
async fn attack_a_code_that_was_talked_out_of_somebody_for_another_purpose_signs_nobody_in() {
    let server = Server::start();
    let unknown = server.post(VERIFY, &body_of_verify(PHONE, "123456")).await;
    for purpose in ["confirm-address", "recovery", "sign-up", "mfa"] {
        let body = json!({ "phone": PHONE, "purpose": purpose });
        let started = server.post(START, &body).await;
        let (code, id) = (started.text("preview_code"), started.text("challenge_id"));
        for body in [
            json!({ "phone": PHONE, "otp": code, "purpose": purpose }),
            json!({ "phone": PHONE, "otp": code, "challenge_id": id, "purpose": purpose }),
            json!({ "phone": PHONE, "otp": code, "challenge_id": id }),
            body_of_verify(PHONE, &code),
        ] {
            assert_eq!(server.post(VERIFY, &body).await, unknown, "{body}");
        }
    }
    let mut database = server.database().await;
    let sessions: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM otp_sessions")
        .fetch_one(&mut database)
        .await
        .unwrap();
    assert_eq!(sessions, 0);
}
