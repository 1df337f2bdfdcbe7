use super::authenticators::is_active;
use super::secret;
use crate::challenge::Lane;
use crate::event::{Event, Outcome};
use crate::factor::{Drift, FactorId, FactorName};
use crate::quota::BudgetRules;
use crate::request::FactorClass;
use crate::store::{BudgetClaim, FactorOwner, Plan, Step, StoreError};
use crate::verifier::Verifier;

/// How far the clock of one authenticator is off.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FactorDrift {
    /// Which authenticator.
    pub factor: FactorId,
    /// What its owner calls it.
    pub name: FactorName,
    /// How far it is off; `None` where the codes are not its own, or it is off by more than an hour.
    pub drift: Option<Drift>,
}

/// What came of a diagnosis.
#[derive(Debug)]
pub(crate) enum Diagnosis {
    /// What each active authenticator that goes by the time shows.
    Shown(Vec<FactorDrift>),
    /// The budget takes no guess now.
    Locked,
}

impl Verifier {
    /// Compares two codes, shown one after the other, with every active authenticator of an account,
    /// an hour each way. It is one guess on the budget, and accepts nothing.
    pub(crate) async fn diagnose(
        &self,
        owner: &FactorOwner,
        codes: [&str; 2],
        event: Event,
    ) -> Result<Diagnosis, StoreError> {
        let rules = BudgetRules::totp();
        let budget = BudgetClaim::new(owner.budget(FactorClass::Totp), Lane::Public, rules);
        let plan = Plan {
            blocks: Vec::new(),
            quotas: Vec::new(),
            step: Step::Guess {
                budget,
                named: None,
            },
            event: event.clone(),
        };
        let admission = self.inner.store.admit(&plan).await?;
        let event = event.at(admission.now);
        if admission.findings.budget.is_some() {
            self.observe(&event.with_outcome(Outcome::Refused, "locked"));
            return Ok(Diagnosis::Locked);
        }
        let keys = self.inner.keys.snapshot();
        let skew = self.policy().factors().skew();
        let mut factors = self.inner.store.factors(owner).await?;
        factors.retain(is_active);
        let shown = factors.into_iter().filter_map(|factor| {
            let secret = secret::opened(&keys, owner, &factor)?;
            let totp = secret::totp(factor.kind, &secret, skew)?;
            Some(FactorDrift {
                factor: factor.id,
                name: factor.name,
                drift: totp.drift(codes, admission.now),
            })
        });
        let shown = shown.collect();
        self.record(event).await?;
        Ok(Diagnosis::Shown(shown))
    }
}
