use super::authenticators::{Found, of_hotp, typed};
use super::guess::{Typed, UNKNOWN};
use super::secret;
use super::totp::is_active;
use super::verified::{ProvenBy, VerifiedFactor};
use crate::factor::{Factor, FactorId, FactorKind, FactorState, OtpAlgorithm, OtpDigits};
use crate::request::{FactorClass, RequestContext, SubjectId, Tenant};
use crate::verifier::attempt::Attempt;
use crate::verifier::{Verifier, VerifyError};

/// How far a resynchronisation looks: RFC 4226 section 7.4 leaves it to the service.
const REACH: u16 = 1_000;

/// The kind that is made up where an account has none.
pub(super) const USUAL: FactorKind = FactorKind::Hotp {
    algorithm: OtpAlgorithm::Sha1,
    digits: OtpDigits::Six,
};

impl Verifier {
    /// Checks a code of one of an account's authenticators that count (RFC 4226), and takes the one
    /// success of its counter.
    ///
    /// As [`verify_totp`](Self::verify_totp), from the same budget. The counters beyond the expected
    /// one that the policy says are looked at
    /// ([`FactorRules::look_ahead`](crate::policy::FactorRules::look_ahead)); one that is farther
    /// ahead needs [`resynchronise`](Self::resynchronise).
    ///
    /// # Errors
    /// [`VerifyError`]; no failure of ours is ever an acceptance.
    ///
    /// # Cancellation
    /// A dropped call may have counted a guess, or used the code up.
    pub async fn verify_hotp(
        &self,
        subject: &SubjectId,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        self.try_hotp(subject, attempt.into(), context.into()).await
    }

    async fn try_hotp(
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
            .retain(|factor| is_active(factor) && matches!(factor.kind, FactorKind::Hotp { .. }));
        let ask = |factor: &Factor, secret: &_| guess.ask_hotp(text, factor, secret);
        match guess.compare(&factors, USUAL, ask)? {
            Found::Not(reason) => Err(guess.refuse(reason).await),
            Found::Right(right) => {
                let (factor, number) = (right.factor, right.number);
                guess.advance(right, FactorState::Active).await?;
                Ok(guess.verified(ProvenBy::Hotp {
                    factor,
                    counter: number,
                }))
            }
        }
    }

    /// Finds an authenticator again that has run ahead, by two codes that it shows one after the
    /// other (RFC 4226 section 7.4), up to 1,000 counters ahead.
    ///
    /// It is one guess from the same budget. An enrolment that waits for its first code is confirmed
    /// by it: an imported authenticator may stand at any counter.
    ///
    /// # Errors
    /// [`VerifyError`]; no failure of ours is ever an acceptance.
    pub async fn resynchronise(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
        factor: FactorId,
        codes: [&str; 2],
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        let context = context.into();
        // Cut as every typed text is.
        let [one, two] = codes.map(|code| Attempt::new(code).for_tenant(tenant.clone()));
        let [first, second] = [one.typed.expose(), two.typed.expose()];
        let readable = match [typed(first), typed(second)] {
            [Typed::Readable, Typed::Readable] => Typed::Readable,
            _ => Typed::Malformed,
        };
        let class = FactorClass::Totp;
        let guess = self.guess(subject, &one, class, readable, &context, || Ok(()));
        let guess = guess.await?;
        let found = guess.named(factor).await?;
        let from = found.as_ref().map(Factor::state);
        let ask = |factor: &Factor, secret: &_| {
            let hotp = secret::hotp(factor.kind, secret).ok_or(UNKNOWN)?;
            let counter = hotp.resynchronise([first, second], factor.last, REACH);
            counter.map_err(of_hotp)
        };
        match (guess.compare(found.as_slice(), USUAL, ask)?, from) {
            (Found::Right(right), Some(from)) => {
                let (factor, number) = (right.factor, right.number);
                guess.advance(right, from).await?;
                Ok(guess.verified(ProvenBy::Hotp {
                    factor,
                    counter: number,
                }))
            }
            (Found::Not(reason), _) => Err(guess.refuse(reason).await),
            (Found::Right(_), None) => Err(guess.refuse(UNKNOWN).await),
        }
    }
}
