mod record;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

pub use record::{Rotated, SessionRecord};

use crate::clock::Timestamp;
use crate::event::Event;
use crate::key::KeyId;
use crate::request::{SessionBinding, SubjectId, Tenant};
use crate::session::{ContextClass, Methods, RefreshDigest, SessionId};

use super::{KeyUse, StoreError, StoreErrorKind};

/// Opens a session.
#[derive(Clone, Debug)]
pub struct NewSession {
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
    /// The digest of the first refresh token.
    pub digest: RefreshDigest,
    /// How long it lives at the most.
    pub life: Duration,
    /// How long it lives where nobody refreshes it.
    pub idle: Duration,
    /// The record of it.
    pub event: Event,
}

/// What came of opening a session.
#[derive(Clone, Debug)]
#[must_use]
pub enum Opened {
    /// It is open.
    Fresh(SessionRecord),
    /// One of this name was opened before, and stands so; nothing was changed.
    Known(SessionRecord),
}

/// Turns a refresh token over.
#[derive(Clone, Debug)]
pub struct Rotate {
    /// Which session.
    pub session: SessionId,
    /// The digest of the token that was presented. The caller has seen that it is one of ours.
    pub presented: RefreshDigest,
    /// The digest of its successor.
    pub next: RefreshDigest,
    /// The key of the successor.
    pub key_id: KeyId,
    /// How long the spent token is answered again.
    pub grace: Duration,
    /// How long the session lives from now where nobody refreshes it.
    pub idle: Duration,
    /// The record of it. The store adds whose session it is, and makes it a refusal where it is
    /// one, with `token_reused` or `session_ended`; the same answer given again leaves none.
    pub event: Event,
}

/// Which sessions are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionQuery {
    /// The one of this name.
    One(SessionId),
    /// All of an account.
    Subject(Tenant, SubjectId),
    /// All of a tenant.
    Tenant(Tenant),
    /// Every session there is.
    Everything,
}

impl SessionQuery {
    /// Says whether a session is meant.
    #[must_use]
    pub fn fits(&self, session: &SessionRecord) -> bool {
        match self {
            Self::One(id) => *id == session.id,
            Self::Subject(tenant, subject) => {
                *tenant == session.tenant && *subject == session.subject
            }
            Self::Tenant(tenant) => *tenant == session.tenant,
            Self::Everything => true,
        }
    }
}

/// Keeps something for one use: the state of a sign-in that goes through another's page.
#[derive(Clone, Debug)]
pub struct PutState {
    /// The keyed digest of the secret that the client carries.
    pub key: [u8; 32],
    /// The browser that may take it.
    pub binding: SessionBinding,
    /// What is kept with it, sealed by the caller.
    pub payload: Vec<u8>,
    /// How long, up to [`LONGEST`](Self::LONGEST).
    pub life: Duration,
}

impl PutState {
    /// The longest that state is kept.
    pub const LONGEST: Duration = Duration::from_secs(600);
    /// The most bytes of a payload.
    pub const LARGEST: usize = 2_048;

    /// Gives it back where it is one that may be kept.
    ///
    /// # Errors
    /// [`Invalid`](StoreErrorKind::Invalid) where the payload or the life is too long.
    pub fn checked(&self) -> Result<&Self, StoreError> {
        if self.payload.len() > Self::LARGEST || self.life > Self::LONGEST {
            return Err(StoreErrorKind::Invalid.into());
        }
        Ok(self)
    }
}

/// Keeps sessions, and what may be used once. It is no part of [`Store`](super::Store): a host with
/// sessions of its own needs none.
///
/// # Contract
/// - Every method is atomic, and its event is stored in the same step as its change. What it
///   changes is seen by all that are called after it returned.
/// - The time is the engine's own, and never goes backwards for decisions, as with
///   [`ChallengeStore`](super::ChallengeStore).
/// - A method that fails may or may not have been carried out. Calling `open` and `rotate` again
///   is answered as the first call was; `take_state` never answers twice.
/// - Decisions are those of [`SessionRecord`].
/// - A session that has ended is kept for [`KEPT`](SessionRecord::KEPT) after its time, so that what
///   opened it opens nothing again.
#[async_trait]
pub trait SessionStore: Debug + Send + Sync + 'static {
    /// Opens a session. Of callers that race with one name one hears [`Opened::Fresh`]; only that
    /// leaves a record.
    ///
    /// # Errors
    /// [`StoreError`]; [`Full`](super::StoreErrorKind::Full) where there is no room.
    async fn open(&self, session: NewSession) -> Result<Opened, StoreError>;

    /// Turns a refresh token over. Of callers that race with one token one hears
    /// [`Rotated::Fresh`], all others [`Rotated::Again`] with the same session while the grace
    /// lasts; after it, or with a token that is older still, the session is ended in the same step.
    ///
    /// # Errors
    /// [`StoreError`]; then nobody is refreshed.
    async fn rotate(&self, rotate: Rotate) -> Result<Rotated, StoreError>;

    /// Reads a session that is live; `None` for one that ended, lapsed or never was.
    ///
    /// # Errors
    /// [`StoreError`]; then nobody is let in.
    async fn live(&self, session: &SessionId) -> Result<Option<SessionRecord>, StoreError>;

    /// Lists an account's live sessions, newest first, up to `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn sessions(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        limit: usize,
    ) -> Result<Vec<SessionRecord>, StoreError>;

    /// Ends live sessions, and answers how many. The record gets the reason `ended:N`, or its own
    /// reason before the colon. What is opened afterwards is not ended.
    ///
    /// # Errors
    /// [`StoreError`]; some may have ended, and calling again ends the rest.
    async fn end(&self, query: &SessionQuery, event: Event) -> Result<u64, StoreError>;

    /// Counts live sessions by the keys of their refresh tokens, in no order; `until` is when the
    /// last of them lapses. Counted as [`KeyUseStore`](super::KeyUseStore) does.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn session_keys(&self) -> Result<Vec<KeyUse>, StoreError>;

    /// Keeps something for one use.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](super::StoreErrorKind::Invalid) where the payload or the life is
    /// too long, [`Full`](super::StoreErrorKind::Full) where there is no room.
    async fn put_state(&self, state: PutState) -> Result<(), StoreError>;

    /// Takes what was kept. Of any number of racing callers one gets it. Another browser gets
    /// nothing, and takes nothing away.
    ///
    /// # Errors
    /// [`StoreError`]; then it may be gone.
    async fn take_state(
        &self,
        key: &[u8; 32],
        binding: &SessionBinding,
    ) -> Result<Option<Vec<u8>>, StoreError>;
}
