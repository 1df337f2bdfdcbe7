use std::time::Duration;

use super::{AttemptAnswer, AttemptEntry, Challenge, ChallengeState, TypedShape};
use crate::clock::Timestamp;
use crate::destination::Channel;
use crate::key::{KeyId, Sealed};
use crate::request::{AttemptId, Purpose, SessionBinding, Tenant};

/// How long a consumed challenge answers its own try again (SECURITY: a lost reply).
const REPLAY_WINDOW: Duration = Duration::from_secs(60);

/// What a try says of itself before anything is counted.
#[derive(Clone, Debug)]
pub struct AttemptClaim {
    /// The tenant that the try came to.
    pub tenant: Tenant,
    /// The purpose that the host expects, where it named one.
    pub purpose: Option<Purpose>,
    /// What the browser holds.
    pub binding: Option<SessionBinding>,
    /// What the typed text looks like.
    pub shape: TypedShape,
    /// The client's id of the try, with a keyed hash of the code under each live key.
    pub id: Option<(AttemptId, Vec<[u8; 16]>)>,
}

/// What a try may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It was counted; compare the code.
    Reserved,
    /// It was counted before and has no answer yet; compare the code, nothing more is counted.
    Resumed,
    /// It was answered before.
    Replayed(RecordedAnswer),
    /// It may not be compared.
    Refused(Refusal),
}

/// The answer that a repeated try gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordedAnswer {
    /// It was the one that won.
    Right,
    /// It was wrong.
    Wrong,
}

/// Why a try or a resend is not taken. For events only: the claimant is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such challenge, or it is another tenant's.
    Unknown,
    /// Its time is over.
    Expired,
    /// Its code was accepted before.
    Consumed,
    /// Its guesses are used up.
    Exhausted,
    /// A newer one took its place.
    Superseded,
    /// It was ended by hand.
    Revoked,
    /// It was issued for something else.
    WrongPurpose,
    /// The browser is not the one that asked.
    WrongBinding,
    /// The same attempt id came with another code.
    AttemptReused,
    /// The typed text is not a code.
    Malformed,
}

impl Refusal {
    /// Names the reason for events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown_challenge",
            Self::Expired => "expired",
            Self::Consumed => "already_used",
            Self::Exhausted => "attempts_exhausted",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::WrongPurpose => "wrong_purpose",
            Self::WrongBinding => "wrong_binding",
            Self::AttemptReused => "attempt_id_reused",
            Self::Malformed => "malformed_code",
        }
    }
}

/// What a consuming try came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsumeOutcome {
    /// It won; nobody else can.
    Won,
    /// It had won before (a repeated try).
    WonBefore,
    /// Something else came first.
    Lost(Refusal),
}

/// What a resend asks for.
#[derive(Clone, Debug)]
pub struct ResendClaim {
    /// The tenant that the request came to.
    pub tenant: Tenant,
    /// What the browser holds.
    pub binding: Option<SessionBinding>,
    /// How many messages one challenge sends.
    pub send_limit: u32,
    /// The wait after the first send, the second, ...; the last one repeats.
    pub cooldowns: Vec<Duration>,
}

/// What a resend may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResendOutcome {
    /// The send is reserved; nobody else has it.
    Reserved,
    /// Too early.
    Wait(Duration),
    /// No more sends for this challenge.
    NoneLeft,
    /// The challenge takes no resend.
    Refused(Refusal),
}

impl Challenge {
    /// Counts a try before it is compared, or says why it is not taken.
    ///
    /// A claim of another tenant, purpose or browser, and one whose text cannot be the code, is
    /// refused before anything is counted, so that a stranger cannot spend the owner's guesses
    /// and a slip of the finger costs none.
    pub fn attempt(&mut self, claim: &AttemptClaim, now: Timestamp) -> AttemptOutcome {
        let outcome = self.judge_attempt(claim, now);
        if outcome == AttemptOutcome::Reserved {
            self.attempts = self.attempts.saturating_add(1);
            if let Some((id, fingerprints)) = &claim.id {
                self.attempt_log.push(AttemptEntry {
                    id: id.clone(),
                    fingerprint: fingerprints.first().copied().unwrap_or_default(),
                    answer: AttemptAnswer::Pending,
                });
            }
        }
        outcome
    }

