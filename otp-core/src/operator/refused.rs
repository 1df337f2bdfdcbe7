use std::time::Duration;

use crate::event::{Event, EventKind, Outcome};
use crate::quota::{ClientAddress, Quota, QuotaClaim, QuotaKey, QuotaReading, Scope};
use crate::request::{RequestContext, Tenant};
use crate::store::StoreError;
use crate::verifier::{Throttled, Verifier, VerifyError};

/// How many refused calls of an address are put on record in a minute.
const A_MINUTE: u32 = 100;
const MINUTE: Duration = Duration::from_secs(60);

impl Verifier {
    /// Counts a call that somebody made as an operator without being one, and puts it on record
    /// with the client's address; what they showed is in neither. Beyond a hundred a minute from
    /// one address nothing more is recorded, and the answer says when to come back.
    ///
    /// Ask this after the token was found wrong, never before: a right one must not meet what
    /// others have used up.
    ///
    /// Always an error, for the answer: [`Rejected`](VerifyError::Rejected),
    /// [`Throttled`](VerifyError::Throttled), or [`Unavailable`](VerifyError::Unavailable).
    pub async fn refuse_operator(&self, context: &RequestContext) -> VerifyError {
        match self.count_refused(context).await {
            Ok(()) => VerifyError::Rejected,
            Err(error) => error,
        }
    }

    async fn count_refused(&self, context: &RequestContext) -> Result<(), VerifyError> {
        let met = self.limits_of_strangers("operator", context).await?;
        if !met.is_empty() {
            return Err(VerifyError::Throttled(Throttled::by(met)));
        }
        let event = Event::new(EventKind::OperatorAction, &Tenant::default()).from_request(context);
        self.record(event.with_outcome(Outcome::Refused, "unknown_operator"))
            .await?;
        Ok(())
    }

    /// Counts something that anybody can do and that is put on record, and gives the limits that it
    /// met: none where it may be recorded.
    pub(crate) async fn limits_of_strangers(
        &self,
        action: &str,
        context: &RequestContext,
    ) -> Result<Vec<QuotaReading>, StoreError> {
        let Ok(quota) = Quota::window(A_MINUTE, MINUTE) else {
            return Ok(Vec::new());
        };
        let address = ClientAddress::bucket(&context.client_address());
        let tenant = Tenant::default();
        let key = QuotaKey::new(action, Scope::Address, tenant.as_str(), &address);
        let claims = [QuotaClaim::new(key, quota)];
        let mut readings = self.store().check_all(&claims).await?;
        readings.retain(|reading| reading.retry_after().is_some());
        Ok(readings)
    }
}
