mod turn;

use tracing::Instrument as _;

use self::turn::Turn;
use super::{Desk, mismatch, opened};
use crate::challenge::{Challenge, Code};
use crate::delivery::{Checked, DeliveryErrorKind};
use crate::destination::Destination;
use crate::event::Outcome;
use crate::hash::MismatchReason;
use crate::quota::QuotaKey;
use crate::store::ToTheEnd;
use crate::verifier::issue::binding;
use crate::verifier::managed::Held;
use crate::verifier::{Unavailable, Verified, VerifyError};

/// How often the store is asked to take what a vendor approved: no vendor approves it again.
const APPROVED_TRIES: u32 = 3;

/// What a vendor is asked about.
struct Question {
    challenge: Box<Challenge>,
    held: Held,
    to: Destination,
    code: Code,
}

impl Desk<'_> {
    /// Asks the vendor that made the code, once, for a guess that is counted already. Its approval
    /// is worth one local success; its silence is none, and the guess stays counted.
    ///
    /// A try that its client has named asks to the end though its caller leaves, and whoever repeats
    /// it meanwhile, on any instance, is answered by what the first one hears.
    pub(super) async fn ask(
        mut self,
        challenge: Box<Challenge>,
        code: Code,
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
        let turn = self.turn(&challenge).await?;
        let question = Question {
            challenge,
            held,
            to,
            code,
        };
        match turn {
            Turn::Unnamed => self.question(question).await,
            Turn::Own(key) => self.question_to_the_end(key, question).await,
            Turn::Anothers(claim) => self.after_another(&claim, question).await,
        }
    }

    async fn question_to_the_end(
        self,
        turn: QuotaKey,
        question: Question,
    ) -> Result<Verified, VerifyError> {
        let verifier = self.verifier.clone();
        let (attempt, rules) = (self.attempt.clone(), self.rules.clone());
        let (captcha, event, now) = (self.captcha, self.event, self.now);
        let asking = async move {
            let keys = verifier.inner.keys.snapshot();
            let desk = Desk {
                verifier: &verifier,
                keys: &keys,
                attempt: &attempt,
                rules: &rules,
                captcha,
                event,
                now,
            };
            let answer = desk.question_once(question).await;
            // Where the turn stays it ends by itself, and a repeated try waits that long.
            drop(verifier.inner.store.clear(&[turn]).await);
            answer
        };
        let answer = ToTheEnd::new(Box::pin(asking.in_current_span())).await;
        answer.unwrap_or_else(|| {
            let broken = Unavailable::of_vendor("the question broke off");
            Err(VerifyError::Unavailable(broken))
        })
    }

    /// Asks, unless another call had its turn first and has heard.
    async fn question_once(self, question: Question) -> Result<Verified, VerifyError> {
        let found = self.verifier.inner.store.find(&question.challenge.id);
        match self.heard(found.await?) {
            Some(heard) => self.answer_as(heard, question).await,
            None => self.question(question).await,
        }
    }

    async fn question(self, question: Question) -> Result<Verified, VerifyError> {
        let Question {
            challenge,
            held,
            to,
            code,
        } = question;
        let counted = Some((challenge.id, self.attempt.id.clone()));
        match self.verifier.ask_vendor(&held, &to, &code).await {
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
