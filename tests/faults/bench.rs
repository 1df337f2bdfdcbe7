//! A service as a host would build it, and people who use it.

use std::time::Duration;

use otp_kit::challenge::{Challenge, ChallengeId};
use otp_kit::delivery::DeliveryProvider;
use otp_kit::destination::EmailAddress;
use otp_kit::prelude::*;
use otp_kit::quota::{Quota, Scope};
use otp_kit::request::AttemptId;
use otp_kit::store::Store;
use otp_kit::testing::Outbox;
use otp_kit::verifier::Verified;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};

/// A verifier and what it sent.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) verifier: Verifier,
    pub(crate) outbox: Outbox,
}

impl Service {
    pub(crate) fn on(store: impl Store) -> Self {
        let outbox = Outbox::new();
        Self {
            verifier: Self::sending(store, outbox.clone()).verifier,
            outbox,
        }
    }

    /// Sends by another provider; the outbox stays empty.
    pub(crate) fn sending(store: impl Store, provider: impl DeliveryProvider) -> Self {
        let verifier = Verifier::builder(store, keys())
            .route(Channel::Email, Route::primary(provider))
            .limits(limits())
            .hasher(CodeHasher::keyed())
            .build();
        Self {
            verifier: verifier.expect("a verifier"),
            outbox: Outbox::new(),
        }
    }

    pub(crate) async fn start(&self, person: u32) -> Result<ChallengeId, IssueError> {
        let issue = Issue::to(address(person)).for_purpose("mfa").from(here());
        let issued = self.verifier.issue(issue).await?;
        Ok(issued.challenge_id)
    }

    /// Issues a code and reads it in the person's mail.
    pub(crate) async fn issue(&self, person: u32) -> (ChallengeId, String) {
        let id = self.start(person).await.expect("a challenge");
        (id, self.code(person))
    }

    pub(crate) fn code(&self, person: u32) -> String {
        let code = self.outbox.last_code_for(&address(person).into());
        code.expect("a message").expose().to_owned()
    }

    pub(crate) async fn verify(
        &self,
        id: &ChallengeId,
        typed: &str,
        attempt: &str,
    ) -> Result<Verified, VerifyError> {
        let attempt = Attempt::new(typed).with_id(AttemptId::new(attempt).expect("an id"));
        self.verifier.verify(id, attempt, here()).await
    }

    /// Tries until there is an answer, as a client does whose replies are lost.
    pub(crate) async fn insist(
        &self,
        id: &ChallengeId,
        typed: &str,
        attempt: &str,
    ) -> Result<Verified, VerifyError> {
        let started = Instant::now();
        let mut pace = pace();
        loop {
            match self.verify(id, typed, attempt).await {
                Err(VerifyError::Unavailable(_)) if started.elapsed() < PATIENCE => {
                    pace.tick().await;
                }
                answer => return answer,
            }
        }
    }

    /// Reads a challenge, when what its store still has to do is done.
    pub(crate) async fn find(&self, id: &ChallengeId) -> Challenge {
        let started = Instant::now();
        loop {
            match self.verifier.store().find(id).await {
                Ok(found) => return found.expect("a challenge"),
                Err(error) => assert!(started.elapsed() < PATIENCE, "{error:?}"),
            }
        }
    }

    /// Waits until a whole sign-in works again by itself.
    pub(crate) async fn recovers(&self, person: u32) {
        let started = Instant::now();
        let mut pace = pace();
        let id = loop {
            match self.start(person).await {
                Ok(id) => break id,
                Err(IssueError::Unavailable(_)) if started.elapsed() < PATIENCE => {
                    pace.tick().await;
                }
                Err(error) => panic!("{error:?}"),
            }
        };
        let code = self.code(person);
        let verified = self.insist(&id, &code, "after").await;
        assert!(verified.is_ok(), "{verified:?}");
    }
}

/// How often anybody asks at the most.
fn pace() -> Interval {
    let mut pace = interval(Duration::from_millis(20));
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pace
}

/// How long anybody tries.
const PATIENCE: Duration = Duration::from_secs(30);

/// The library's limits, with room for a storm from one address.
fn limits() -> Limits {
    let storm = Quota::rate(1_000_000, Duration::from_secs(3_600)).expect("a quota");
    Limits::recommended()
        .without(Scope::Address)
        .on_issue(Scope::Address, storm)
        .on_resend(Scope::Address, storm)
        .on_verify(Scope::Address, storm)
}

/// Every service of a test reads the others' codes.
fn keys() -> KeyRing {
    use otp_kit::key::{Key, KeyId};
    use otp_kit::secret::SecretBytes;

    let secret = SecretBytes::new((1..=32).collect());
    let key = Key::new(KeyId::new("k1").expect("an id"), &secret);
    KeyRing::new(key.expect("a key"))
}

fn address(person: u32) -> EmailAddress {
    EmailAddress::parse(&format!("person-{person}@example.org")).expect("an address")
}

pub(crate) fn here() -> RequestContext {
    RequestContext::from_address("203.0.113.7".parse().expect("an address"))
}

/// A code of the same shape that is not this one.
pub(crate) fn wrong(code: &str) -> String {
    let flip = if code.starts_with('0') { "1" } else { "0" };
    format!("{flip}{}", &code[1..])
}

/// Reads how much of something a test is to do.
pub(crate) fn figure(name: &str, default: u32) -> u32 {
    let asked = std::env::var(name).ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(default)
}
