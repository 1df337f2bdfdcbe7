use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Challenge, ChallengeId};
use otp_core::clock::ManualClock;
use otp_core::event::EventKind;
use otp_core::random::{OsRandom, SecureRandom as _};
use otp_core::store::{
    Admission, BudgetStore as _, ChallengeStore as _, Granted, Insert, StoreError, Target,
};
use otp_core::testing::store::kit;
use otp_store::RedisStore;
use otp_store::redis::RedisOptions;

/// A corner of a server for one test, and its clock. What is in it goes with it.
pub(crate) struct Place {
    pub(crate) clock: ManualClock,
    pub(crate) prefix: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let mut bytes = [0_u8; 8];
        OsRandom.fill(&mut bytes).expect("randomness");
        Self {
            clock: ManualClock::default(),
            prefix: format!("test{:016x}", u64::from_be_bytes(bytes)),
        }
    }

    pub(crate) fn url() -> String {
        std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL names a server for tests")
    }

    pub(crate) fn options(&self) -> RedisOptions {
        RedisOptions::new(&Self::url())
            .prefix(&self.prefix)
            .deadline(Duration::from_secs(60))
            .clock(Arc::new(self.clock.clone()))
    }

    pub(crate) async fn open(&self) -> RedisStore {
        let store = RedisStore::with_options(self.options()).await;
        store.expect("it connects")
    }

    /// A plain connection to the same server.
    pub(crate) fn raw() -> redis::Connection {
        let client = redis::Client::open(Self::url()).expect("a URL");
        client.get_connection().expect("a server")
    }

    /// Deletes by hand what begins so, and answers how much.
    pub(crate) fn delete(&self, what: &str) -> usize {
        let mut raw = Self::raw();
        let pattern = format!("{}{what}*", self.prefix);
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(pattern)
            .query(&mut raw)
            .expect("keys");
        for key in &keys {
            let _: () = redis::cmd("DEL").arg(key).query(&mut raw).expect("deleted");
        }
        keys.len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.delete("");
        }
    }
}

/// Puts the kit's challenge for a subject.
pub(crate) async fn issued(store: &RedisStore, subject: &str) -> Challenge {
    let now = store.ping().await.expect("the time");
    let challenge = kit::challenge(subject, now);
    insert(store, &challenge).await.expect("room");
    challenge
}

pub(crate) async fn insert(store: &RedisStore, challenge: &Challenge) -> Result<(), StoreError> {
    let event = kit::event(EventKind::ChallengeIssued).of_challenge(challenge);
    let challenge = challenge.clone();
    store.insert(Insert { challenge, event }).await
}

pub(crate) async fn attempt(
    store: &RedisStore,
    id: ChallengeId,
    by: Option<&str>,
) -> Result<Admission, StoreError> {
    let claim = match by {
        Some(by) => kit::named_claim(by, 1),
        None => kit::attempt_claim(),
    };
    store.admit(&kit::attempt_plan(Target::Id(id), claim)).await
}

pub(crate) fn outcome(admission: &Admission) -> Option<AttemptOutcome> {
    match &admission.granted {
        Some(Granted::Attempt(outcome, _)) => Some(*outcome),
        _ => None,
    }
}

pub(crate) async fn guesses(store: &RedisStore, challenge: &Challenge) -> usize {
    let rules = otp_core::quota::BudgetRules::out_of_band();
    let reading = store.budget(&kit::budget_key(challenge), &rules).await;
    reading.expect("an answer").budget.guesses.len()
}
