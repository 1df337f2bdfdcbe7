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

/// A corner of a server or of a cluster for one test, and its clock. What is in it goes with it.
pub(crate) struct Place {
    pub(crate) clock: ManualClock,
    pub(crate) prefix: String,
    urls: Vec<String>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::at(vec![Self::url()])
    }

    /// A corner of the cluster whose nodes are named.
    pub(crate) fn in_cluster() -> Self {
        let urls = std::env::var("TEST_REDIS_CLUSTER_URLS");
        let urls = urls.expect("TEST_REDIS_CLUSTER_URLS names the nodes of a cluster for tests");
        Self::at(urls.split(',').map(str::to_owned).collect())
    }

    fn at(urls: Vec<String>) -> Self {
        let mut bytes = [0_u8; 8];
        OsRandom.fill(&mut bytes).expect("randomness");
        Self {
            clock: ManualClock::default(),
            prefix: format!("test{:016x}", u64::from_be_bytes(bytes)),
            urls,
        }
    }

    fn url() -> String {
        std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL names a server for tests")
    }

    pub(crate) fn options(&self) -> RedisOptions {
        let urls: Vec<&str> = self.urls.iter().map(String::as_str).collect();
        let options = match urls[..] {
            [url] => RedisOptions::new(url),
            _ => RedisOptions::cluster(&urls),
        };
        options
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
        plain(&Self::url())
    }

    /// A plain connection to each server that the corner is in.
    pub(crate) fn raws(&self) -> Vec<redis::Connection> {
        self.urls.iter().map(|url| plain(url)).collect()
    }

    /// Lists what begins so.
    pub(crate) fn keys(&self, what: &str) -> Vec<String> {
        let pattern = format!("{}{what}*", self.prefix);
        let mut keys = Vec::new();
        for mut raw in self.raws() {
            let found: Vec<String> = redis::cmd("KEYS")
                .arg(&pattern)
                .query(&mut raw)
                .expect("keys");
            keys.extend(found);
        }
        keys
    }

    /// Deletes by hand what begins so, and answers how much.
    pub(crate) fn delete(&self, what: &str) -> usize {
        let pattern = format!("{}{what}*", self.prefix);
        let mut deleted = 0;
        for mut raw in self.raws() {
            let keys: Vec<String> = redis::cmd("KEYS")
                .arg(&pattern)
                .query(&mut raw)
                .expect("keys");
            for key in &keys {
                let _: () = redis::cmd("DEL").arg(key).query(&mut raw).expect("deleted");
            }
            deleted += keys.len();
        }
        deleted
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.delete("");
        }
    }
}

fn plain(url: &str) -> redis::Connection {
    let client = redis::Client::open(url).expect("a URL");
    client.get_connection().expect("a server")
}

/// Opens a store on a server of a test's own.
pub(crate) async fn connected(url: &str) -> RedisStore {
    let options = RedisOptions::new(url).deadline(Duration::from_secs(5));
    RedisStore::with_options(options)
        .await
        .expect("it connects")
}

/// Asks until it is so, for a while.
pub(crate) async fn until(mut it_is: impl AsyncFnMut() -> bool) {
    let waiting = tokio::time::timeout(Duration::from_secs(60), async {
        while !it_is().await {
            tokio::task::yield_now().await;
        }
    });
    waiting.await.expect("it comes to be");
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
    store
        .insert(Insert {
            challenge,
            delivery: None,
            event,
        })
        .await
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
