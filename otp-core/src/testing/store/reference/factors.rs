use async_trait::async_trait;

use super::{ReferenceStore, State};
use crate::challenge::Lane;
use crate::event::{Event, Outcome};
use crate::factor::{Factor, RecoverySelector};
use crate::request::FactorClass;
use crate::store::{
    AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorOwner, FactorSheet,
    FactorStore, PutRecovery, RecoveryUse, RemoveFactor, Removed, RenameFactor, Renamed,
    StoreError, UseRecovery,
};

impl State {
    fn sheet(&mut self, owner: &FactorOwner) -> &mut FactorSheet {
        self.factors.entry(owner.clone()).or_default()
    }

    /// A success gives its own guess back, and no more.
    fn succeeded(&mut self, owner: &FactorOwner, class: FactorClass, lane: Lane) {
        if let Some(budget) = self.budgets.get_mut(&owner.budget(class)) {
            budget.succeed(lane);
        }
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
impl FactorStore for ReferenceStore {
    async fn enrol(&self, enrol: Enrol) -> Result<Enrolled, StoreError> {
        let (mut state, now) = self.begin()?;
        let enrolled = state.sheet(&enrol.owner).enrol(&enrol, now);
        state.record(told(enrol.event, enrolled.refusal()), now);
        Ok(enrolled)
    }

    async fn factors(&self, owner: &FactorOwner) -> Result<Vec<Factor>, StoreError> {
        let state = self.look();
        let sheet = state.factors.get(owner);
        Ok(sheet.map_or_else(Vec::new, |sheet| sheet.factors.clone()))
    }

    async fn advance_factor(&self, advance: AdvanceFactor) -> Result<FactorAdvanced, StoreError> {
        advance.number()?;
        let (mut state, now) = self.begin()?;
        let advanced = state.sheet(&advance.owner).advance(&advance, now);
        if advanced == FactorAdvanced::Accepted {
            state.succeeded(&advance.owner, FactorClass::Totp, advance.lane);
        }
        state.record(told(advance.event, advanced.refusal()), now);
        Ok(advanced)
    }

    async fn remove_factor(&self, remove: RemoveFactor) -> Result<Removed, StoreError> {
        let (mut state, now) = self.begin()?;
        let removed = state.sheet(&remove.owner).remove(&remove.factor);
        state.record(removed.told(remove.event), now);
        Ok(removed)
    }

    async fn rename_factor(&self, rename: RenameFactor) -> Result<Renamed, StoreError> {
        let (mut state, now) = self.begin()?;
        let renamed = state.sheet(&rename.owner).rename(&rename);
        state.record(told(rename.event, renamed.refusal()), now);
        Ok(renamed)
    }

    async fn accepted_try(&self, owner: &FactorOwner) -> Result<Option<AcceptedTry>, StoreError> {
        let state = self.look();
        let sheet = state.factors.get(owner);
        Ok(sheet.and_then(|sheet| sheet.accepted.clone()))
    }

    async fn put_recovery(&self, put: PutRecovery) -> Result<(), StoreError> {
        put.check()?;
        let (mut state, now) = self.begin()?;
        state.sheet(&put.owner).put_recovery(&put);
        state.record(put.event, now);
        Ok(())
    }

    async fn recovery(
        &self,
        owner: &FactorOwner,
        selector: RecoverySelector,
    ) -> Result<Option<String>, StoreError> {
        let state = self.look();
        let sheet = state.factors.get(owner);
        Ok(sheet.and_then(|sheet| sheet.recovery.get(&selector).cloned()))
    }

    async fn recovery_left(&self, owner: &FactorOwner) -> Result<u32, StoreError> {
        let state = self.look();
        let sheet = state.factors.get(owner);
        Ok(sheet.map_or(0, FactorSheet::recovery_left))
    }

    async fn use_recovery(&self, used: UseRecovery) -> Result<RecoveryUse, StoreError> {
        let (mut state, now) = self.begin()?;
        let outcome = state.sheet(&used.owner).use_recovery(&used);
        if let RecoveryUse::Used { .. } = outcome {
            state.succeeded(&used.owner, FactorClass::Recovery, used.lane);
        }
        state.record(told(used.event, outcome.refusal()), now);
        Ok(outcome)
    }

    async fn reset_factors(&self, owner: &FactorOwner, event: Event) -> Result<u64, StoreError> {
        let (mut state, now) = self.begin()?;
        let gone = state.factors.remove(owner);
        state.record(event, now);
        Ok(gone.map_or(0, |sheet| sheet.count()))
    }
}
