use http::header::{HeaderName, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use otp_core::challenge::{Code, CodeFormat};
use otp_core::delivery::{DispatchCertainty, ErrorClass, MessageId};
use otp_core::destination::{EmailAddress, PhoneNumber};

use super::*;
use crate::http::ScriptedTransport;

mod codes;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TO: &str = "+14155550123";
const ACCEPTED: &str = r#"{"sid":"SM00000000000000000000000000000001","to":"+14155550123","status":"queued","error_code":null,"price":null,"num_segments":"1"}"#;

fn builder() -> TwilioBuilder {
    Twilio::builder(ACCOUNT, TwilioAuth::token("the-auth-token")).from("+15005550006")
}

fn on(vendor: &ScriptedTransport) -> Twilio {
    builder()
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider")
}

fn code() -> Code {
    Code::normalise(CodeFormat::SIX_DIGITS, "904173").expect("six digits")
}

fn message(life: Duration) -> Message {
    let phone = PhoneNumber::parse(TO).expect("a number");
    let text = "904173 is your code & no one's + else.".to_owned();
    Message::builder(
        MessageId::new("challenge-1"),
        Channel::Sms,
        phone.into(),
        text,
        code(),
    )
    .expires_in(life)
    .build()
}

async fn outcome(vendor: ScriptedTransport) -> Result<Receipt, DeliveryError> {
    on(&vendor)
        .deliver(&message(Duration::from_secs(300)))
        .await
}

fn form(request: &HttpRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body())
        .into_owned()
        .collect()
}

#[tokio::test]
async fn the_request_is_the_documented_form_and_nothing_else() {
    let vendor = ScriptedTransport::new().then(201, ACCEPTED);
    let sent = on(&vendor)
        .deliver(&message(Duration::from_millis(299_900)))
        .await
        .expect("accepted");
    assert_eq!(sent.reference(), Some("SM00000000000000000000000000000001"));
    let requests = vendor.requests();
    let [request] = requests.as_slice() else {
        panic!("{} requests", requests.len())
    };
    assert_eq!(
        request.url().as_str(),
        "https://api.twilio.com/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json"
    );
    let expected = [
        ("To", TO),
        ("From", "+15005550006"),
        ("Body", "904173 is your code & no one's + else."),
        ("ValidityPeriod", "299"),
    ];
    assert_eq!(
        form(request),
        expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
    );
    assert_eq!(
        request.headers()[AUTHORIZATION],
        "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTp0aGUtYXV0aC10b2tlbg=="
    );
    assert!(request.headers()[AUTHORIZATION].is_sensitive());
}

#[tokio::test]
async fn a_service_an_api_key_and_a_callback_take_their_places() {
    let vendor = ScriptedTransport::new().then(201, ACCEPTED);
    let key = TwilioAuth::api_key("SK00000000000000000000000000000002", "secret");
    let twilio = Twilio::builder(ACCOUNT, key)
        .messaging_service("MG00000000000000000000000000000003")
        .status_callback("https://example.com/hooks?a=b")
        .transport(Arc::new(vendor.clone()))
        .build()
        .expect("a provider");
    twilio
        .deliver(&message(Duration::from_secs(300)))
        .await
        .expect("accepted");
    let request = &vendor.requests()[0];
    let keys: Vec<String> = form(request).into_iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        [
            "To",
            "MessagingServiceSid",
            "Body",
            "ValidityPeriod",
            "StatusCallback"
        ]
    );
    assert!(
        request.url().path().contains(ACCOUNT),
        "the path carries the account for keys too"
    );
    assert_eq!(
        request.headers()[AUTHORIZATION],
        "Basic U0swMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMjpzZWNyZXQ="
    );
}

fn to_whatsapp() -> Message {
    let phone = PhoneNumber::parse(TO).expect("a number");
    let id = MessageId::new("c-1");
    let text = "not sent: the words are the template's".to_owned();
    Message::builder(id, Channel::WhatsApp, phone.into(), text, code()).build()
}

