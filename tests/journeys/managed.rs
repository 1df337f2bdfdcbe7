//! Codes that a vendor makes, sends and checks.

use std::time::Duration;

use otp_kit::challenge::CodeFormat;
use otp_kit::delivery::{DeliveryErrorKind, DispatchCertainty, InvalidRoute};
use otp_kit::event::Act;
use otp_kit::policy::{Level, Policy, PolicyError};
use otp_kit::prelude::*;
use otp_kit::request::AttemptId;
use otp_kit::store::MemoryStore;
use otp_kit::testing::{Behaviour, StandInVerification};
use otp_kit::verifier::{Attempt, BuildError, IssueError, PolicyChangeError, ResendError};

use crate::support::{PHONE, Service, here, wrong};

const DOWN: Behaviour = Behaviour::Refuse(DeliveryErrorKind::Unavailable);

fn phone() -> Destination {
    PhoneNumber::parse(PHONE).unwrap().into()
}

fn start() -> Issue {
    Issue::to(phone()).for_purpose("login").from(here())
}

/// A service whose text messages are a vendor's, with our own messages behind it.
struct Bench {
    service: Service,
    vendor: StandInVerification,
}

impl Bench {
    fn new() -> Self {
        Self::with(|route, _| route)
    }

    fn with_backup() -> Self {
        Self::with(|route, outbox| route.backup(outbox.clone()))
    }

    fn with(configure: impl FnOnce(Route, &otp_kit::testing::Outbox) -> Route) -> Self {
        let vendor = StandInVerification::new("acme-verify");
        let outbox = otp_kit::testing::Outbox::new();
        let route = configure(Route::managed(vendor.clone()), &outbox);
        let mut service = Service::with(|builder| builder.route(Channel::Sms, route));
        service.outbox = outbox;
        Self { service, vendor }
    }

    async fn issue(&self) -> Result<ChallengeId, IssueError> {
        let issued = self.service.verifier.issue(start()).await?;
        Ok(issued.challenge_id)
    }

    fn code(&self) -> String {
        let code = self.vendor.last_code_for(&phone());
        code.expect("a code was sent").expose().to_owned()
    }

    async fn verify(
        &self,
        id: &ChallengeId,
        attempt: impl Into<Attempt>,
    ) -> Result<Verified, VerifyError> {
        self.service.verifier.verify(id, attempt, here()).await
    }

    async fn attempts(&self, id: &ChallengeId) -> u32 {
        let found = self.service.verifier.store().find(id).await;
        found.unwrap().unwrap().attempts
    }
}

#[tokio::test]
async fn what_the_vendor_approves_is_one_sign_in() {
    let bench = Bench::new();
    let id = bench.issue().await.unwrap();
    let code = bench.code();
    let refused = bench.verify(&id, wrong(&code)).await;
    assert!(matches!(refused, Err(VerifyError::Rejected)));
    let verified = bench.verify(&id, &code).await.unwrap();
    assert_eq!(verified.destination(), &phone());
    assert_eq!(verified.channel(), Channel::Sms);
    let again = bench.verify(&id, &code).await;
    assert!(matches!(again, Err(VerifyError::Rejected)));
    assert_eq!(
        bench.vendor.checks(),
        2,
        "what is over is asked about no more"
    );
}

