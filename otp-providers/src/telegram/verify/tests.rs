use std::sync::Arc;

use otp_core::challenge::Code;
use otp_core::delivery::{DispatchCertainty, Locale, MessageId};
use otp_core::destination::{Destination, EmailAddress};
use serde_json::json;

use super::*;
use crate::http::ScriptedTransport;
use crate::kit;

const REQUEST: &str = "923583492968596";

fn on(vendor: &ScriptedTransport) -> TelegramVerify {
    let gateway = TelegramGateway::builder("the-gateway-token").transport(Arc::new(vendor.clone()));
    TelegramVerify::new(gateway.build().expect("a provider"))
}

fn begun(request: &str) -> String {
    let number = kit::PHONE.trim_start_matches('+');
    json!({"ok": true, "result": {"request_id": request, "phone_number": number}}).to_string()
}

fn judged(request: &str, number: &str, verdict: serde_json::Value) -> String {
    let result = json!({
        "request_id": request, "phone_number": number, "verification_status": verdict,
    });
    json!({"ok": true, "result": result}).to_string()
}

fn reference(text: &str) -> Reference {
    Reference::new(text).expect("a reference")
}

async fn start(
    vendor: &ScriptedTransport,
    channel: Channel,
    to: Destination,
    continues: Option<&Reference>,
) -> Result<Started, DeliveryError> {
    let (id, locale) = (MessageId::new("challenge-1"), Locale::default());
    let start = VerificationStart::new(&id, channel, &to, &locale).continuing(continues);
    on(vendor).start(&start).await
}

fn phone() -> Destination {
    PhoneNumber::parse(kit::PHONE).expect("a number").into()
}

async fn check(status: u16, answer: &str) -> (Result<Checked, DeliveryError>, ScriptedTransport) {
    let vendor = ScriptedTransport::new().then(status, answer);
    let code = Code::normalise(CodeFormat::SIX_DIGITS, "904173").expect("six digits");
    let (reference, to) = (reference(REQUEST), phone());
    let asked = VerificationCheck::new(&reference, &to, &code);
    (on(&vendor).check(&asked).await, vendor)
}

#[tokio::test]
async fn a_start_asks_for_a_code_of_a_length_and_names_none() {
    let vendor = ScriptedTransport::new().then(200, &begun(REQUEST));
    let started = start(&vendor, Channel::Telegram, phone(), None).await;
    assert_eq!(started.expect("started").reference().as_str(), REQUEST);
    let [request] = vendor.requests().try_into().expect("one request");
    assert_eq!(request.url().path(), "/sendVerificationMessage");
    assert_eq!(
        kit::json(&request),
        json!({"phone_number": kit::PHONE, "code_length": 6, "ttl": 300, "payload": "challenge-1"})
    );
}

#[tokio::test]
async fn a_resend_is_a_new_code_and_the_one_before_is_revoked() {
    let vendor = ScriptedTransport::new()
        .then(200, &begun("second"))
        .then(500, "");
    let before = reference(REQUEST);
    let started = start(&vendor, Channel::Telegram, phone(), Some(&before)).await;
    let started = started.expect("a message that is not revoked is no failure of the new one");
    assert_eq!(started.reference().as_str(), "second");
    let [_, revoked] = vendor.requests().try_into().expect("two requests");
    assert_eq!(revoked.url().path(), "/revokeVerificationMessage");
    assert_eq!(kit::json(&revoked), json!({"request_id": REQUEST}));
}

