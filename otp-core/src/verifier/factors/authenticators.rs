//! Whose code was typed: every authenticator that it could be of is asked, and all of them are.

use super::guess::{Guess, MALFORMED, SEALED, Typed, UNKNOWN, USED, WRONG};
use super::repeated::Call;
use super::secret;
use super::verified::{ProvenBy, VerifiedFactor};
use crate::factor::{
    Factor, FactorId, FactorKind, FactorName, FactorState, HotpRefusal, OtpAlgorithm, OtpDigits,
    OtpSecret, TimeStep, TotpRefusal,
};
use crate::key::Sealed;
use crate::request::{RequestContext, SubjectId, SubjectKey, Tenant};
use crate::store::FactorOwner;
use crate::verifier::attempt::Attempt;
use crate::verifier::{Unavailable, Verifier, VerifyError};

/// What the codes of an authenticator go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The time (RFC 6238).
    Time,
    /// A counter (RFC 4226).
    Counter,
}

impl Way {
    pub(super) const fn of(kind: FactorKind) -> Self {
        match kind {
            FactorKind::Totp { .. } => Self::Time,
            FactorKind::Hotp { .. } => Self::Counter,
        }
    }

    /// The kind that is made up where an account has none.
    pub(super) const fn usual(self) -> FactorKind {
        match self {
            Self::Time => FactorKind::TOTP,
            Self::Counter => FactorKind::Hotp {
                algorithm: OtpAlgorithm::Sha1,
                digits: OtpDigits::Six,
            },
        }
    }
}

/// What a typed code came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It is the code of this step or counter.
    Right(Right),
    /// It is none, for the reason that the record names.
    Not(&'static str),
}

/// The code of an authenticator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Right {
    /// Of which.
    pub(super) factor: FactorId,
    /// The step or counter.
    pub(super) number: u64,
    /// Its secret under the current key, where it hangs on an older one.
    pub(super) resealed: Option<Sealed>,
}

impl Right {
    pub(super) const fn proves(&self, way: Way) -> ProvenBy {
        let (factor, number) = (self.factor, self.number);
        match way {
            Way::Time => ProvenBy::Totp {
                factor,
                step: number,
            },
            Way::Counter => ProvenBy::Hotp {
                factor,
                counter: number,
            },
        }
    }
}

/// What one authenticator says of a code.
pub(super) type Said = Result<u64, &'static str>;

impl Verifier {
    /// Reads an account's authenticators, before a guess at them is counted: their lengths say what
    /// is one. What another call has taken meanwhile is seen where the success is taken.
    pub(super) async fn authenticators_of(
        &self,
        subject: &SubjectId,
        tenant: &Tenant,
    ) -> Result<Vec<Factor>, VerifyError> {
        let owner = FactorOwner {
            tenant: tenant.clone(),
            subject: SubjectKey::of_subject(subject),
        };
        Ok(self.inner.store.factors(&owner).await?)
    }

    /// Asks every confirmed authenticator of an account that goes this way.
    pub(super) async fn ask_authenticators(
        &self,
        way: Way,
        subject: &SubjectId,
        attempt: Attempt,
        context: RequestContext,
    ) -> Result<VerifiedFactor, VerifyError> {
        let text = attempt.typed.expose();
        let call = match way {
            Way::Time => Call::Totp,
            Way::Counter => Call::Hotp,
        };
        let mut factors = self.authenticators_of(subject, &attempt.tenant).await?;
        factors.retain(|factor| is_active(factor) && Way::of(factor.kind) == way);
        let typed = typed(text, &factors, way.usual());
        let guess = self.guess(subject, &attempt, call, typed, &context, || Ok(()));
        let guess = guess.await?;
        if let Some(answer) = guess.answered().await {
            return answer;
        }
        let ask = |factor: &Factor, secret: &_| guess.ask(text, factor, secret);
        match guess.compare(&factors, way.usual(), ask)? {
            Found::Not(reason) => guess.decline(reason).await,
            Found::Right(right) => guess.advance(right, way, FactorState::Active).await,
        }
    }
}

