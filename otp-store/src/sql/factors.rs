//! Authenticators and recovery codes. Whoever changes an owner's holds the subject's stripe, as
//! whoever reserves a guess does.

use otp_core::challenge::Lane;
use otp_core::clock::Timestamp;
use otp_core::event::{Event, Outcome};
use otp_core::factor::{Factor, RecoverySelector};
use otp_core::request::FactorClass;
use otp_core::store::{
    AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorSheet,
    PutRecovery, RecoveryUse, RemoveFactor, Removed, RenameFactor, Renamed, StoreError,
    UseRecovery,
};

use super::budget_rows::Loaded;
use super::{Intent, Locks, Tx, audit, corrupt, factor_rows};

const REMOVE: &str = "DELETE FROM otp_factors WHERE id = ? AND subject_key = ? AND tenant = ?";
const REMOVE_ALL: &str = "DELETE FROM otp_factors WHERE subject_key = ? AND tenant = ?";
const PUT_CODE: &str =
    "INSERT INTO otp_recovery_codes (tenant, user_id, subject_key, selector, digest)
    VALUES (?, ?, ?, ?, ?)";
const CODE: &str = "SELECT digest FROM otp_recovery_codes
    WHERE subject_key = ? AND tenant = ? AND selector = ?";
const REMOVE_OTHERS: &str = "DELETE FROM otp_factors
    WHERE id <> ? AND subject_key = ? AND tenant = ?";
const TAKE_CODE: &str = "DELETE FROM otp_recovery_codes
    WHERE subject_key = ? AND tenant = ? AND selector = ?";
const TAKE_CODES: &str = "DELETE FROM otp_recovery_codes WHERE subject_key = ? AND tenant = ?";
const LEFT: &str = "SELECT COUNT(*) AS codes FROM otp_recovery_codes
    WHERE subject_key = ? AND tenant = ?";
const RENAME: &str =
    "UPDATE otp_factors SET name = ? WHERE id = ? AND subject_key = ? AND tenant = ?";
const LAST_TRY: &str = "SELECT answer FROM otp_accepted_tries
    WHERE subject_key = ? AND tenant = ?";
const FORGET_TRY: &str = "DELETE FROM otp_accepted_tries WHERE subject_key = ? AND tenant = ?";
const KEEP_TRY: &str = "INSERT INTO otp_accepted_tries (tenant, user_id, subject_key, answer)
    VALUES (?, ?, ?, ?)";

fn locked(owner: &FactorOwner) -> Locks {
    Locks::default().subject(owner.subject.shard())
}

/// Writes the record of what was asked for, or of why it was not done.
async fn told(tx: &mut Tx<'_>, event: &Event, why: Option<&'static str>) -> Result<(), StoreError> {
    match why {
        None => audit::write(tx, event).await,
        Some(reason) => {
            let refused = event.clone().with_outcome(Outcome::Refused, reason);
            audit::write(tx, &refused).await
        }
    }
}

/// Gives a success its own guess back; a budget that was never used has none.
async fn succeed(
    tx: &mut Tx<'_>,
    owner: &FactorOwner,
    class: FactorClass,
    lane: Lane,
) -> Result<(), StoreError> {
    let mut loaded = Loaded::load(tx, owner.budget(class)).await?;
    let before = loaded.budget.clone();
    loaded.budget.succeed(lane);
    if loaded.budget == before {
        return Ok(());
    }
    loaded.save(tx).await
}

/// Keeps how a try answers when it is repeated, in the place of the one before it.
async fn keep_try(
    tx: &mut Tx<'_>,
    owner: &FactorOwner,
    tried: Option<&AcceptedTry>,
) -> Result<(), StoreError> {
    let Some(tried) = tried else { return Ok(()) };
    tx.execute(FORGET_TRY, &owned(owner)).await?;
    let answer = tried.to_stored();
    let values = [
        owner.tenant.as_str().into(),
        owner.subject.user_id().into(),
        owner.subject.as_str().into(),
        (&answer).into(),
    ];
    tx.execute(KEEP_TRY, &values).await.map(drop)
}

/// Reads the try that was accepted last.
pub(crate) struct LastTry(pub(crate) FactorOwner);

impl Intent for LastTry {
    type Answer = Option<AcceptedTry>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Option<AcceptedTry>, StoreError> {
        let row = tx.row(LAST_TRY, &owned(&self.0)).await?;
        row.map(|row| row.parsed("answer", AcceptedTry::from_stored))
            .transpose()
    }
}

