//! Starts by a name of which somebody outside is asked: a captcha's vendor, or a check.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_kit::async_trait;
use otp_kit::check::{
    CaptchaFailure, CaptchaQuestion, CaptchaVerdict, CaptchaVerifier, Check, CheckError,
    CheckRequest, CheckTerms, CheckVerdict,
};
use otp_kit::policy::CaptchaPolicy;
use otp_kit::prelude::*;
use otp_kit::verifier::IssueError;

use super::{PHONE, Standing, named};
use crate::support::{Builder, Service, from_anywhere, here, wrong};

/// Counts whom it was asked about.
#[derive(Debug, Default)]
pub(super) struct Solved(pub(super) Arc<AtomicU32>);

#[async_trait]
impl CaptchaVerifier for Solved {
    fn name(&self) -> &str {
        "solved"
    }

    async fn verify(&self, question: &CaptchaQuestion<'_>) -> Result<CaptchaVerdict, CheckError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(match question.token.expose() {
            "made-up" => CaptchaVerdict::Failed(CaptchaFailure::Refused),
            _ => CaptchaVerdict::Passed,
        })
    }
}

#[tokio::test]
async fn a_captcha_that_everybody_is_asked_for_is_asked_of_a_name_too_and_only_once() {
    let policy = CaptchaPolicy::always();
    let configure = |builder: Builder| builder.captcha(Solved::default()).captcha_policy(policy);
    for service in Service::everywhere(configure).await {
        let verifier = &service.verifier;
        for (number, standing) in [Standing::Nobody, Standing::Fine].into_iter().enumerate() {
            let unasked = verifier.issue(named(standing, Channel::Sms)).await;
            let required = matches!(unasked, Err(IssueError::CaptchaRequired));
            assert!(required, "{standing:?} {unasked:?}");
            let token = format!("token-{number}");
            let solved = from_anywhere(1).captcha_token(&token);
            let issue = || named(standing, Channel::Sms).from(solved.clone());
            let issued = verifier.issue(issue()).await;
            assert!(issued.is_ok(), "{standing:?} {issued:?}");
            let replayed = verifier.issue(issue()).await;
            let failed = matches!(replayed, Err(IssueError::CaptchaFailed));
            assert!(failed, "{standing:?} {replayed:?}");
        }
        verifier.drain(Duration::from_secs(5)).await.unwrap();
        assert_eq!(service.outbox.len(), 1);
    }
}

#[tokio::test]
async fn tokens_that_are_worth_nothing_spend_none_of_a_names_starts() {
    let policy = CaptchaPolicy::always();
    let configure = |builder: Builder| builder.captcha(Solved::default()).captcha_policy(policy);
    for service in Service::everywhere(configure).await {
        let verifier = &service.verifier;
        let with = async |token: &str, client: u32| {
            let from = from_anywhere(client).captcha_token(token);
            let issue = named(Standing::Fine, Channel::Sms).from(from);
            verifier.issue(issue).await
        };
        for client in 0..20 {
            let failed = with("made-up", client).await;
            assert!(
                matches!(failed, Err(IssueError::CaptchaFailed)),
                "{failed:?}"
            );
        }
        for client in 0..5 {
            let issued = with(&format!("solved-{client}"), client).await;
            assert!(issued.is_ok(), "{issued:?}");
        }
        let limited = with("solved-5", 5).await;
        assert!(
            matches!(limited, Err(IssueError::Throttled(_))),
            "{limited:?}"
        );
    }
}

#[derive(Debug)]
struct Silent;

#[async_trait]
impl Check for Silent {
    fn name(&self) -> &'static str {
        "silent"
    }

    fn terms(&self) -> CheckTerms {
        CheckTerms::required()
    }

    async fn judge(&self, request: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
        match request.destination {
            Some(_) => Err(CheckError::TimedOut),
            None => Ok(CheckVerdict::Allow),
        }
    }
}

#[tokio::test]
async fn the_silence_of_a_check_is_not_told_by_a_name() {
    let configure = |builder: Builder| builder.limits(Standing::limits()).check(Silent);
    for service in Service::everywhere(configure).await {
        let verifier = &service.verifier;
        let to = Destination::parse(PHONE, None).unwrap();
        let told = Issue::to(to).for_purpose("login").from(here());
        let told = verifier.issue(told).await;
        assert!(matches!(told, Err(IssueError::Unavailable(_))), "{told:?}");
        for standing in [Standing::Nobody, Standing::Fine, Standing::Abroad] {
            let untold = verifier.issue(named(standing, Channel::Sms)).await;
            assert!(untold.is_ok(), "{standing:?} {untold:?}");
        }
        verifier.drain(Duration::from_secs(5)).await.unwrap();
        assert!(service.outbox.is_empty());
    }
}

#[tokio::test]
async fn what_is_kept_back_for_want_of_a_captcha_drains_nothing_of_its_owner() {
    let policy = CaptchaPolicy::after(3, Duration::from_secs(3_600)).unwrap();
    let configure = |builder: Builder| {
        let builder = builder.captcha(Solved::default());
        builder.captcha_policy(policy)
    };
    for service in Service::everywhere(configure).await {
        let verifier = &service.verifier;
        let start = |client: u32| named(Standing::Fine, Channel::Sms).from(from_anywhere(client));
        let issued = verifier.issue(start(1)).await.unwrap();
        verifier.drain(Duration::from_secs(5)).await.unwrap();
        let code = wrong(&service.code(PHONE));
        for client in 2..5 {
            let id = &issued.challenge_id;
            let refused = verifier.verify(id, &code, from_anywhere(client)).await;
            assert!(matches!(refused, Err(VerifyError::Rejected)), "{refused:?}");
        }
        // A stranger without a captcha, until the name's own limit.
        for client in 10..14 {
            let kept_back = verifier.issue(start(client)).await;
            assert!(kept_back.is_ok(), "{kept_back:?}");
        }
        assert_eq!(service.outbox.len(), 1);
        // The owner has four left by their number.
        for turn in 0..4 {
            let from = here().captcha_token(&format!("token-{turn}"));
            let to = Destination::parse(PHONE, None).unwrap();
            let owner = Issue::to(to).for_purpose("login").from(from);
            let issued = verifier.issue(owner).await;
            assert!(issued.is_ok(), "{turn} {issued:?}");
        }
        assert_eq!(service.outbox.len(), 5);
    }
}

#[derive(Debug)]
struct Denies;

#[async_trait]
impl Check for Denies {
    fn name(&self) -> &'static str {
        "denies"
    }

    async fn judge(&self, request: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
        Ok(match request.destination {
            Some(_) => CheckVerdict::Deny("swapped".into()),
            None => CheckVerdict::Allow,
        })
    }
}

#[tokio::test]
async fn what_a_check_has_against_an_address_is_not_told_by_a_name() {
    for service in Service::everywhere(|builder| builder.check(Denies)).await {
        let verifier = &service.verifier;
        let to = Destination::parse(PHONE, None).unwrap();
        let told = verifier
            .issue(Issue::to(to).for_purpose("login").from(here()))
            .await;
        assert!(matches!(told, Err(IssueError::Blocked)), "{told:?}");
        let untold = verifier.issue(named(Standing::Fine, Channel::Sms)).await;
        assert!(untold.is_ok(), "{untold:?}");
        verifier.drain(Duration::from_secs(5)).await.unwrap();
        assert!(service.outbox.is_empty());
    }
}
