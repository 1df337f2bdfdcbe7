//! Starts for a user who is named, with a stand-in of Twilio behind them.

use serde_json::{Value, json};

use crate::support::twilio::{Answer, Twilio};
use crate::support::{Reply, Server};

const BY_PHONE: &str = "/browser/api/v1/identity/auth/otp/initiate";
const BY_EMAIL: &str = "/browser/api/v1/identity/auth/magic-link/initiate";

fn named(user: &str) -> Value {
    json!({ "user_id": user })
}

/// The members of an answer, without what differs between any two.
fn shape(reply: &Reply) -> (u16, Vec<(String, usize)>, Vec<String>) {
    let body = reply.json();
    let members = body.as_object().unwrap().iter();
    let members = members.map(|(name, value)| (name.clone(), value.as_str().unwrap().len()));
    let headers = reply.headers.keys().map(ToString::to_string).collect();
    (reply.status, members.collect(), headers)
}

#[tokio::test]
async fn the_runbooks_test_user_gets_a_code_by_phone_and_by_email_and_signs_in_with_it() {
    let server = Server::start();
    for (path, address) in [
        (BY_PHONE, json!({ "phone": "+14155550100" })),
        (BY_EMAIL, json!({ "email": "test-user@example.com" })),
    ] {
        let reply = server.post(path, &named("test-user")).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.text("status"), "ok");
        let mut body = address;
        body["otp"] = reply.text("preview_code").into();
        let signed_in = server.post("/api/auth/verify-otp", &body).await;
        assert_eq!(signed_in.json()["user"]["id"], "test-user", "{signed_in:?}");
    }
}

#[tokio::test]
async fn a_user_who_is_unknown_is_answered_as_one_who_is_known_and_gets_no_message() {
    let twilio = Twilio::start(Answer::Held).await;
    let settings = twilio.settings();
    let server = Server::with(&settings);
    add_user(&server).await;
    let known = server.post(BY_PHONE, &named("user-1")).await;
    assert_eq!(known.status, 200, "{known:?}");
    // The provider still holds the message, and the answer did not wait for it.
    twilio.reached().await;
    let unknown = server.post(BY_PHONE, &named("user-2")).await;
    assert_eq!(shape(&known), shape(&unknown));
    twilio.release();
    // Limits come as soon for nobody as for somebody.
    let mut ends = Vec::new();
    for user in ["user-1", "user-2"] {
        let mut answers = Vec::new();
        for _ in 0..6 {
            let reply = server.post(BY_PHONE, &named(user)).await;
            answers.push(reply.status);
            twilio.release();
        }
        ends.push(answers);
    }
    assert_eq!(ends[0], ends[1]);
    assert!(ends[0].contains(&429), "{ends:?}");
    assert!(twilio.posted().iter().all(|posted| {
        let to = posted.form.iter().find(|(name, _)| name == "To");
        to.is_some_and(|(_, to)| to == "+14155550177")
    }));
}

