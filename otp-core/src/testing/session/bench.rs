use std::sync::Arc;
use std::time::Duration;

use super::SessionFixture;
use crate::clock::{Clock, ManualClock};
use crate::event::{Event, EventKind};
use crate::key::KeyId;
use crate::random::SeededRandom;
use crate::request::{SessionBinding, SubjectId, SubjectKey, Tenant};
use crate::session::{ContextClass, Methods, RefreshDigest, SessionId};
use crate::store::{
    NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord, SessionStore,
};

pub(super) const HOUR: Duration = Duration::from_secs(3_600);
pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
pub(super) const GRACE: Duration = Duration::from_secs(10);

/// A fixture's store, with the questions that cases ask it.
pub(super) struct Bench<'f> {
    pub(super) fixture: &'f dyn SessionFixture,
    pub(super) store: Arc<dyn SessionStore>,
}

impl<'f> Bench<'f> {
    pub(super) fn new(fixture: &'f dyn SessionFixture) -> Self {
        Self {
            fixture,
            store: fixture.sessions(),
        }
    }

    pub(super) async fn open(&self, new: NewSession) -> SessionRecord {
        match self.store.open(new).await.expect("an answer") {
            Opened::Fresh(record) => record,
            Opened::Known(_) => unreachable!("it was opened before"),
        }
    }

    pub(super) async fn is_live(&self, id: &SessionId) -> bool {
        self.store.live(id).await.expect("an answer").is_some()
    }

    /// Presents a token, to be followed by the one of the next number.
    pub(super) async fn rotate(&self, session: SessionId, token: u8) -> Rotated {
        self.store
            .rotate(rotation(session, token))
            .await
            .expect("an answer")
    }

    pub(super) async fn end(&self, query: SessionQuery) -> u64 {
        let event = Event::new(EventKind::SessionEnded, &Tenant::default());
        self.store.end(&query, event).await.expect("an answer")
    }

    /// Reads the records of a kind: outcome, reason, whose.
    pub(super) async fn records(&self, kind: EventKind) -> Vec<Event> {
        let log = self.fixture.records();
        let all = log.outbox(None, 10_000).await.expect("the log");
        let events = all.into_iter().map(|entry| entry.event);
        events.filter(|event| event.kind == kind).collect()
    }
}

pub(super) fn subject(name: &str) -> SubjectId {
    SubjectId::new(name).expect("a subject")
}

pub(super) fn digest(token: u8) -> RefreshDigest {
    RefreshDigest::from_bytes([token; 32])
}

/// A session of a subject's, whose first token is number 1.
pub(super) fn new_session(seed: u64, name: &str) -> NewSession {
    let (subject, tenant) = (subject(name), Tenant::default());
    NewSession {
        id: SessionId::generate(&SeededRandom::new(seed), &subject).expect("an id"),
        methods: Methods::new(["sms", "otp"]).expect("methods"),
        class: ContextClass::new("urn:2").ok(),
        authenticated_at: ManualClock::default().now(),
        key_id: KeyId::new("k1").expect("an id"),
        digest: digest(1),
        life: HOUR * 24,
        idle: HOUR,
        event: Event::new(EventKind::SessionStarted, &tenant)
            .about(&SubjectKey::of_subject(&subject)),
        tenant,
        subject,
    }
}

pub(super) fn rotation(session: SessionId, token: u8) -> Rotate {
    Rotate {
        session,
        presented: digest(token),
        next: digest(token + 1),
        key_id: KeyId::new("k2").expect("an id"),
        grace: GRACE,
        idle: HOUR,
        event: Event::new(EventKind::SessionRefreshed, &Tenant::default()),
    }
}

pub(super) fn state(key: u8, browser: &SessionBinding) -> PutState {
    PutState {
        key: [key; 32],
        binding: browser.clone(),
        payload: vec![key, 0, 255],
        life: PutState::LONGEST,
    }
}
