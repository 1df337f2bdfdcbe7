//! Amazon SNS over a real socket: the conformance suite.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::aws::AwsCredentials;
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::sns::Sns;

const SECRET: &str = "an-aws-secret-access-key";
const ACCEPTED: &[u8] =
    b"<PublishResponse><PublishResult><MessageId>567910cd-659e</MessageId></PublishResult></PublishResponse>";

fn build(setup: &Setup) -> Result<Sns, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let credentials = AwsCredentials::new("AKIDEXAMPLE", SECRET)?;
    let sns = Sns::builder(Arc::new(credentials), "eu-west-1")
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .build()?;
    Ok(sns)
}

fn refused(status: u16, code: &str) -> Reply {
    let body = format!("<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>");
    Reply::new(status).body(body.as_bytes())
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(200).body(ACCEPTED))
        .reference("567910cd-659e")
        .secret(SECRET)
        .secret("AKIDEXAMPLE")
        .refusal("opted out", refused(400, "OptedOut"), Kind::OptedOut)
        .refusal(
            "bad number",
            refused(400, "InvalidParameter"),
            Kind::Invalid,
        )
        .refusal(
            "not allowed",
            refused(403, "AuthorizationError"),
            Kind::Unauthorized,
        )
        .refusal("too fast", refused(429, "Throttled"), Kind::Throttled)
        .refusal("down", refused(500, "InternalError"), Kind::Unavailable)
        .refusal("an empty acceptance", Reply::new(200), Kind::Protocol)
}

otp_core::provider_conformance!(fixture);
