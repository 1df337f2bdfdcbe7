use async_trait::async_trait;
use otp_core::event::{Event, Outcome};
use otp_core::factor::{Factor, RecoverySelector};
use otp_core::request::FactorClass;
use otp_core::store::{
    AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorSheet,
    FactorStore, PutRecovery, RecoveryUse, RemoveFactor, Removed, RenameFactor, Renamed,
    StoreError, UseRecovery,
};

use super::MemoryStore;
use super::shard::Shard;

impl MemoryStore {
    fn keep(
        &self,
        shard: &mut Shard,
        owner: &FactorOwner,
        sheet: FactorSheet,
    ) -> Result<(), StoreError> {
        let capacity = self.inner.capacity.factor_owners.get();
        shard.put_sheet(owner, sheet, capacity)
    }
}

/// The record of what was asked for, or of why it was not done.
fn told(event: Event, refusal: Option<&'static str>) -> Event {
    match refusal {
        None => event,
        Some(reason) => event.with_outcome(Outcome::Refused, reason),
    }
}

#[async_trait]
impl FactorStore for MemoryStore {
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of_subject(&enrol.owner.subject)?;
        let mut sheet = shard.sheet(&enrol.owner);
        let enrolled = sheet.enrol(&enrol, now);
        self.keep(&mut shard, &enrol.owner, sheet)?;
        let event = told(enrol.event, enrolled.refusal());
        self.inner.outbox.push(event.at(now));
        Ok(enrolled)
    }

    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
        let shard = self.shard_of_subject(&owner.subject)?;
        Ok(shard.sheet(owner).factors)
    }

    async fn advance_factor(&self, advance: AdvanceFactor) -> Result<FactorAdvanced, StoreError> {
        advance.number()?;
        let now = self.now()?;
        let owner = &advance.owner;
        let mut shard = self.shard_of_subject(&owner.subject)?;
        let mut sheet = shard.sheet(owner);
        let advanced = sheet.advance(&advance, now);
        if advanced == FactorAdvanced::Accepted {
            self.keep(&mut shard, owner, sheet)?;
            shard.succeed(&owner.budget(FactorClass::Totp), advance.lane);
        }
        let event = told(advance.event, advanced.refusal());
        self.inner.outbox.push(event.at(now));
        Ok(advanced)
    }

    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of_subject(&remove.owner.subject)?;
        let mut sheet = shard.sheet(&remove.owner);
        let removed = sheet.remove(&remove.factor);
        self.keep(&mut shard, &remove.owner, sheet)?;
        let event = removed.told(remove.event);
        self.inner.outbox.push(event.at(now));
        Ok(removed)
    }

    async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of_subject(&rename.owner.subject)?;
        let mut sheet = shard.sheet(&rename.owner);
        let renamed = sheet.rename(&rename);
        self.keep(&mut shard, &rename.owner, sheet)?;
        let event = told(rename.event, renamed.refusal());
        self.inner.outbox.push(event.at(now));
        Ok(renamed)
    }

    async fn accepted_try(&self, owner: &FactorOwner) -> Result<Option<AcceptedTry>, StoreError> {
        let shard = self.shard_of_subject(&owner.subject)?;
        Ok(shard.sheet(owner).accepted)
    }

    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
        put.check()?;
        let now = self.now()?;
        let mut shard = self.shard_of_subject(&put.owner.subject)?;
        let mut sheet = shard.sheet(&put.owner);
        sheet.put_recovery(&put);
        self.keep(&mut shard, &put.owner, sheet)?;
        self.inner.outbox.push(put.event.at(now));
        Ok(())
    }

    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError> {
        let shard = self.shard_of_subject(&owner.subject)?;
        Ok(shard.sheet(owner).recovery.remove(&selector))
    }

    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
        let shard = self.shard_of_subject(&owner.subject)?;
        Ok(shard.sheet(owner).recovery_left())
    }

    async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
        let now = self.now()?;
        let owner = &used.owner;
        let mut shard = self.shard_of_subject(&owner.subject)?;
        let mut sheet = shard.sheet(owner);
        let outcome = sheet.use_recovery(&used);
        if let RecoveryUse::Used { .. } = outcome {
            self.keep(&mut shard, owner, sheet)?;
            shard.succeed(&owner.budget(FactorClass::Recovery), used.lane);
        }
        let event = told(used.event, outcome.refusal());
        self.inner.outbox.push(event.at(now));
        Ok(outcome)
    }

    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError> {
        let now = self.now()?;
        let mut shard = self.shard_of_subject(&owner.subject)?;
        let count = shard.sheet(owner).count();
        self.keep(&mut shard, owner, FactorSheet::default())?;
        self.inner.outbox.push(event.at(now));
        Ok(count)
    }
}