async fn add_user(server: &Server) {
    let mut database = server.database().await;
    sqlx::query("INSERT INTO users (sub, phone) VALUES ('user-1', '+14155550177')")
        .execute(&mut database)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_is_no_user_is_refused_by_its_shape_alone() {
    let server = Server::start();
    for body in [json!({}), named(""), json!({ "user_id": null })] {
        let reply = server.post(BY_PHONE, &body).await;
        reply.is_error(400, "user_id_required", "user_id required");
    }
    let long = "u".repeat(65);
    for id in [
        json!(7),
        json!(["test-user"]),
        json!(long),
        json!("a\u{0}b"),
    ] {
        let reply = server.post(BY_EMAIL, &json!({ "user_id": id })).await;
        reply.is_error(400, "invalid_user_id", "Invalid user_id");
    }
    let more = json!({ "user_id": "test-user", "phone": "+14155550123" });
    let reply = server.post(BY_PHONE, &more).await;
    assert_eq!(reply.text("code"), "malformed");
}

#[tokio::test]
async fn a_start_that_is_repeated_with_its_key_is_one_start() {
    let server = Server::start();
    for user in ["test-user", "nobody"] {
        let mut ids = Vec::new();
        for _ in 0..2 {
            let request = server.client.post(server.url(BY_PHONE));
            let request = request.header("idempotency-key", format!("key-of-{user}"));
            let reply = Reply::of(request.json(&named(user))).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            ids.push(reply.text("challenge_id"));
        }
        assert_eq!(ids[0], ids[1], "{user}");
    }
}

/// Starts for a user and for nobody.
async fn of_both(server: &Server) -> [Reply; 2] {
    let known = server.post(BY_PHONE, &named("user-1")).await;
    [known, server.post(BY_PHONE, &named("user-2")).await]
}

#[tokio::test]
async fn attack_what_an_address_did_tells_nobody_whose_it_is() {
    const TOKEN: &str = "token-of-mike-0123456789";
    let twilio = Twilio::start(Answer::Accepts).await;
    let mut settings = twilio.settings().to_vec();
    settings.push(("ADMIN_TOKENS", "mike:token-of-mike-0123456789"));
    let start = json!({ "phone": "+14155550177" });

    // Sent to as often as may be, by somebody who knows the number.
    let server = Server::with(&settings);
    add_user(&server).await;
    for _ in 0..5 {
        let reply = server.post("/api/auth/otp/request", &start).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let limited = server.post("/api/auth/otp/request", &start).await;
    assert_eq!(limited.status, 429);
    let [known, unknown] = of_both(&server).await;
    assert_eq!((known.status, shape(&known)), (200, shape(&unknown)));

    // Locked by wrong codes.
    let server = Server::with(&settings);
    add_user(&server).await;
    server.post("/api/auth/otp/request", &start).await;
    let sent = twilio.posted().last().unwrap().code();
    let guess = json!({ "phone": "+14155550177", "otp": crate::support::wrong(&sent) });
    for _ in 0..5 {
        server.post("/api/auth/verify-otp", &guess).await;
    }
    let locked = server.post("/api/auth/otp/request", &start).await;
    assert_eq!(locked.text("code"), "locked");
    let before = twilio.posted().len();
    let [known, unknown] = of_both(&server).await;
    assert_eq!((known.status, shape(&known)), (200, shape(&unknown)));

    // Blocked with its whole range.
    let url = format!("http://{}/admin/otp/blacklist", server.admin);
    let block = json!({ "type": "prefix", "value": "+1415555", "note": "test" });
    let request = server.client.post(url).header("x-admin-token", TOKEN);
    let blocked = Reply::of(request.json(&block)).await;
    assert!((200..300).contains(&blocked.status), "{blocked:?}");
    let refused = server.post("/api/auth/otp/request", &start).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let [known, unknown] = of_both(&server).await;
    assert_eq!((known.status, shape(&known)), (200, shape(&unknown)));
    // And the limits come as soon for both.
    let mut ends = [Vec::new(), Vec::new()];
    for _ in 0..5 {
        for (end, reply) in ends.iter_mut().zip(of_both(&server).await) {
            end.push((
                shape(&reply),
                reply.header("ratelimit-policy").map(str::to_owned),
            ));
        }
    }
    assert_eq!(ends[0], ends[1]);
    assert!(ends[0].iter().any(|(end, _)| end.0 == 429), "{ends:?}");
    assert_eq!(twilio.posted().len(), before);
}

#[tokio::test]
async fn where_codes_are_shown_nobody_is_shown_one_as_well() {
    for fixed in ["", "424242"] {
        let link = ("PUBLIC_BASE_URL", "https://otp.example");
        let mut settings = vec![link];
        if !fixed.is_empty() {
            settings.push(("DEV_PREVIEW_CODE", fixed));
        }
        let server = Server::with(&settings);
        for path in [BY_PHONE, BY_EMAIL] {
            let known = server.post(path, &named("test-user")).await;
            let unknown = server.post(path, &named("nobody")).await;
            assert_eq!(shape(&known), shape(&unknown));
            if !fixed.is_empty() {
                assert_eq!(unknown.text("preview_code"), fixed);
            }
        }
    }
}

#[tokio::test]
async fn a_start_for_a_name_speaks_the_language_that_it_names_and_refuses_what_is_none() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let server = Server::with(&twilio.settings());
    add_user(&server).await;
    let speaking = |user: &str, locale: Value| json!({ "user_id": user, "locale": locale });
    for (locale, says) in [
        (json!("nl-BE"), "inlogcode"),
        (json!("xx"), "sign-in code"),
        (Value::Null, "sign-in code"),
    ] {
        let reply = server.post(BY_PHONE, &speaking("user-1", locale)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        twilio.reached().await;
        let sent = twilio.posted().pop().unwrap();
        let body = sent.field("Body").unwrap();
        assert!(body.contains(says), "{body:?}");
    }
    for path in [BY_PHONE, BY_EMAIL] {
        for bad in [
            json!("e"),
            json!("en\n"),
            json!(7),
            json!(["en"]),
            json!("x".repeat(1 << 10)),
        ] {
            for user in ["user-1", "nobody"] {
                let reply = server.post(path, &speaking(user, bad.clone())).await;
                reply.is_error(400, "invalid_locale", "Invalid locale");
            }
        }
    }
}
