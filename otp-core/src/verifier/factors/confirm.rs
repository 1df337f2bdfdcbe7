use super::authenticators::{Found, Way, typed};
use super::guess::Guess;
use super::repeated::Call;
use super::verified::VerifiedFactor;
use crate::factor::{Factor, FactorId, FactorKind, FactorState};
use crate::request::{Operation, RequestContext, SubjectId};
use crate::verifier::attempt::Attempt;
use crate::verifier::{Verifier, VerifyError};

impl Verifier {
    /// Confirms an enrolment by the first code of its authenticator, TOTP or HOTP: from then on it
    /// counts. The code is used up; the answer proves what any code of it would.
    ///
    /// It is a guess like any other, from the budget of [`verify_totp`](Self::verify_totp). Of racing
    /// calls one wins. An enrolment that is unknown, confirmed, another account's or older than the
    /// policy lets it be ([`FactorRules::enrolment`](crate::policy::FactorRules::enrolment)) gives
    /// the answer of a wrong code.
    ///
    /// Where it is the account's first factor, hand out recovery codes next
    /// ([`regenerate_recovery`](Self::regenerate_recovery)).
    ///
    /// # Errors
    /// [`VerifyError`]; no failure of ours is ever an acceptance.
    ///
    /// # Cancellation
    /// A dropped call may have counted a guess, or confirmed the enrolment. Repeat it with the same
    /// [`Attempt::with_id`] and code within a minute to hear what came of it.
    pub async fn confirm_factor(
        &self,
        subject: &SubjectId,
        factor: FactorId,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        let confirmed = self.first_code(subject, factor, attempt.into(), context.into());
        self.measured(Operation::Verify, Box::pin(confirmed)).await
    }

    async fn first_code(
        &self,
        subject: &SubjectId,
        factor: FactorId,
        attempt: Attempt,
        context: RequestContext,
    ) -> Result<VerifiedFactor, VerifyError> {
        let text = attempt.typed.expose();
        let call = Call::Confirm;
        let mut factors = self.authenticators_of(subject, &attempt.tenant).await?;
        factors.retain(|one| one.id == factor && one.state() == FactorState::Pending);
        let typed = typed(text, &factors, FactorKind::TOTP);
        let guess = self.guess(subject, &attempt, call, typed, &context, || Ok(()));
        let guess = guess.await?;
        if let Some(answer) = guess.answered().await {
            return answer;
        }
        let pending = guess.unlapsed(factors);
        let kind = pending
            .as_ref()
            .map_or(FactorKind::TOTP, |factor| factor.kind);
        let ask = |factor: &Factor, secret: &_| guess.ask(text, factor, secret);
        match guess.compare(pending.as_slice(), kind, ask)? {
            Found::Not(reason) => guess.decline(reason).await,
            Found::Right(right) => {
                let way = Way::of(kind);
                guess.advance(right, way, FactorState::Pending).await
            }
        }
    }
}

impl<T> Guess<'_, T> {
    /// Gives the one that was named, where there is one; one whose enrolment has lapsed is none.
    pub(super) fn unlapsed(&self, named: Vec<Factor>) -> Option<Factor> {
        let life = self.policy.factors().enrolment();
        let mut live = named.into_iter();
        live.find(|factor| factor.lapsed(self.now, life).is_none())
    }
}
