//! `POST /admin/otp/revoke`: ends live codes.

use axum::Json;
use axum::extract::State;
use otp_core::operator::{Effect, Whom};
use otp_core::store::ChallengeQuery;
use otp_core::verifier::Verifier;
use serde::Deserialize;

use super::{Desk, Done, whom};
use crate::openapi::{Api, Operation, Schema};
use crate::time;
use crate::{ApiError, Refusal, StrictJson};

/// Which codes: those that fit every member. `{"all": true}` means all of them, and is never meant
/// by leaving something out.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Meant {
    user_id: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    ip: Option<String>,
    channel: Option<String>,
    key_id: Option<String>,
    from: Option<String>,
    until: Option<String>,
    all: bool,
    note: Option<String>,
    reason: Option<String>,
}

pub(super) fn routes() -> Api<Verifier> {
    let text = || Schema::text().or_null();
    let meant = Schema::object([
        ("user_id?", text()),
        ("phone?", text()),
        ("email?", text()),
        ("ip?", text()),
        ("channel?", text()),
        ("key_id?", text()),
        ("from?", Schema::time().or_null()),
        ("until?", Schema::time().or_null()),
        (
            "all?",
            Schema::flag().about("all of them, where nothing else is named"),
        ),
        ("note?", text()),
        ("reason?", text()),
    ]);
    let revoke = Operation::post("Ends live codes")
        .takes(meant)
        .gives(200, Done::schema())
        .at_desk()
        .refuses([
            Refusal::NAME_SOMETHING,
            Refusal::TWO_ADDRESSES,
            Refusal::INVALID_PHONE,
            Refusal::INVALID_EMAIL,
            Refusal::INVALID_IP,
            Refusal::INVALID_TIME,
            Refusal::UNKNOWN_CHANNEL,
            Refusal::UNKNOWN_KEY,
            Refusal::UNKNOWN_USER,
            Refusal::INVALID_USER,
        ]);
    Api::new().operation("/admin/otp/revoke", revoke, handle)
}

pub(super) async fn handle(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(meant): StrictJson<Meant>,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, meant.reason.as_deref().or(meant.note.as_deref()))?;
    let query = meant.query()?;
    let Some(whom) = meant.user()? else {
        return Ok(Done::of(operator.revoke(query).await?));
    };
    let mut done = Effect::counted(desk.mode(), 0);
    for whom in desk.everything_of(whom).await? {
        let theirs = whom.challenges();
        let query = match (theirs.destination, &query.destination) {
            // They and another address: what fits both is of the account alone.
            (Some(_), Some(_)) => continue,
            (Some(own), None) => ChallengeQuery {
                subject: None,
                destination: Some(own),
                ..query.clone()
            },
            (None, _) => query.clone(),
        };
        done = done.and(operator.revoke(query).await?);
    }
    Ok(Done::of(done))
}

impl Meant {
    fn user(&self) -> Result<Option<Whom>, Refusal> {
        self.user_id.as_deref().map(whom::subject).transpose()
    }

    fn query(&self) -> Result<ChallengeQuery, Refusal> {
        let to = match (&self.phone, &self.email) {
            (Some(number), None) => Some(whom::phone(number)?),
            (None, Some(address)) => Some(whom::email(address)?),
            (None, None) => None,
            (Some(_), Some(_)) => return Err(Refusal::TWO_ADDRESSES),
        };
        let subject = self.user()?;
        let at = |text: &String| time::parse(text).ok_or(Refusal::INVALID_TIME);
        let channel = |name: &String| name.parse().map_err(|_| Refusal::UNKNOWN_CHANNEL);
        let key = |id: &String| id.parse().map_err(|_| Refusal::UNKNOWN_KEY);
        let query = ChallengeQuery {
            subject: subject.and_then(|subject| subject.subject_key()),
            destination: to.and_then(|to| Whom::Destination(to).subject_key()),
            address: self.ip.as_deref().map(whom::ip).transpose()?,
            channel: self.channel.as_ref().map(channel).transpose()?,
            key_id: self.key_id.as_ref().map(key).transpose()?,
            issued_from: self.from.as_ref().map(at).transpose()?,
            issued_until: self.until.as_ref().map(at).transpose()?,
            ..ChallengeQuery::default()
        };
        let names_something = [
            self.user_id.is_some(),
            self.phone.is_some() || self.email.is_some(),
            self.ip.is_some(),
            self.channel.is_some(),
            self.key_id.is_some(),
            self.from.is_some() || self.until.is_some(),
        ];
        // One or the other: neither means nothing, both contradict each other.
        if names_something.contains(&true) == self.all {
            return Err(Refusal::NAME_SOMETHING);
        }
        Ok(query)
    }
}
