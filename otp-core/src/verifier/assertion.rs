use std::time::SystemTime;

use super::{Verifier, VerifyError};
use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::delivery::ReplayKey;
use crate::event::{Event, EventKind, Outcome};
use crate::gate::{GateRequest, Operation};
use crate::request::{RequestContext, Tenant};
use crate::store::{Seen, Step};

/// What another party signed about somebody, as whoever knows its wire has read and believed it.
///
/// Its signature and its time were checked by whoever made it; that it is taken once is seen to by
/// [`Verifier::accept`].
pub trait Assertion: Send {
    /// Names the party, in events and in an `amr` claim: up to 32 of `a-z 0-9 - _ .`, `telegram`.
    const PARTY: &'static str;

    /// Gives what tells a second use of it. It has to be remembered for as long as it is believed.
    fn replay(&self) -> &ReplayKey;

    /// Says when it was signed. One that is older, by the store's clock, than its second use is
    /// remembered for is refused, whatever the clock says that it was read by.
    fn signed_at(&self) -> Timestamp;
}

/// The proof that an assertion was believed, once. Only [`Verifier::accept`] makes one.
///
/// ```compile_fail
/// use otp_core::verifier::Accepted;
/// fn forged<A>(assertion: A) -> Accepted<A> {
///     Accepted { assertion, tenant: Default::default() }
/// }
/// ```
#[derive(Debug)]
#[must_use = "an accepted assertion is spent: act on it"]
pub struct Accepted<A> {
    assertion: A,
    tenant: Tenant,
    at: Timestamp,
}

impl<A: Assertion> Accepted<A> {
    /// Gives what was asserted.
    #[must_use]
    pub fn assertion(&self) -> &A {
        &self.assertion
    }

    /// Names the tenant that it was accepted for.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Says when it was accepted, by the store's clock.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at.into()
    }

    pub(crate) fn accepted_at(&self) -> Timestamp {
        self.at
    }
}

impl Verifier {
    /// Takes what another party asserts about somebody, once: the payload of a Telegram login, say.
    ///
    /// `read` is the assertion, or a stable word for why it was not believed. Both are counted for
    /// the client's address, held against the blocklist and put on record, and a caller hears the
    /// same of either: [`Rejected`](VerifyError::Rejected). Of any number of racing calls with one
    /// assertion, on whatever instances, one gets an [`Accepted`].
    ///
    /// # Errors
    /// [`VerifyError`]; no failure of ours is ever an acceptance.
    ///
    /// # Cancellation
    /// A dropped call may have used the assertion up; whoever asserts makes another.
    pub async fn accept<A: Assertion>(
        &self,
        tenant: &Tenant,
        read: Result<A, &'static str>,
        context: impl Into<RequestContext>,
    ) -> Result<Accepted<A>, VerifyError> {
        let (context, policy) = (context.into(), self.policy());
        let event = Event {
            provider: Some(A::PARTY.to_owned()),
            ..Event::new(EventKind::ValidationAttempt, tenant).from_request(&context)
        };
        let request = GateRequest {
            operation: Operation::Verify,
            tenant,
            subject: None,
            destination: None,
            destination_key: None,
            channel: None,
            purpose: None,
            lane: Lane::Public,
            context: &context,
            policy: &policy,
        };
        let wants = self.wants(&request, &event).await?;
        let admitted = self.admit(&request, wants, Step::Nothing, event).await?;
        let taken = match read {
            Ok(assertion) => self.take(assertion, admitted.now).await?,
            Err(why) => Err(why),
        };
        let event = admitted.event;
        match taken {
            Ok(assertion) => {
                let event = event.with_outcome(Outcome::Success, "asserted");
                self.record(event).await?;
                Ok(Accepted {
                    assertion,
                    tenant: tenant.clone(),
                    at: admitted.now,
                })
            }
            Err(why) => {
                self.record(event.with_outcome(Outcome::Refused, why))
                    .await?;
                Err(VerifyError::Rejected)
            }
        }
    }

    async fn take<A: Assertion>(
        &self,
        assertion: A,
        now: Timestamp,
    ) -> Result<Result<A, &'static str>, VerifyError> {
        let replay = assertion.replay();
        if now.since(assertion.signed_at()) > replay.life() {
            return Ok(Err("stale"));
        }
        let seen = self
            .store()
            .first_seen(replay.as_str(), replay.life())
            .await?;
        Ok(match seen {
            Seen::First => Ok(assertion),
            Seen::Again => Err("replayed"),
        })
    }
}
