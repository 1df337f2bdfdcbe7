//! Challenges and plans as a verifier makes them, without the verifier.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use otp_core::challenge::{
    AttemptClaim, AttemptOutcome, Challenge, ChallengeId, ChallengeState, CodeFormat, Lane,
    Separated, TypedKind, TypedShape,
};
use otp_core::clock::{ManualClock, Timestamp};
use otp_core::destination::Channel;
use otp_core::event::{Event, EventKind};
use otp_core::key::{KeyRing, seal};
use otp_core::quota::BudgetRules;
use otp_core::random::OsRandom;
use otp_core::request::{AttemptId, FactorClass, Purpose, SubjectId, SubjectKey, Tenant};
use otp_core::store::{
    Admission, ChallengeStore as _, Consume, Granted, Insert, Plan, Reject, Step, StoreError,
    Target,
};
use otp_store::SqliteStore;
use otp_store::sqlite::SqliteOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection as _, Row as _};
use tempfile::TempDir;

pub(crate) const DIGEST: &str = "$otp-hmac$v=1$keyid=k1$right";
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// A folder for one database, and the clock that its stores are opened with.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) clock: ManualClock,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: ManualClock::default(),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("otp.db")
    }

    pub(crate) fn options(&self) -> SqliteOptions {
        SqliteOptions::file(self.path()).clock(Arc::new(self.clock.clone()))
    }

    pub(crate) async fn open(&self) -> SqliteStore {
        SqliteStore::with_options(self.options())
            .await
            .expect("the file opens")
    }

    /// Opens the file by the system's clock, as another process does, and waits long.
    pub(crate) async fn patient(&self) -> SqliteStore {
        let wait = Duration::from_secs(30);
        let options = SqliteOptions::file(self.path())
            .deadline(wait)
            .busy_timeout(wait);
        SqliteStore::with_options(options)
            .await
            .expect("the file opens")
    }

    pub(crate) async fn raw(&self) -> SqliteConnection {
        raw(&self.path()).await
    }
}

/// A connection of somebody else's to the same file.
pub(crate) async fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(
        &SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true),
    )
    .await
    .expect("a second connection")
}

pub(crate) async fn run(conn: &mut SqliteConnection, sql: &'static str) -> u64 {
    sqlx::query(sql)
        .execute(conn)
        .await
        .expect("the statement runs")
        .rows_affected()
}

pub(crate) async fn number(conn: &mut SqliteConnection, sql: &'static str) -> i64 {
    let row = sqlx::query(sql).fetch_one(conn).await.expect("one row");
    row.get(0)
}

pub(crate) fn subject(name: &str) -> SubjectKey {
    SubjectKey::of_subject(&SubjectId::new(name).expect("a fine id"))
}

pub(crate) fn event(kind: EventKind, who: &str) -> Event {
    Event::new(kind, &Tenant::default()).about(&subject(who))
}

pub(crate) fn challenge(who: &str, now: Timestamp) -> Challenge {
    let subject = subject(who);
    let keys = KeyRing::generate(&OsRandom).expect("randomness").snapshot();
    let sealed = seal(&keys, &OsRandom, &[b"row"], b"+14155550123").expect("sealed");
    Challenge {
        id: ChallengeId::generate(&OsRandom, &subject).expect("randomness"),
        tenant: Tenant::default(),
        destination_key: subject.clone(),
        subject,
        purpose: Purpose::LOGIN,
        channel: Channel::Sms,
        lane: Lane::Public,
        class: FactorClass::OutOfBand,
        format: CodeFormat::SIX_DIGITS,
        destination: Some(sealed),
        destination_masked: "+1415•••0123".into(),
        digest: DIGEST.into(),
        sealed_code: None,
        key_id: *keys.current().id(),
        address: Some("203.0.113.7".parse().expect("an address")),
        binding: None,
        created_at: now,
        expires_at: now.saturating_add(5 * MINUTE),
        attempts: 0,
        wrong: 0,
        attempt_limit: 5,
        sends: 1,
        next_send_at: now.saturating_add(MINUTE),
        state: ChallengeState::Live,
        attempt_log: Vec::new(),
    }
}

/// Puts a fresh challenge for a subject into a store.
pub(crate) async fn issued(store: &SqliteStore, who: &str) -> Challenge {
    let now = store.ping().await.expect("the time");
    let challenge = challenge(who, now);
    let insert = Insert {
        challenge: challenge.clone(),
        delivery: None,
        event: event(EventKind::ChallengeIssued, who),
    };
    store.insert(insert).await.expect("room for one");
    challenge
}

pub(crate) fn attempt_plan(challenge: &Challenge, id: Option<&str>) -> Plan {
    let id = id.map(|id| (AttemptId::new(id).expect("an id"), vec![[7; 16]]));
    Plan {
        blocks: Vec::new(),
        quotas: Vec::new(),
        step: Step::Attempt {
            target: Target::Id(challenge.id),
            claim: AttemptClaim {
                tenant: challenge.tenant.clone(),
                purpose: None,
                binding: None,
                shape: TypedShape {
                    length: 6,
                    separated: Separated::No,
                    kind: TypedKind::Digits,
                },
                id,
            },
            rules: BudgetRules::out_of_band(),
        },
        event: Event::new(EventKind::ValidationAttempt, &challenge.tenant).of_challenge(challenge),
    }
}

pub(crate) async fn attempt(
    store: &SqliteStore,
    challenge: &Challenge,
    id: Option<&str>,
) -> Result<Admission, StoreError> {
    store.admit(&attempt_plan(challenge, id)).await
}

/// The outcome of an admitted try.
pub(crate) fn outcome(admission: &Admission) -> AttemptOutcome {
    match &admission.granted {
        Some(Granted::Attempt(outcome, _)) => *outcome,
        other => panic!("not an admitted try: {other:?}"),
    }
}

pub(crate) fn consume(challenge: &Challenge, by: Option<&str>) -> Consume {
    Consume {
        challenge: challenge.id,
        digest: DIGEST.into(),
        by: by.map(|id| AttemptId::new(id).expect("an id")),
        event: Event::new(EventKind::ValidationAttempt, &challenge.tenant).of_challenge(challenge),
    }
}

pub(crate) fn reject(challenge: &Challenge, by: Option<&str>) -> Reject {
    Reject {
        counted: Some((
            challenge.id,
            by.map(|id| AttemptId::new(id).expect("an id")),
        )),
        rules: BudgetRules::out_of_band(),
        event: Event::new(EventKind::ValidationAttempt, &challenge.tenant).of_challenge(challenge),
    }
}
