use super::authenticators::is_active;
use super::change::Change;
use super::{FactorError, Proven};
use crate::event::{Event, EventKind, Outcome};
use crate::factor::{Factor, FactorId, FactorName};
use crate::request::{Operation, RequestContext, SubjectId, SubjectKey, Tenant};
use crate::store::{DeviceQuery, FactorOwner, RemoveFactor, Removed, RenameFactor, Renamed};
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
        let renamed = self.call_by(factor, name, proven, context.into());
        self.measured(Operation::Change, Box::pin(renamed)).await
    }

    async fn call_by(
        &self,
        factor: FactorId,
        name: FactorName,
        proven: &Proven,
        context: RequestContext,
    ) -> Result<(), FactorError> {
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
    /// With the account's last active factor go its recovery codes, in the same step, and every
    /// remembered device: what vouched for a factor vouches for nothing any more. The record of the
    /// removal has the reason `last_factor` then, as that of the devices has.
    ///
    /// # Errors
    /// [`FactorError`]; repeating it does no harm. The devices may be forgotten where the removal failed.
    pub async fn remove_factor(
        &self,
        factor: FactorId,
        proven: &Proven,
        context: impl Into<RequestContext>,
    ) -> Result<(), FactorError> {
        let removed = self.take_away(factor, proven, context.into());
        self.measured(Operation::Change, Box::pin(removed)).await
    }

    async fn take_away(
        &self,
        factor: FactorId,
        proven: &Proven,
        context: RequestContext,
    ) -> Result<(), FactorError> {
        let change = self.change(proven, EventKind::FactorRemoved, &context);
        let change = change.await?;
        let remove = RemoveFactor {
            owner: change.owner.clone(),
            factor,
            event: change.event.clone(),
        };
        let event = change.event.clone();
        // Before the factor is gone: where this fails nothing is, and it can be repeated.
        let is_last = change.is_last(factor);
        if is_last {
            change.forget_devices(&context).await?;
        }
        let removed = self.inner.store.remove_factor(remove).await?;
        self.observe(&removed.told(event));
        match removed {
            Removed::Now => Ok(()),
            Removed::Unknown => Err(FactorError::Unknown),
            // Another one was taken away meanwhile.
            Removed::Last if !is_last => Ok(change.forget_devices(&context).await?),
            Removed::Last => Ok(()),
        }
    }
}

impl Change<'_> {
    /// Says whether this is the account's one active factor.
    fn is_last(&self, id: FactorId) -> bool {
        let mut active = self.factors.iter().filter(|factor| is_active(factor));
        active.next().is_some_and(|one| one.id == id) && active.next().is_none()
    }

    /// Forgets the devices that were remembered beside the last factor.
    async fn forget_devices(&self, context: &RequestContext) -> Result<(), Unavailable> {
        let mut event = Event::new(EventKind::DevicesForgotten, &self.owner.tenant)
            .about(&self.owner.subject)
            .from_request(context);
        event.reason = Some("last_factor".into());
        let all = self
            .verifier
            .forget_with(&self.owner, &DeviceQuery::All, event);
        all.await.map(drop)
    }
}

pub(super) fn owner(tenant: &Tenant, subject: &SubjectId) -> FactorOwner {
    FactorOwner {
        tenant: tenant.clone(),
        subject: SubjectKey::of_subject(subject),
    }
}
