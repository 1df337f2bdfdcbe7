//! Captchas over a real socket, with the default transport.

use std::sync::Arc;
use std::time::Duration;

use otp_core::check::{CaptchaQuestion, CaptchaToken, CaptchaVerdict, CaptchaVerifier, CheckError};
use otp_core::clock::Timestamp;
use otp_core::testing::provider::{Behaviour, Reply, Vendor as Server};
use otp_providers::captcha::{SiteVerify, Vendor};
use otp_providers::http::{BaseUrl, ReqwestTransport};

use crate::stand_in;

const GOOD: &str =
    r#"{"success":true,"hostname":"login.example.com","challenge_ts":"2025-06-01T12:00:00Z"}"#;

fn captcha(base: &str) -> SiteVerify {
    let transport = ReqwestTransport::builder()
        .timeout(Duration::from_millis(300))
        .build()
        .expect("a transport");
    SiteVerify::builder(Vendor::Turnstile, "the-secret")
        .hostname("login.example.com")
        .base_url(BaseUrl::parse(base).expect("a base"))
        .transport(Arc::new(transport))
        .build()
        .expect("a captcha")
}

async fn ask(base: &str) -> Result<CaptchaVerdict, CheckError> {
    let token = CaptchaToken::new("a-token+/=").expect("a token");
    let now = Timestamp::from_millis(1_748_779_230_000);
    let question = CaptchaQuestion::new(&token, None, now);
    tokio::time::timeout(Duration::from_secs(10), captcha(base).verify(&question))
        .await
        .expect("the transport's own deadline")
}

#[tokio::test]
async fn a_token_goes_to_the_vendor_as_a_form_and_its_answer_is_the_verdict() {
    let vendor = stand_in::start(200, &[("content-type", "application/json")], GOOD).await;
    let verdict = ask(&vendor.base_url).await.expect("a verdict");
    assert_eq!(verdict, CaptchaVerdict::Passed);
    let seen = vendor.only_request();
    assert_eq!(seen.line, "POST /turnstile/v0/siteverify");
    assert_eq!(
        seen.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    let start = "secret=the-secret&response=a-token%2B%2F%3D&idempotency_key=";
    assert!(seen.body.starts_with(start), "{}", seen.body);
}

#[tokio::test]
async fn a_redirect_to_a_vendor_that_passes_everything_is_not_followed() {
    let easy = Server::start(Behaviour::Answer(Reply::new(200).json(GOOD)))
        .await
        .expect("a port");
    let to = easy.base_url().to_owned();
    let sent_on = Reply::new(307).header("location", &to);
    let vendor = Server::start(Behaviour::Answer(sent_on))
        .await
        .expect("a port");
    let error = ask(vendor.base_url()).await.expect_err("no verdict");
    assert!(matches!(error, CheckError::Unavailable(_)), "{error:?}");
    assert!(easy.requests().is_empty());
}

#[tokio::test]
async fn a_vendor_that_is_away_slow_broken_or_endless_gives_no_verdict() {
    let refusing = Server::refusing().expect("a port");
    let mut bases = vec![refusing.base_url().to_owned()];
    let mut servers = Vec::new();
    for behaviour in [
        Behaviour::Hang,
        Behaviour::Close,
        Behaviour::CutShort(Reply::new(200).json(GOOD)),
        Behaviour::Endless(Reply::new(200).json(GOOD)),
        Behaviour::Answer(Reply::new(500).json(GOOD)),
        Behaviour::Echo(Reply::new(200)),
    ] {
        let server = Server::start(behaviour).await.expect("a port");
        bases.push(server.base_url().to_owned());
        servers.push(server);
    }
    for (index, base) in bases.iter().enumerate() {
        let error = ask(base).await.expect_err("no verdict");
        let unavailable = matches!(error, CheckError::Unavailable(_));
        assert!(unavailable, "{index}: {error:?}");
        let shown = format!("{error:?}");
        assert!(!shown.contains("a-token") && !shown.contains("the-secret"));
    }
}
