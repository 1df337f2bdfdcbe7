//! The Telegram Gateway over a real socket: the conformance suite, with our codes and with its own.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::telegram::{TelegramGateway, TelegramVerify};

use crate::starts::Starts;

const TOKEN: &str = "a-telegram-gateway-token";
const ACCEPTED: &str = r#"{"ok":true,"result":{"request_id":"923583492968596","phone_number":"14155550123","request_cost":0.01,"delivery_status":{"status":"sent","updated_at":1733663900}}}"#;

fn build(setup: &Setup) -> Result<TelegramGateway, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let gateway = TelegramGateway::builder(TOKEN)
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .build()?;
    Ok(gateway)
}

fn refused(status: u16, text: &str) -> Reply {
    Reply::new(status).json(&format!(r#"{{"ok":false,"error":"{text}"}}"#))
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(200).json(ACCEPTED))
        .reference("923583492968596")
        .secret(TOKEN)
        .refusal(
            "no Telegram",
            refused(200, "PHONE_NUMBER_NOT_AVAILABLE"),
            Kind::Unreachable,
        )
        .refusal(
            "bad payload",
            refused(200, "PAYLOAD_INVALID"),
            Kind::Invalid,
        )
        .refusal(
            "bad token",
            refused(200, "ACCESS_TOKEN_INVALID"),
            Kind::Unauthorized,
        )
        .refusal("too fast", refused(200, "FLOOD_WAIT_30"), Kind::Throttled)
        .refusal("throttled by a proxy", Reply::new(429), Kind::Throttled)
        .refusal(
            "their fault",
            refused(200, "INTERNAL_SERVER_ERROR"),
            Kind::Unavailable,
        )
        .refusal("down", Reply::new(502).body(b"<html>"), Kind::Unavailable)
        .refusal("an empty acceptance", Reply::new(200), Kind::Protocol)
}

otp_core::provider_conformance!(fixture);

mod own_codes {
    use super::*;

    fn verify(setup: &Setup) -> Result<Starts<TelegramVerify>, Box<dyn Error + Send + Sync>> {
        Ok(Starts(TelegramVerify::new(build(setup)?)))
    }

    fn fixture() -> ProviderFixture {
        ProviderFixture::new(verify, Reply::new(200).json(ACCEPTED))
            .reference("923583492968596")
            .code_appears(0)
            .secret(TOKEN)
            .refusal(
                "no Telegram",
                refused(200, "PHONE_NUMBER_NOT_AVAILABLE"),
                Kind::Unreachable,
            )
            .refusal(
                "bad token",
                refused(200, "ACCESS_TOKEN_INVALID"),
                Kind::Unauthorized,
            )
            .refusal(
                "bad payload",
                refused(200, "PAYLOAD_INVALID"),
                Kind::Invalid,
            )
            .refusal("too fast", refused(200, "FLOOD_WAIT_30"), Kind::Throttled)
            .refusal("down", Reply::new(502).body(b"<html>"), Kind::Unavailable)
            .refusal(
                "an acceptance of another number",
                Reply::new(200).json(&ACCEPTED.replace("14155550123", "14155550199")),
                Kind::Protocol,
            )
    }

    otp_core::provider_conformance!(fixture);
}
