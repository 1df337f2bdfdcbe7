//! Plivo over a real socket: the conformance suite.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::plivo::Plivo;

const ID: &str = "MA000000000000000001";
const TOKEN: &str = "a-plivo-auth-token";
const ACCEPTED: &str = r#"{"api_id":"948b53a2-3f08-11e7-b6f4-061564b78b75","message":"message(s) queued","message_uuid":["5b40a428-bfc7-4daf-9d06-726c558bf3b8"]}"#;

fn build(setup: &Setup) -> Result<Plivo, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let plivo = Plivo::builder(ID, TOKEN)
        .from("+14155550199")
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .build()?;
    Ok(plivo)
}

fn refused(status: u16, text: &str) -> Reply {
    Reply::new(status).json(&format!(r#"{{"api_id":"a1","error":"{text}"}}"#))
}

fn fixture() -> ProviderFixture {
    let page = b"Could not verify your access level for that URL.";
    ProviderFixture::new(build, Reply::new(202).json(ACCEPTED))
        .reference("5b40a428-bfc7-4daf-9d06-726c558bf3b8")
        .secret(TOKEN)
        .secret(ID)
        .refusal(
            "bad dst",
            refused(400, "dst parameter is invalid"),
            Kind::Invalid,
        )
        .refusal("bad token", Reply::new(401).body(page), Kind::Unauthorized)
        .refusal(
            "no credit",
            refused(402, "insufficient credit"),
            Kind::Unauthorized,
        )
        .refusal(
            "closed country",
            refused(403, "not enabled"),
            Kind::Unauthorized,
        )
        .refusal(
            "too fast",
            refused(429, "too many requests"),
            Kind::Throttled,
        )
        .refusal("down", refused(500, "server error"), Kind::Unavailable)
        .refusal("an empty acceptance", Reply::new(202), Kind::Protocol)
}

otp_core::provider_conformance!(fixture);
