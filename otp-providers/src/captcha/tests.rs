use std::net::IpAddr;
use std::sync::Arc;

use otp_core::check::{
    CaptchaFailure, CaptchaQuestion, CaptchaToken, CaptchaVerdict, CaptchaVerifier, CheckError,
};
use otp_core::clock::Timestamp;
use url::form_urlencoded;

use super::*;
use crate::ConfigError;
use crate::http::ScriptedTransport;

const SECRET: &str = "canary-secret-0x00";
const GOOD: &str = r#"{"success":true,"hostname":"login.example.com","challenge_ts":"2025-06-01T12:00:00Z","action":"send_otp","score":0.9}"#;
const BUSY: &str = r#"{"success":false,"error-codes":["internal-error"]}"#;

fn captcha(vendor: Vendor, script: &ScriptedTransport) -> SiteVerify {
    let builder = SiteVerify::builder(vendor, SECRET).hostname("login.example.com");
    let builder = match vendor {
        Vendor::HCaptcha => builder.site_key("10000000-ffff-ffff-ffff-000000000001"),
        Vendor::ReCaptchaV2 => builder,
        _ => builder.action("send_otp"),
    };
    let built = builder.transport(Arc::new(script.clone())).build();
    built.expect("a captcha")
}

async fn asked(captcha: &SiteVerify) -> Result<CaptchaVerdict, CheckError> {
    let token = CaptchaToken::new("canary-token+/=").expect("a token");
    let address: IpAddr = "::ffff:203.0.113.7".parse().expect("an address");
    let now = Timestamp::from_millis(1_748_779_260_000);
    captcha
        .verify(&CaptchaQuestion::new(&token, Some(address), now))
        .await
}

fn sent(script: &ScriptedTransport, index: usize) -> (String, Vec<(String, String)>) {
    let request = &script.requests()[index];
    let form = form_urlencoded::parse(request.body())
        .into_owned()
        .collect();
    (request.url().to_string(), form)
}

#[tokio::test]
async fn each_vendor_is_asked_in_its_own_way() {
    let uuid = uuid_of("canary-token+/=");
    for (vendor, url, last) in [
        (
            Vendor::HCaptcha,
            "https://api.hcaptcha.com/siteverify",
            Some(("sitekey", "10000000-ffff-ffff-ffff-000000000001")),
        ),
        (
            Vendor::Turnstile,
            "https://challenges.cloudflare.com/turnstile/v0/siteverify",
            Some(("idempotency_key", uuid.as_str())),
        ),
        (
            Vendor::ReCaptchaV2,
            "https://www.google.com/recaptcha/api/siteverify",
            None,
        ),
        (
            Vendor::ReCaptchaV3,
            "https://www.google.com/recaptcha/api/siteverify",
            None,
        ),
    ] {
        let script = ScriptedTransport::new().then(200, GOOD);
        let verdict = asked(&captcha(vendor, &script)).await.expect("a verdict");
        assert_eq!(verdict, CaptchaVerdict::Passed);
        let mut fields = vec![
            ("secret", SECRET),
            ("response", "canary-token+/="),
            ("remoteip", "203.0.113.7"),
        ];
        fields.extend(last);
        let fields = fields.iter().map(|(k, v)| ((*k).into(), (*v).into()));
        assert_eq!(sent(&script, 0), (url.to_owned(), fields.collect()));
    }
}

#[tokio::test]
async fn turnstile_is_asked_twice_with_one_key_and_the_others_once() {
    let script = ScriptedTransport::new().then(200, BUSY).then(200, GOOD);
    let verdict = asked(&captcha(Vendor::Turnstile, &script)).await;
    assert_eq!(verdict.expect("a verdict"), CaptchaVerdict::Passed);
    assert_eq!(sent(&script, 0), sent(&script, 1));

    let script = ScriptedTransport::new().then(200, BUSY).then(502, "");
    let verdict = asked(&captcha(Vendor::Turnstile, &script)).await;
    assert!(matches!(verdict, Err(CheckError::Unavailable(_))));
    assert_eq!(script.requests().len(), 2);

    for vendor in [Vendor::HCaptcha, Vendor::ReCaptchaV2, Vendor::ReCaptchaV3] {
        let script = ScriptedTransport::new().then(200, BUSY).then(200, GOOD);
        let verdict = asked(&captcha(vendor, &script)).await;
        assert!(matches!(verdict, Err(CheckError::Unavailable(_))));
        assert_eq!(script.requests().len(), 1, "{vendor:?}");
    }
}

