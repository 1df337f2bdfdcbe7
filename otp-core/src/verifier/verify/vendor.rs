use super::{Desk, mismatch, opened};
use crate::challenge::{Challenge, Code};
use crate::delivery::{Checked, DeliveryErrorKind};
use crate::event::Outcome;
use crate::hash::MismatchReason;
use crate::verifier::issue::binding;
use crate::verifier::managed::Held;
use crate::verifier::{Unavailable, Verified, VerifyError};

/// How often the store is asked to take what a vendor approved: no vendor approves it again.
const APPROVED_TRIES: u32 = 3;

impl Desk<'_> {
    /// Asks the vendor that made the code, once, for a guess that is counted already. Its approval
    /// is worth one local success; its silence is none, and the guess stays counted.
    pub(super) async fn ask(
        mut self,
        challenge: Box<Challenge>,
        code: &Code,
    ) -> Result<Verified, VerifyError> {
        let counted = Some((challenge.id, self.attempt.id.clone()));
        let id = challenge.id.to_string();
        let held = match Held::read(self.keys, &binding(&challenge, &id), &challenge.digest) {
            Ok(held) => held,
            Err(reason) => return self.refuse_here(counted, mismatch(reason)).await,
        };
        if challenge.is_decoy() {
            let wrong = mismatch(MismatchReason::Wrong);
            return self.refuse_here(counted, wrong).await;
        }
        let Some(to) = opened(self.keys, &challenge) else {
            return self.refuse_here(counted, "sealed_value_refused").await;
        };
        self.event.provider = Some(held.provider.clone());
        match self.verifier.ask_vendor(&held, &to, code).await {
            Ok(Checked::Approved) => self.consume(challenge, to, APPROVED_TRIES).await,
            Ok(Checked::Wrong) => {
                let wrong = mismatch(MismatchReason::Wrong);
                self.reject(counted, wrong).await
            }
            Ok(Checked::Gone) => self.reject(counted, "gone_at_provider").await,
            Err(error) if error.kind() == DeliveryErrorKind::Protected => {
                self.reject(counted, "refused_at_provider").await
            }
            Err(error) => {
                let reason = format!("provider_{}", error.kind().name());
                let failed = self.event.with_outcome(Outcome::Failed, reason);
                self.verifier.record(failed).await?;
                Err(VerifyError::Unavailable(Unavailable::of_vendor(error)))
            }
        }
    }
}
