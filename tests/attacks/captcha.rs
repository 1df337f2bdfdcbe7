//! Round a captcha, or through it with something that is none.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::check::{Check, CheckError, CheckRequest, CheckTerms, CheckVerdict, OnSilence};
use otp_kit::event::Act;
use otp_kit::policy::{CaptchaPolicy, OnCaptchaOutage, PolicyError};
use otp_kit::prelude::*;
use otp_kit::providers::SiteVerify;
use otp_kit::providers::captcha::Vendor;
use otp_kit::providers::http::ScriptedTransport;
use otp_kit::request::AttemptId;
use otp_kit::verifier::{BuildError, Claim, IssueError, PolicyChangeError, ResendError};

use crate::support::{Builder, PHONE, Service, from_anywhere, here, wrong};

const OTHER: &str = "+14155550150";
const GOOD: &str = r#"{"success":true,"hostname":"login.example.com"}"#;
const ELSEWHERE: &str = r#"{"success":true,"hostname":"evil.example.net"}"#;
const BAD: &str = r#"{"success":false,"error-codes":["invalid-input-response"]}"#;
const ALARM: &str = r#"{"success":false,"error-codes":["invalid-input-secret"]}"#;

fn act() -> Act {
    Act::new("alice", "somebody pumps messages").unwrap()
}

fn always() -> CaptchaPolicy {
    CaptchaPolicy::always()
}

fn after_three() -> CaptchaPolicy {
    CaptchaPolicy::after(3, Duration::from_secs(900)).unwrap()
}

fn vendor(script: &ScriptedTransport) -> SiteVerify {
    let builder = SiteVerify::builder(Vendor::HCaptcha, "the-secret");
    let builder = builder.hostname("login.example.com");
    builder.transport(Arc::new(script.clone())).build().unwrap()
}

fn asking(builder: Builder, policy: CaptchaPolicy, script: &ScriptedTransport) -> Builder {
    builder.captcha(vendor(script)).captcha_policy(policy)
}

fn to(phone: &str, context: RequestContext) -> Issue {
    let destination = Destination::parse(phone, None).unwrap();
    Issue::to(destination).for_purpose("login").from(context)
}

fn showing(token: &str) -> RequestContext {
    here().captcha_token(token)
}

async fn start(service: &Service, context: RequestContext) -> Result<(), IssueError> {
    service.verifier.issue(to(PHONE, context)).await.map(drop)
}

#[tokio::test]
async fn a_start_without_a_captcha_sends_nothing_and_costs_the_number_nothing() {
    let script = ScriptedTransport::new().then(200, GOOD);
    let service = Service::with(|builder| asking(builder, always(), &script));
    for _ in 0..20 {
        let answer = start(&service, here()).await;
        assert!(
            matches!(answer, Err(IssueError::CaptchaRequired)),
            "{answer:?}"
        );
    }
    assert!(service.outbox.is_empty());
    start(&service, showing("token-1")).await.unwrap();
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_token_that_is_shown_again_is_refused_before_the_vendor_is_asked() {
    for script in [
        ScriptedTransport::new().then(200, GOOD).then(200, GOOD),
        ScriptedTransport::new().then(200, BAD).then(200, GOOD),
        ScriptedTransport::new().then_timeout().then(200, GOOD),
    ] {
        let service = Service::with(|builder| asking(builder, always(), &script));
        drop(start(&service, showing("token-1")).await);
        let again = start(&service, showing("token-1")).await;
        assert!(matches!(again, Err(IssueError::CaptchaFailed)), "{again:?}");
        // Another number and another address make it no other token.
        let context = from_anywhere(7).captcha_token("token-1");
        let again = service.verifier.issue(to("+14155550199", context)).await;
        assert!(matches!(again, Err(IssueError::CaptchaFailed)), "{again:?}");
        assert_eq!(script.requests().len(), 1);
    }
}

#[tokio::test]
async fn one_token_in_many_hands_starts_once() {
    let script = (0..8).fold(ScriptedTransport::new(), |script, _| script.then(200, GOOD));
    for service in Service::everywhere(|builder| asking(builder, always(), &script)).await {
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let verifier = service.verifier.clone();
                let context = from_anywhere(number).captcha_token("token-1");
                let phone = format!("+1415555010{number}");
                tokio::spawn(async move { verifier.issue(to(&phone, context)).await.is_ok() })
            })
            .collect();
        let mut started = 0;
        for task in tasks {
            started += usize::from(task.await.unwrap());
        }
        assert_eq!(started, 1);
    }
}