impl<T> Guess<'_, T> {
    /// Asks each of the candidates. Where there is none, a made-up one is asked for nothing, so that
    /// time does not tell.
    pub(super) fn compare(
        &self,
        candidates: &[Factor],
        kind: FactorKind,
        ask: impl Fn(&Factor, &OtpSecret) -> Said,
    ) -> Result<Found, VerifyError> {
        let decoy;
        let asked = match candidates {
            [] => {
                decoy = [self.decoy(kind)?];
                &decoy[..]
            }
            candidates => candidates,
        };
        let mut found = Found::Not(UNKNOWN);
        for factor in asked {
            let opened = secret::opened(&self.keys, &self.owner, factor);
            let said = match &opened {
                Some(secret) => ask(factor, secret),
                None => Err(SEALED),
            };
            found = match (found, said) {
                (right @ Found::Right(_), _) => right,
                (_, Ok(number)) if number <= Factor::LAST => Found::Right(Right {
                    factor: factor.id,
                    number,
                    resealed: opened.and_then(|secret| self.resealed(factor, &secret)),
                }),
                (used @ Found::Not(USED), _) => used,
                (_, Ok(_)) => Found::Not(WRONG),
                (_, Err(reason)) => Found::Not(reason),
            };
        }
        Ok(match candidates {
            [] => Found::Not(UNKNOWN),
            _ => found,
        })
    }

    /// Seals a secret anew that hangs on an older key than the current one. Where that fails the old
    /// one stays, and the next success tries again.
    fn resealed(&self, factor: &Factor, secret: &OtpSecret) -> Option<Sealed> {
        if factor.secret.key_id() == self.keys.current().id() {
            return None;
        }
        let random = self.verifier.random();
        secret::sealed(&self.keys, random, &self.owner, &factor.id, secret).ok()
    }

    fn decoy(&self, kind: FactorKind) -> Result<Factor, VerifyError> {
        let random = self.verifier.random();
        let unavailable = |error| VerifyError::Unavailable(Unavailable::because(error));
        let id = FactorId::generate(random).map_err(unavailable)?;
        let drawn = OtpSecret::generate(random).map_err(unavailable)?;
        let sealed = secret::sealed(&self.keys, random, &self.owner, &id, &drawn);
        Ok(Factor {
            id,
            tenant: self.owner.tenant.clone(),
            subject: self.owner.subject.clone(),
            kind,
            name: FactorName::usual(),
            secret: sealed
                .map_err(|error| VerifyError::Unavailable(Unavailable::because(error)))?,
            last: None,
            created_at: self.now,
            confirmed_at: None,
            used_at: None,
        })
    }

    /// Asks an authenticator, its own way.
    pub(super) fn ask(&self, typed: &str, factor: &Factor, secret: &OtpSecret) -> Said {
        match Way::of(factor.kind) {
            Way::Time => self.ask_totp(typed, factor, secret),
            Way::Counter => self.ask_hotp(typed, factor, secret),
        }
    }

    fn ask_totp(&self, typed: &str, factor: &Factor, secret: &OtpSecret) -> Said {
        let skew = self.policy.factors().skew();
        let totp = secret::totp(factor.kind, secret, skew).ok_or(UNKNOWN)?;
        let last = factor.last.map(TimeStep::new);
        match totp.verify(typed, self.as_of(), last) {
            Ok(step) => Ok(step.number()),
            Err(TotpRefusal::Replayed) => Err(USED),
            Err(TotpRefusal::Malformed) => Err(MALFORMED),
            Err(_) => Err(WRONG),
        }
    }

    fn ask_hotp(&self, typed: &str, factor: &Factor, secret: &OtpSecret) -> Said {
        let hotp = secret::hotp(factor.kind, secret).ok_or(UNKNOWN)?;
        let ahead = self.policy.factors().look_ahead();
        hotp.verify(typed, factor.last, ahead).map_err(of_hotp)
    }
}

pub(super) fn is_active(factor: &Factor) -> bool {
    factor.state() == FactorState::Active
}

pub(super) fn of_hotp(refusal: HotpRefusal) -> &'static str {
    match refusal {
        HotpRefusal::Malformed => MALFORMED,
        HotpRefusal::Ended => USED,
        HotpRefusal::Wrong => WRONG,
    }
}

/// Says whether a text could be the code of one of the candidates; where there is none, of a made-up
/// one. What has the length of none of them is a slip of the finger, as it is for a code that was
/// sent, and costs no guess.
pub(super) fn typed(text: &str, candidates: &[Factor], usual: FactorKind) -> Typed {
    let reads = |kind: FactorKind| kind.digits().reads(text);
    let readable = match candidates {
        [] => reads(usual),
        candidates => candidates.iter().any(|factor| reads(factor.kind)),
    };
    match readable {
        true => Typed::Readable,
        false => Typed::Malformed,
    }
}
