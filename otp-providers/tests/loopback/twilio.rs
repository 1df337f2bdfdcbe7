//! Twilio over a real socket: the conformance suite, and the form as a server reads it.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::twilio::{Twilio, TwilioAuth};

use crate::stand_in;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const TOKEN: &str = "a-twilio-auth-token";
const ACCEPTED: &str = r#"{"sid":"SM00000000000000000000000000000001","to":"+14155550123","from":"+15005550006","status":"queued","error_code":null,"error_message":null}"#;

fn build(setup: &Setup) -> Result<Twilio, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let twilio = Twilio::builder(ACCOUNT, TwilioAuth::token(TOKEN))
        .from("+15005550006")
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .build()?;
    Ok(twilio)
}

fn refused(status: u16, code: u32) -> Reply {
    Reply::new(status).json(&format!(
        r#"{{"code":{code},"message":"m","more_info":"https://www.twilio.com/docs/errors/{code}","status":{status}}}"#
    ))
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(201).json(ACCEPTED))
        .reference("SM00000000000000000000000000000001")
        .secret(TOKEN)
        .secret(ACCOUNT)
        .refusal(
            "not a mobile number",
            refused(400, 21614),
            Kind::Unreachable,
        )
        .refusal("STOP was sent", refused(400, 21610), Kind::OptedOut)
        .refusal("pumping protection", refused(403, 30450), Kind::Protected)
        .refusal("body too long", refused(400, 21617), Kind::Invalid)
        .refusal(
            "credentials refused",
            refused(401, 20003),
            Kind::Unauthorized,
        )
        .refusal("too many requests", refused(429, 20429), Kind::Throttled)
        .refusal("internal error", refused(500, 20500), Kind::Unavailable)
        .refusal(
            "a proxy's page",
            Reply::new(502).body(b"<html>Bad Gateway</html>"),
            Kind::Unavailable,
        )
        .refusal("an empty acceptance", Reply::new(201), Kind::Protocol)
        .refusal(
            "an acceptance of another number",
            Reply::new(201).json(&ACCEPTED.replace("+14155550123", "+14155550199")),
            Kind::Protocol,
        )
}

otp_core::provider_conformance!(fixture);

#[tokio::test]
async fn a_server_reads_exactly_the_documented_form() {
    let server = stand_in::start(201, &[], ACCEPTED).await;
    let transport = ReqwestTransport::new().expect("a transport");
    let twilio = Twilio::builder(ACCOUNT, TwilioAuth::token(TOKEN))
        .messaging_service("MG00000000000000000000000000000003")
        .status_callback("https://example.com/hooks/twilio")
        .base_url(BaseUrl::parse(&server.base_url).expect("loopback"))
        .transport(Arc::new(transport))
        .build()
        .expect("a provider");
    stand_in::deliver_sms(&twilio).await.expect("accepted");
    let request = server.only_request();
    assert_eq!(
        request.line,
        "POST /2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json"
    );
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    assert_eq!(
        header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(header("accept"), Some("application/json"));
    assert!(header("authorization").is_some_and(|value| value.starts_with("Basic ")));
    assert_eq!(
        request.body,
        "To=%2B14155550123&MessagingServiceSid=MG00000000000000000000000000000003\
         &Body=904173+is+your+code.&ValidityPeriod=120\
         &StatusCallback=https%3A%2F%2Fexample.com%2Fhooks%2Ftwilio"
    );
}