#[tokio::test]
async fn a_token_of_another_host_or_a_made_up_one_is_refused() {
    let script = ScriptedTransport::new().then(200, ELSEWHERE).then(200, BAD);
    let service = Service::with(|builder| asking(builder, always(), &script));
    for token in ["token-1", "token-2"] {
        let answer = start(&service, showing(token)).await;
        assert!(
            matches!(answer, Err(IssueError::CaptchaFailed)),
            "{answer:?}"
        );
    }
    for no_token in ["", "with space", &"a".repeat(9_000)] {
        let answer = start(&service, showing(no_token)).await;
        assert!(
            matches!(answer, Err(IssueError::CaptchaRequired)),
            "{answer:?}"
        );
    }
    assert!(service.outbox.is_empty());
}

#[tokio::test]
async fn keeping_us_from_the_vendor_opens_no_door_that_policy_keeps_shut() {
    let away = || ScriptedTransport::new().then_not_connected();
    for (script, on_outage, opens) in [
        (away(), OnCaptchaOutage::Refuse, false),
        (away(), OnCaptchaOutage::Allow, true),
        (
            ScriptedTransport::new().then(502, GOOD),
            OnCaptchaOutage::Refuse,
            false,
        ),
        // What an operator must mend is no outage.
        (
            ScriptedTransport::new().then(200, ALARM),
            OnCaptchaOutage::Allow,
            false,
        ),
    ] {
        let policy = always().on_outage(on_outage);
        let service = Service::with(|builder| asking(builder, policy, &script));
        let answer = start(&service, showing("token-1")).await;
        match answer {
            Ok(()) => assert!(opens),
            Err(IssueError::Unavailable(_)) => assert!(!opens),
            other => panic!("{other:?}"),
        }
        assert_eq!(service.outbox.is_empty(), !opens);
        // Outage or not, no token is no captcha.
        let none = start(&service, here()).await;
        assert!(matches!(none, Err(IssueError::CaptchaRequired)), "{none:?}");
    }
}

#[tokio::test]
async fn a_vendor_that_never_answers_holds_nobody_for_ever() {
    let script = ScriptedTransport::new().then_hang();
    let service = Service::with(|builder| asking(builder, always(), &script));
    tokio::time::pause();
    let answer = start(&service, showing("token-1")).await;
    assert!(
        matches!(answer, Err(IssueError::Unavailable(_))),
        "{answer:?}"
    );
}

