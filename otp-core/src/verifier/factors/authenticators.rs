//! Whose code was typed: every authenticator that it could be of is asked, and all of them are.

use super::guess::{Guess, MALFORMED, SEALED, UNKNOWN, USED, WRONG};
use super::secret;
use crate::factor::{
    Factor, FactorId, FactorKind, FactorName, HotpRefusal, OtpDigits, OtpSecret, TimeStep,
    TotpRefusal,
};
use crate::key::Sealed;
use crate::verifier::{Unavailable, VerifyError};

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

/// What one authenticator says of a code.
pub(super) type Said = Result<u64, &'static str>;

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

    /// Asks an authenticator that goes by the time.
    pub(super) fn ask_totp(&self, typed: &str, factor: &Factor, secret: &OtpSecret) -> Said {
        let skew = self.policy.factors().skew();
        let totp = secret::totp(factor.kind, secret, skew).ok_or(UNKNOWN)?;
        let last = factor.last.map(TimeStep::new);
        match totp.verify(typed, self.now, last) {
            Ok(step) => Ok(step.number()),
            Err(TotpRefusal::Replayed) => Err(USED),
            Err(TotpRefusal::Malformed) => Err(MALFORMED),
            Err(_) => Err(WRONG),
        }
    }

    /// Asks an authenticator that counts.
    pub(super) fn ask_hotp(&self, typed: &str, factor: &Factor, secret: &OtpSecret) -> Said {
        let hotp = secret::hotp(factor.kind, secret).ok_or(UNKNOWN)?;
        let ahead = self.policy.factors().look_ahead();
        hotp.verify(typed, factor.last, ahead).map_err(of_hotp)
    }
}

pub(super) fn of_hotp(refusal: HotpRefusal) -> &'static str {
    match refusal {
        HotpRefusal::Malformed => MALFORMED,
        HotpRefusal::Ended => USED,
        HotpRefusal::Wrong => WRONG,
    }
}

/// Says whether a text could be the code of some authenticator.
pub(super) fn typed(text: &str) -> super::guess::Typed {
    let lengths = [OtpDigits::Six, OtpDigits::Seven, OtpDigits::Eight];
    if lengths.iter().any(|digits| digits.reads(text)) {
        super::guess::Typed::Readable
    } else {
        super::guess::Typed::Malformed
    }
}
