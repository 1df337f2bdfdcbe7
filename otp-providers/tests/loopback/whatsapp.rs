//! WhatsApp over real sockets: the conformance suite, for Meta's own API and for Twilio's.

use std::error::Error;
use std::sync::Arc;

use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::testing::provider::{ProviderFixture, Reply, Setup};
use otp_providers::http::{BaseUrl, ReqwestTransport};
use otp_providers::whatsapp::WhatsApp;

const TOKEN: &str = "a-meta-system-user-token";
const ACCEPTED: &str = r#"{"messaging_product":"whatsapp","contacts":[{"input":"+14155550123","wa_id":"14155550123"}],"messages":[{"id":"wamid.HBgLMTY0","message_status":"accepted"}]}"#;

fn build(setup: &Setup) -> Result<WhatsApp, Box<dyn Error + Send + Sync>> {
    let transport = ReqwestTransport::builder()
        .timeout(setup.deadline)
        .build()?;
    let whatsapp = WhatsApp::builder(TOKEN, "106540352242922", "sign_in_code")
        .base_url(BaseUrl::parse(&setup.base_url)?)
        .transport(Arc::new(transport))
        .build()?;
    Ok(whatsapp)
}

fn refused(status: u16, code: u32) -> Reply {
    Reply::new(status).json(&format!(
        r#"{{"error":{{"message":"(#{code}) m","type":"OAuthException","code":{code},"fbtrace_id":"A"}}}}"#
    ))
}

fn fixture() -> ProviderFixture {
    ProviderFixture::new(build, Reply::new(200).json(ACCEPTED))
        .reference("wamid.HBgLMTY0")
        .secret(TOKEN)
        .code_appears(2)
        .refusal("not on WhatsApp", refused(400, 131_026), Kind::Unreachable)
        .refusal("no such template", refused(404, 132_001), Kind::Invalid)
        .refusal("stopped", refused(400, 131_050), Kind::OptedOut)
        .refusal("held back", refused(400, 131_049), Kind::Protected)
        .refusal("token expired", refused(401, 190), Kind::Unauthorized)
        .refusal("too fast", refused(400, 130_429), Kind::Throttled)
        .refusal("down", refused(503, 2), Kind::Unavailable)
        .refusal("an empty acceptance", Reply::new(200), Kind::Protocol)
}

otp_core::provider_conformance!(fixture);

mod by_twilio {
    use super::{Arc, BaseUrl, Error, Kind, ProviderFixture, Reply, ReqwestTransport, Setup};
    use otp_providers::twilio::{Twilio, TwilioAuth};

    const ACCOUNT: &str = "AC00000000000000000000000000000001";
    const TOKEN: &str = "a-twilio-auth-token";
    const ACCEPTED: &str = r#"{"sid":"SM00000000000000000000000000000001","to":"whatsapp:+14155550123","from":"whatsapp:+15005550006","status":"queued","error_code":null}"#;

    fn build(setup: &Setup) -> Result<Twilio, Box<dyn Error + Send + Sync>> {
        let transport = ReqwestTransport::builder()
            .timeout(setup.deadline)
            .build()?;
        let twilio = Twilio::builder(ACCOUNT, TwilioAuth::token(TOKEN))
            .from("+15005550006")
            .whatsapp_template("HX00000000000000000000000000000004")
            .base_url(BaseUrl::parse(&setup.base_url)?)
            .transport(Arc::new(transport))
            .build()?;
        Ok(twilio)
    }

    fn refused(status: u16, code: u32) -> Reply {
        Reply::new(status).json(&format!(r#"{{"code":{code},"status":{status}}}"#))
    }

    fn fixture() -> ProviderFixture {
        ProviderFixture::new(build, Reply::new(201).json(ACCEPTED))
            .reference("SM00000000000000000000000000000001")
            .secret(TOKEN)
            .secret(ACCOUNT)
            .refusal("not on WhatsApp", refused(400, 63003), Kind::Unreachable)
            .refusal("template paused", refused(400, 63041), Kind::Invalid)
            .refusal(
                "credentials refused",
                refused(401, 20003),
                Kind::Unauthorized,
            )
            .refusal("too many requests", refused(429, 20429), Kind::Throttled)
            .refusal("down", refused(500, 20500), Kind::Unavailable)
            .refusal("an empty acceptance", Reply::new(201), Kind::Protocol)
            .refusal(
                "an acceptance as a text message",
                Reply::new(201).json(&ACCEPTED.replace("whatsapp:", "")),
                Kind::Protocol,
            )
    }

    otp_core::provider_conformance!(fixture);
}