/// Adds an authenticator where there is a place for it.
pub(crate) struct EnrolFactor(pub(crate) Enrol);

impl Intent for EnrolFactor {
    type Answer = Enrolled;

    fn locks(&self) -> Locks {
        locked(&self.0.owner)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Enrolled, StoreError> {
        let (enrol, now) = (&self.0, tx.now()?);
        let sheet = sheet(factor_rows::of(tx, &enrol.owner).await?);
        let change = sheet.judge_enrolment(enrol, now);
        if let Some(replaced) = change.replaced {
            let id = replaced.to_string();
            tx.execute(REMOVE, &named(&id, &enrol.owner)).await?;
        }
        if let Some(added) = &change.added {
            factor_rows::add(tx, added).await?;
        }
        told(tx, &enrol.event, change.outcome.refusal()).await?;
        Ok(change.outcome)
    }
}

fn sheet(factors: Vec<Factor>) -> FactorSheet {
    FactorSheet {
        factors,
        ..FactorSheet::default()
    }
}

fn named<'v>(id: &'v str, owner: &'v FactorOwner) -> [super::Value<'v>; 3] {
    let [subject, tenant] = owned(owner);
    [id.into(), subject, tenant]
}

fn owned(owner: &FactorOwner) -> [super::Value<'_>; 2] {
    [owner.subject.as_str().into(), owner.tenant.as_str().into()]
}

/// Lists an owner's authenticators.
pub(crate) struct Factors(pub(crate) FactorOwner);

impl Intent for Factors {
    type Answer = Vec<Factor>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Vec<Factor>, StoreError> {
        factor_rows::of(tx, &self.0).await
    }
}

/// Takes the one success of a step.
pub(crate) struct TakeStep(pub(crate) AdvanceFactor);

impl TakeStep {
    async fn take(&self, tx: &mut Tx<'_>, now: Timestamp) -> Result<FactorAdvanced, StoreError> {
        let (advance, to) = (&self.0, self.0.number()?);
        let sheet = sheet(factor_rows::of(tx, &advance.owner).await?);
        let is_first = !sheet.has_active();
        let mut factors = sheet.factors.into_iter();
        let Some(mut factor) = factors.find(|factor| factor.id == advance.factor) else {
            return Ok(FactorAdvanced::Gone);
        };
        let advanced = factor.advance(advance, now);
        if advanced != FactorAdvanced::Accepted {
            return Ok(advanced);
        }
        // It was read under the subject's stripe; the statement holds to it all the same.
        if factor_rows::save(tx, &factor, to).await? == 0 {
            return Ok(FactorAdvanced::Used);
        }
        if is_first {
            let id = factor.id.to_string();
            tx.execute(REMOVE_OTHERS, &named(&id, &advance.owner))
                .await?;
            tx.execute(TAKE_CODES, &owned(&advance.owner)).await?;
            tx.execute(FORGET_TRY, &owned(&advance.owner)).await?;
        }
        succeed(tx, &advance.owner, FactorClass::Totp, advance.lane).await?;
        keep_try(tx, &advance.owner, advance.accepted.as_ref()).await?;
        Ok(FactorAdvanced::Accepted)
    }
}

impl Intent for TakeStep {
    type Answer = FactorAdvanced;

    fn locks(&self) -> Locks {
        locked(&self.0.owner)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<FactorAdvanced, StoreError> {
        let now = tx.now()?;
        let advanced = self.take(tx, now).await?;
        told(tx, &self.0.event, advanced.refusal()).await?;
        Ok(advanced)
    }
}

/// Takes an authenticator away.
pub(crate) struct DropFactor(pub(crate) RemoveFactor);

impl Intent for DropFactor {
    type Answer = Removed;

    fn locks(&self) -> Locks {
        locked(&self.0.owner)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Removed, StoreError> {
        let RemoveFactor {
            owner,
            factor,
            event,
        } = &self.0;
        let mut sheet = sheet(factor_rows::of(tx, owner).await?);
        let removed = sheet.remove(factor);
        if removed != Removed::Unknown {
            let id = factor.to_string();
            tx.execute(REMOVE, &named(&id, owner)).await?;
        }
        if removed == Removed::Last {
            tx.execute(TAKE_CODES, &owned(owner)).await?;
            tx.execute(FORGET_TRY, &owned(owner)).await?;
        }
        audit::write(tx, &removed.told(event.clone())).await?;
        Ok(removed)
    }
}

/// Calls an authenticator by another name.
pub(crate) struct NameFactor(pub(crate) RenameFactor);

impl Intent for NameFactor {
    type Answer = Renamed;

