use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Challenge, ConsumeOutcome};
use otp_core::clock::ManualClock;
use otp_core::event::EventKind;
use otp_core::policy::OutagePolicy;
use otp_core::quota::BudgetRules;
use otp_core::random::{OsRandom, SecureRandom as _};
use otp_core::store::{
    Admission, ChallengeStore as _, EngineStatus, Granted, Insert, Store, StoreError,
    StoreErrorKind, Target,
};
use otp_core::testing::store::kit;
use otp_store::composite::degrading::DegradingOptions;
use otp_store::redis::RedisOptions;
use otp_store::{Degrading, MemoryStore, RedisStore};

use crate::switch::{DOWN, Switched};

pub(crate) const REST: Duration = Duration::from_secs(30);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

/// A corner of a server for one test, and its clock. What is in it goes with it.
pub(crate) struct Place {
    pub(crate) clock: ManualClock,
    prefix: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        let mut bytes = [0_u8; 8];
        OsRandom.fill(&mut bytes).expect("randomness");
        Self {
            clock: ManualClock::default(),
            prefix: format!("composite{:016x}", u64::from_be_bytes(bytes)),
        }
    }

    fn url() -> String {
        std::env::var("TEST_REDIS_URL").expect("TEST_REDIS_URL names a server for tests")
    }

    pub(crate) async fn open(&self) -> RedisStore {
        let options = RedisOptions::new(&Self::url())
            .prefix(&self.prefix)
            .deadline(Duration::from_secs(60))
            .clock(Arc::new(self.clock.clone()));
        let store = RedisStore::with_options(options).await;
        store.expect("it connects")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let client = redis::Client::open(Self::url()).expect("a URL");
        let mut raw = client.get_connection().expect("a server");
        let pattern = format!("{}*", self.prefix);
        let keys: Vec<String> = redis::cmd("KEYS")
            .arg(pattern)
            .query(&mut raw)
            .expect("keys");
        for key in &keys {
            let _: () = redis::cmd("DEL").arg(key).query(&mut raw).expect("deleted");
        }
    }
}

/// How many instances tests declare: each has four public guesses a day.
pub(crate) const INSTANCES: u32 = 4;
pub(crate) const SHARE: usize = 4;

pub(crate) type Over = Degrading<Switched<MemoryStore>>;

/// A degrading store over memory with a switch, and the clock of both.
pub(crate) struct House {
    pub(crate) store: Over,
    pub(crate) primary: Switched<MemoryStore>,
    pub(crate) clock: ManualClock,
}

impl House {
    pub(crate) fn new(policy: OutagePolicy) -> Self {
        let clock = ManualClock::default();
        let primary = Switched::around(MemoryStore::with_clock(Arc::new(clock.clone())));
        let store = degrading(primary.clone(), policy, &clock);
        Self {
            store,
            primary,
            clock,
        }
    }

    /// One whose primary was never there.
    pub(crate) async fn down(policy: OutagePolicy) -> Self {
        let house = Self::new(policy);
        house.cut().await;
        house
    }

    /// Takes the primary away, and lets the circuit find out.
    pub(crate) async fn cut(&self) {
        self.primary.turn(DOWN);
        self.noticed().await;
    }

    /// Asks until the circuit is open: until nobody asks the primary any more.
    pub(crate) async fn noticed(&self) {
        for _ in 0..1_000 {
            self.primary.take_calls();
            let _ = self.store.find(&kit::challenge("x", kit_now()).id).await;
            let asked = self.primary.take_calls().contains(&"find");
            settled().await;
            if !asked {
                return self.primary.take_calls().clear();
            }
        }
        panic!("the circuit does not open");
    }

    /// Brings the primary back, and waits until it was told everything.
    pub(crate) async fn mend(&self) {
        self.primary.turn(crate::switch::Mode::Up);
        self.let_it_notice().await;
        self.store.hand_back().await.expect("it is told");
    }

    /// Lets the rest of the circuit pass, and its probe come to an end.
    pub(crate) async fn let_it_notice(&self) {
        self.clock.advance(REST);
        let _ = self.store.find(&kit::challenge("x", kit_now()).id).await;
        settled().await;
    }
}

fn kit_now() -> otp_core::clock::Timestamp {
    otp_core::clock::Timestamp::from_millis(1_767_225_600_000)
}

/// Lets tasks that were started beside come to an end.
pub(crate) async fn settled() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn degrading<P: Store>(
    primary: P,
    policy: OutagePolicy,
    clock: &ManualClock,
) -> Degrading<P> {
    let instances = NonZeroU32::new(INSTANCES).expect("more than none");
    let options = DegradingOptions::new(policy, instances).clock(Arc::new(clock.clone()));
    Degrading::with_options(primary, options)
}

/// Admits and puts the kit's challenge for a subject.
pub(crate) async fn issue(store: &dyn Store, subject: &str) -> Result<Challenge, StoreError> {
    let challenge = kit::challenge(subject, store.ping().await?);
    store.admit(&kit::issue_plan(&challenge)).await?;
    insert(store, &challenge).await?;
    Ok(challenge)
}

pub(crate) async fn insert(store: &dyn Store, challenge: &Challenge) -> Result<(), StoreError> {
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
    store: &dyn Store,
    challenge: &Challenge,
) -> Result<Option<AttemptOutcome>, StoreError> {
    let plan = kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim());
    Ok(outcome(&store.admit(&plan).await?))
}

/// Says what a try may do; `None` where something stood against it.
pub(crate) fn outcome(admission: &Admission) -> Option<AttemptOutcome> {
    match &admission.granted {
        Some(Granted::Attempt(outcome, _)) => Some(*outcome),
        Some(Granted::NoChallenge(refusal)) => Some(AttemptOutcome::Refused(*refusal)),
        _ => None,
    }
}

/// Tries a code that is wrong; says whether it was compared.
pub(crate) async fn guess(store: &dyn Store, challenge: &Challenge) -> Result<bool, StoreError> {
    let compared = attempt(store, challenge).await? == Some(AttemptOutcome::Reserved);
    if compared {
        store.reject(kit::reject(challenge, None)).await?;
    }
    Ok(compared)
}

/// Tries the code that is right.
pub(crate) async fn win(
    store: &dyn Store,
    challenge: &Challenge,
) -> Result<ConsumeOutcome, StoreError> {
    let reserved = attempt(store, challenge).await?;
    assert_eq!(reserved, Some(AttemptOutcome::Reserved));
    store.consume(kit::consume(challenge, None)).await
}

pub(crate) async fn guesses(store: &dyn Store, challenge: &Challenge) -> usize {
    let rules = BudgetRules::out_of_band();
    let reading = store.budget(&kit::budget_key(challenge), &rules).await;
    reading.expect("an answer").budget.guesses.len()
}

pub(crate) fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|error| error.kind())
}

/// Asserts that there is no answer.
#[track_caller]
pub(crate) fn unavailable<T>(answer: Result<T, StoreError>) {
    assert_eq!(kind(answer), Some(StoreErrorKind::Unavailable));
}

pub(crate) async fn condition(store: &dyn Store) -> &'static str {
    let engines: Vec<EngineStatus> = store.status().await;
    engines.first().expect("an engine").condition.name()
}
