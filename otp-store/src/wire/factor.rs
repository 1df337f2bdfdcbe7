//! Authenticators and recovery codes.

use otp_core::factor::{Factor, FactorKind, FactorName};
use otp_core::key::Sealed;
use otp_core::request::{FactorClass, SubjectKey, Tenant};
use otp_core::store::{
    AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorSheet,
    PutRecovery, RecoveryUse, Removed, RenameFactor, Renamed, StoreError, UseRecovery,
};
use serde_json::{Map, Value};

use super::corrupt;
use super::reply::{Fields, Reply};
use super::request::{Request, hex, unhex};

impl Request {
    /// Says what is enrolled; the engine adds when.
    pub(crate) fn enrolment(self, enrol: &Enrol) -> Self {
        let kind = &enrol.kind;
        let fields = [
            ("id", enrol.id.to_string()),
            ("tenant", enrol.owner.tenant.as_str().to_owned()),
            ("subject", enrol.owner.subject.as_str().to_owned()),
            ("kind", kind.name().to_owned()),
            ("algorithm", kind.algorithm().name().to_owned()),
            ("digits", kind.digits().count().to_string()),
            ("period", kind.period_seconds().to_string()),
            ("name", enrol.name.as_str().to_owned()),
            ("secret", hex(enrol.secret.as_bytes())),
            ("last", String::new()),
            ("confirmed_at", String::new()),
            ("used_at", String::new()),
        ];
        let fields: Map<_, _> = fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect();
        self.with("factor", Value::Object(fields))
            .with("most", FactorSheet::MOST.into())
            .text("shown", enrol.shown.name())
            .event(&enrol.event)
    }

    /// Says which step is taken, and from which state.
    pub(crate) fn advance(self, advance: &AdvanceFactor) -> Result<Self, StoreError> {
        let to = advance.number()?;
        let resealed = advance.resealed.as_ref();
        let resealed = resealed.map(|secret| hex(secret.as_bytes()));
        Ok(self
            .text("id", &advance.factor.to_string())
            .text("from", advance.from.name())
            .text("to", &to.to_string())
            .text("resealed", &resealed.unwrap_or_default())
            .accepted(advance.accepted.as_ref())
            .text("lane", advance.lane.name())
            .event(&advance.event))
    }

    /// Says which recovery codes there are from now on.
    pub(crate) fn recovery(self, put: &PutRecovery) -> Result<Self, StoreError> {
        put.check()?;
        let codes = put
            .codes
            .iter()
            .map(|(selector, digest)| (selector.as_str().to_owned(), Value::from(digest.as_str())));
        let codes = Value::Object(codes.collect());
        Ok(self.with("codes", codes).event(&put.event))
    }

    /// Says which recovery code is used up.
    pub(crate) fn used(self, used: &UseRecovery) -> Self {
        self.text("selector", used.selector.as_str())
            .text("digest", &used.digest)
            .accepted(used.accepted.as_ref())
            .text("lane", used.lane.name())
            .event(&used.event)
    }

    /// Says how the try answers when it is repeated; an empty text is a try without a name.
    fn accepted(self, tried: Option<&AcceptedTry>) -> Self {
        let text = tried.map(AcceptedTry::to_stored);
        let life = AcceptedTry::LIFE.as_millis().to_string();
        self.text("accepted", &text.unwrap_or_default())
            .text("answers_for", &life)
    }

    /// Says what an authenticator is called from now on.
    pub(crate) fn renaming(self, rename: &RenameFactor) -> Self {
        self.text("id", &rename.factor.to_string())
            .text("name", rename.name.as_str())
            .event(&rename.event)
    }
}

/// Names the budget that a step's guesses count in.
pub(crate) fn class(step: &str) -> FactorClass {
    match step {
        "use_recovery" => FactorClass::Recovery,
        _ => FactorClass::Totp,
    }
}

pub(crate) fn enrolled(reply: &Reply) -> Result<Enrolled, StoreError> {
    outcome(
        reply,
        [
            Enrolled::Pending,
            Enrolled::NameTaken,
            Enrolled::TooMany,
            Enrolled::Unshown,
        ],
        |enrolled| enrolled.refusal(),
    )
}

