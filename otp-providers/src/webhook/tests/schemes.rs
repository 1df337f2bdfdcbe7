//! What only one vendor's scheme allows to try.

use super::super::{PlivoWebhook, TwilioWebhook, WebhookError};
use super::support::{NOW, Sent, secret};
use super::vendors::{FORM, URL, all, sign_twilio};

#[test]
fn a_twilio_request_cannot_choose_a_weaker_key_or_algorithm() {
    const SETTINGS: &str = "x-twilio-webhooks-signature-settings";
    let reader = TwilioWebhook::new(secret("token")).or_shared_key("key-1", secret("shared"));
    let body = format!("MessageSid=SM{}&MessageStatus=sent", "0a".repeat(16));
    let fields = body.replace(['=', '&'], "");
    let sent = |settings: Option<&str>, key: &str| {
        let mut headers = vec![
            ("content-type", FORM.to_owned()),
            (
                "x-twilio-signature",
                sign_twilio(key, URL, fields.as_bytes()),
            ),
        ];
        headers.extend(settings.map(|settings| (SETTINGS, settings.to_owned())));
        Sent::post(URL, headers, body.as_bytes())
            .read(&reader, NOW)
            .map(drop)
    };
    assert_eq!(sent(None, "token"), Ok(()));
    assert_eq!(
        sent(Some("key=key-1,algorithm=HMAC_SHA1"), "shared"),
        Ok(())
    );
    for (settings, key) in [
        (None, "shared"),
        (Some("key=key-1,algorithm=HMAC_SHA256"), "shared"),
        (Some("key=key-1,algorithm=HMAC_SHA1"), "token"),
        (Some("key=key-2,algorithm=HMAC_SHA1"), "shared"),
        (Some("key=,algorithm=HMAC_SHA1"), "token"),
        (Some("algorithm=HMAC_SHA1"), "token"),
        (Some("key=key-1"), "shared"),
        (Some("key=key-1,algorithm=none"), "shared"),
        (Some("key=key-1,key=key-1,algorithm=HMAC_SHA1"), "shared"),
        (Some("nonsense"), "shared"),
        (Some(""), "token"),
    ] {
        assert!(sent(settings, key).is_err(), "{settings:?} {key}");
    }
}

#[test]
fn a_twilio_body_that_the_url_does_not_vouch_for_is_refused() {
    let reader = TwilioWebhook::new(secret("token"));
    let body = b"{\"MessageStatus\":\"delivered\"}";
    let hash = super::super::mac::hex(&super::super::mac::sha256(body));
    let read = |query: &str| {
        let url = format!("https://hooks.example.com/in{query}");
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("x-twilio-signature", sign_twilio("token", &url, b"")),
        ];
        Sent::post(&url, headers, body).read(&reader, NOW).map(drop)
    };
    // Believed, and then not a status callback: those come as forms.
    assert_eq!(
        read(&format!("?bodySHA256={hash}")),
        Err(WebhookError::Malformed("SmsSid"))
    );
    for query in [
        String::new(),
        "?bodySHA256=".to_owned(),
        format!("?bodySHA256={}", hash.to_uppercase()),
        format!("?bodysha256={hash}"),
        format!("?bodySHA256={}&bodySHA256={hash}", "0".repeat(64)),
        format!("?bodySHA256={}", "0".repeat(64)),
    ] {
        let answer = read(&query);
        let refused = matches!(
            answer,
            Err(WebhookError::Unsigned | WebhookError::BadSignature)
        );
        assert!(refused, "{query}: {answer:?}");
    }
}

#[test]
fn plivo_v2_is_refused_until_it_is_asked_for_and_never_replaces_a_wrong_v3() {
    let key = super::super::mac::hmac_sha256(b"token", &[b"https://hooks.example.com/in", b"n"]);
    let v2 = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        key.expect("a key"),
    );
    let sent = Sent::post(
        URL,
        vec![
            ("content-type", FORM.to_owned()),
            ("x-plivo-signature-v2", v2),
            ("x-plivo-signature-v2-nonce", "n".to_owned()),
        ],
        b"MessageUUID=u&Status=sent",
    );
    let strict = PlivoWebhook::new(secret("token"));
    let lenient = PlivoWebhook::new(secret("token")).accept_v2();
    assert_eq!(sent.read(&strict, NOW), Err(WebhookError::Unsigned));
    assert!(sent.read(&lenient, NOW).is_ok());
    let mut both = sent.clone();
    both.headers
        .push(("x-plivo-signature-v3", "bm90IGl0".to_owned()));
    both.headers
        .push(("x-plivo-signature-v3-nonce", "n".to_owned()));
    assert_eq!(both.read(&lenient, NOW), Err(WebhookError::BadSignature));
    let mut no_nonce = sent;
    *no_nonce.header("x-plivo-signature-v2-nonce") = String::new();
    assert_eq!(no_nonce.read(&lenient, NOW), Err(WebhookError::Unsigned));
}

#[test]
fn svix_parts_of_two_header_sets_are_not_mixed() {
    let vendor = all()
        .into_iter()
        .find(|vendor| vendor.webhook.name() == "resend")
        .expect("resend");
    let mut sent = vendor.good();
    for (name, _) in &mut sent.headers {
        *name = match *name {
            "svix-timestamp" => "webhook-timestamp",
            other => other,
        };
    }
    assert_eq!(
        sent.read(&*vendor.webhook, NOW),
        Err(WebhookError::Unsigned)
    );
}
