//! Challenges as names and values.

use otp_core::challenge::{
    Alphabet, AttemptAnswer, AttemptEntry, Challenge, ChallengeState, CodeFormat, Lane, Separators,
};
use otp_core::key::{KeyId, Sealed};
use otp_core::request::{AttemptId, FactorClass, Purpose, SessionBinding, SubjectKey, Tenant};
use otp_core::store::StoreError;
use serde_json::json;

use super::corrupt;
use super::reply::Fields;
use super::request::{hex, unhex};

/// Writes a challenge as names and values.
pub(crate) fn write(new: &Challenge) -> Vec<(&'static str, String)> {
    let (consumed_at, consumed_by) = match &new.state {
        ChallengeState::Consumed { at, by } => (
            at.as_millis().to_string(),
            by.as_ref().map(|by| by.as_str().to_owned()),
        ),
        _ => (String::new(), None),
    };
    let log = new.attempt_log.iter().map(|entry| {
        let print = hex(&entry.fingerprint);
        json!([entry.id.as_str(), print, entry.answer.name()])
    });
    vec![
        ("id", new.id.to_string()),
        ("fingerprint", new.id.fingerprint()),
        ("tenant", new.tenant.as_str().to_owned()),
        ("subject", new.subject.as_str().to_owned()),
        ("purpose", new.purpose.as_str().to_owned()),
        ("channel", new.channel.name().to_owned()),
        ("lane", new.lane.name().to_owned()),
        ("class", new.class.name().to_owned()),
        ("alphabet", new.format.alphabet().name().to_owned()),
        ("length", new.format.length().to_string()),
        ("separators", new.format.separators().name().to_owned()),
        ("destination", sealed_text(new.destination.as_ref())),
        ("destination_key", new.destination_key.as_str().to_owned()),
        ("destination_masked", new.destination_masked.clone()),
        ("digest", new.digest.clone()),
        ("sealed_code", sealed_text(new.sealed_code.as_ref())),
        ("key_id", new.key_id.as_str().to_owned()),
        (
            "address",
            new.address
                .map(|address| address.to_string())
                .unwrap_or_default(),
        ),
        (
            "binding",
            new.binding
                .as_ref()
                .map(|binding| hex(binding.as_bytes()))
                .unwrap_or_default(),
        ),
        ("created_at", new.created_at.as_millis().to_string()),
        ("expires_at", new.expires_at.as_millis().to_string()),
        ("attempts", new.attempts.to_string()),
        ("wrong", new.wrong.to_string()),
        ("attempt_limit", new.attempt_limit.to_string()),
        ("sends", new.sends.to_string()),
        ("next_send_at", new.next_send_at.as_millis().to_string()),
        ("state", new.state.name().to_owned()),
        ("consumed_at", consumed_at),
        ("consumed_by", consumed_by.unwrap_or_default()),
        ("log", log.collect::<serde_json::Value>().to_string()),
    ]
}

pub(crate) fn sealed_text(sealed: Option<&Sealed>) -> String {
    sealed
        .map(|sealed| hex(sealed.as_bytes()))
        .unwrap_or_default()
}

/// Reads a challenge back.
pub(crate) fn read(row: &Fields) -> Result<Challenge, StoreError> {
    Ok(Challenge {
        id: row.parsed("id", |text| text.parse().ok())?,
        tenant: row.parsed("tenant", |text| Tenant::new(text).ok())?,
        subject: SubjectKey::from_stored(row.text("subject")?),
        purpose: row.parsed("purpose", |text| Purpose::new(text).ok())?,
        channel: row.parsed("channel", |text| text.parse().ok())?,
        lane: row.parsed("lane", Lane::from_name)?,
        class: row.parsed("class", FactorClass::from_name)?,
        format: format(row)?,
        destination: sealed(row, "destination")?,
        destination_key: SubjectKey::from_stored(row.text("destination_key")?),
        destination_masked: row.text("destination_masked")?.to_owned(),
        digest: row.text("digest")?.to_owned(),
        sealed_code: sealed(row, "sealed_code")?,
        key_id: row.parsed("key_id", |text| KeyId::new(text).ok())?,
        address: row.opt_parsed("address", |text| text.parse().ok())?,
        binding: row
            .opt_parsed("binding", |text| unhex(text)?.try_into().ok())?
            .map(SessionBinding::from_bytes),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
        attempts: row.count("attempts")?,
        wrong: row.count("wrong")?,
        attempt_limit: row.count("attempt_limit")?,
        sends: row.count("sends")?,
        next_send_at: row.time("next_send_at")?,
        state: state(row)?,
        attempt_log: log(row)?,
    })
}

fn state(row: &Fields) -> Result<ChallengeState, StoreError> {
    let by = row.opt_parsed("consumed_by", |text| AttemptId::new(text).ok())?;
    ChallengeState::from_name(row.text("state")?, || {
        Some((row.time("consumed_at").ok()?, by))
    })
    .ok_or_else(|| corrupt("state"))
}

fn log(row: &Fields) -> Result<Vec<AttemptEntry>, StoreError> {
    let entries: Vec<[String; 3]> =
        serde_json::from_str(row.text("log")?).map_err(|_| corrupt("log"))?;
    let entry = |[id, print, answer]: &[String; 3]| {
        Some(AttemptEntry {
            id: AttemptId::new(id).ok()?,
            fingerprint: unhex(print)?.try_into().ok()?,
            answer: AttemptAnswer::from_name(answer)?,
        })
    };
    let entries = entries.iter().map(entry).collect::<Option<_>>();
    entries.ok_or_else(|| corrupt("log"))
}

fn sealed(row: &Fields, name: &'static str) -> Result<Option<Sealed>, StoreError> {
    row.opt_parsed(name, |text| Sealed::from_bytes(&unhex(text)?).ok())
}

fn format(row: &Fields) -> Result<CodeFormat, StoreError> {
    let length = row.parsed("length", |text| text.parse().ok())?;
    let alphabet = row.parsed("alphabet", Alphabet::from_name)?;
    let separators = row.parsed("separators", Separators::from_name)?;
    let format = CodeFormat::of(alphabet, length).map_err(|_| corrupt("length"))?;
    Ok(format.with_separators(separators))
}
