use std::time::{Duration, SystemTime};

use crate::clock::Timestamp;
use crate::request::{SubjectId, Tenant};
use crate::store::SessionRecord;

use super::json::{Object, Writer};
use super::{ContextClass, Methods, SessionId, SessionRules};

/// A session as an access token tells of it: who, since when, how they proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub(super) id: SessionId,
    pub(super) tenant: Tenant,
    pub(super) subject: SubjectId,
    pub(super) methods: Methods,
    pub(super) class: Option<ContextClass>,
    pub(super) authenticated_at: Timestamp,
    pub(super) issued_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) token: String,
}

impl Session {
    /// Tells of a session whose refresh token was last turned over as it says.
    pub(super) fn of(record: &SessionRecord, access_life: Duration, token: String) -> Self {
        let issued_at = whole(record.refreshed_at);
        let expires_at = issued_at.saturating_add(access_life);
        Self {
            id: record.id,
            tenant: record.tenant.clone(),
            subject: record.subject.clone(),
            methods: record.methods.clone(),
            class: record.class.clone(),
            authenticated_at: whole(record.authenticated_at),
            issued_at,
            expires_at: whole(expires_at.min(record.expires_at)),
            token,
        }
    }

    /// Writes the claims.
    pub(super) fn write(&self, rules: &SessionRules) -> String {
        let mut claims = Writer::new().text("iss", &rules.issuer);
        if let Some(audience) = &rules.audience {
            claims = claims.text("aud", audience);
        }
        claims = claims
            .text("sub", self.subject.as_str())
            .text("tenant", self.tenant.as_str())
            .number("iat", seconds(self.issued_at))
            .number("nbf", seconds(self.issued_at))
            .number("exp", seconds(self.expires_at))
            .text("jti", &self.token)
            .text("sid", &self.id.to_string())
            .texts("amr", self.methods.names())
            .number("auth_time", seconds(self.authenticated_at));
        if let Some(class) = &self.class {
            claims = claims.text("acr", class.as_str());
        }
        claims.finish()
    }

    /// Reads the claims of a signed token; `None` where any is missing, unknown or none.
    pub(super) fn read(text: &str, rules: &SessionRules) -> Option<Self> {
        let mut claims = Object::read(text)?;
        let issued_here = claims.text("iss")? == rules.issuer;
        let for_us = match &rules.audience {
            Some(audience) => claims.text("aud")? == *audience,
            None => true,
        };
        let ours = issued_here && for_us;
        let not_before = claims.number("nbf")?;
        let issued_at = claims.number("iat")?;
        let amr = claims.texts("amr")?;
        let class = match claims.has("acr") {
            true => Some(ContextClass::new(&claims.text("acr")?).ok()?),
            false => None,
        };
        let session = Self {
            id: claims.text("sid")?.parse().ok()?,
            tenant: Tenant::new(&claims.text("tenant")?).ok()?,
            subject: SubjectId::new(claims.text("sub")?).ok()?,
            methods: Methods::new(amr.iter().map(String::as_str)).ok()?,
            class,
            authenticated_at: time(claims.number("auth_time")?)?,
            issued_at: time(issued_at)?,
            expires_at: time(claims.number("exp")?)?,
            token: claims.text("jti")?,
        };
        claims.is_read()?;
        (ours && not_before == issued_at).then_some(session)
    }

    /// Names it.
    #[must_use]
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Names the tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Names the account.
    #[must_use]
    pub fn subject(&self) -> &SubjectId {
        &self.subject
    }

    /// Says how they proved it.
    #[must_use]
    pub fn methods(&self) -> &Methods {
        &self.methods
    }

    /// Says how strong that was, where the host said so.
    #[must_use]
    pub fn class(&self) -> Option<&ContextClass> {
        self.class.as_ref()
    }

    /// Says when they proved it.
    #[must_use]
    pub fn authenticated_at(&self) -> SystemTime {
        self.authenticated_at.into()
    }

    /// Says when the access token ends.
    #[must_use]
    pub fn expires_at(&self) -> SystemTime {
        self.expires_at.into()
    }

    /// Names the access token (`jti`).
    #[must_use]
    pub fn token_id(&self) -> &str {
        &self.token
    }
}

fn whole(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millis().div_euclid(1_000).saturating_mul(1_000))
}

fn seconds(time: Timestamp) -> u64 {
    time.since(Timestamp::UNIX_EPOCH).as_secs()
}

fn time(seconds: u64) -> Option<Timestamp> {
    Timestamp::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}