#[tokio::test]
async fn three_wrong_codes_ask_for_a_captcha_and_with_one_it_goes_on() {
    for service in Service::everywhere(|builder| {
        let script = ScriptedTransport::new().then(200, GOOD);
        asking(builder, after_three(), &script)
    })
    .await
    {
        let (id, code) = service.issue().await;
        for tried in 0..3 {
            // So far there were too few.
            let other = service.verifier.issue(to(OTHER, here())).await;
            assert!(other.is_ok(), "{tried}: {other:?}");
            let guess = service.verifier.verify(&id, wrong(&code), here()).await;
            assert!(matches!(guess, Err(VerifyError::Rejected)), "{guess:?}");
        }
        let asked = start(&service, here()).await;
        assert!(
            matches!(asked, Err(IssueError::CaptchaRequired)),
            "{asked:?}"
        );
        start(&service, showing("token-1")).await.unwrap();
        // One captcha is one start.
        let asked = start(&service, here()).await;
        assert!(
            matches!(asked, Err(IssueError::CaptchaRequired)),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn failures_follow_the_account_to_every_address_and_end_with_their_window() {
    let script = ScriptedTransport::new();
    for service in Service::everywhere(|builder| asking(builder, after_three(), &script)).await {
        let (id, code) = service.issue().await;
        for tried in 0..3 {
            let guess = service
                .verifier
                .verify(&id, wrong(&code), from_anywhere(tried))
                .await;
            assert!(matches!(guess, Err(VerifyError::Rejected)), "{guess:?}");
        }
        let asked = start(&service, from_anywhere(50)).await;
        assert!(
            matches!(asked, Err(IssueError::CaptchaRequired)),
            "{asked:?}"
        );
        let other = service.verifier.issue(to(OTHER, from_anywhere(50))).await;
        assert!(other.is_ok(), "another number is not concerned: {other:?}");
        service.advance(900);
        start(&service, from_anywhere(50)).await.unwrap();
    }
}

#[tokio::test]
async fn failures_at_many_numbers_ask_the_address_that_they_come_from() {
    let script = ScriptedTransport::new();
    for service in Service::everywhere(|builder| asking(builder, after_three(), &script)).await {
        for number in 0..3 {
            let phone = Destination::parse(&format!("+1415555016{number}"), None).unwrap();
            let claim = Claim::latest_to(&phone, "login");
            let guess = service.verifier.verify(claim, "00000000", here()).await;
            assert!(matches!(guess, Err(VerifyError::Rejected)), "{guess:?}");
        }
        let asked = start(&service, here()).await;
        assert!(
            matches!(asked, Err(IssueError::CaptchaRequired)),
            "{asked:?}"
        );
        start(&service, from_anywhere(1)).await.unwrap();
    }
}

#[tokio::test]
async fn an_address_that_has_failed_beyond_all_counting_still_counts_against_the_account() {
    let script = ScriptedTransport::new();
    let service = Service::with(|builder| asking(builder, after_three(), &script));
    for number in 0..20 {
        let phone = Destination::parse(&format!("+141555502{number:02}"), None).unwrap();
        let claim = Claim::latest_to(&phone, "login");
        drop(service.verifier.verify(claim, "00000000", here()).await);
    }
    let (id, code) = {
        let issued = service.verifier.issue(to(PHONE, from_anywhere(1))).await;
        (issued.unwrap().challenge_id, service.code(PHONE))
    };
    for _ in 0..3 {
        drop(service.verifier.verify(&id, wrong(&code), here()).await);
    }
    let asked = start(&service, from_anywhere(2)).await;
    assert!(
        matches!(asked, Err(IssueError::CaptchaRequired)),
        "{asked:?}"
    );
}

#[tokio::test]
async fn a_repeated_try_counts_as_the_one_failure_that_it_is() {
    let script = ScriptedTransport::new();
    let service = Service::with(|builder| asking(builder, after_three(), &script));
    let (id, code) = service.issue().await;
    for _ in 0..5 {
        let id_of_try = AttemptId::new("try-1").unwrap();
        let attempt = Attempt::new(wrong(&code)).with_id(id_of_try);
        let guess = service.verifier.verify(&id, attempt, here()).await;
        assert!(matches!(guess, Err(VerifyError::Rejected)), "{guess:?}");
    }
    start(&service, here()).await.unwrap();
}

#[tokio::test]
async fn a_decoy_is_asked_for_a_captcha_exactly_when_a_real_number_is() {
    for service in Service::everywhere(|builder| {
        let script = ScriptedTransport::new().then(200, GOOD).then(200, GOOD);
        asking(builder, after_three(), &script)
    })
    .await
    {
        let real = |context| to("+14155550122", context).dispatch(Dispatch::Background);
        let decoy = |context| {
            Issue::decoy("+14155550121", Channel::Sms)
                .for_purpose("login")
                .from(context)
                .dispatch(Dispatch::Background)
        };
        let mut ids = Vec::new();
        for issue in [real(from_anywhere(1)), decoy(from_anywhere(2))] {
            ids.push(service.verifier.issue(issue).await.unwrap().challenge_id);
        }
        for round in 0..4 {
            let mut answers = Vec::new();
            for (place, issue) in [
                (10 + round, real(from_anywhere(10 + round))),
                (20 + round, decoy(from_anywhere(20 + round))),
            ] {
                let id = &ids[answers.len()];
                let guess = service
                    .verifier
                    .verify(id, "00000000", from_anywhere(place))
                    .await;
                let guess = guess.map(drop).map_err(|error| error.to_string());
                let issued = service.verifier.issue(issue).await;
                let issued = issued.map(drop).map_err(|error| error.to_string());
                answers.push((guess, issued));
            }
            assert_eq!(answers[0], answers[1], "round {round}");
            let asked = answers[0].1 == Err("a captcha is required".to_owned());
            assert_eq!(asked, round >= 2, "round {round}: {answers:?}");
        }
        for (token, issue) in [
            ("token-1", real as fn(RequestContext) -> Issue),
            ("token-2", decoy),
        ] {
            let context = from_anywhere(99).captcha_token(token);
            service.verifier.issue(issue(context)).await.unwrap();
        }
    }
}

/// Says one thing to everybody, or nothing.
#[derive(Debug)]
enum Says {
    Verdict(CheckVerdict),
    Nothing(OnSilence),
    Panics(OnSilence),
}

#[otp_kit::async_trait]
impl Check for Says {
    fn name(&self) -> &str {
        "says"
    }

    fn terms(&self) -> CheckTerms {
        match self {
            Self::Verdict(_) => CheckTerms::advice(),
            Self::Nothing(silence) | Self::Panics(silence) => {
                CheckTerms::required().in_silence(*silence)
            }
        }
    }

    async fn judge(&self, _: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
        match self {
            Self::Verdict(verdict) => Ok(verdict.clone()),
            Self::Nothing(_) => Err(CheckError::unavailable("away")),
            Self::Panics(_) => panic!("a check of the host's"),
        }
    }
}

#[tokio::test]
async fn a_check_that_is_silent_or_panics_means_what_its_terms_say() {
    let advice = |says: fn(OnSilence) -> Says, silence| {
        let script = ScriptedTransport::new();
        let policy = CaptchaPolicy::on_advice();
        Service::with(|builder| asking(builder, policy, &script).check(says(silence)))
    };
    for says in [Says::Nothing, Says::Panics] as [fn(OnSilence) -> Says; 2] {
        start(&advice(says, OnSilence::Allow), here())
            .await
            .unwrap();
        let refused = start(&advice(says, OnSilence::Refuse), here()).await;
        assert!(
            matches!(refused, Err(IssueError::Unavailable(_))),
            "{refused:?}"
        );
        let asked = start(&advice(says, OnSilence::StepUp), here()).await;
        assert!(
            matches!(asked, Err(IssueError::CaptchaRequired)),
            "{asked:?}"
        );
    }
}

#[tokio::test]
async fn what_a_check_denies_no_captcha_opens() {
    let script = ScriptedTransport::new().then(200, GOOD);
    let deny = Says::Verdict(CheckVerdict::Deny("sim_swapped".into()));
    let service = Service::with(|builder| asking(builder, always(), &script).check(deny));
    let answer = start(&service, showing("token-1")).await;
    assert!(matches!(answer, Err(IssueError::Blocked)), "{answer:?}");
    assert!(script.requests().is_empty() && service.outbox.is_empty());
}

#[tokio::test]
async fn what_a_check_wants_proven_a_captcha_proves_for_starts_and_resends() {
    let script = ScriptedTransport::new().then(200, GOOD).then(200, GOOD);
    let step_up = || Says::Verdict(CheckVerdict::StepUp("bad_address".into()));
    let policy = CaptchaPolicy::on_advice();
    let service = Service::with(|builder| {
        asking(builder, policy, &script)
            .check(step_up())
            .lifetime(Channel::Sms, Duration::from_secs(600))
    });
    let asked = start(&service, here()).await;
    assert!(
        matches!(asked, Err(IssueError::CaptchaRequired)),
        "{asked:?}"
    );
    let issued = service.verifier.issue(to(PHONE, showing("token-1"))).await;
    let id = issued.unwrap().challenge_id;
    service.advance(60);
    let asked = service.verifier.resend(&id, here()).await;
    assert!(
        matches!(asked, Err(ResendError::CaptchaRequired)),
        "{asked:?}"
    );
    service.advance(120);
    let spent = service.verifier.resend(&id, showing("token-1")).await;
    assert!(
        matches!(spent, Err(ResendError::CaptchaFailed)),
        "{spent:?}"
    );
    service.advance(240);
    service
        .verifier
        .resend(&id, showing("token-2"))
        .await
        .unwrap();
    // Without anybody who checks captchas a step-up is a refusal.
    let service = Service::with(|builder| builder.check(step_up()));
    let refused = start(&service, showing("token-1")).await;
    assert!(matches!(refused, Err(IssueError::Blocked)), "{refused:?}");
}

#[tokio::test]
async fn a_policy_that_asks_for_captchas_needs_somebody_who_checks_them() {
    let service = Service::new();
    let policy = service
        .verifier
        .policy()
        .as_ref()
        .clone()
        .with_captcha(always());
    let refused = service.verifier.policies().replace(policy, act()).await;
    assert!(matches!(
        refused,
        Err(PolicyChangeError::Policy(PolicyError::NoCaptcha))
    ));
    start(&service, here()).await.unwrap();

    let store = otp_kit::store::MemoryStore::new();
    let built = Verifier::builder(store, KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::Sms, Route::primary(service.outbox.clone()))
        .limits(Limits::recommended())
        .captcha_policy(after_three())
        .build();
    assert!(matches!(
        built,
        Err(BuildError::Policy(PolicyError::NoCaptcha))
    ));
}

#[tokio::test]
async fn an_incident_turns_captchas_on_while_the_service_runs() {
    let script = ScriptedTransport::new().then(200, GOOD);
    let policy = CaptchaPolicy::on_advice();
    let service = Service::with(|builder| asking(builder, policy, &script));
    start(&service, here()).await.unwrap();
    let policy = service
        .verifier
        .policy()
        .as_ref()
        .clone()
        .with_captcha(always());
    let policies = service.verifier.policies();
    policies.replace(policy, act()).await.unwrap();
    let asked = start(&service, here()).await;
    assert!(
        matches!(asked, Err(IssueError::CaptchaRequired)),
        "{asked:?}"
    );
    start(&service, showing("token-1")).await.unwrap();
}