#[tokio::test]
async fn a_resend_that_fails_leaves_the_code_before_alone() {
    let vendor = ScriptedTransport::new().then(200, r#"{"ok":false,"error":"FLOOD_WAIT_30"}"#);
    let before = reference(REQUEST);
    let refused = start(&vendor, Channel::Telegram, phone(), Some(&before)).await;
    let refused = refused.expect_err("refused");
    assert_eq!(refused.kind(), DeliveryErrorKind::Throttled);
    assert_eq!(vendor.requests().len(), 1);
}

#[tokio::test]
async fn what_is_not_for_telegram_never_reaches_it() {
    let vendor = ScriptedTransport::new();
    let mail = EmailAddress::parse("ada@example.org").expect("an address");
    for (channel, to) in [(Channel::Sms, phone()), (Channel::Telegram, mail.into())] {
        let refused = start(&vendor, channel, to, None).await.expect_err("unfit");
        assert_eq!(refused.certainty(), DispatchCertainty::NotSent);
    }
    assert!(vendor.requests().is_empty());
}

#[tokio::test]
async fn an_acceptance_about_another_number_starts_nothing() {
    let other = begun(REQUEST).replace(kit::PHONE.trim_start_matches('+'), "14155550199");
    for answer in [other.as_str(), r#"{"ok":true,"result":{"request_id":"1"}}"#] {
        let vendor = ScriptedTransport::new().then(200, answer);
        let refused = start(&vendor, Channel::Telegram, phone(), None).await;
        let refused = refused.expect_err(answer);
        assert_eq!(
            (refused.kind(), refused.certainty()),
            (DeliveryErrorKind::Protocol, DispatchCertainty::Unknown)
        );
    }
}

#[tokio::test]
async fn a_check_sends_what_was_typed_and_reads_the_verdict() {
    for (status, verdict) in [
        ("code_valid", Checked::Approved),
        ("code_invalid", Checked::Wrong),
        ("expired", Checked::Gone),
    ] {
        let answer = judged(
            REQUEST,
            kit::PHONE,
            json!({"status": status, "updated_at": 1}),
        );
        let (checked, vendor) = check(200, &answer).await;
        assert_eq!(checked.expect(status), verdict);
        let [request] = vendor.requests().try_into().expect("one request");
        assert_eq!(request.url().path(), "/checkVerificationStatus");
        assert_eq!(
            kit::json(&request),
            json!({"request_id": REQUEST, "code": "904173"})
        );
    }
    let (unknown, _) = check(200, r#"{"ok":false,"error":"REQUEST_ID_INVALID"}"#).await;
    assert_eq!(unknown.expect("a verdict"), Checked::Gone);
}

#[tokio::test]
async fn nothing_but_a_verdict_on_this_request_number_and_code_approves() {
    let right = json!({"status": "code_valid"});
    let stale = json!({"status": "code_valid", "code_entered": "111111"});
    for answer in [
        judged("another", kit::PHONE, right.clone()),
        judged(REQUEST, "+14155550199", right.clone()),
        judged(REQUEST, kit::PHONE, stale),
        judged(REQUEST, kit::PHONE, json!(null)),
        judged(REQUEST, kit::PHONE, json!({"status": "CODE_VALID"})),
        judged(REQUEST, kit::PHONE, right.clone()).replace("true", "false"),
        begun(REQUEST),
        String::new(),
    ] {
        let (checked, _) = check(200, &answer).await;
        let error = checked.expect_err(&answer);
        assert_ne!(error.kind(), DeliveryErrorKind::Protected, "{answer}");
    }
    let (checked, _) = check(503, &judged(REQUEST, kit::PHONE, right)).await;
    let error = checked.expect_err("an error of the server");
    assert_eq!(error.kind(), DeliveryErrorKind::Unavailable);
}

#[tokio::test]
async fn a_verification_without_tries_left_is_protected() {
    let verdict = json!({"status": "code_max_attempts_exceeded"});
    let (checked, _) = check(200, &judged(REQUEST, kit::PHONE, verdict)).await;
    let error = checked.expect_err("no verdict");
    assert_eq!(error.kind(), DeliveryErrorKind::Protected);
}

#[tokio::test]
async fn one_that_is_over_is_cancelled_without_an_error() {
    let vendor = ScriptedTransport::new()
        .then(200, r#"{"ok":true,"result":true}"#)
        .then(200, r#"{"ok":false,"error":"REQUEST_ID_INVALID"}"#)
        .then(200, r#"{"ok":false,"error":"ACCESS_TOKEN_REVOKED"}"#);
    let verify = on(&vendor);
    let reference = reference(REQUEST);
    verify.cancel(&reference).await.expect("revoked");
    verify.cancel(&reference).await.expect("over before");
    let refused = verify.cancel(&reference).await.expect_err("refused");
    assert_eq!(refused.kind(), DeliveryErrorKind::Unauthorized);
}

#[test]
fn telegram_makes_six_to_eight_digits() {
    let made = |alphabet, length| {
        let format = CodeFormat::of(alphabet, length).expect("a format");
        let vendor = on(&ScriptedTransport::new());
        vendor.code(format).map(|vendor| vendor.format().length())
    };
    assert!(matches!(made(Alphabet::Digits, 8), Ok(8)));
    for (alphabet, length) in [(Alphabet::Digits, 9), (Alphabet::Unambiguous, 8)] {
        assert!(matches!(
            made(alphabet, length),
            Err(ConfigError::CodeFormat)
        ));
    }
}