#[tokio::test]
async fn a_refusal_an_alarm_and_silence_are_told_apart_and_show_no_secret() {
    let refused = r#"{"success":false,"error-codes":["timeout-or-duplicate"]}"#;
    let script = ScriptedTransport::new().then(200, refused);
    let verdict = asked(&captcha(Vendor::ReCaptchaV2, &script)).await;
    let failed = CaptchaVerdict::Failed(CaptchaFailure::Refused);
    assert_eq!(verdict.expect("a verdict"), failed);

    let alarm = r#"{"success":false,"error-codes":["invalid-input-secret"]}"#;
    for (script, kind) in [
        (ScriptedTransport::new().then(200, alarm), "misconfigured"),
        (ScriptedTransport::new().then(200, "canary"), "unavailable"),
        (ScriptedTransport::new().then_not_connected(), "unavailable"),
        (ScriptedTransport::new().then_timeout(), "unavailable"),
    ] {
        let captcha = captcha(Vendor::HCaptcha, &script);
        let error = asked(&captcha).await.expect_err("no verdict");
        assert_eq!(error.name(), kind);
        let shown = format!("{error} {error:?} {captcha:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn the_vendor_learns_no_address_where_it_is_not_to() {
    let script = ScriptedTransport::new().then(200, GOOD);
    let captcha = SiteVerify::builder(Vendor::ReCaptchaV2, SECRET)
        .hostname("login.example.com")
        .without_address()
        .transport(Arc::new(script.clone()))
        .build()
        .expect("a captcha");
    asked(&captcha).await.expect("a verdict");
    let (_, form) = sent(&script, 0);
    assert!(form.iter().all(|(name, _)| name != "remoteip"), "{form:?}");
}

#[test]
fn half_a_configuration_is_refused() {
    let on = |vendor| SiteVerify::builder(vendor, SECRET).hostname("login.example.com");
    let refused = |builder: SiteVerifyBuilder| {
        let builder = builder.transport(Arc::new(ScriptedTransport::new()));
        builder.build().expect_err("refused")
    };
    assert!(matches!(
        refused(SiteVerify::builder(Vendor::HCaptcha, SECRET)),
        ConfigError::CaptchaHostname
    ));
    for host in ["", "https://login.example.com", "a b", "*", "host:443"] {
        let builder = on(Vendor::HCaptcha).hostname(host);
        assert!(matches!(refused(builder), ConfigError::CaptchaHostname));
    }
    for secret in ["", "a b", "é"] {
        let builder = SiteVerify::builder(Vendor::HCaptcha, secret).hostname("a.example");
        assert!(matches!(refused(builder), ConfigError::Credential));
    }
    for builder in [
        on(Vendor::ReCaptchaV3),
        on(Vendor::HCaptcha).action("send_otp"),
        on(Vendor::Turnstile).action("send otp"),
    ] {
        assert!(matches!(refused(builder), ConfigError::CaptchaAction));
    }
    for builder in [
        on(Vendor::ReCaptchaV3).action("a").min_score(1.5),
        on(Vendor::ReCaptchaV3).action("a").min_score(f64::NAN),
        on(Vendor::HCaptcha).min_score(0.5),
    ] {
        assert!(matches!(refused(builder), ConfigError::CaptchaScore));
    }
}

#[test]
fn a_repeats_key_is_a_uuid_and_tells_nothing_of_the_token() {
    let key = uuid_of("canary-token");
    let shape: Vec<usize> = key.split('-').map(str::len).collect();
    assert_eq!(shape, [8, 4, 4, 4, 12]);
    assert_eq!(key.as_bytes()[14], b'8');
    assert!(b"89ab".contains(&key.as_bytes()[19]), "{key}");
    assert_ne!(key, uuid_of("another-token"));
}
