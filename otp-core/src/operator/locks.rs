use super::effect::{Count, Effect, Mode};
use super::{Operator, Whom};
use crate::quota::{BudgetRefusal, BudgetRules};
use crate::request::FactorClass;
use crate::store::{BudgetKey, BudgetReading};
use crate::verifier::Unavailable;

/// Every class of authenticator that has a budget.
pub(super) const CLASSES: [FactorClass; 3] = [
    FactorClass::OutOfBand,
    FactorClass::Totp,
    FactorClass::Recovery,
];

impl Operator {
    /// Opens the budgets of an account or of a destination: guesses, pauses and disablement are
    /// forgotten, for every kind of authenticator. An address has none.
    ///
    /// Do it for the rightful owner only; whoever was guessing may go on guessing. The effect counts
    /// the budgets that had something to forget.
    ///
    /// # Errors
    /// [`Unavailable`]; some may be open by then.
    pub async fn unlock(&self, whom: &Whom) -> Result<Effect, Unavailable> {
        let mut used = Vec::new();
        let Some(subject) = whom.subject_key() else {
            self.note(whom.named_in(self.event("unlock"))).await?;
            return Ok(Effect::new(self.mode, Count::Exactly(0), &used, name));
        };
        for class in CLASSES {
            let key = BudgetKey {
                tenant: self.tenant.clone(),
                subject: subject.clone(),
                class,
            };
            let reading = self.store().budget(&key, &self.rules(class)).await?;
            if is_used(&reading) {
                used.push((class, reading));
            }
            if self.mode == Mode::Apply {
                let event = whom.named_in(self.event("unlock"));
                self.store().unlock(&key, event.clone()).await?;
                self.verifier.observe(&event);
            }
        }
        if self.mode == Mode::Preview {
            self.note(whom.named_in(self.event("unlock"))).await?;
        }
        let count = Count::listed(used.len(), CLASSES.len());
        Ok(Effect::new(self.mode, count, &used, name))
    }

    /// Gives the rules that a class is held to.
    pub(super) fn rules(&self, class: FactorClass) -> BudgetRules {
        match class {
            FactorClass::OutOfBand => self.verifier.policy().limits().budget().clone(),
            FactorClass::Totp | FactorClass::Recovery => BudgetRules::totp(),
        }
    }
}

fn is_used(reading: &BudgetReading) -> bool {
    let budget = &reading.budget;
    !budget.guesses.is_empty()
        || budget.consecutive > 0
        || budget.paused_until.iter().any(Option::is_some)
        || reading.public.is_some()
        || reading.known_device.is_some()
}

fn name((class, reading): &(FactorClass, BudgetReading)) -> String {
    let state = match reading.public {
        None => "open",
        Some(BudgetRefusal::Locked { .. }) => "locked",
        Some(BudgetRefusal::Disabled) => "disabled",
    };
    let guesses = reading.budget.guesses.len();
    format!("{} {state}, {guesses} guesses", class.name())
}
