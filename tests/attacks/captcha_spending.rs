//! Tokens that are none, and requests that a captcha is wanted of, spend nothing of the owner's.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::check::{Check, CheckError, CheckRequest, CheckTerms, CheckVerdict};
use otp_kit::policy::CaptchaPolicy;
use otp_kit::prelude::*;
use otp_kit::providers::SiteVerify;
use otp_kit::providers::captcha::Vendor;
use otp_kit::providers::http::ScriptedTransport;
use otp_kit::verifier::{IssueError, ResendError};

use crate::support::{Builder, PHONE, Service, from_anywhere};

const GOOD: &str = r#"{"success":true,"hostname":"login.example.com"}"#;
const BAD: &str = r#"{"success":false,"error-codes":["invalid-input-response"]}"#;
/// The starts of an hour that one number has.
const WHOLE: u32 = 5;

fn script(bad: u32, good: u32) -> ScriptedTransport {
    let script = (0..bad).fold(ScriptedTransport::new(), |script, _| script.then(200, BAD));
    (0..good).fold(script, |script, _| script.then(200, GOOD))
}

fn asking(builder: Builder, policy: CaptchaPolicy, script: &ScriptedTransport) -> Builder {
    let vendor = SiteVerify::builder(Vendor::HCaptcha, "the-secret").hostname("login.example.com");
    let vendor = vendor.transport(Arc::new(script.clone())).build().unwrap();
    builder.captcha(vendor).captcha_policy(policy)
}

fn start(context: RequestContext) -> Issue {
    let destination = Destination::parse(PHONE, None).unwrap();
    Issue::to(destination).for_purpose("login").from(context)
}

fn showing(number: u32) -> RequestContext {
    from_anywhere(number).captcha_token(&format!("token-{number}"))
}

/// Starts as often as the number may, and then once too often.
async fn the_quota_is_whole(service: &Service) {
    for number in 100..100 + WHOLE {
        let started = service.verifier.issue(start(showing(number))).await;
        assert!(started.is_ok(), "{number}: {started:?}");
    }
    let beyond = service.verifier.issue(start(showing(200))).await;
    assert!(
        matches!(beyond, Err(IssueError::Throttled(_))),
        "{beyond:?}"
    );
}

#[derive(Debug)]
struct Advises;

#[otp_kit::async_trait]
impl Check for Advises {
    fn name(&self) -> &str {
        "advises"
    }

    fn terms(&self) -> CheckTerms {
        CheckTerms::advice()
    }

    async fn judge(&self, _: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
        Ok(CheckVerdict::StepUp("bad_address".into()))
    }
}

#[tokio::test]
async fn made_up_tokens_spend_none_of_a_numbers_starts() {
    for service in Service::everywhere(|builder| {
        asking(builder, CaptchaPolicy::always(), &script(5, WHOLE + 1))
    })
    .await
    {
        for number in 0..5 {
            let bogus = service.verifier.issue(start(showing(number))).await;
            assert!(matches!(bogus, Err(IssueError::CaptchaFailed)), "{bogus:?}");
        }
        the_quota_is_whole(&service).await;
    }
}

#[tokio::test]
async fn a_captcha_that_a_check_wants_is_no_start_spent() {
    for service in Service::everywhere(|builder| {
        let builder = asking(builder, CaptchaPolicy::on_advice(), &script(0, WHOLE + 1));
        builder.check(Advises)
    })
    .await
    {
        for number in 0..10 {
            let asked = service.verifier.issue(start(from_anywhere(number))).await;
            assert!(
                matches!(asked, Err(IssueError::CaptchaRequired)),
                "{asked:?}"
            );
        }
        the_quota_is_whole(&service).await;
    }
}

#[tokio::test]
async fn a_captcha_that_is_wanted_of_a_resend_uses_up_no_resend() {
    for service in Service::everywhere(|builder| {
        let builder = asking(builder, CaptchaPolicy::on_advice(), &script(0, 9));
        let builder = builder.lifetime(Channel::Sms, Duration::from_secs(600));
        builder.check(Advises)
    })
    .await
    {
        let issued = service.verifier.issue(start(showing(0))).await.unwrap();
        let id = issued.challenge_id;
        let early = service.verifier.resend(&id, showing(1)).await;
        assert!(matches!(early, Err(ResendError::TooEarly(_))), "{early:?}");
        for (number, wait) in [(1, 60), (2, 120), (3, 240)] {
            service.advance(wait);
            for _ in 0..5 {
                let asked = service.verifier.resend(&id, from_anywhere(50)).await;
                assert!(
                    matches!(asked, Err(ResendError::CaptchaRequired)),
                    "{asked:?}"
                );
            }
            let sent = service.verifier.resend(&id, showing(number)).await;
            assert!(sent.is_ok(), "{number}: {sent:?}");
        }
    }
}

#[tokio::test]
async fn a_start_repeated_with_its_key_and_its_token_is_the_same_start() {
    for service in
        Service::everywhere(|builder| asking(builder, CaptchaPolicy::always(), &script(1, 1))).await
    {
        let named = |number| start(showing(number)).idempotency_key("key-1");
        let bogus = service.verifier.issue(named(0)).await;
        assert!(matches!(bogus, Err(IssueError::CaptchaFailed)), "{bogus:?}");
        let first = service.verifier.issue(named(1)).await.unwrap();
        let again = service.verifier.issue(named(1)).await.unwrap();
        assert_eq!(again.challenge_id, first.challenge_id);
        assert_eq!(service.outbox.len(), 1);
    }
}
