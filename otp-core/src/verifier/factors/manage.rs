use super::{FactorError, Proven};
use crate::event::{EventKind, Outcome};
use crate::factor::{Factor, FactorId, FactorName};
use crate::request::{RequestContext, SubjectId, SubjectKey, Tenant};
use crate::store::{FactorOwner, RemoveFactor, Removed, RenameFactor, Renamed};
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

    /// Calls one of the account's factors by another name, pending or active. A name is what its
    /// owner goes by when one is to be taken away, so it asks for the proof that a removal does.
    ///
    /// # Errors
    /// [`FactorError`]; [`NameTaken`](FactorError::NameTaken) where another active one has the name.
    /// One that waits for its first code loses it, and is gone. Repeating it does no harm.
    pub async fn rename_factor(
        &self,
        factor: FactorId,
        name: FactorName,
        proven: &Proven,
        context: impl Into<RequestContext>,
    ) -> Result<(), FactorError> {
        let context = context.into();
        let change = self.change(proven, EventKind::FactorRenamed, &context);
        let change = change.await?;
        let rename = RenameFactor {
            owner: change.owner.clone(),
            factor,
            name,
            event: change.event.clone(),
        };
        let event = change.event.clone();
        let renamed = self.inner.store.rename_factor(rename).await?;
        self.observe(&match renamed.refusal() {
            None => event,
            Some(reason) => event.with_outcome(Outcome::Refused, reason),
        });
        match renamed {
            Renamed::Now => Ok(()),
            Renamed::NameTaken => Err(FactorError::NameTaken),
            Renamed::Unknown => Err(FactorError::Unknown),
        }
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
