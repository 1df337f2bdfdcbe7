//! A vendor described by data, over a real socket: the conformance suite.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::generic::{HttpProvider, VendorDescription};
use otp_providers::http::ReqwestTransport;

const TOKEN: &str = "an-acme-token";

fn build(setup: &Setup) -> Result<HttpProvider, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let vendor: VendorDescription = serde_json::from_value(serde_json::json!({
        "name": "acme",
        "channels": ["sms", "email"],
        "base_url": setup.base_url,
        "path": "/v2/{secret:account}/messages",
        "auth": {"bearer": "token"},
        "headers": {"Idempotency-Key": "{id}"},
        "body": {"json": {"to": "{to}", "text": "{text}", "html": "{html}", "subject": "{subject}"}},
        "accepted": [201],
        "reference": {"pointer": "/data/id"},
        "errors": [
            {"pointer": "/code", "equals": ["unknown-number"], "kind": "unreachable"},
            {"pointer": "/code", "equals": ["stopped"], "kind": "opted_out"},
        ],
    }))?;
    let provider = HttpProvider::builder(vendor)
        .secret("account", "an-acme-account")
        .secret("token", TOKEN)
        .transport(Arc::new(transport))
        .build()?;
    Ok(provider)
}

fn refused(status: u16, code: &str) -> Reply {
    Reply::new(status).json(&format!(r#"{{"code":"{code}"}}"#))
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(201).json(r#"{"data":{"id":"m-1"}}"#))
        .reference("m-1")
        .secret(TOKEN)
        .secret("an-acme-account")
        .refusal(
            "no such number",
            refused(400, "unknown-number"),
            Kind::Unreachable,
        )
        .refusal("stopped", refused(403, "stopped"), Kind::OptedOut)
        .refusal("bad token", Reply::new(401), Kind::Unauthorized)
        .refusal("too fast", Reply::new(429), Kind::Throttled)
        .refusal("down", Reply::new(503), Kind::Unavailable)
        .refusal("an empty acceptance", Reply::new(201), Kind::Protocol)
        .refusal(
            "an acceptance that is not described",
            refused(200, "ok"),
            Kind::Protocol,
        )
}

otp_core::provider_conformance!(fixture);
