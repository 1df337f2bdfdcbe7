use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};
use otp_core::delivery::MessageId;
use otp_core::destination::PhoneNumber;
use serde_json::{Value, json};

use super::*;
use crate::http::ScriptedTransport;
use crate::kit;

fn described() -> Value {
    json!({
        "name": "acme-sms",
        "channels": ["sms", "whatsapp"],
        "base_url": "https://api.acme.example/root",
        "path": "/v2/{secret:account}/messages/{id}",
        "auth": {"bearer": "token"},
        "headers": {"Idempotency-Key": "{id}", "X-Account": "{secret:account}"},
        "body": {"json": {
            "to": "{to}", "digits": ["{to_digits}"], "text": "<{text}> {{{code}}}",
            "subject": "{subject}", "html": "{html}", "ttl": "{expires_in}", "life": "{expires_in} s",
            "locale": "{locale}", "flag": true, "key": "{secret:token}",
        }},
        "accepted": [200, 201],
        "reference": {"pointer": "/data/id"},
        "errors": [
            {"status": 400, "pointer": "/error/code", "equals": ["1003", "true"], "kind": "unreachable"},
            {"pointer": "/error/code", "equals": ["2001"], "kind": "opted_out"},
            {"status": 409, "kind": "protocol", "certainty": "unknown"},
            {"status": 503, "kind": "unavailable", "certainty": "not_sent"},
        ],
    })
}

fn builder(described: Value) -> HttpProviderBuilder {
    let vendor: VendorDescription = serde_json::from_value(described).expect("a description");
    HttpProvider::builder(vendor)
        .secret("account", "A/1")
        .secret("token", "the-\"token\"")
}

fn on(vendor: &ScriptedTransport, described: Value) -> HttpProvider {
    builder(described)
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider")
}

async fn answered(status: u16, body: &str) -> Result<Receipt, DeliveryError> {
    let vendor = ScriptedTransport::new().then(status, body);
    on(&vendor, described())
        .deliver(&kit::to_phone(Channel::Sms, 300))
        .await
}