    /// Says what [`attempt`](Self::attempt) would answer, and changes nothing.
    #[must_use]
    pub fn judge_attempt(&self, claim: &AttemptClaim, now: Timestamp) -> AttemptOutcome {
        if claim.tenant != self.tenant {
            return AttemptOutcome::Refused(Refusal::Unknown);
        }
        if claim.purpose.as_ref().is_some_and(|p| *p != self.purpose) {
            return AttemptOutcome::Refused(Refusal::WrongPurpose);
        }
        if self.binding.is_some() && claim.binding != self.binding {
            return AttemptOutcome::Refused(Refusal::WrongBinding);
        }
        if !claim.shape.fits(self.format) {
            return AttemptOutcome::Refused(Refusal::Malformed);
        }
        if let Some(known) = self.known_try(claim) {
            return known_outcome(self, claim, known, now);
        }
        if let Some(refusal) = self.closed(now) {
            return AttemptOutcome::Refused(refusal);
        }
        if self.attempts >= self.attempt_limit {
            return AttemptOutcome::Refused(Refusal::Exhausted);
        }
        AttemptOutcome::Reserved
    }

    fn known_try(&self, claim: &AttemptClaim) -> Option<&AttemptEntry> {
        let (id, _) = claim.id.as_ref()?;
        self.attempt_log.iter().find(|entry| entry.id == *id)
    }

    /// Takes the one success of the challenge, for a code that was compared with `digest`.
    ///
    /// Time and digest are looked at again: a code that expired while it was being hashed, or
    /// that a resend replaced meanwhile, is refused.
    pub fn consume(
        &mut self,
        digest: &str,
        by: Option<&AttemptId>,
        now: Timestamp,
    ) -> ConsumeOutcome {
        if let ChallengeState::Consumed { by: winner, .. } = &self.state {
            return if by.is_some() && winner.as_ref() == by {
                ConsumeOutcome::WonBefore
            } else {
                ConsumeOutcome::Lost(Refusal::Consumed)
            };
        }
        if let Some(refusal) = self.closed(now) {
            return ConsumeOutcome::Lost(refusal);
        }
        if digest != self.digest {
            return ConsumeOutcome::Lost(Refusal::Superseded);
        }
        self.state = ChallengeState::Consumed {
            at: now,
            by: by.cloned(),
        };
        self.answer(by, AttemptAnswer::Right);
        ConsumeOutcome::Won
    }

    /// Records that a counted try was wrong. Answers whether that used the challenge up.
    pub fn refuse(&mut self, by: Option<&AttemptId>) -> Exhausted {
        let settled = by.is_some_and(|id| {
            self.attempt_log
                .iter()
                .any(|entry| entry.id == *id && entry.answer != AttemptAnswer::Pending)
        });
        if settled {
            return Exhausted::No;
        }
        self.answer(by, AttemptAnswer::Wrong);
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong >= self.attempt_limit && self.state == ChallengeState::Live {
            self.state = ChallengeState::Exhausted;
            return Exhausted::Yes;
        }
        Exhausted::No
    }

    /// Reserves the next send, or says why there is none. One of many racing callers gets it.
    pub fn resend(&mut self, claim: &ResendClaim, now: Timestamp) -> ResendOutcome {
        let outcome = self.judge_resend(claim, now);
        if outcome == ResendOutcome::Reserved {
            self.next_send_at = now.saturating_add(cooldown(&claim.cooldowns, self.sends));
            self.sends = self.sends.saturating_add(1);
        }
        outcome
    }

