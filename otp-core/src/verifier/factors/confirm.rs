use super::authenticators::{Found, Way, typed};
use super::guess::Guess;
use super::verified::VerifiedFactor;
use crate::factor::{Factor, FactorId, FactorKind, FactorState};
use crate::request::{FactorClass, RequestContext, SubjectId};
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
    /// A dropped call may have counted a guess, or confirmed the enrolment.
    pub async fn confirm_factor(
        &self,
        subject: &SubjectId,
        factor: FactorId,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        let (attempt, context) = (attempt.into(), context.into());
        let text = attempt.typed.expose();
        let class = FactorClass::Totp;
        let guess = self.guess(subject, &attempt, class, typed(text), &context, || Ok(()));
        let guess = guess.await?;
        let named = guess.named(factor).await?;
        let pending = named.filter(|factor| factor.state() == FactorState::Pending);
        let kind = pending
            .as_ref()
            .map_or(FactorKind::TOTP, |factor| factor.kind);
        let ask = |factor: &Factor, secret: &_| guess.ask(text, factor, secret);
        match guess.compare(pending.as_slice(), kind, ask)? {
            Found::Not(reason) => Err(guess.refuse(reason).await),
            Found::Right(right) => {
                let by = right.proves(Way::of(kind));
                guess.advance(right, FactorState::Pending).await?;
                Ok(guess.verified(by))
            }
        }
    }
}

impl<T> Guess<'_, T> {
    /// Reads one of the account's authenticators; one whose enrolment has lapsed is none.
    pub(super) async fn named(&self, id: FactorId) -> Result<Option<Factor>, VerifyError> {
        let life = self.policy.factors().enrolment();
        let factors = self.factors().await?;
        let mut factors = factors.into_iter();
        let named = factors.find(|factor| factor.id == id);
        Ok(named.filter(|factor| factor.lapsed(self.now, life).is_none()))
    }
}
