use otp_core::challenge::Code;
use otp_core::delivery::{DispatchCertainty, Locale, MessageId};
use otp_core::destination::{EmailAddress, PhoneNumber};

use super::*;
use crate::http::ScriptedTransport;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const SERVICE: &str = "VA00000000000000000000000000000002";
const FIRST: &str = "VE00000000000000000000000000000003";
const SECOND: &str = "VE00000000000000000000000000000004";
const TO: &str = "+14155550123";

fn builder() -> TwilioVerifyBuilder {
    TwilioVerify::builder(ACCOUNT, TwilioAuth::token("the-auth-token"), SERVICE)
}

fn on(vendor: &ScriptedTransport) -> TwilioVerify {
    let transport = Arc::new(vendor.clone());
    builder().transport(transport).build().expect("a provider")
}

fn begun(sid: &str, sends: usize) -> String {
    let attempts = vec!["{}"; sends].join(",");
    format!(
        r#"{{"sid":"{sid}","service_sid":"{SERVICE}","to":"{TO}","channel":"sms","status":"pending","valid":false,"send_code_attempts":[{attempts}]}}"#
    )
}

fn checked(status: &str) -> String {
    format!(r#"{{"sid":"{FIRST}","service_sid":"{SERVICE}","to":"{TO}","status":"{status}"}}"#)
}

fn reference(sid: &str) -> Reference {
    Reference::new(sid).expect("a reference")
}

fn phone() -> Destination {
    PhoneNumber::parse(TO).expect("a number").into()
}

struct Asked {
    continues: Option<Reference>,
    replaces: Vec<Reference>,
    channel: Channel,
    to: Destination,
}

impl Asked {
    fn new() -> Self {
        Self {
            continues: None,
            replaces: Vec::new(),
            channel: Channel::Sms,
            to: phone(),
        }
    }

    async fn of(&self, vendor: &ScriptedTransport) -> Result<Started, DeliveryError> {
        let (id, locale) = (MessageId::new("challenge-1"), Locale::default());
        let start = VerificationStart::new(&id, self.channel, &self.to, &locale)
            .continuing(self.continues.as_ref())
            .replacing(&self.replaces);
        on(vendor).start(&start).await
    }
}

async fn check(vendor: &ScriptedTransport) -> Result<Checked, DeliveryError> {
    let code = Code::normalise(CODE, "904173").expect("six digits");
    let (reference, to) = (reference(FIRST), phone());
    let asked = VerificationCheck::new(&reference, &to, &code);
    on(vendor).check(&asked).await
}

/// The paths and forms that the vendor got.
fn seen(vendor: &ScriptedTransport) -> Vec<(String, String)> {
    let seen = vendor.requests().into_iter().map(|request| {
        let path = request.url().path().to_owned();
        let prefix = format!("/v2/Services/{SERVICE}/");
        let path = path.strip_prefix(&prefix).expect("the service's");
        let form = String::from_utf8(request.body().to_vec()).expect("text");
        (path.to_owned(), form)
    });
    seen.collect()
}

fn pair(path: &str, form: &str) -> (String, String) {
    (path.to_owned(), form.to_owned())
}

#[tokio::test]
async fn a_start_is_one_request_in_the_documented_form() {
    let vendor = ScriptedTransport::new().then(201, &begun(FIRST, 1));
    let started = Asked::new().of(&vendor).await.expect("started");
    assert_eq!(started.reference().as_str(), FIRST);
    let form = "To=%2B14155550123&Channel=sms&Locale=en";
    assert_eq!(seen(&vendor), [pair("Verifications", form)]);
    let requests = vendor.requests();
    assert_eq!(requests[0].url().host_str(), Some("verify.twilio.com"));
    assert!(requests[0].headers()[AUTHORIZATION].is_sensitive());
}

#[tokio::test]
async fn a_new_challenge_ends_what_was_started_before_and_never_takes_its_code_over() {
    let vendor = ScriptedTransport::new()
        .then(200, "{}")
        .then(201, &begun(FIRST, 2))
        .then(200, "{}")
        .then(201, &begun(SECOND, 1));
    let mut asked = Asked::new();
    asked.replaces = vec![reference("VE00000000000000000000000000000009")];
    let started = asked.of(&vendor).await.expect("started");
    assert_eq!(started.reference().as_str(), SECOND);
    let form = "To=%2B14155550123&Channel=sms&Locale=en";
    assert_eq!(
        seen(&vendor),
        [
            pair(
                "Verifications/VE00000000000000000000000000000009",
                "Status=canceled"
            ),
            pair("Verifications", form),
            pair(&format!("Verifications/{FIRST}"), "Status=canceled"),
            pair("Verifications", form),
        ]
    );
}

#[tokio::test]
async fn what_is_in_the_way_and_does_not_end_is_nobodys_verification() {
    for vendor in [
        ScriptedTransport::new()
            .then(201, &begun(FIRST, 2))
            .then(503, ""),
        ScriptedTransport::new()
            .then(201, &begun(FIRST, 2))
            .then(404, "")
            .then(201, &begun(FIRST, 3)),
    ] {
        let error = Asked::new().of(&vendor).await.expect_err("refused");
        assert_eq!(error.certainty(), DispatchCertainty::Unknown);
    }
}

#[tokio::test]
async fn a_resend_goes_on_with_its_own_verification_and_no_other() {
    let mut asked = Asked::new();
    asked.continues = Some(reference(FIRST));
    let vendor = ScriptedTransport::new().then(201, &begun(FIRST, 2));
    let started = asked.of(&vendor).await.expect("started");
    assert_eq!(started.reference().as_str(), FIRST);
    let vendor = ScriptedTransport::new()
        .then(201, &begun(SECOND, 2))
        .then(200, "{}")
        .then(201, &begun(FIRST, 1));
    let started = asked.of(&vendor).await.expect("started");
    assert_eq!(started.reference().as_str(), FIRST);
    assert_eq!(vendor.requests().len(), 3);
}

#[tokio::test]
async fn an_answer_to_a_start_that_is_about_something_else_is_none() {
    let fine = begun(FIRST, 1);
    for bad in [
        String::new(),
        "<html>".to_owned(),
        fine.replace(TO, "+14155550199"),
        fine.replace(SERVICE, "VA00000000000000000000000000000009"),
        fine.replace("pending", "canceled"),
        fine.replace(FIRST, "VE1"),
    ] {
        let vendor = ScriptedTransport::new().then(201, &bad);
        let error = Asked::new().of(&vendor).await.expect_err("refused");
        assert_eq!(error.kind(), DeliveryErrorKind::Protocol, "{bad}");
        assert_eq!(error.certainty(), DispatchCertainty::Unknown, "{bad}");
    }
}

#[tokio::test]
async fn a_refused_start_says_what_to_do_next() {
    use DeliveryErrorKind as Kind;
    for (http, code, kind) in [
        (400, 60200, Kind::Invalid),
        (429, 60203, Kind::Protected),
        (403, 60205, Kind::Unreachable),
        (429, 60212, Kind::Throttled),
        (403, 60238, Kind::Protected),
        (403, 60410, Kind::Protected),
        (429, 20429, Kind::Throttled),
        (401, 20003, Kind::Unauthorized),
    ] {
        let vendor = ScriptedTransport::new().then(http, &format!(r#"{{"code":{code}}}"#));
        let error = Asked::new().of(&vendor).await.expect_err("refused");
        assert_eq!(error.kind(), kind, "{code}");
        assert_eq!(error.certainty(), DispatchCertainty::NotSent, "{code}");
    }
}

#[tokio::test]
async fn a_channel_that_is_not_served_is_asked_about_nowhere() {
    let email: Destination = EmailAddress::parse("someone@example.org")
        .expect("an address")
        .into();
    for (channel, to) in [
        (Channel::Telegram, phone()),
        (Channel::Email, email.clone()),
        (Channel::Sms, email),
    ] {
        let vendor = ScriptedTransport::new();
        let mut asked = Asked::new();
        (asked.channel, asked.to) = (channel, to);
        let error = asked.of(&vendor).await.expect_err("refused");
        assert_eq!(error.kind(), DeliveryErrorKind::Invalid);
        assert!(vendor.requests().is_empty());
    }
    let channels = |verify: TwilioVerify| verify.channels().to_vec();
    let transport = || Arc::new(ScriptedTransport::new());
    let plain = builder().transport(transport()).build().expect("built");
    assert!(!channels(plain).contains(&Channel::Email));
    let mail = builder().with_email().transport(transport()).build();
    assert!(channels(mail.expect("built")).contains(&Channel::Email));
}

#[tokio::test]
async fn a_check_names_the_verification_and_is_read_by_its_status() {
    let vendor = ScriptedTransport::new().then(200, &checked("approved"));
    assert_eq!(check(&vendor).await.expect("a verdict"), Checked::Approved);
    let form = format!("To=%2B14155550123&VerificationSid={FIRST}&Code=904173");
    assert_eq!(seen(&vendor), [pair("VerificationCheck", &form)]);
    for (http, body, verdict) in [
        (201, checked("pending"), Checked::Wrong),
        (404, r#"{"code":20404}"#.to_owned(), Checked::Gone),
        (200, checked("expired"), Checked::Gone),
    ] {
        let vendor = ScriptedTransport::new().then(http, &body);
        assert_eq!(check(&vendor).await.expect("a verdict"), verdict, "{body}");
    }
}

#[tokio::test]
async fn no_verdict_is_an_error_and_an_answer_about_something_else_approves_nothing() {
    use DeliveryErrorKind as Kind;
    let fine = checked("approved");
    for (http, body, kind) in [
        (429, r#"{"code":60202}"#.to_owned(), Kind::Protected),
        (429, r#"{"code":20429}"#.to_owned(), Kind::Throttled),
        (503, String::new(), Kind::Unavailable),
        (401, r#"{"code":20003}"#.to_owned(), Kind::Unauthorized),
        (200, fine.replace(TO, "+14155550199"), Kind::Protocol),
        (200, fine.replace(FIRST, SECOND), Kind::Protocol),
        (200, fine.replace("VA", "VB"), Kind::Protocol),
        (202, fine.clone(), Kind::Protocol),
        (200, String::new(), Kind::Protocol),
    ] {
        let vendor = ScriptedTransport::new().then(http, &body);
        let error = check(&vendor).await.expect_err("no verdict");
        assert_eq!(error.kind(), kind, "{http} {body}");
    }
    for vendor in [
        ScriptedTransport::new().then_timeout(),
        ScriptedTransport::new().then_not_connected(),
    ] {
        assert!(check(&vendor).await.is_err());
    }
}

#[tokio::test]
async fn ending_what_is_over_is_no_error() {
    for (http, ends) in [(200, true), (404, true), (401, false), (503, false)] {
        let vendor = ScriptedTransport::new().then(http, "");
        let ended = on(&vendor).cancel(&reference(FIRST)).await;
        assert_eq!(ended.is_ok(), ends, "{http}");
    }
}

#[test]
fn a_malformed_setting_is_named() {
    let built = |account: &str, service: &str| {
        TwilioVerify::builder(account, TwilioAuth::token("token"), service).build()
    };
    assert!(matches!(
        built("AC1", SERVICE),
        Err(ConfigError::AccountSid)
    ));
    assert!(matches!(
        built(ACCOUNT, "VA1"),
        Err(ConfigError::VerifyServiceSid)
    ));
}

#[test]
fn debug_shows_no_credential() {
    let shown = format!("{:?} {:?}", builder(), on(&ScriptedTransport::new()));
    assert!(
        !shown.contains("token") && !shown.contains(SERVICE),
        "{shown}"
    );
}
