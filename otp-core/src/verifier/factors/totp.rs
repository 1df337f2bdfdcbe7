use super::authenticators::Way;
use super::verified::VerifiedFactor;
use crate::request::{Operation, RequestContext, SubjectId};
use crate::verifier::attempt::Attempt;
use crate::verifier::{Verifier, VerifyError};

impl Verifier {
    /// Checks a code of one of an account's authenticators that go by the time (RFC 6238), and takes
    /// the one success of its step.
    ///
    /// The guess is counted on the account's budget of authenticators, 10 in 24 hours and 25 in 30
    /// days ([`BudgetRules::totp`](crate::quota::BudgetRules::totp)), in a step of its own before
    /// anything is compared; a success gives its own guess back. A code that was accepted, and every
    /// earlier one, is refused from then on: of any number of racing calls with one code one gets a
    /// [`VerifiedFactor`]. An account without a factor takes the same way and gives the same answer
    /// as a wrong code. The time is the store's. Three store round trips.
    ///
    /// The attempt names the tenant; its purpose goes into the record. A try with an id
    /// ([`Attempt::with_id`]) that is sent again with the same code within a minute of its success,
    /// because the answer was lost, gets that answer
    /// ([`is_repeated`](VerifiedFactor::is_repeated)), and no guess is counted; an id costs one more
    /// round trip.
    ///
    /// # Errors
    /// [`VerifyError`]; no failure of ours is ever an acceptance.
    ///
    /// # Cancellation
    /// A dropped call may have counted a guess, or used the code up. Repeat it with the same id to
    /// hear what came of it.
    pub async fn verify_totp(
        &self,
        subject: &SubjectId,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        let asked = self.ask_authenticators(Way::Time, subject, attempt.into(), context.into());
        self.measured(Operation::Verify, Box::pin(asked)).await
    }
}
