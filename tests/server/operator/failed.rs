use serde_json::json;

use super::{START, TOKENS, VERIFY, acts, get, post};
use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, Server, body_of_request, body_of_verify};

const THIRD: &str = "+14155550125";
const FAILED: &str = "/admin/otp/deliveries/failed";
const RESEND: &str = "/admin/otp/deliveries/resend";

#[tokio::test]
async fn after_an_outage_each_person_is_sent_one_fresh_code_that_works() {
    let down = Answer::Fails(503, "");
    let twilio = Twilio::start(down).await;
    let settings = [&twilio.settings()[..], &[("ADMIN_TOKENS", TOKENS)]].concat();
    let server = Server::with(&settings);
    for phone in [PHONE, OTHER_PHONE, THIRD, PHONE] {
        let reply = server.post(START, &body_of_request(phone)).await;
        reply.is_error(500, "send_failed", "Failed to send verification code");
    }
    let failed = get(&server, FAILED).await;
    let lines = failed.json()["failed"].as_array().unwrap().clone();
    assert_eq!(lines.len(), 4, "{failed:?}");
    assert_eq!(lines[0]["to"], "+1415•••0123");
    assert_eq!(lines[0]["provider"], "twilio");
    assert_eq!(
        (&lines[0]["purpose"], &lines[0]["channel"]),
        (&json!("login"), &json!("sms"))
    );
    assert!(!failed.body.contains(PHONE) && !failed.body.contains(THIRD));

    twilio.answers(Answer::Accepts);
    let before = twilio.posted().len();
    let dry = post(
        &server,
        "/admin/otp/deliveries/resend?dry_run=true",
        &json!({}),
    )
    .await;
    assert_eq!(
        (&dry.json()["count"], &dry.json()["dry_run"]),
        (&json!(3), &json!(true))
    );
    assert_eq!(twilio.posted().len(), before, "a dry run sends nothing");
    let body = json!({ "from": 0, "note": "twilio was down" });
    let done = post(&server, RESEND, &body).await;
    assert_eq!(
        (&done.json()["count"], &done.json()["messages"]),
        (&json!(3), &json!(3))
    );
    assert!(!done.body.contains(PHONE), "{done:?}");
    let sent = &twilio.posted()[before..];
    assert_eq!(sent.len(), 3);
    for message in sent {
        let body = body_of_verify(message.field("To").unwrap(), &message.code());
        let verified = server.post(VERIFY, &body).await;
        assert_eq!(verified.status, 200, "{verified:?}");
    }
    let again = post(&server, RESEND, &json!({ "limit": 10 })).await;
    assert_eq!(
        (&again.json()["count"], &again.json()["messages"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(twilio.posted().len(), before + 3);
    let acts = acts(&server).await;
    assert!(
        acts.contains(&"mike: resend_failed:3: twilio was down".to_owned()),
        "{acts:?}"
    );
}

#[tokio::test]
async fn what_failed_is_asked_for_by_time() {
    let twilio = Twilio::start(Answer::Fails(503, "")).await;
    let settings = [&twilio.settings()[..], &[("ADMIN_TOKENS", TOKENS)]].concat();
    let server = Server::with(&settings);
    server.post(START, &body_of_request(PHONE)).await;
    let cases = [
        ("?from=0", 1),
        ("?from=2020-01-01T00:00:00Z&until=2999-01-01T00:00:00Z", 1),
        ("?from=0&until=2020-01-01T00:00:00Z", 0),
        ("?limit=0", 0),
    ];
    for (query, count) in cases {
        let found = get(&server, &format!("{FAILED}{query}")).await;
        let lines = found.json()["failed"].as_array().map(Vec::len);
        assert_eq!(lines, Some(count), "{query}: {found:?}");
    }
    let wrong = get(&server, &format!("{FAILED}?from=yesterday")).await;
    assert_eq!(wrong.text("code"), "invalid_time");
    let wrong = post(&server, RESEND, &json!({ "from": -1 })).await;
    assert_eq!(wrong.text("code"), "invalid_time");
    let wrong = post(&server, RESEND, &json!({ "form": 0 })).await;
    assert_eq!(wrong.text("code"), "malformed");
}
