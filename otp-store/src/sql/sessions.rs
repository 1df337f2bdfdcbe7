//! Sessions, a row each.

use otp_core::clock::Timestamp;
use otp_core::event::Event;
use otp_core::key::KeyId;
use otp_core::request::{SubjectId, SubjectKey, Tenant};
use otp_core::session::{ContextClass, Methods, RefreshDigest, SessionId};
use otp_core::store::{
    KeyHold, KeyUse, NewSession, Opened, Rotate, Rotated, SessionQuery, SessionRecord, StoreError,
    StoreErrorKind,
};

use super::key_uses::counted;
use super::{Intent, Locks, Row, Tx, audit, corrupt};

const FIND: &str = "SELECT * FROM otp_sessions WHERE id = ?";

const OPEN: &str = "INSERT INTO otp_sessions (id, tenant, user_id, methods, context_class, key_id,
        digest, previous_digest, authenticated_at, created_at, refreshed_at, lapses_at, expires_at,
        ended_at, kept_until)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

const SAVE: &str = "UPDATE otp_sessions SET key_id = ?, digest = ?, previous_digest = ?,
        refreshed_at = ?, lapses_at = ?, ended_at = ?
    WHERE id = ?";

const LIST: &str = "SELECT * FROM otp_sessions
    WHERE tenant = ? AND user_id = ? AND ended_at IS NULL AND lapses_at > ?
    ORDER BY created_at DESC, id DESC LIMIT ?";

const KEYS: &str = "SELECT key_id, COUNT(*) AS things, MAX(lapses_at) AS last_end
    FROM otp_sessions WHERE ended_at IS NULL AND lapses_at > ? GROUP BY key_id";

const END_ONE: &str = "UPDATE otp_sessions SET ended_at = ?
    WHERE ended_at IS NULL AND lapses_at > ? AND id = ?";

const END_SUBJECT: &str = "UPDATE otp_sessions SET ended_at = ?
    WHERE ended_at IS NULL AND lapses_at > ? AND tenant = ? AND user_id = ?";

const END_TENANT: &str = "UPDATE otp_sessions SET ended_at = ?
    WHERE ended_at IS NULL AND lapses_at > ? AND tenant = ?";

const END_EVERY: &str = "UPDATE otp_sessions SET ended_at = ?
    WHERE ended_at IS NULL AND lapses_at > ?";

const END_ALL: &str = "UPDATE otp_sessions SET ended_at = ? WHERE ended_at IS NULL";

/// Opens a session where none of its name was.
impl Intent for NewSession {
    type Answer = Opened;

    fn locks(&self) -> Locks {
        Locks::default().subject(self.id.shard())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Opened, StoreError> {
        let now = tx.now()?;
        if let Some(known) = find(tx, &self.id).await? {
            return Ok(Opened::Known(known));
        }
        let record = SessionRecord::opened(self, now);
        let name = record.id.to_string();
        let values = [
            (&name).into(),
            record.tenant.as_str().into(),
            record.subject.as_str().into(),
            record.methods.as_str().into(),
            record.class.as_ref().map(ContextClass::as_str).into(),
            record.key_id.as_str().into(),
            record.digest.as_bytes().as_slice().into(),
            previous(&record).into(),
            record.authenticated_at.into(),
            record.created_at.into(),
            record.refreshed_at.into(),
            record.lapses_at.into(),
            record.expires_at.into(),
            record.ended_at.into(),
            record.kept_until().into(),
        ];
        tx.execute(OPEN, &values).await?;
        audit::write(tx, &self.event).await?;
        Ok(Opened::Fresh(record))
    }
}

/// Turns a refresh token over.
impl Intent for Rotate {
    type Answer = Rotated;

