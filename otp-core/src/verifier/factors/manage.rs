use super::{FactorError, Proven};
use crate::event::{EventKind, Outcome};
use crate::factor::{Factor, FactorId};
use crate::request::{RequestContext, SubjectId, SubjectKey, Tenant};
use crate::store::{FactorOwner, RemoveFactor, Removed};
use crate::verifier::{Unavailable, Verifier};

impl Verifier {
    /// Lists an account's authenticators, oldest first, without enrolments that have lapsed. Their
    /// secrets are sealed.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn list_factors(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
    ) -> Result<Vec<Factor>, Unavailable> {
        let owner = owner(tenant, subject);
        let mut factors = self.inner.store.factors(&owner).await?;
        let life = self.policy().factors().enrolment();
        let now = self.inner.clock.now();
        factors.retain(|factor| factor.lapsed(now, life).is_none());
        Ok(factors)
    }

    /// Takes one of the account's factors away, pending or active.
    ///
    /// The proof must hold a factor where the account has an active one: the factor itself, another,
    /// or a recovery code. A code of the factor that is being tried meanwhile either wins first or
    /// is refused. Tell the owner, and offer to end their other sessions (ASVS 7.4.3).
    ///
    /// # Errors
    /// [`FactorError`]; repeating it does no harm.
    pub async fn remove_factor(
        &self,
        factor: FactorId,
        proven: &Proven,
        context: impl Into<RequestContext>,
    ) -> Result<(), FactorError> {
        let context = context.into();
        let change = self.change(proven, EventKind::FactorRemoved, &context);
        let change = change.await?;
        let remove = RemoveFactor {
            owner: change.owner.clone(),
            factor,
            event: change.event.clone(),
        };
        let event = change.event.clone();
        match self.inner.store.remove_factor(remove).await? {
            Removed::Now => {
                self.observe(&event);
                Ok(())
            }
            Removed::Unknown => {
                self.observe(&event.with_outcome(Outcome::Refused, "unknown_factor"));
                Err(FactorError::Unknown)
            }
        }
    }
}

pub(super) fn owner(tenant: &Tenant, subject: &SubjectId) -> FactorOwner {
    FactorOwner {
        tenant: tenant.clone(),
        subject: SubjectKey::of_subject(subject),
    }
}