#[tokio::test]
async fn a_vendor_that_says_nothing_is_no_success_and_the_guess_stays_counted() {
    for behaviour in [
        DOWN,
        Behaviour::Hang,
        Behaviour::Lose,
        Behaviour::Panic,
        Behaviour::Throttle(Duration::from_secs(1)),
        Behaviour::Refuse(DeliveryErrorKind::Unauthorized),
        Behaviour::Refuse(DeliveryErrorKind::Protocol),
    ] {
        let bench = Bench::new();
        let id = bench.issue().await.unwrap();
        let code = bench.code();
        bench.vendor.set_checks(behaviour);
        tokio::time::pause();
        let answer = bench.verify(&id, &code).await;
        tokio::time::resume();
        assert!(
            matches!(answer, Err(VerifyError::Unavailable(_))),
            "{behaviour:?}: {answer:?}"
        );
        assert_eq!(bench.attempts(&id).await, 1, "{behaviour:?}");
        bench.vendor.set_checks(Behaviour::Accept);
        assert!(bench.verify(&id, &code).await.is_ok(), "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_repeated_attempt_gets_its_answer_and_asks_nobody() {
    let bench = Bench::new();
    let id = bench.issue().await.unwrap();
    let code = bench.code();
    let named = |code: &str, name: &str| Attempt::new(code).with_id(AttemptId::new(name).unwrap());
    let bad = wrong(&code);
    for _ in 0..3 {
        let answer = bench.verify(&id, named(&bad, "first")).await;
        assert!(matches!(answer, Err(VerifyError::Rejected)));
    }
    assert_eq!((bench.vendor.checks(), bench.attempts(&id).await), (1, 1));
    let won = bench.verify(&id, named(&code, "second")).await.unwrap();
    assert!(!won.is_repeated());
    let repeated = bench.verify(&id, named(&code, "second")).await.unwrap();
    assert!(repeated.is_repeated());
    assert_eq!((bench.vendor.checks(), bench.attempts(&id).await), (2, 2));
}

#[tokio::test]
async fn what_is_over_at_the_vendor_is_answered_as_a_wrong_code_is() {
    let bench = Bench::new();
    let id = bench.issue().await.unwrap();
    bench.vendor.expire_all();
    let answer = bench.verify(&id, bench.code()).await;
    assert!(matches!(answer, Err(VerifyError::Rejected)));
    let protected = Behaviour::Refuse(DeliveryErrorKind::Protected);
    bench.vendor.set_checks(protected);
    let answer = bench.verify(&id, bench.code()).await;
    assert!(matches!(answer, Err(VerifyError::Rejected)));
}

#[tokio::test]
async fn what_the_vendor_surely_did_not_start_a_backup_carries_with_a_code_of_ours() {
    let bench = Bench::with_backup();
    bench.vendor.set_starts(DOWN);
    let id = bench.issue().await.unwrap();
    let code = bench.service.code(PHONE);
    assert_eq!(code.len(), 6, "the challenge keeps the vendor's shape");
    assert!(bench.verify(&id, &code).await.is_ok());
    assert_eq!(bench.vendor.checks(), 0);
}

#[tokio::test]
async fn what_the_vendor_may_have_started_goes_to_nobody_else() {
    let bench = Bench::with_backup();
    bench.vendor.set_starts(Behaviour::Cut);
    let answer = bench.issue().await;
    let Err(IssueError::NotSent(not_sent)) = answer else {
        panic!("{answer:?}");
    };
    assert_eq!(not_sent.certainty(), DispatchCertainty::Unknown);
    assert!(bench.service.outbox.last_code_for(&phone()).is_none());
    // Its reference is not known, so its code proves nothing here.
    let id = not_sent.issued().challenge_id;
    let answer = bench.verify(&id, bench.code()).await;
    assert!(matches!(answer, Err(VerifyError::Rejected)));
}

#[tokio::test]
async fn a_refusal_that_protects_ends_the_route() {
    let bench = Bench::with_backup();
    let protected = Behaviour::Refuse(DeliveryErrorKind::Protected);
    bench.vendor.set_starts(protected);
    assert!(matches!(bench.issue().await, Err(IssueError::NotSent(_))));
    assert!(bench.service.outbox.last_code_for(&phone()).is_none());
}

#[tokio::test]
async fn a_resend_is_the_vendors_own_code_again_with_the_guesses_that_are_left() {
    let bench = Bench::new();
    let id = bench.issue().await.unwrap();
    let code = bench.code();
    let refused = bench.verify(&id, wrong(&code)).await;
    assert!(refused.is_err());
    bench.service.advance(60);
    bench.service.verifier.resend(&id, here()).await.unwrap();
    assert_eq!((bench.code(), bench.vendor.starts()), (code.clone(), 2));
    assert_eq!(bench.attempts(&id).await, 1);
    assert!(bench.verify(&id, &code).await.is_ok());
}

#[tokio::test]
async fn a_resend_that_fails_leaves_the_code_that_was_sent() {
    for behaviour in [DOWN, Behaviour::Lose, Behaviour::Cut] {
        let bench = Bench::new();
        let id = bench.issue().await.unwrap();
        bench.service.advance(60);
        bench.vendor.set_starts(behaviour);
        let answer = bench.service.verifier.resend(&id, here()).await;
        assert!(matches!(answer, Err(ResendError::NotSent(_))));
        assert!(bench.verify(&id, bench.code()).await.is_ok());
    }
}

#[tokio::test]
async fn a_resend_through_the_backup_makes_the_vendors_code_worthless() {
    let bench = Bench::with_backup();
    let id = bench.issue().await.unwrap();
    bench.service.advance(60);
    bench.vendor.set_starts(DOWN);
    bench.service.verifier.resend(&id, here()).await.unwrap();
    let theirs = bench.verify(&id, bench.code()).await;
    assert!(matches!(theirs, Err(VerifyError::Rejected)));
    assert!(bench.verify(&id, bench.service.code(PHONE)).await.is_ok());
}

#[tokio::test]
async fn a_new_challenge_takes_the_place_of_the_verification_before() {
    let bench = Bench::new();
    let first = bench.issue().await.unwrap();
    let old = bench.code();
    bench.service.advance(60);
    let second = bench.issue().await.unwrap();
    assert_eq!(bench.vendor.pending(), 1);
    for id in [first, second] {
        assert!(bench.verify(&id, &old).await.is_err());
    }
    assert!(bench.verify(&second, bench.code()).await.is_ok());
}

#[tokio::test]
async fn a_cancelled_challenge_is_cancelled_at_the_vendor() {
    let bench = Bench::new();
    let id = bench.issue().await.unwrap();
    let code = bench.code();
    let (verifier, tenant) = (&bench.service.verifier, Tenant::default());
    verifier.cancel(&tenant, &id, here()).await.unwrap();
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((bench.vendor.cancels(), bench.vendor.pending()), (1, 0));
    let answer = bench.verify(&id, &code).await;
    assert!(matches!(answer, Err(VerifyError::Rejected)));
    assert_eq!(bench.vendor.checks(), 0);
}

#[tokio::test]
async fn a_code_is_checked_though_its_channel_was_switched_off_and_not_without_its_vendor() {
    let bench = Bench::new();
    let id = bench.issue().await.unwrap();
    let routes = bench.service.verifier.routes();
    let ours = Route::primary(bench.service.outbox.clone());
    routes.replace(Channel::Sms, ours).unwrap();
    let answer = bench.verify(&id, bench.code()).await;
    assert!(matches!(answer, Err(VerifyError::Unavailable(_))));
    let theirs = Route::managed(bench.vendor.clone());
    routes.replace(Channel::Sms, theirs).unwrap();
    routes.disable(Channel::Sms).unwrap();
    assert!(bench.verify(&id, bench.code()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn the_code_that_was_sent_works_while_the_vendor_sends_it_again() {
    let bench = Bench::new();
    let id = bench.issue().await.unwrap();
    let code = bench.code();
    bench.service.advance(60);
    bench
        .vendor
        .set_starts(Behaviour::Slow(Duration::from_secs(2)));
    let verifier = &bench.service.verifier;
    let typed = async {
        tokio::time::advance(Duration::from_secs(1)).await;
        bench.verify(&id, &code).await
    };
    let (_, verified) = tokio::join!(verifier.resend(&id, here()), typed);
    assert!(verified.is_ok());
}

/// The recommended policy at the highest level, with eight digits wherever we make the code.
fn high() -> Policy {
    let policy = Policy::new(Limits::recommended().with_level(Level::High));
    let names: Vec<Purpose> = policy
        .purposes()
        .iter()
        .map(|(one, _)| one.clone())
        .collect();
    names.into_iter().fold(policy, |policy, purpose| {
        policy.with_purpose(purpose, CodeFormat::EIGHT_DIGITS)
    })
}

#[tokio::test]
async fn six_digits_of_a_vendor_do_not_pass_for_a_level_that_needs_eight() {
    let vendor = || StandInVerification::new("acme-verify");
    let builder = || {
        let keys = KeyRing::generate(&OsRandom).unwrap();
        Verifier::builder(MemoryStore::new(), keys)
    };
    let managed = Route::managed(vendor());
    let built = builder()
        .policy(high())
        .route(Channel::Sms, managed)
        .build();
    let Err(BuildError::Policy(PolicyError::VendorMissesLevel { provider, .. })) = built else {
        panic!("{built:?}");
    };
    assert_eq!(provider, "acme-verify");

    // Neither a policy that comes later nor a route that does.
    let managed = Route::managed(vendor());
    let built = builder()
        .limits(Limits::recommended())
        .route(Channel::Sms, managed);
    let verifier = built.build().unwrap();
    let act = Act::new("alice", "an audit").unwrap();
    let refused = verifier.policies().replace(high(), act).await;
    let why = PolicyError::VendorMissesLevel {
        provider,
        level: Level::High,
        bound: 7.8e-4,
    };
    assert!(
        matches!(&refused, Err(PolicyChangeError::Policy(error)) if error.to_string() == why.to_string()),
        "{refused:?}"
    );
    let ours = Route::primary(otp_kit::testing::Outbox::new());
    let verifier = builder()
        .policy(high())
        .route(Channel::Sms, ours)
        .build()
        .unwrap();
    let replaced = verifier
        .routes()
        .replace(Channel::Sms, Route::managed(vendor()));
    assert!(
        matches!(replaced, Err(InvalidRoute::EasyCodes { .. })),
        "{replaced:?}"
    );
}
