//! Twilio Verify over a real socket: the conformance suite around its starts, and a check as a
//! server reads it.

use std::error::Error;
use std::sync::Arc;

use otp_core::challenge::{Code, CodeFormat};
use otp_core::delivery::{
    Checked, DeliveryErrorKind as Kind, Reference, VerificationCheck, VerificationProvider,
};
use otp_core::destination::PhoneNumber;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::twilio::TwilioAuth;
use otp_providers::twilio_verify::TwilioVerify;

use crate::stand_in;
use crate::starts::Starts;

const ACCOUNT: &str = "AC00000000000000000000000000000001";
const SERVICE: &str = "VA00000000000000000000000000000002";
const VERIFICATION: &str = "VE00000000000000000000000000000003";
const TOKEN: &str = "a-twilio-auth-token";
const STARTED: &str = r#"{"sid":"VE00000000000000000000000000000003","service_sid":"VA00000000000000000000000000000002","to":"+14155550123","channel":"sms","status":"pending","valid":false,"send_code_attempts":[{"channel":"SMS"}]}"#;
const APPROVED: &str = r#"{"sid":"VE00000000000000000000000000000003","service_sid":"VA00000000000000000000000000000002","to":"+14155550123","channel":"sms","status":"approved","valid":true}"#;

type Built<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn verify(base_url: &str, transport: ReqwestTransport) -> Built<TwilioVerify> {
    let builder = TwilioVerify::builder(ACCOUNT, TwilioAuth::token(TOKEN), SERVICE);
    let builder = builder.base_url(BaseUrl::parse(base_url)?);
    Ok(builder.transport(Arc::new(transport)).build()?)
}

fn build(setup: &Setup) -> Built<Starts<TwilioVerify>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    Ok(Starts(verify(&setup.base_url, transport)?))
}

fn refused(status: u16, code: u32) -> Reply {
    Reply::new(status).json(&format!(
        r#"{{"code":{code},"message":"m","more_info":"https://www.twilio.com/docs/errors/{code}","status":{status}}}"#
    ))
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(201).json(STARTED))
        .reference(VERIFICATION)
        .code_appears(0)
        .secret(TOKEN)
        .secret(ACCOUNT)
        .refusal("a landline", refused(403, 60205), Kind::Unreachable)
        .refusal("five sends", refused(429, 60203), Kind::Protected)
        .refusal("fraud guard", refused(403, 60410), Kind::Protected)
        .refusal("a bad parameter", refused(400, 60200), Kind::Invalid)
        .refusal(
            "credentials refused",
            refused(401, 20003),
            Kind::Unauthorized,
        )
        .refusal("too many at once", refused(429, 60212), Kind::Throttled)
        .refusal("internal error", refused(500, 20500), Kind::Unavailable)
        .refusal("an empty acceptance", Reply::new(201), Kind::Protocol)
        .refusal(
            "an acceptance of another number",
            Reply::new(201).json(&STARTED.replace("+14155550123", "+14155550199")),
            Kind::Protocol,
        )
}

otp_core::provider_conformance!(fixture);

#[tokio::test]
async fn a_server_reads_exactly_the_documented_check() {
    let server = stand_in::start(200, &[], APPROVED).await;
    let transport = ReqwestTransport::new().expect("a transport");
    let verify = verify(&server.base_url, transport).expect("a provider");
    let code = Code::normalise(CodeFormat::SIX_DIGITS, "904173").expect("six digits");
    let reference = Reference::new(VERIFICATION).expect("a reference");
    let to = PhoneNumber::parse("+14155550123").expect("a number").into();
    let asked = VerificationCheck::new(&reference, &to, &code);
    assert_eq!(
        verify.check(&asked).await.expect("a verdict"),
        Checked::Approved
    );
    let request = server.only_request();
    assert_eq!(
        request.line,
        "POST /v2/Services/VA00000000000000000000000000000002/VerificationCheck"
    );
    let authorization = request.headers.get("authorization");
    assert!(authorization.is_some_and(|value| value.as_bytes().starts_with(b"Basic ")));
    assert_eq!(
        request.body,
        "To=%2B14155550123&VerificationSid=VE00000000000000000000000000000003&Code=904173"
    );
}

#[tokio::test]
async fn a_redirect_approves_nothing_and_is_not_followed() {
    let server = stand_in::start(307, &[("location", "http://127.0.0.1:9/")], APPROVED).await;
    let transport = ReqwestTransport::new().expect("a transport");
    let verify = verify(&server.base_url, transport).expect("a provider");
    let code = Code::normalise(CodeFormat::SIX_DIGITS, "904173").expect("six digits");
    let reference = Reference::new(VERIFICATION).expect("a reference");
    let to = PhoneNumber::parse("+14155550123").expect("a number").into();
    let asked = VerificationCheck::new(&reference, &to, &code);
    let error = verify.check(&asked).await.expect_err("no verdict");
    assert_eq!(error.kind(), Kind::Protocol);
}
