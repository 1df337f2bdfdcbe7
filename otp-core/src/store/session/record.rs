use std::time::Duration;

use crate::clock::Timestamp;
use crate::event::{Event, Outcome};
use crate::key::KeyId;
use crate::request::{SubjectId, SubjectKey, Tenant};
use crate::session::{ContextClass, Methods, RefreshDigest, SessionId, SessionRefusal};

use super::{NewSession, Rotate};

/// A session as stores keep it, with the rules by which it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// Its name.
    pub id: SessionId,
    /// Whose.
    pub tenant: Tenant,
    /// For whom.
    pub subject: SubjectId,
    /// How they proved it.
    pub methods: Methods,
    /// How strong that was.
    pub class: Option<ContextClass>,
    /// When they proved it.
    pub authenticated_at: Timestamp,
    /// The key of the digest.
    pub key_id: KeyId,
    /// The digest of the refresh token in use.
    pub digest: RefreshDigest,
    /// The digest of the one before it.
    pub previous: Option<RefreshDigest>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When its refresh token was last turned over; at first when it was opened.
    pub refreshed_at: Timestamp,
    /// When it ends unless somebody refreshes it.
    pub lapses_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// When it was ended, where it was.
    pub ended_at: Option<Timestamp>,
}

/// What came of turning a refresh token over.
#[derive(Clone, Debug)]
#[must_use]
pub enum Rotated {
    /// The successor is the token in use now.
    Fresh(SessionRecord),
    /// The token was spent a moment ago; this is the session as it was answered then.
    Again(SessionRecord),
    /// The token was spent before: a copy of it is in other hands. The session has ended.
    Reused(SessionRecord),
    /// The session has ended, or there never was one.
    Gone,
}

impl SessionRecord {
    /// How long a session is kept after it ends in any case.
    pub const KEPT: Duration = Duration::from_secs(3 * 86_400);

    /// Makes the session that is opened now.
    #[must_use]
    pub fn opened(new: &NewSession, now: Timestamp) -> Self {
        let expires_at = now.saturating_add(new.life);
        Self {
            id: new.id,
            tenant: new.tenant.clone(),
            subject: new.subject.clone(),
            methods: new.methods.clone(),
            class: new.class.clone(),
            authenticated_at: new.authenticated_at,
            key_id: new.key_id,
            digest: new.digest,
            previous: None,
            created_at: now,
            refreshed_at: now,
            lapses_at: now.saturating_add(new.idle).min(expires_at),
            expires_at,
            ended_at: None,
        }
    }

    /// Says whether it is live.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.lapses_at
    }

    /// Says until when it is kept.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        self.expires_at.saturating_add(Self::KEPT)
    }

    /// Turns the refresh token over, or ends the session where a spent one came back.
    pub fn rotate(&mut self, rotate: &Rotate, now: Timestamp) -> Rotated {
        if !self.is_live(now) {
            return Rotated::Gone;
        }
        if rotate.presented == self.digest {
            self.previous = Some(self.digest);
            self.digest = rotate.next;
            self.key_id = rotate.key_id;
            self.refreshed_at = now;
            self.lapses_at = now.saturating_add(rotate.idle).min(self.expires_at);
            return Rotated::Fresh(self.clone());
        }
        let in_grace = now < self.refreshed_at.saturating_add(rotate.grace);
        if in_grace && self.previous == Some(rotate.presented) {
            return Rotated::Again(self.clone());
        }
        self.end(now);
        Rotated::Reused(self.clone())
    }

    /// Ends it; what has ended keeps its time.
    pub fn end(&mut self, now: Timestamp) {
        self.ended_at.get_or_insert(now);
    }
}

impl Rotated {
    /// Makes the record of it; `None` where the answer was given before.
    #[must_use]
    pub fn event(&self, event: &Event) -> Option<Event> {
        let refused =
            |event: Event, why: SessionRefusal| event.with_outcome(Outcome::Refused, why.name());
        match self {
            Self::Fresh(record) => Some(record.signed(event)),
            Self::Again(_) => None,
            Self::Reused(record) => Some(refused(record.signed(event), SessionRefusal::Reused)),
            Self::Gone => Some(refused(event.clone(), SessionRefusal::Ended)),
        }
    }
}

impl SessionRecord {
    /// Adds whose session it is to a record of the log.
    fn signed(&self, event: &Event) -> Event {
        let mut event = event.clone().about(&SubjectKey::of_subject(&self.subject));
        event.tenant = self.tenant.clone();
        event
    }
}
