use super::authenticators::{Found, Way, of_hotp, typed};
use super::guess::{Typed, UNKNOWN};
use super::repeated::Call;
use super::secret;
use super::verified::VerifiedFactor;
use crate::factor::{Factor, FactorId};
use crate::request::{Operation, RequestContext, SubjectId, Tenant};
use crate::verifier::attempt::Attempt;
use crate::verifier::{Verifier, VerifyError};

/// How far a resynchronisation looks: RFC 4226 section 7.4 leaves it to the service.
const REACH: u16 = 1_000;

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
    /// As that of [`verify_totp`](Self::verify_totp).
    pub async fn verify_hotp(
        &self,
        subject: &SubjectId,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        let asked = self.ask_authenticators(Way::Counter, subject, attempt.into(), context.into());
        self.measured(Operation::Verify, Box::pin(asked)).await
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
        // Cut as every typed text is.
        let codes = codes.map(|code| Attempt::new(code).for_tenant(tenant.clone()));
        let found = self.find_again(subject, factor, codes, context.into());
        self.measured(Operation::Verify, Box::pin(found)).await
    }

    async fn find_again(
        &self,
        subject: &SubjectId,
        factor: FactorId,
        [one, two]: [Attempt; 2],
        context: RequestContext,
    ) -> Result<VerifiedFactor, VerifyError> {
        let [first, second] = [one.typed.expose(), two.typed.expose()];
        let mut factors = self.authenticators_of(subject, &one.tenant).await?;
        factors.retain(|one| one.id == factor);
        let typed = |text| typed(text, &factors, Way::Counter.usual());
        let readable = match [typed(first), typed(second)] {
            [Typed::Readable, Typed::Readable] => Typed::Readable,
            _ => Typed::Malformed,
        };
        let call = Call::Resynchronise;
        let guess = self.guess(subject, &one, call, readable, &context, || Ok(()));
        let guess = guess.await?;
        let found = guess.unlapsed(factors);
        let from = found.as_ref().map(Factor::state);
        let ask = |factor: &Factor, secret: &_| {
            let hotp = secret::hotp(factor.kind, secret).ok_or(UNKNOWN)?;
            let counter = hotp.resynchronise([first, second], factor.last, REACH);
            counter.map_err(of_hotp)
        };
        match (
            guess.compare(found.as_slice(), Way::Counter.usual(), ask)?,
            from,
        ) {
            (Found::Right(right), Some(from)) => guess.advance(right, Way::Counter, from).await,
            (Found::Not(reason), _) => Err(guess.refuse(reason).await),
            (Found::Right(_), None) => Err(guess.refuse(UNKNOWN).await),
        }
    }
}