pub(crate) fn advanced(reply: &Reply) -> Result<FactorAdvanced, StoreError> {
    outcome(
        reply,
        [
            FactorAdvanced::Accepted,
            FactorAdvanced::Used,
            FactorAdvanced::Gone,
        ],
        |advanced| advanced.refusal(),
    )
}

pub(crate) fn removed(reply: &Reply) -> Result<Removed, StoreError> {
    Removed::from_word(reply.text(0)?).ok_or_else(|| corrupt("an answer"))
}

pub(crate) fn renamed(reply: &Reply) -> Result<Renamed, StoreError> {
    outcome(
        reply,
        [Renamed::Now, Renamed::NameTaken, Renamed::Unknown],
        |renamed| renamed.refusal(),
    )
}

/// Reads the try that was accepted last; an empty text stands for none.
pub(crate) fn accepted(reply: &Reply) -> Result<Option<AcceptedTry>, StoreError> {
    match reply.text(0)? {
        "" => Ok(None),
        text => AcceptedTry::from_stored(text)
            .map(Some)
            .ok_or_else(|| corrupt("an accepted try")),
    }
}

pub(crate) fn used(reply: &Reply) -> Result<RecoveryUse, StoreError> {
    let left = left(reply, 1)?;
    outcome(
        reply,
        [RecoveryUse::Used { left }, RecoveryUse::Gone],
        |used| used.refusal(),
    )
}

/// Finds the outcome that is refused for the reason that was answered; an empty text is a success.
fn outcome<T: Copy, const N: usize>(
    reply: &Reply,
    known: [T; N],
    refusal: impl Fn(T) -> Option<&'static str>,
) -> Result<T, StoreError> {
    let said = Some(reply.text(0)?).filter(|text| !text.is_empty());
    let mut known = known.into_iter();
    let found = known.find(|one| refusal(*one) == said);
    found.ok_or_else(|| corrupt("an outcome"))
}

pub(crate) fn left(reply: &Reply, place: usize) -> Result<u32, StoreError> {
    u32::try_from(reply.number(place)?).map_err(|_| corrupt("a number"))
}

/// Reads the hash of a recovery code; an empty text stands for none.
pub(crate) fn digest(reply: &Reply) -> Result<Option<String>, StoreError> {
    let text = reply.text(0)?;
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// Reads an owner's authenticators, oldest first. One that is another's cannot be.
pub(crate) fn all(owner: &FactorOwner, reply: &Reply) -> Result<Vec<Factor>, StoreError> {
    let rows = reply.lists(0)?.into_iter();
    let factors = rows.map(|row| read(&Fields::new(row)));
    let mut factors = factors.collect::<Result<Vec<_>, _>>()?;
    let own = |factor: &Factor| factor.tenant == owner.tenant && factor.subject == owner.subject;
    if !factors.iter().all(own) {
        return Err(corrupt("a factor"));
    }
    factors.sort_by_key(|factor| (factor.created_at, factor.id));
    Ok(factors)
}

fn read(row: &Fields) -> Result<Factor, StoreError> {
    let digits = row.parsed("digits", |text| text.parse().ok())?;
    let period = row.parsed("period", |text| text.parse().ok())?;
    let kind = FactorKind::from_stored(row.text("kind")?, row.text("algorithm")?, digits, period);
    Ok(Factor {
        id: row.parsed("id", |text| text.parse().ok())?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: SubjectKey::from_stored(row.text("subject")?),
        kind: kind.ok_or_else(|| corrupt("a factor"))?,
        name: row.parsed("name", |text| FactorName::new(text).ok())?,
        secret: row.parsed("secret", |text| Sealed::from_bytes(&unhex(text)?).ok())?,
        last: row.opt_parsed("last", |text| text.parse().ok())?,
        created_at: row.time("created_at")?,
        confirmed_at: row.opt_parsed("confirmed_at", millis)?,
        used_at: row.opt_parsed("used_at", millis)?,
    })
}

fn millis(text: &str) -> Option<otp_core::clock::Timestamp> {
    let millis = text.parse().ok()?;
    Some(otp_core::clock::Timestamp::from_millis(millis))
}
