//! A verifier on a store, with nothing slow of its own: a keyed digest, a provider that keeps the
//! codes in memory, and limits that a bench does not meet.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use otp_kit::delivery::{DeliveryError, DeliveryProvider, Message, Receipt};
use otp_kit::event::{Event, Observer};
use otp_kit::prelude::*;
use otp_kit::quota::{Quota, QuotaClaim, QuotaKey, QuotaReading, Scope};
use otp_kit::store::{QuotaStore, Store};

use crate::contest::crowd;

/// A service and the codes that it has sent.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    verifier: Verifier,
    codes: Codes,
    quotas: Arc<dyn QuotaStore>,
}

/// The codes by their destinations.
#[derive(Clone, Debug, Default)]
struct Codes(Arc<Mutex<HashMap<String, String>>>);

#[async_trait]
impl DeliveryProvider for Codes {
    fn name(&self) -> &str {
        "pocket"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = message.destination().canonical().to_owned();
        let code = message.code().expose().to_owned();
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.insert(to, code);
        Ok(Receipt::accepted("pocket"))
    }
}

#[derive(Debug)]
struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Event) {}
}

/// What is measured: a half of a sign-in, or a limit by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Issue,
    Verify,
    Quota,
}

impl Part {
    pub(crate) const ALL: [Self; 3] = [Self::Issue, Self::Verify, Self::Quota];
    /// How many steps of a store all parts are together.
    pub(crate) const STEPS: usize = 6;

    /// How often it asks a store: an issue twice before its message is sent, and once to note the
    /// sending.
    pub(crate) fn steps(self) -> usize {
        match self {
            Self::Issue => 3,
            Self::Verify => 2,
            Self::Quota => 1,
        }
    }

    /// Where its steps are among those of all parts.
    pub(crate) fn places(self) -> Range<usize> {
        let before = Self::ALL.iter().take_while(|part| **part != self);
        let first = before.map(|part| part.steps()).sum();
        first..first + self.steps()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issue => "issue",
            Self::Verify => "verify",
            Self::Quota => "quota",
        })
    }
}

/// A challenge that waits for its code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    id: ChallengeId,
    person: u64,
}

impl Service {
    pub(crate) fn on(store: impl Store + Clone) -> Self {
        let quotas = Arc::new(store.clone());
        let room = Quota::rate(1_000_000, Duration::from_secs(100)).expect("a quota");
        let limits = Limits::recommended()
            .without(Scope::Address)
            .on_issue(Scope::Address, room)
            .on_resend(Scope::Address, room)
            .on_verify(Scope::Address, room);
        let codes = Codes::default();
        let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom).expect("randomness"))
            .route(Channel::Email, Route::primary(codes.clone()))
            .limits(limits)
            .hasher(CodeHasher::keyed())
            .observer(Silent)
            .build()
            .expect("a verifier");
        Self {
            verifier,
            codes,
            quotas,
        }
    }

    /// Charges an exact window of somebody new.
    pub(crate) async fn charge(&self) {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = NEXT.fetch_add(1, Ordering::Relaxed).to_string();
        let key = QuotaKey::new("bench", Scope::Subject, "default", &name);
        let quota = Quota::window(10, Duration::from_secs(100)).expect("a quota");
        let claim = QuotaClaim { key, quota };
        let read = self.quotas.check_all(&[claim]).await.expect("an answer");
        assert_eq!(read.first().map(QuotaReading::remaining), Some(9));
    }

    /// Does each part once, one after the other.
    pub(crate) async fn each(&self) {
        self.verify(self.issue().await).await;
        self.charge().await;
    }

    /// Issues a code to a new person.
    pub(crate) async fn issue(&self) -> Waiting {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let person = NEXT.fetch_add(1, Ordering::Relaxed);
        let to = EmailAddress::parse(&address(person)).expect("an address");
        let issue = Issue::to(to).for_purpose("mfa").from(here(person));
        let issued = self.verifier.issue(issue).await.expect("a challenge");
        Waiting {
            id: issued.challenge_id,
            person,
        }
    }

    /// Types the code that was sent.
    pub(crate) async fn verify(&self, waiting: Waiting) {
        let Waiting { id, person } = waiting;
        let code = {
            let mut codes = self.codes.0.lock().unwrap_or_else(PoisonError::into_inner);
            codes.remove(&address(person)).expect("a message")
        };
        let verified = self.verifier.verify(&id, code, here(person)).await;
        verified.map(drop).expect("it is right");
    }

    /// Does a part so many times, by so many callers at once, and says how long it took.
    pub(crate) async fn play(&self, part: Part, callers: usize, calls: usize) -> Duration {
        if part == Part::Quota {
            let service = self.clone();
            let charge = move |_| {
                let service = service.clone();
                async move { service.charge().await }
            };
            return crowd(callers, calls, charge).await;
        }
        let issued = Arc::new(Mutex::new(Vec::with_capacity(calls)));
        let (service, list) = (self.clone(), Arc::clone(&issued));
        let issue = move |_| {
            let (service, list) = (service.clone(), Arc::clone(&list));
            async move {
                let waiting = service.issue().await;
                list.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(waiting);
            }
        };
        let issues = crowd(callers, calls, issue).await;
        if part == Part::Issue {
            return issues;
        }
        let service = self.clone();
        let verify = move |_| {
            let (service, issued) = (service.clone(), Arc::clone(&issued));
            async move {
                let next = issued.lock().unwrap_or_else(PoisonError::into_inner).pop();
                service.verify(next.expect("one each")).await;
            }
        };
        crowd(callers, calls, verify).await
    }
}

fn address(person: u64) -> String {
    format!("person-{person}@example.org")
}

/// Everybody comes from a place of their own, as in life.
fn here(person: u64) -> RequestContext {
    let host = u32::try_from(person % 16_000_000).expect("in range");
    RequestContext::from_address(std::net::Ipv4Addr::from_bits(0x0a00_0000 | host).into())
}
