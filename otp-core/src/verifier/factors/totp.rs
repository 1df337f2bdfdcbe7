use super::authenticators::{Found, typed};
use super::verified::{ProvenBy, VerifiedFactor};
use crate::factor::{Factor, FactorKind, FactorState};
use crate::request::{FactorClass, RequestContext, SubjectId};
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
    /// The attempt names the tenant; its purpose goes into the record. Its id is of no use here:
    /// where an answer is lost, the person types the next code.
    ///
    /// # Errors
    /// [`VerifyError`]; no failure of ours is ever an acceptance.
    ///
    /// # Cancellation
    /// A dropped call may have counted a guess, or used the code up.
    pub async fn verify_totp(
        &self,
        subject: &SubjectId,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        self.try_totp(subject, attempt.into(), context.into()).await
    }

    async fn try_totp(
        &self,
        subject: &SubjectId,
        attempt: Attempt,
        context: RequestContext,
    ) -> Result<VerifiedFactor, VerifyError> {
        let text = attempt.typed.expose();
        let class = FactorClass::Totp;
        let guess = self.guess(subject, &attempt, class, typed(text), &context, || Ok(()));
        let guess = guess.await?;
        let mut factors = guess.factors().await?;
        factors
            .retain(|factor| is_active(factor) && matches!(factor.kind, FactorKind::Totp { .. }));
        let ask = |factor: &Factor, secret: &_| guess.ask_totp(text, factor, secret);
        match guess.compare(&factors, FactorKind::TOTP, ask)? {
            Found::Not(reason) => Err(guess.refuse(reason).await),
            Found::Right(right) => {
                let (factor, number) = (right.factor, right.number);
                guess.advance(right, FactorState::Active).await?;
                Ok(guess.verified(ProvenBy::Totp {
                    factor,
                    step: number,
                }))
            }
        }
    }
}

pub(super) fn is_active(factor: &Factor) -> bool {
    factor.state() == FactorState::Active
}
