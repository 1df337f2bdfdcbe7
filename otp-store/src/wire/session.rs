//! Sessions, and what may be used once.

use otp_core::key::KeyId;
use otp_core::request::{SubjectId, Tenant};
use otp_core::session::{ContextClass, Methods, RefreshDigest, SessionId, SessionRefusal};
use otp_core::store::{
    NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord, StoreError,
    StoreErrorKind,
};

use super::corrupt;
use super::reply::{Fields, Reply, time};
use super::request::{Request, hex, millis, unhex};

impl Request {
    /// Says what is opened.
    pub(crate) fn session(self, new: &NewSession) -> Self {
        let request = self
            .text("id", &new.id.to_string())
            .text("tenant", new.tenant.as_str())
            .text("subject", new.subject.as_str())
            .text("methods", new.methods.as_str())
            .text("key", new.key_id.as_str())
            .text("digest", &hex(new.digest.as_bytes()))
            .text("at", &new.authenticated_at.as_millis().to_string())
            .with("life", millis(new.life).into())
            .with("idle", millis(new.idle).into())
            .with("keep", millis(SessionRecord::KEPT).into())
            .event(&new.event);
        match &new.class {
            Some(class) => request.text("class", class.as_str()),
            None => request,
        }
    }

    /// Says which token is turned over.
    pub(crate) fn rotation(self, rotate: &Rotate) -> Self {
        self.text("id", &rotate.session.to_string())
            .text("presented", &hex(rotate.presented.as_bytes()))
            .text("next", &hex(rotate.next.as_bytes()))
            .text("key", rotate.key_id.as_str())
            .with("grace", millis(rotate.grace).into())
            .with("idle", millis(rotate.idle).into())
            .text("reused", SessionRefusal::Reused.name())
            .text("ended", SessionRefusal::Ended.name())
            .event(&rotate.event)
    }

    /// Says which sessions are meant.
    pub(crate) fn sessions(self, query: &SessionQuery) -> Result<Self, StoreError> {
        Ok(match query {
            SessionQuery::One(id) => self.text("id", &id.to_string()),
            SessionQuery::Subject(tenant, subject) => self
                .text("tenant", tenant.as_str())
                .text("subject", subject.as_str()),
            SessionQuery::Tenant(tenant) => self.text("tenant", tenant.as_str()),
            SessionQuery::Everything => self,
            _ => return Err(StoreErrorKind::Invalid.into()),
        })
    }

    /// Says what is kept for one use.
    pub(crate) fn state(self, state: &PutState) -> Result<Self, StoreError> {
        let state = state.checked()?;
        Ok(self
            .text("key", &hex(&state.key))
            .text("binding", &hex(state.binding.as_bytes()))
            .text("payload", &hex(&state.payload))
            .with("life", millis(state.life).into()))
    }
}

pub(crate) fn opened(reply: &Reply) -> Result<Opened, StoreError> {
    let record = || record(&Fields::new(reply.texts(1)?));
    match reply.text(0)? {
        "fresh" => Ok(Opened::Fresh(record()?)),
        "known" => Ok(Opened::Known(record()?)),
        _ => Err(corrupt("an answer")),
    }
}

pub(crate) fn rotated(reply: &Reply) -> Result<Rotated, StoreError> {
    let record = || record(&Fields::new(reply.texts(1)?));
    match reply.text(0)? {
        "fresh" => Ok(Rotated::Fresh(record()?)),
        "again" => Ok(Rotated::Again(record()?)),
        "reused" => Ok(Rotated::Reused(record()?)),
        "gone" => Ok(Rotated::Gone),
        _ => Err(corrupt("an answer")),
    }
}

pub(crate) fn records(reply: &Reply) -> Result<Vec<SessionRecord>, StoreError> {
    let rows = reply.lists(0)?.into_iter();
    rows.map(|row| record(&Fields::new(row))).collect()
}

pub(crate) fn taken(reply: &Reply) -> Result<Option<Vec<u8>>, StoreError> {
    match reply.text(0)? {
        "taken" => unhex(reply.text(1)?)
            .map(Some)
            .ok_or_else(|| corrupt("a payload")),
        "none" => Ok(None),
        _ => Err(corrupt("an answer")),
    }
}

fn digest(text: &str) -> Option<RefreshDigest> {
    let bytes: [u8; 32] = unhex(text)?.try_into().ok()?;
    Some(RefreshDigest::from_bytes(bytes))
}

pub(crate) fn record(row: &Fields) -> Result<SessionRecord, StoreError> {
    Ok(SessionRecord {
        id: row.parsed("id", |text| text.parse::<SessionId>().ok())?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: row.parsed("subject", |text| SubjectId::new(text).ok())?,
        methods: row.parsed("methods", |text| Methods::from_stored(text).ok())?,
        class: row.opt_parsed("class", |text| ContextClass::new(text).ok())?,
        authenticated_at: row.time("authenticated_at")?,
        key_id: row.parsed("key_id", |text| KeyId::new(text).ok())?,
        digest: row.parsed("digest", digest)?,
        previous: row.opt_parsed("previous", digest)?,
        created_at: row.time("created_at")?,
        refreshed_at: row.time("refreshed_at")?,
        lapses_at: row.time("lapses_at")?,
        expires_at: row.time("expires_at")?,
        ended_at: row.opt_text("ended_at")?.map(time).transpose()?,
    })
}