#[tokio::test]
async fn a_template_goes_over_whatsapp_with_the_code_as_its_variable() {
    let accepted = ACCEPTED.replace(TO, "whatsapp:+14155550123");
    let vendor = ScriptedTransport::new()
        .then(201, &accepted)
        .then(201, &accepted);
    let bare = || Twilio::builder(ACCOUNT, TwilioAuth::token("t"));
    let senders = [
        (
            bare().from("+15005550006"),
            ("From", "whatsapp:+15005550006"),
        ),
        (
            bare().messaging_service("MG00000000000000000000000000000003"),
            ("MessagingServiceSid", "MG00000000000000000000000000000003"),
        ),
    ];
    for (builder, sender) in senders {
        let twilio = builder
            .whatsapp_template("HX00000000000000000000000000000004")
            .transport(Arc::new(vendor.clone()))
            .build()
            .expect("a provider");
        assert_eq!(
            (twilio.name(), twilio.channels()),
            ("twilio-whatsapp", [Channel::WhatsApp].as_slice())
        );
        twilio.deliver(&to_whatsapp()).await.expect("accepted");
        let expected = [
            ("To", "whatsapp:+14155550123"),
            sender,
            ("ContentSid", "HX00000000000000000000000000000004"),
            ("ContentVariables", r#"{"1":"904173"}"#),
            ("ValidityPeriod", "300"),
        ];
        let requests = vendor.requests();
        let request = requests.last().expect("a request");
        assert_eq!(
            form(request),
            expected.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
        let refused = twilio.deliver(&message(Duration::from_secs(1))).await;
        assert_eq!(
            refused.expect_err("a text message").kind(),
            DeliveryErrorKind::Invalid
        );
    }
    assert_eq!(vendor.requests().len(), 2);
}

#[test]
fn a_template_needs_a_number_or_a_service() {
    let with = |from: &str| {
        builder()
            .from(from)
            .whatsapp_template("HX00000000000000000000000000000004")
    };
    assert!(with("whatsapp:+15005550006").build().is_ok());
    for from in ["ACME", "12345", "whatsapp:whatsapp:+15005550006"] {
        assert!(
            matches!(with(from).build(), Err(ConfigError::Sender)),
            "{from}"
        );
    }
    let malformed = builder()
        .whatsapp_template("MG00000000000000000000000000000004")
        .build();
    assert!(matches!(malformed, Err(ConfigError::TemplateName)));
}

#[test]
fn the_validity_stays_in_twilios_range() {
    for (life, seconds) in [(0, 1), (300, 300), (36_000, 36_000), (86_400, 36_000)] {
        assert_eq!(validity(Duration::from_secs(life)), seconds);
    }
}

#[tokio::test]
async fn a_reply_about_another_message_is_not_a_receipt() {
    let other_to = ACCEPTED.replace(TO, "+14155550199");
    let short_sid = ACCEPTED.replace("SM0000", "SM");
    let call_sid = ACCEPTED.replace("SM", "CA");
    for body in [
        other_to.as_str(),
        &short_sid,
        &call_sid,
        "",
        "<html>",
        "{}",
        "[]",
        "null",
    ] {
        let error = outcome(ScriptedTransport::new().then(201, body))
            .await
            .expect_err(body);
        assert_eq!(error.kind(), DeliveryErrorKind::Protocol, "{body}");
        assert_eq!(error.certainty(), DispatchCertainty::Unknown, "{body}");
    }
}

#[tokio::test]
async fn a_message_that_failed_at_once_is_read_by_its_code() {
    let body = ACCEPTED
        .replace("queued", "failed")
        .replace(r#""error_code":null"#, r#""error_code":30450"#);
    let error = outcome(ScriptedTransport::new().then(201, &body))
        .await
        .expect_err("failed");
    assert_eq!(
        (error.kind(), error.code()),
        (DeliveryErrorKind::Protected, Some("30450"))
    );
    assert_eq!(error.certainty(), DispatchCertainty::NotSent);
}

#[tokio::test]
async fn a_message_for_another_channel_never_reaches_the_vendor() {
    let vendor = ScriptedTransport::new();
    let email = EmailAddress::parse("a@example.org").expect("an address");
    let phone = PhoneNumber::parse(TO).expect("a number");
    for (channel, destination) in [
        (Channel::Email, email.into()),
        (Channel::WhatsApp, phone.into()),
    ] {
        let message = Message::builder(
            MessageId::new("c-1"),
            channel,
            destination,
            String::new(),
            code(),
        )
        .build();
        let error = on(&vendor).deliver(&message).await.expect_err("refused");
        assert_eq!(error.kind(), DeliveryErrorKind::Invalid);
    }
    assert!(vendor.requests().is_empty());
}

#[tokio::test]
async fn transport_failures_keep_what_may_have_been_sent() {
    let refused = outcome(ScriptedTransport::new().then_not_connected())
        .await
        .expect_err("refused");
    assert_eq!(refused.kind(), DeliveryErrorKind::Unavailable);
    assert_eq!(refused.certainty(), DispatchCertainty::NotSent);
    let silent = outcome(ScriptedTransport::new().then_timeout())
        .await
        .expect_err("silent");
    assert_eq!(silent.kind(), DeliveryErrorKind::Timeout);
    assert_eq!(silent.certainty(), DispatchCertainty::Unknown);
}

#[tokio::test]
async fn a_hint_of_when_to_try_again_reaches_the_caller() {
    let reply = HttpResponse::new(
        StatusCode::TOO_MANY_REQUESTS,
        HeaderMap::new(),
        r#"{"code":20429}"#,
    )
    .with_header(RETRY_AFTER, HeaderValue::from_static("17"))
    .with_header(
        HeaderName::from_static("x-other"),
        HeaderValue::from_static("1"),
    );
    let error = outcome(ScriptedTransport::new().then_reply(reply))
        .await
        .expect_err("throttled");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(17)));
    assert_eq!(error.certainty(), DispatchCertainty::NotSent);
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    let token = || TwilioAuth::token("the-auth-token");
    let named = |sid: &str| Twilio::builder(sid, token()).from("12345").build();
    assert!(matches!(named("AC1"), Err(ConfigError::AccountSid)));
    assert!(matches!(
        named("AC0000000000000000000000000000/../"),
        Err(ConfigError::AccountSid)
    ));
    let with = |auth| Twilio::builder(ACCOUNT, auth).from("12345").build();
    assert!(matches!(
        with(TwilioAuth::token("")),
        Err(ConfigError::Credential)
    ));
    assert!(matches!(
        with(TwilioAuth::token("a\r\nb")),
        Err(ConfigError::Credential)
    ));
    assert!(matches!(
        with(TwilioAuth::api_key("AC1", "s")),
        Err(ConfigError::ApiKeySid)
    ));
    let bare = || Twilio::builder(ACCOUNT, token());
    assert!(matches!(bare().build(), Err(ConfigError::SenderMissing)));
    let both = bare()
        .from("12345")
        .messaging_service("MG00000000000000000000000000000003");
    assert!(matches!(both.build(), Err(ConfigError::TwoSenders)));
    assert!(matches!(
        bare().from("+1").build(),
        Err(ConfigError::Sender)
    ));
    assert!(matches!(
        bare().messaging_service("MG1").build(),
        Err(ConfigError::MessagingServiceSid)
    ));
    for callback in [
        "",
        "/hooks",
        "ftp://example.com",
        "https://a_b.example.com/",
        &format!("https://example.com/{}", "a".repeat(4000)),
    ] {
        assert!(
            matches!(
                builder().status_callback(callback).build(),
                Err(ConfigError::StatusCallback)
            ),
            "{callback}"
        );
    }
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn without_a_client_a_transport_must_be_given() {
    assert!(matches!(
        builder().build(),
        Err(ConfigError::TransportMissing)
    ));
}

#[test]
fn debug_shows_no_credential() {
    let shown = format!(
        "{:?} {:?} {:?}",
        TwilioAuth::token("canary"),
        builder(),
        on(&ScriptedTransport::new())
    );
    assert!(
        !shown.contains("canary") && !shown.contains("the-auth-token") && !shown.contains(ACCOUNT)
    );
}

async fn form_of(
    builder: TwilioBuilder,
    accepted: &str,
    message: &Message,
) -> Vec<(String, String)> {
    let vendor = ScriptedTransport::new().then(201, accepted);
    let transport = Arc::new(vendor.clone());
    let twilio = builder.transport(transport).build().expect("a provider");
    twilio.deliver(message).await.expect("accepted");
    let [request] = vendor.requests().try_into().expect("one request");
    form(&request)
}

#[tokio::test]
async fn the_sender_and_template_that_a_country_asks_for_stand_before_the_own_ones() {
    const SERVICE: &str = "MG00000000000000000000000000000007";
    const CONTENT: &str = "HX00000000000000000000000000000007";
    for (asked, field, sent) in [
        ("ACME", "From", "ACME"),
        (SERVICE, "MessagingServiceSid", SERVICE),
        (
            "d93bbbd2-9f10-4b0b-8a1c-1d2e3f4a5b6c",
            "From",
            "+15005550006",
        ),
    ] {
        let message = crate::kit::asking(Channel::Sms, asked, "any");
        let form = form_of(builder(), ACCEPTED, &message).await;
        assert!(
            form.contains(&(field.to_owned(), sent.to_owned())),
            "{form:?}"
        );
        let senders = form
            .iter()
            .filter(|(name, _)| name == "From" || name == "MessagingServiceSid");
        assert_eq!(senders.count(), 1, "{asked}");
        assert!(form.iter().any(|(name, _)| name == "Body"));
    }
    let message = crate::kit::asking(Channel::Sms, SERVICE, CONTENT);
    let form = form_of(builder(), ACCEPTED, &message).await;
    assert!(form.contains(&("ContentSid".to_owned(), CONTENT.to_owned())));
    assert!(form.contains(&(
        "ContentVariables".to_owned(),
        r#"{"1":"904173"}"#.to_owned()
    )));
    assert!(form.iter().all(|(name, _)| name != "Body"), "{form:?}");

    let whatsapp = builder().whatsapp_template("HX00000000000000000000000000000001");
    let accepted = ACCEPTED.replace("+14155550123", "whatsapp:+14155550123");
    let message = crate::kit::asking(Channel::WhatsApp, "+33644600001", CONTENT);
    let form = form_of(whatsapp, &accepted, &message).await;
    assert!(form.contains(&("From".to_owned(), "whatsapp:+33644600001".to_owned())));
    assert!(form.contains(&("ContentSid".to_owned(), CONTENT.to_owned())));
}
