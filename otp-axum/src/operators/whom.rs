//! Whom a call names.

use std::net::IpAddr;

use otp_core::operator::Whom;
use otp_core::request::{SubjectId, SubjectKey};
use serde::Deserialize;

use crate::Refusal;
pub(super) use crate::member::{email, phone};
use crate::openapi::Schema;

/// The members that name somebody; exactly one of them does.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Named {
    user_id: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    ip: Option<String>,
    note: Option<String>,
    reason: Option<String>,
}

impl Named {
    /// What may be wrong with it.
    pub(super) const REFUSALS: [Refusal; 6] = [
        Refusal::NAME_ONE,
        Refusal::UNKNOWN_USER,
        Refusal::INVALID_USER,
        Refusal::INVALID_PHONE,
        Refusal::INVALID_EMAIL,
        Refusal::INVALID_IP,
    ];

    /// Describes it.
    pub(super) fn schema() -> Schema {
        let members = ["user_id?", "phone?", "email?", "ip?", "note?", "reason?"];
        Schema::object(members.map(|name| (name, Schema::text().or_null())))
    }

    /// What the body says of the reason.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref().or(self.note.as_deref())
    }

    pub(super) fn whom(&self) -> Result<Whom, Refusal> {
        let parts = (&self.user_id, &self.phone, &self.email, &self.ip);
        match parts {
            (Some(user), None, None, None) => subject(user),
            (None, Some(number), None, None) => phone(number).map(Whom::Destination),
            (None, None, Some(address), None) => email(address).map(Whom::Destination),
            (None, None, None, Some(address)) => ip(address).map(Whom::Address),
            _ => Err(Refusal::NAME_ONE),
        }
    }
}

/// Reads a user's id, or the pseudonym (`dst:...`) that records have of who has no account. One
/// that cannot be read is refused: as somebody's id it would name nobody, and look like success.
pub(super) fn subject(id: &str) -> Result<Whom, Refusal> {
    if id.starts_with("dst:") {
        let key = SubjectKey::of_pseudonym(id).ok_or(Refusal::INVALID_USER)?;
        return Ok(Whom::Account(key));
    }
    let id = SubjectId::new(id).map_err(|_| Refusal::UNKNOWN_USER)?;
    Ok(Whom::Subject(id))
}

pub(super) fn ip(address: &str) -> Result<IpAddr, Refusal> {
    address.parse().map_err(|_| Refusal::INVALID_IP)
}