    fn locks(&self) -> Locks {
        locked(&self.0.owner)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Renamed, StoreError> {
        let rename = &self.0;
        let sheet = sheet(factor_rows::of(tx, &rename.owner).await?);
        let (renamed, replaced) = sheet.judge_name(rename);
        if let Some(replaced) = replaced {
            let id = replaced.to_string();
            tx.execute(REMOVE, &named(&id, &rename.owner)).await?;
        }
        if renamed == Renamed::Now {
            let id = rename.factor.to_string();
            let [id, subject, tenant] = named(&id, &rename.owner);
            let values = [rename.name.as_str().into(), id, subject, tenant];
            tx.execute(RENAME, &values).await?;
        }
        told(tx, &rename.event, renamed.refusal()).await?;
        Ok(renamed)
    }
}

/// Replaces all recovery codes of an owner.
pub(crate) struct PutCodes(pub(crate) PutRecovery);

impl Intent for PutCodes {
    type Answer = ();

    fn locks(&self) -> Locks {
        locked(&self.0.owner)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let put = &self.0;
        put.check()?;
        tx.execute(TAKE_CODES, &owned(&put.owner)).await?;
        for (selector, digest) in &put.codes {
            let values = [
                put.owner.tenant.as_str().into(),
                put.owner.subject.user_id().into(),
                put.owner.subject.as_str().into(),
                selector.as_str().into(),
                digest.into(),
            ];
            tx.execute(PUT_CODE, &values).await?;
        }
        audit::write(tx, &put.event).await
    }
}

/// Reads the hash of a recovery code.
pub(crate) struct FindCode(pub(crate) FactorOwner, pub(crate) RecoverySelector);

impl Intent for FindCode {
    type Answer = Option<String>;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<Option<String>, StoreError> {
        let [subject, tenant] = owned(&self.0);
        let named = [subject, tenant, self.1.as_str().into()];
        let row = tx.row(CODE, &named).await?;
        row.map(|row| row.text("digest").map(str::to_owned))
            .transpose()
    }
}

/// Counts the recovery codes that are left.
pub(crate) struct CodesLeft(pub(crate) FactorOwner);

impl Intent for CodesLeft {
    type Answer = u32;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u32, StoreError> {
        left(tx, &self.0).await
    }
}

async fn left(tx: &mut Tx<'_>, owner: &FactorOwner) -> Result<u32, StoreError> {
    let row = tx.row(LEFT, &owned(owner)).await?;
    row.ok_or_else(|| corrupt("codes"))?.count("codes")
}

/// Takes the one success of a recovery code.
pub(crate) struct TakeCode(pub(crate) UseRecovery);

impl Intent for TakeCode {
    type Answer = RecoveryUse;

    fn locks(&self) -> Locks {
        locked(&self.0.owner)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<RecoveryUse, StoreError> {
        let used = &self.0;
        let found = FindCode(used.owner.clone(), used.selector);
        let outcome = if found.carry_out(tx).await?.as_ref() == Some(&used.digest) {
            let [subject, tenant] = owned(&used.owner);
            let named = [subject, tenant, used.selector.as_str().into()];
            match tx.execute(TAKE_CODE, &named).await? {
                0 => RecoveryUse::Gone,
                _ => {
                    succeed(tx, &used.owner, FactorClass::Recovery, used.lane).await?;
                    keep_try(tx, &used.owner, used.accepted.as_ref()).await?;
                    let left = left(tx, &used.owner).await?;
                    RecoveryUse::Used { left }
                }
            }
        } else {
            RecoveryUse::Gone
        };
        told(tx, &used.event, outcome.refusal()).await?;
        Ok(outcome)
    }
}

/// Takes everything of an owner away.
pub(crate) struct ResetFactors(pub(crate) FactorOwner, pub(crate) Event);

impl Intent for ResetFactors {
    type Answer = u64;

    fn locks(&self) -> Locks {
        locked(&self.0)
    }

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let factors = tx.execute(REMOVE_ALL, &owned(&self.0)).await?;
        let codes = tx.execute(TAKE_CODES, &owned(&self.0)).await?;
        tx.execute(FORGET_TRY, &owned(&self.0)).await?;
        audit::write(tx, &self.1).await?;
        Ok(factors.saturating_add(codes))
    }
}
