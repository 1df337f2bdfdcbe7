use super::guess::{MALFORMED, SEALED, Typed, UNKNOWN, WRONG};
use super::manage::owner;
use super::repeated::Call;
use super::verified::{ProvenBy, VerifiedFactor};
use super::{FactorError, Proven};
use crate::event::{EventKind, Outcome};
use crate::factor::{RecoveryCode, RecoverySelector, RecoverySet};
use crate::hash::{Binding, Comparison, HashError, MismatchReason};
use crate::request::{Operation, RequestContext, SubjectId, Tenant};
use crate::store::{FactorOwner, PutRecovery, RecoveryUse, Shown, UseRecovery};
use crate::verifier::attempt::Attempt;
use crate::verifier::{Unavailable, Verifier, VerifyError};

/// Names a recovery code in the record of its success.
const BY_RECOVERY: &str = "recovery_code";

impl Verifier {
    /// Draws ten recovery codes and puts them in the place of whatever codes the account had. They
    /// are shown to their owner this once; what is stored is Argon2id over a keyed digest of each.
    ///
    /// It leaves a record ([`EventKind::RecoveryRenewed`]): tell the owner by it (ASVS 6.3.7). The
    /// proof must hold a factor, and the account must have an active one: codes of an account
    /// without would open it to whoever drew them before its owner enrolled. Costs ten slow hashes,
    /// one after the other. A code of the old set that is being tried meanwhile either wins first or
    /// is refused.
    ///
    /// # Errors
    /// [`FactorError`], [`Unknown`](FactorError::Unknown) where no factor is active; where the store
    /// failed the old set may be gone: call it again.
    pub async fn regenerate_recovery(
        &self,
        proven: &Proven,
        context: impl Into<RequestContext>,
    ) -> Result<RecoverySet, FactorError> {
        let drawn = self.draw_recovery(proven, context.into());
        self.measured(Operation::Change, Box::pin(drawn)).await
    }

    async fn draw_recovery(
        &self,
        proven: &Proven,
        context: RequestContext,
    ) -> Result<RecoverySet, FactorError> {
        let change = self.change(proven, EventKind::RecoveryRenewed, &context);
        let change = change.await?;
        if change.shown() == Shown::NoFactor {
            change.refused(UNKNOWN).await?;
            return Err(FactorError::Unknown);
        }
        let random = self.random();
        let set = RecoverySet::generate(random)?;
        let mut codes = Vec::with_capacity(RecoverySet::SIZE);
        for code in set.codes() {
            let slot = self.inner.recovery.reserve()?;
            let selector = code.selector();
            let binding = binding(&change.owner, &selector);
            let hash = slot.hash(&change.keys, random, &binding, code.expose());
            let hash = hash.await.map_err(hashing)?;
            codes.push((selector, hash.as_str().to_owned()));
        }
        let put = PutRecovery {
            owner: change.owner.clone(),
            codes,
            event: change.event.clone(),
        };
        self.inner.store.put_recovery(put).await?;
        self.observe(&change.event);
        Ok(set)
    }

    /// Checks a recovery code, and takes it away where it is right.
    ///
    /// The guess is counted before anything is compared, on a budget of recovery codes alone as
    /// large as that of [`verify_totp`](Self::verify_totp). One slow hash a try, whatever is typed
    /// and whatever there is: an account without codes takes the same way and gives the same answer
    /// as a wrong code. Of racing calls with one code one gets a [`VerifiedFactor`], which says how
    /// many codes are left. Its record has the reason `recovery_code`: tell the owner by it. Four
    /// store round trips, one more where the attempt has an id: sent again by it within a minute, a
    /// code that was accepted is answered as it was, so that a lost answer loses no code.
    ///
    /// # Errors
    /// [`VerifyError`]; [`Busy`](VerifyError::Busy) costs no guess, and no failure of ours is ever
    /// an acceptance.
    ///
    /// # Cancellation
    /// A dropped call may have counted a guess, or used the code up. Repeat it with the same id
    /// ([`Attempt::with_id`]) to hear what came of it.
    pub async fn verify_recovery(
        &self,
        subject: &SubjectId,
        attempt: impl Into<Attempt>,
        context: impl Into<RequestContext>,
    ) -> Result<VerifiedFactor, VerifyError> {
        let spent = self.spend_recovery(subject, attempt.into(), context.into());
        self.measured(Operation::Verify, Box::pin(spent)).await
    }

    async fn spend_recovery(
        &self,
        subject: &SubjectId,
        attempt: Attempt,
        context: RequestContext,
    ) -> Result<VerifiedFactor, VerifyError> {
        let code = RecoveryCode::parse(attempt.typed.expose());
        let typed = match code {
            Ok(_) => Typed::Readable,
            Err(_) => Typed::Malformed,
        };
        let hold = || self.inner.recovery.reserve();
        let call = Call::Recovery;
        let guess = self.guess(subject, &attempt, call, typed, &context, hold);
        let (slot, guess) = guess.await?.release();
        if let Some(answer) = guess.answered().await {
            return answer;
        }
        let selector = match &code {
            Ok(code) => code.selector(),
            Err(_) => RecoverySelector::NONE,
        };
        // Read in any case, so that a malformed code takes as long.
        let stored = self.inner.store.recovery(&guess.owner, selector).await?;
        let (Ok(code), Some(digest)) = (&code, stored) else {
            slot.decoy().await.map_err(failed)?;
            let reason = match code {
                Ok(_) => UNKNOWN,
                Err(_) => MALFORMED,
            };
            return guess.decline(reason).await;
        };
        let binding = binding(&guess.owner, &selector);
        let compared = slot.verify(&guess.keys, &binding, code.expose(), &digest);
        if let Comparison::Mismatch(reason) = compared.await.map_err(failed)? {
            let reason = match reason {
                MismatchReason::Wrong => WRONG,
                _ => SEALED,
            };
            return guess.decline(reason).await;
        }
        let mut event = guess.success();
        event.reason = Some(BY_RECOVERY.into());
        let by = |left| ProvenBy::Recovery { selector, left };
        let used = UseRecovery {
            owner: guess.owner.clone(),
            selector,
            digest,
            accepted: guess.accepted(by(0)),
            lane: guess.lane,
            event: event.clone(),
        };
        let outcome = self.inner.store.use_recovery(used).await?;
        match outcome {
            RecoveryUse::Used { left } => {
                self.observe(&event);
                Ok(guess.verified(by(left)))
            }
            RecoveryUse::Gone => {
                let reason = outcome.refusal().unwrap_or(UNKNOWN);
                let event = event.with_outcome(Outcome::Refused, reason);
                guess.beaten(event).await
            }
        }
    }

    /// Counts the recovery codes that an account has left.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn recovery_left(
        &self,
        tenant: &Tenant,
        subject: &SubjectId,
    ) -> Result<u32, Unavailable> {
        let owner = owner(tenant, subject);
        Ok(self.inner.store.recovery_left(&owner).await?)
    }
}

/// What the digest of a code is made over: nobody else's row, and no other place in the set.
fn binding<'a>(owner: &'a FactorOwner, selector: &'a RecoverySelector) -> Binding<'a> {
    Binding {
        tenant: owner.tenant.as_str(),
        challenge: selector.as_str(),
        subject: owner.subject.as_str(),
        purpose: "",
        channel: "recovery",
        destination: "",
    }
}

fn hashing(error: HashError) -> FactorError {
    FactorError::Unavailable(Unavailable::because(error))
}

fn failed(error: HashError) -> VerifyError {
    VerifyError::Unavailable(Unavailable::because(error))
}
