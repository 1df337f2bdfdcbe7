//! Amazon SES over a real socket: the conformance suite, and the signature as a server checks it.

use std::error::Error;
use std::sync::Arc;

use otp_core::clock::{ManualClock, Timestamp};
use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::destination::EmailAddress;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::aws::{AwsCredentials, SigningInput, sign};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::ses::Ses;
use url::Url;

use crate::stand_in;

const SECRET: &str = "an-aws-secret-access-key";
const NOW: Timestamp = Timestamp::from_millis(1_735_689_600_000);

fn credentials() -> AwsCredentials {
    AwsCredentials::new("AKIDEXAMPLE", SECRET)
        .and_then(|key| key.with_session_token("an-aws-session-token"))
        .expect("credentials")
}

fn build(setup: &Setup) -> Result<Ses, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let from = EmailAddress::parse("no-reply@example.com")?;
    let ses = Ses::builder(Arc::new(credentials()), "eu-west-1", from)
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .clock(Arc::new(ManualClock::new(NOW)))
        .build()?;
    Ok(ses)
}

fn refused(status: u16, name: &str) -> Reply {
    Reply::new(status)
        .json(r#"{"message":"m"}"#)
        .header("x-amzn-ErrorType", name)
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(200).json(r#"{"MessageId":"0102018f-1"}"#))
        .reference("0102018f-1")
        .secret(SECRET)
        .secret("an-aws-session-token")
        .secret("AKIDEXAMPLE")
        .refusal("rejected", refused(400, "MessageRejected"), Kind::Invalid)
        .refusal(
            "domain not verified",
            refused(400, "MailFromDomainNotVerifiedException"),
            Kind::Invalid,
        )
        .refusal(
            "paused",
            refused(400, "SendingPausedException"),
            Kind::Unauthorized,
        )
        .refusal(
            "bad signature",
            refused(403, "SignatureDoesNotMatch"),
            Kind::Unauthorized,
        )
        .refusal(
            "too fast",
            refused(429, "TooManyRequestsException"),
            Kind::Throttled,
        )
        .refusal(
            "down",
            refused(500, "InternalServiceErrorException"),
            Kind::Unavailable,
        )
        .refusal("an empty acceptance", Reply::new(200), Kind::Protocol)
}

otp_core::provider_conformance!(fixture);

#[tokio::test]
async fn the_signature_holds_for_what_a_server_received() {
    let server = stand_in::start(200, &[], r#"{"MessageId":"0102018f-1"}"#).await;
    let ses = Ses::builder(
        Arc::new(credentials()),
        "eu-west-1",
        EmailAddress::parse("no-reply@example.com").expect("an address"),
    )
    .base_url(BaseUrl::parse(&server.base_url).expect("loopback"))
    .clock(Arc::new(ManualClock::new(NOW)))
    .build()
    .expect("a provider with a transport of its own");
    stand_in::deliver_mail(&ses).await.expect("accepted");
    let request = server.only_request();
    assert_eq!(request.line, "POST /v2/email/outbound-emails");
    let header = |name: &str| request.headers[name].to_str().expect("text").to_owned();
    let url = format!("http://{}/v2/email/outbound-emails", header("host"));
    let expected = sign(
        &SigningInput {
            method: "POST",
            url: &Url::parse(&url).expect("a url"),
            headers: &[("content-type", &header("content-type"))],
            body: request.body.as_bytes(),
            region: "eu-west-1",
            service: "ses",
        },
        &credentials(),
        NOW,
    );
    assert_eq!(header("authorization"), expected.authorization().expose());
    assert_eq!(header("x-amz-date"), expected.date());
}