    /// Says what [`resend`](Self::resend) would answer, and changes nothing.
    #[must_use]
    pub fn judge_resend(&self, claim: &ResendClaim, now: Timestamp) -> ResendOutcome {
        if claim.tenant != self.tenant {
            return ResendOutcome::Refused(Refusal::Unknown);
        }
        if self.binding.is_some() && claim.binding != self.binding {
            return ResendOutcome::Refused(Refusal::WrongBinding);
        }
        if let Some(refusal) = self.closed(now) {
            return ResendOutcome::Refused(refusal);
        }
        if self.attempts >= self.attempt_limit {
            return ResendOutcome::Refused(Refusal::Exhausted);
        }
        if self.sends >= claim.send_limit {
            return ResendOutcome::NoneLeft;
        }
        if now < self.next_send_at {
            return ResendOutcome::Wait(self.next_send_at.since(now));
        }
        ResendOutcome::Reserved
    }

    /// Puts a fresh digest in place of the old one: the code that was sent before is worth
    /// nothing from here on. Guesses, expiry and budget stay as they are.
    pub fn replace_code(
        &mut self,
        channel: Channel,
        key_id: KeyId,
        digest: String,
        sealed_code: Option<Sealed>,
    ) {
        self.channel = channel;
        self.key_id = key_id;
        self.digest = digest;
        self.sealed_code = sealed_code;
    }

    /// Ends a live challenge. Answers whether it was live.
    pub fn end(&mut self, state: ChallengeState, now: Timestamp) -> Ended {
        if self.is_live(now) {
            self.state = state;
            Ended::Yes
        } else {
            Ended::No
        }
    }

    fn closed(&self, now: Timestamp) -> Option<Refusal> {
        match &self.state {
            ChallengeState::Consumed { .. } => Some(Refusal::Consumed),
            ChallengeState::Exhausted => Some(Refusal::Exhausted),
            ChallengeState::Superseded => Some(Refusal::Superseded),
            ChallengeState::Revoked => Some(Refusal::Revoked),
            ChallengeState::Live if now >= self.expires_at => Some(Refusal::Expired),
            ChallengeState::Live => None,
        }
    }

    fn answer(&mut self, by: Option<&AttemptId>, answer: AttemptAnswer) {
        let entry = by.and_then(|id| self.attempt_log.iter_mut().find(|entry| entry.id == *id));
        if let Some(entry) = entry {
            entry.answer = answer;
        }
    }
}

/// Whether a wrong try used the challenge up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// It did: the subject's lane gets a strike.
    Yes,
    /// It did not.
    No,
}

/// Whether a challenge was live when it was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It was, and no longer is.
    Yes,
    /// It was not.
    No,
}

fn known_outcome(
    challenge: &Challenge,
    claim: &AttemptClaim,
    known: &AttemptEntry,
    now: Timestamp,
) -> AttemptOutcome {
    let same_code = claim
        .id
        .as_ref()
        .is_some_and(|(_, fingerprints)| fingerprints.contains(&known.fingerprint));
    if !same_code {
        return AttemptOutcome::Refused(Refusal::AttemptReused);
    }
    match known.answer {
        AttemptAnswer::Wrong => AttemptOutcome::Replayed(RecordedAnswer::Wrong),
        AttemptAnswer::Pending => match challenge.closed(now) {
            Some(refusal) => AttemptOutcome::Refused(refusal),
            None => AttemptOutcome::Resumed,
        },
        AttemptAnswer::Right => match &challenge.state {
            ChallengeState::Consumed { at, .. } if now.since(*at) <= REPLAY_WINDOW => {
                AttemptOutcome::Replayed(RecordedAnswer::Right)
            }
            _ => AttemptOutcome::Refused(Refusal::Consumed),
        },
    }
}

fn cooldown(cooldowns: &[Duration], sends_before: u32) -> Duration {
    let index = usize::try_from(sends_before).unwrap_or(usize::MAX);
    cooldowns
        .get(index)
        .or_else(|| cooldowns.last())
        .copied()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
