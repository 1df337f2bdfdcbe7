use super::{CancelError, Verifier};
use crate::challenge::ChallengeId;
use crate::event::{Event, EventKind};
use crate::request::{RequestContext, Tenant};
use crate::store::{ChallengeQuery, Revocation, StoreError};

impl Verifier {
    /// Ends a challenge before its time: the person went back, or says "this was not me".
    ///
    /// A challenge that is unknown, another tenant's or over already is no error, and none of
    /// them is told apart. What is being verified while it is cancelled either wins first or is
    /// refused.
    ///
    /// # Errors
    /// [`CancelError`] where the store failed; then the challenge may still be live.
    pub async fn cancel(
        &self,
        tenant: &Tenant,
        challenge: &ChallengeId,
        context: impl Into<RequestContext>,
    ) -> Result<(), CancelError> {
        let event = Event::new(EventKind::ChallengeCancelled, tenant)
            .from_request(&context.into())
            .naming(challenge);
        let held = self.held(tenant, challenge).await?;
        self.revoke_one(tenant, *challenge, event).await?;
        if let Some(held) = held {
            self.release_held(held);
        }
        Ok(())
    }

    /// Ends a challenge for a reason of the library's own.
    pub(super) async fn end(
        &self,
        tenant: &Tenant,
        challenge: ChallengeId,
        reason: &'static str,
    ) -> Result<(), StoreError> {
        let mut event = Event::new(EventKind::ChallengeCancelled, tenant).naming(&challenge);
        event.reason = Some(reason.into());
        self.revoke_one(tenant, challenge, event).await
    }

    pub(super) async fn revoke_one(
        &self,
        tenant: &Tenant,
        challenge: ChallengeId,
        event: Event,
    ) -> Result<(), StoreError> {
        let query = ChallengeQuery {
            tenant: Some(tenant.clone()),
            challenge: Some(challenge),
            ..ChallengeQuery::default()
        };
        let revocation = Revocation {
            query,
            event: event.clone(),
        };
        self.inner.store.revoke(revocation).await?;
        self.observe(&event);
        Ok(())
    }
}