    fn locks(&self) -> Locks {
        Locks::default().subject(self.session.shard())
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Rotated, StoreError> {
        let now = tx.now()?;
        let rotated = match find(tx, &self.session).await? {
            None => Rotated::Gone,
            Some(mut session) => {
                let rotated = session.rotate(self, now);
                if matches!(rotated, Rotated::Fresh(_) | Rotated::Reused(_)) {
                    save(tx, &session).await?;
                }
                rotated
            }
        };
        if let Some(event) = rotated.event(&self.event) {
            audit::write(tx, &event).await?;
        }
        Ok(rotated)
    }
}

/// Reads a session that is live.
pub(crate) struct LiveSession(pub(crate) SessionId);

impl Intent for LiveSession {
    type Answer = Option<SessionRecord>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let now = tx.now()?;
        let found = find(tx, &self.0).await?;
        Ok(found.filter(|session| session.is_live(now)))
    }
}

/// Lists an account's live sessions, newest first.
pub(crate) struct ListSessions {
    pub(crate) tenant: Tenant,
    pub(crate) subject: SubjectId,
    pub(crate) limit: usize,
}

impl Intent for ListSessions {
    type Answer = Vec<SessionRecord>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Self::Answer, StoreError> {
        let values = [
            self.tenant.as_str().into(),
            self.subject.as_str().into(),
            tx.now()?.into(),
            self.limit.into(),
        ];
        tx.rows(LIST, &values).await?.iter().map(read).collect()
    }
}

/// Counts live sessions by their keys.
pub(crate) struct SessionKeys;

impl Intent for SessionKeys {
    type Answer = Vec<KeyUse>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<KeyUse>, StoreError> {
        counted(tx, KeyHold::Sessions, KEYS).await
    }
}

/// Ends live sessions, and counts them.
pub(crate) struct EndSessions(pub(crate) SessionQuery, pub(crate) Event);

impl Intent for EndSessions {
    type Answer = u64;

    fn locks(&self) -> Locks {
        match &self.0 {
            SessionQuery::One(id) => Locks::default().subject(id.shard()),
            SessionQuery::Subject(_, subject) => {
                Locks::default().subject(SubjectKey::of_subject(subject).shard())
            }
            _ => Locks::default().everything(),
        }
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let now = tx.now()?;
        let (at, live) = (now.into(), now.into());
        let ended = match &self.0 {
            SessionQuery::One(id) => {
                let name = id.to_string();
                tx.execute(END_ONE, &[at, live, (&name).into()]).await?
            }
            SessionQuery::Subject(tenant, subject) => {
                let whose = [tenant.as_str().into(), subject.as_str().into()];
                let [tenant, subject] = whose;
                tx.execute(END_SUBJECT, &[at, live, tenant, subject])
                    .await?
            }
            SessionQuery::Tenant(tenant) => {
                let values = [at, live, tenant.as_str().into()];
                tx.execute(END_TENANT, &values).await?
            }
            SessionQuery::Everything => tx.execute(END_EVERY, &[at, live]).await?,
            _ => return Err(StoreErrorKind::Invalid.into()),
        };
        audit::write(tx, &self.1.clone().counting(ended)).await?;
        Ok(ended)
    }
}

/// Ends every session, for a clock of which nobody can say what it was when they began.
pub(crate) async fn end_all(tx: &mut Tx<'_>, now: Timestamp) -> Result<(), StoreError> {
    tx.execute(END_ALL, &[now.into()]).await.map(drop)
}

async fn find(tx: &mut Tx<'_>, id: &SessionId) -> Result<Option<SessionRecord>, StoreError> {
    let name = id.to_string();
    let row = tx.row(FIND, &[(&name).into()]).await?;
    row.as_ref().map(read).transpose()
}

async fn save(tx: &mut Tx<'_>, session: &SessionRecord) -> Result<(), StoreError> {
    let name = session.id.to_string();
    let values = [
        session.key_id.as_str().into(),
        session.digest.as_bytes().as_slice().into(),
        previous(session).into(),
        session.refreshed_at.into(),
        session.lapses_at.into(),
        session.ended_at.into(),
        (&name).into(),
    ];
    tx.execute(SAVE, &values).await.map(drop)
}

fn previous(session: &SessionRecord) -> Option<&[u8]> {
    let previous = session.previous.as_ref();
    previous.map(|digest| digest.as_bytes().as_slice())
}

fn read(row: &Row) -> Result<SessionRecord, StoreError> {
    Ok(SessionRecord {
        id: row.parsed("id", |text| text.parse().ok())?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: row.parsed("user_id", |text| SubjectId::new(text).ok())?,
        methods: row.parsed("methods", |text| Methods::from_stored(text).ok())?,
        class: row.opt_parsed("context_class", |text| ContextClass::new(text).ok())?,
        authenticated_at: row.time("authenticated_at")?,
        key_id: row.parsed("key_id", |text| KeyId::new(text).ok())?,
        digest: RefreshDigest::from_bytes(row.bytes("digest")?),
        previous: row
            .opt_blob("previous_digest")?
            .map(|bytes| bytes.try_into().map(RefreshDigest::from_bytes))
            .transpose()
            .map_err(|_| corrupt("previous_digest"))?,
        created_at: row.time("created_at")?,
        refreshed_at: row.time("refreshed_at")?,
        lapses_at: row.time("lapses_at")?,
        expires_at: row.time("expires_at")?,
        ended_at: row.opt_time("ended_at")?,
    })
}
