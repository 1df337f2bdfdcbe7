//! Vonage over a real socket: the conformance suite.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::vonage::Vonage;

const SECRET: &str = "a-vonage-api-secret";
const ACCEPTED: &str = r#"{"message-count":"1","messages":[{"to":"14155550123","message-id":"0A0000000123ABCD1","status":"0"}]}"#;

fn build(setup: &Setup) -> Result<Vonage, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let vonage = Vonage::builder("abcd1234", SECRET, "ACME")
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .build()?;
    Ok(vonage)
}

fn refused(status: u32) -> Reply {
    Reply::new(200).json(&format!(
        r#"{{"message-count":"1","messages":[{{"status":"{status}","error-text":"text"}}]}}"#
    ))
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(200).json(ACCEPTED))
        .reference("0A0000000123ABCD1")
        .secret(SECRET)
        .secret("abcd1234")
        .refusal("too fast", refused(1), Kind::Throttled)
        .refusal("throttled by a proxy", Reply::new(429), Kind::Throttled)
        .refusal("a parameter is missing", refused(2), Kind::Invalid)
        .refusal("bad secret", refused(4), Kind::Unauthorized)
        .refusal("their fault", refused(5), Kind::Unavailable)
        .refusal("barred", refused(7), Kind::Unreachable)
        .refusal("down", Reply::new(503), Kind::Unavailable)
        .refusal("an empty acceptance", Reply::new(200), Kind::Protocol)
}

otp_core::provider_conformance!(fixture);