#[tokio::test]
async fn every_place_is_filled_and_escaped_by_what_it_stands_in() {
    let vendor = ScriptedTransport::new().then(201, r#"{"data":{"id":17}}"#);
    let receipt = on(&vendor, described())
        .deliver(&kit::to_phone(Channel::Sms, 300))
        .await;
    assert_eq!(receipt.expect("accepted").reference(), Some("17"));
    let [request] = vendor.requests().try_into().expect("one request");
    assert_eq!(
        request.url().as_str(),
        "https://api.acme.example/root/v2/A%2F1/messages/challenge-1"
    );
    assert_eq!(request.headers()["authorization"], "Bearer the-\"token\"");
    assert_eq!(request.headers()["idempotency-key"], "challenge-1");
    assert!(request.headers()["x-account"].is_sensitive());
    assert_eq!(
        kit::json(&request),
        json!({
            "to": kit::PHONE, "digits": ["14155550123"],
            "text": format!("<{}> {{904173}}", kit::TEXT),
            "subject": "Your code", "html": "<p>904173</p>", "ttl": 300, "life": "300 s",
            "locale": "en", "flag": true, "key": "the-\"token\"",
        })
    );
}

#[tokio::test]
async fn what_a_message_has_not_is_left_out_or_refused() {
    let bare = || {
        let phone = PhoneNumber::parse(kit::PHONE).expect("a number");
        let text = "quote \" and \\ and\nline".to_owned();
        Message::builder(
            MessageId::new("c-1"),
            Channel::Sms,
            phone.into(),
            text,
            kit::code(),
        )
        .build()
    };
    let vendor = ScriptedTransport::new().then(201, r#"{"data":{"id":"a"}}"#);
    on(&vendor, described())
        .deliver(&bare())
        .await
        .expect("accepted");
    let body = kit::json(&vendor.requests()[0]);
    assert!(
        body.get("html").is_none() && body.get("subject").is_none(),
        "{body}"
    );
    assert_eq!(body["text"], "<quote \" and \\ and\nline> {904173}");
    let mut within = described();
    within["body"]["json"]["html"] = json!("<b>{html}</b>");
    let vendor = ScriptedTransport::new();
    let error = on(&vendor, within)
        .deliver(&bare())
        .await
        .expect_err("refused");
    assert_eq!((error.kind(), error.certainty()), (Kind::Invalid, NotSent));
    assert!(vendor.requests().is_empty());
}

#[tokio::test]
async fn a_form_is_escaped_as_a_form_and_basic_is_written() {
    let mut form = described();
    form["body"] =
        json!({"form": {"To": "{to}", "Body": "{text}", "Html": "{html}", "Subject": "{subject}"}});
    form["auth"] = json!({"basic": {"user": "account", "password": "token"}});
    form["reference"] = json!({"header": "x-id"});
    let reply = HttpResponse::new(http::StatusCode::OK, http::HeaderMap::new(), "").with_header(
        HeaderName::from_static("x-id"),
        HeaderValue::from_static("m-1"),
    );
    let vendor = ScriptedTransport::new().then_reply(reply);
    let receipt = on(&vendor, form)
        .deliver(&kit::to_phone(Channel::WhatsApp, 300))
        .await;
    assert_eq!(receipt.expect("accepted").reference(), Some("m-1"));
    let request = &vendor.requests()[0];
    assert_eq!(
        request.headers()["authorization"],
        "Basic QS8xOnRoZS0idG9rZW4i"
    );
    assert_eq!(
        request.headers()["content-type"],
        "application/x-www-form-urlencoded"
    );
    let expected = [
        ("Body", kit::TEXT),
        ("Html", "<p>904173</p>"),
        ("Subject", "Your code"),
        ("To", kit::PHONE),
    ];
    assert_eq!(
        kit::form(request),
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
}

#[tokio::test]
async fn the_first_rule_that_fits_decides_and_the_status_the_rest() {
    let cases = [
        (
            400,
            r#"{"error":{"code":1003}}"#,
            Kind::Unreachable,
            NotSent,
            "1003",
        ),
        (
            400,
            r#"{"error":{"code":true}}"#,
            Kind::Unreachable,
            NotSent,
            "true",
        ),
        (
            422,
            r#"{"error":{"code":1003}}"#,
            Kind::Invalid,
            NotSent,
            "422",
        ),
        (
            422,
            r#"{"error":{"code":"2001"}}"#,
            Kind::OptedOut,
            NotSent,
            "2001",
        ),
        (
            200,
            r#"{"error":{"code":"2001"}}"#,
            Kind::Protocol,
            Unknown,
            "200",
        ),
        (409, "", Kind::Protocol, Unknown, "409"),
        (503, "", Kind::Unavailable, NotSent, "503"),
        (500, "<html>", Kind::Unavailable, Unknown, "500"),
        (429, "904173", Kind::Throttled, NotSent, "429"),
        (
            401,
            r#"{"error":{"code":"904173"}}"#,
            Kind::Unauthorized,
            NotSent,
            "401",
        ),
        (204, "", Kind::Protocol, Unknown, "204"),
        (
            201,
            r#"{"data":{"id":""}}"#,
            Kind::Protocol,
            Unknown,
            "none",
        ),
        (201, r#"{"data":{"id":{}}}"#, Kind::Protocol, Unknown, "201"),
    ];
    for (status, body, kind, certainty, code) in cases {
        let error = answered(status, body).await.expect_err(body);
        assert_eq!(
            (error.kind(), error.certainty()),
            (kind, certainty),
            "{status} {body}"
        );
        assert_eq!(error.code().unwrap_or("none"), code, "{status} {body}");
    }
}

#[tokio::test]
async fn a_vendor_that_answers_200_to_everything_is_read_by_its_words() {
    let mut worded = described();
    worded["accepted_when"] = json!({"pointer": "/status", "equals": ["ok", "queued"]});
    worded["errors"] = json!([
        {"pointer": "/status", "equals": ["blocked"], "kind": "protected", "certainty": "not_sent"},
    ]);
    worded["reference"] = Value::Null;
    let vendor = ScriptedTransport::new()
        .then(200, r#"{"status":"queued"}"#)
        .then(200, r#"{"status":"blocked"}"#)
        .then(200, r#"{"status":"904173"}"#);
    let acme = on(&vendor, worded);
    let message = kit::to_phone(Channel::Sms, 300);
    assert_eq!(
        acme.deliver(&message).await.expect("accepted").reference(),
        None
    );
    let blocked = acme.deliver(&message).await.expect_err("refused");
    assert_eq!(
        (blocked.kind(), blocked.certainty()),
        (Kind::Protected, NotSent)
    );
    let odd = acme.deliver(&message).await.expect_err("odd");
    assert_eq!(
        (odd.kind(), odd.certainty(), odd.code()),
        (Kind::Protocol, Unknown, Some("200"))
    );
}

#[tokio::test]
async fn a_message_for_another_channel_never_reaches_the_vendor() {
    let vendor = ScriptedTransport::new();
    let acme = on(&vendor, described());
    let phone = PhoneNumber::parse(kit::PHONE).expect("a number");
    let misfit = Message::builder(
        MessageId::new("c"),
        Channel::Email,
        phone.into(),
        String::new(),
        kit::code(),
    );
    for message in [
        kit::to_email(),
        kit::to_phone(Channel::Telegram, 300),
        misfit.build(),
    ] {
        assert_eq!(
            acme.deliver(&message).await.expect_err("refused").kind(),
            Kind::Invalid
        );
    }
    assert!(vendor.requests().is_empty());
}

fn refused(pointer: &str, value: Value) -> InvalidVendor {
    let mut changed = described();
    *changed.pointer_mut(pointer).expect("a key") = value;
    builder(changed)
        .transport(Arc::new(ScriptedTransport::new()))
        .build()
        .expect_err(pointer)
}

#[test]
fn every_part_is_checked_when_it_is_built() {
    use InvalidVendor as Bad;
    for name in ["", "Acme", "a b", &"a".repeat(33)] {
        assert!(matches!(refused("/name", json!(name)), Bad::Name), "{name}");
    }
    for channels in [json!([]), json!(["fax"])] {
        assert!(matches!(refused("/channels", channels), Bad::Channels));
    }
    assert!(matches!(
        refused("/base_url", json!("http://api.acme.example")),
        Bad::BaseUrl(_)
    ));
    for path in ["", "v2", "/a?b=c", "/a#b", "/a/../b", "/%2e%2e/", "/a\\b"] {
        assert!(matches!(refused("/path", json!(path)), Bad::Path), "{path}");
    }
    for path in ["/{code}", "/{to}", "/{text}", "/a{to_digits}"] {
        assert!(
            matches!(
                refused("/path", json!(path)),
                Bad::Misplaced { part: "path" }
            ),
            "{path}"
        );
    }
    for body in ["{", "}", "{to", "to}", "{nobody}", "{ to }", "{}", "{{to}"] {
        let bad = refused("/body/json/text", json!(body));
        assert!(
            matches!(bad, Bad::Template { part: "body" }),
            "{body}: {bad:?}"
        );
    }
    let missing = refused("/headers", json!({"X-Key": "{secret:other}"}));
    assert!(matches!(missing, Bad::SecretMissing { name } if name == "other"));
    for header in [
        "a b",
        "Host",
        "content-length",
        "Content-Type",
        "connection",
        "Transfer-Encoding",
    ] {
        assert!(
            matches!(refused("/headers", json!({header: "x"})), Bad::Header),
            "{header}"
        );
    }
    assert!(matches!(
        refused("/headers", json!({"X-A": "a\r\nB: c"})),
        Bad::Header
    ));
    assert!(matches!(
        refused("/headers", json!({"X-A": "{code}"})),
        Bad::Misplaced { part: "headers" }
    ));
    for body in [
        json!({"json": {"to": "{to}"}}),
        json!({"json": {"text": "{text}"}}),
        json!({"form": {}}),
    ] {
        assert!(matches!(refused("/body", body), Bad::BodyIncomplete));
    }
    for accepted in [json!([]), json!([200, 302]), json!([404])] {
        assert!(matches!(refused("/accepted", accepted), Bad::Accepted));
    }
    assert!(matches!(
        refused("/reference/pointer", json!("data/id")),
        Bad::Pointer
    ));
    assert!(matches!(
        refused("/errors/0/equals", json!([])),
        Bad::Pointer
    ));
}

#[test]
fn an_unknown_key_or_kind_does_not_load() {
    for (pointer, value) in [
        ("/errors/0/kind", "maybe"),
        ("/auth", "token"),
        ("/body", "x"),
    ] {
        let mut changed = described();
        *changed.pointer_mut(pointer).expect("a key") = json!(value);
        assert!(
            serde_json::from_value::<VendorDescription>(changed).is_err(),
            "{pointer}"
        );
    }
    let mut more = described();
    more["retries"] = json!(3);
    assert!(serde_json::from_value::<VendorDescription>(more).is_err());
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!(
        "{:?} {:?}",
        builder(described()),
        on(&ScriptedTransport::new(), described())
    );
    assert!(!shown.contains("A/1") && !shown.contains("the-"), "{shown}");
}

#[tokio::test]
async fn what_a_country_asks_for_has_places_of_its_own_and_is_left_out_where_it_asks_for_none() {
    let mut described = described();
    described["body"] = json!({ "json": {
        "to": "{to}", "code": "{code}", "from": "{sender}", "template": "{template}",
    } });
    let asking = kit::asking(Channel::Sms, "ACME", "code_fr");
    let plain = kit::to_phone(Channel::Sms, 300);
    let own = json!({ "from": "ACME", "template": "code_fr" });
    for (message, asked) in [(asking, own), (plain, json!({}))] {
        let vendor = ScriptedTransport::new().then(201, r#"{"data":{"id":"m-1"}}"#);
        let sent = on(&vendor, described.clone()).deliver(&message).await;
        sent.expect("accepted");
        let [request] = vendor.requests().try_into().expect("one request");
        let mut body = kit::json(&request);
        let both = body.as_object_mut().expect("an object");
        assert!(both.remove("to").is_some() && both.remove("code").is_some());
        assert_eq!(body, asked);
    }
}
