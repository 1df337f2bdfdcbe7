//! A person signs in while the shared store is away.

use otp_core::delivery::Route;
use otp_core::destination::{Channel, Destination, PhoneNumber};
use otp_core::hash::CodeHasher;
use otp_core::key::KeyRing;
use otp_core::policy::{Limits, OutagePolicy};
use otp_core::random::OsRandom;
use otp_core::request::RequestContext;
use otp_core::testing::Outbox;
use otp_core::verifier::{Health, Issue, IssueError, Issued, Verifier, VerifyError};

use crate::fixture::{House, SHARE, settled};
use crate::switch::Mode;

struct Service {
    house: House,
    verifier: Verifier,
    outbox: Outbox,
    phone: PhoneNumber,
    context: RequestContext,
}

impl Service {
    fn new(policy: OutagePolicy) -> Self {
        let house = House::new(policy);
        let outbox = Outbox::new();
        let keys = KeyRing::generate(&OsRandom).expect("randomness");
        let verifier = Verifier::builder(house.store.clone(), keys)
            .route(Channel::Sms, Route::primary(outbox.clone()))
            .limits(Limits::recommended())
            .hasher(CodeHasher::keyed())
            .clock(house.clock.clone())
            .build()
            .expect("it builds");
        Self {
            house,
            verifier,
            outbox,
            phone: PhoneNumber::parse("+14155550123").expect("a number"),
            context: RequestContext::from_address("203.0.113.7".parse().expect("an address")),
        }
    }

    async fn issue(&self) -> Result<Issued, IssueError> {
        let issue = Issue::to(self.phone.clone()).for_purpose("login");
        self.verifier.issue(issue.from(&self.context)).await
    }

    async fn verify(&self, issued: &Issued, code: &str) -> Result<(), VerifyError> {
        let verified = self
            .verifier
            .verify(&issued.challenge_id, code, &self.context);
        verified.await.map(drop)
    }

    fn code(&self) -> String {
        let to = Destination::from(self.phone.clone());
        let code = self.outbox.last_code_for(&to).expect("a message");
        code.expose().to_owned()
    }

    /// A code of the right shape that was not sent.
    fn wrong(&self) -> String {
        let mut code: Vec<char> = self.code().chars().collect();
        let other = code.iter().copied().find(|one| *one != code[0]);
        // All the same: any other digit.
        code[0] = other.unwrap_or(if code[0] == '2' { '3' } else { '2' });
        code.into_iter().collect()
    }
}

#[tokio::test]
async fn a_person_signs_in_during_an_outage_and_the_budget_knows_of_the_guesses_after_it() {
    let service = Service::new(OutagePolicy::memory());
    let above = service.issue().await.expect("it is issued");
    let code_above = service.code();
    service.house.cut().await;
    assert!(matches!(
        service.verifier.status().await.store,
        Health::Degraded(_)
    ));
    let refused = service.verify(&above, &code_above).await;
    assert!(
        matches!(refused, Err(VerifyError::Unavailable(_))),
        "{refused:?}"
    );

    let issued = service.issue().await.expect("memory issues");
    let code = service.code();
    let refused = service.verify(&issued, &service.wrong()).await;
    assert!(matches!(refused, Err(VerifyError::Rejected)), "{refused:?}");
    service.verify(&issued, &code).await.expect("memory checks");
    let again = service.verify(&issued, &code).await;
    assert!(
        matches!(again, Err(VerifyError::Rejected)),
        "once: {again:?}"
    );

    service.house.mend().await;
    assert_eq!(service.verifier.status().await.store, Health::Up);
    service
        .verify(&above, &code_above)
        .await
        .expect("above decides again");
    let again = service.verify(&issued, &code).await;
    assert!(
        matches!(again, Err(VerifyError::Rejected)),
        "for ever: {again:?}"
    );
}

#[tokio::test]
async fn whoever_guesses_in_an_outage_has_so_many_guesses_less_after_it() {
    let service = Service::new(OutagePolicy::memory());
    service.house.cut().await;
    let issued = service.issue().await.expect("memory issues");
    let mut rejected = 0;
    for _ in 0..10 {
        match service.verify(&issued, &service.wrong()).await {
            Err(VerifyError::Rejected) => rejected += 1,
            Err(VerifyError::Locked(_)) => {}
            other => panic!("neither wrong nor locked: {other:?}"),
        }
    }
    assert_eq!(rejected, SHARE);
    service.house.mend().await;
    for _ in 0..3 {
        let issued = service.issue().await.expect("above issues");
        service
            .house
            .clock
            .advance(std::time::Duration::from_secs(600));
        let issued_anew = service.issue().await.expect("above issues");
        assert_ne!(issued.challenge_id, issued_anew.challenge_id);
        for _ in 0..4 {
            if let Err(VerifyError::Rejected) = service.verify(&issued_anew, &service.wrong()).await
            {
                rejected += 1;
            }
        }
        service
            .house
            .clock
            .advance(std::time::Duration::from_secs(3_600));
    }
    assert_eq!(rejected, 16, "one budget, beneath and above");
    let locked = service.issue().await;
    assert!(matches!(locked, Err(IssueError::Locked(_))), "{locked:?}");
}

#[tokio::test]
async fn nothing_is_sent_while_a_closed_store_is_away() {
    let service = Service::new(OutagePolicy::closed());
    service.house.primary.turn(crate::switch::DOWN);
    for _ in 0..100 {
        let refused = service.issue().await;
        assert!(
            matches!(refused, Err(IssueError::Unavailable(_))),
            "{refused:?}"
        );
    }
    assert!(service.outbox.is_empty());
    service.house.primary.turn(Mode::Up);
    service.house.let_it_notice().await;
    service.issue().await.expect("it comes back by itself");
    assert_eq!(service.outbox.len(), 1);
}

#[tokio::test]
async fn a_start_whose_admission_was_lost_is_sent_when_it_is_repeated() {
    let service = Service::new(OutagePolicy::closed());
    let issue = || {
        Issue::to(service.phone.clone())
            .for_purpose("login")
            .idempotency_key("request-1")
            .from(&service.context)
    };
    service.house.primary.turn_only("admit", Mode::Lost);
    let first = service.verifier.issue(issue()).await;
    assert!(
        matches!(first, Err(IssueError::Unavailable(_))),
        "{first:?}"
    );
    service.house.primary.turn(Mode::Up);
    settled().await;
    let second = service.verifier.issue(issue()).await;
    let to = Destination::from(service.phone.clone());
    let sent = service.outbox.last_code_for(&to).is_some();
    assert!(second.is_err() || sent, "answered and not sent: {second:?}");
}
