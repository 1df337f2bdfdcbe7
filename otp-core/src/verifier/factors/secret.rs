//! An authenticator's secret as its row holds it: sealed to tenant, subject and id (ASVS 11.3.3).

use crate::factor::{Factor, FactorId, Hotp, OtpSecret, Totp};
use crate::factor::{FactorKind, TotpSkew};
use crate::key::{KeySet, SealError, Sealed, open, seal};
use crate::random::SecureRandom;
use crate::store::FactorOwner;

const LABEL: &[u8] = b"otp-kit factor secret v1";

fn aad<'a>(owner: &'a FactorOwner, id: &'a FactorId) -> [&'a [u8]; 4] {
    let (tenant, subject) = (owner.tenant.as_str(), owner.subject.as_str());
    [LABEL, tenant.as_bytes(), subject.as_bytes(), id.as_bytes()]
}

/// Seals a secret for its row.
pub(super) fn sealed(
    keys: &KeySet,
    random: &dyn SecureRandom,
    owner: &FactorOwner,
    id: &FactorId,
    secret: &OtpSecret,
) -> Result<Sealed, SealError> {
    seal(keys, random, &aad(owner, id), secret.expose())
}

/// Opens the secret of a row; `None` where it was moved or altered, or its key is retired.
pub(super) fn opened(keys: &KeySet, owner: &FactorOwner, factor: &Factor) -> Option<OtpSecret> {
    let bytes = open(keys, &aad(owner, &factor.id), &factor.secret).ok()?;
    OtpSecret::new(bytes.expose().to_vec()).ok()
}

/// Makes the authenticator that goes by the time, where it is one.
pub(super) fn totp(kind: FactorKind, secret: &OtpSecret, skew: TotpSkew) -> Option<Totp> {
    match kind {
        FactorKind::Totp {
            algorithm,
            digits,
            period,
        } => {
            let totp = Totp::with(secret, algorithm, digits, period).ok()?;
            Some(totp.skew(skew))
        }
        FactorKind::Hotp { .. } => None,
    }
}

/// Makes the authenticator that counts, where it is one.
pub(super) fn hotp(kind: FactorKind, secret: &OtpSecret) -> Option<Hotp> {
    match kind {
        FactorKind::Totp { .. } => None,
        FactorKind::Hotp { algorithm, digits } => Some(Hotp::with(secret, algorithm, digits)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::factor::FactorName;
    use crate::key::KeyRing;
    use crate::random::OsRandom;
    use crate::request::{SubjectId, SubjectKey, Tenant};

    fn owner(subject: &str) -> FactorOwner {
        FactorOwner {
            tenant: Tenant::default(),
            subject: SubjectKey::of_subject(&SubjectId::new(subject).unwrap()),
        }
    }

    #[test]
    fn a_secret_that_is_pasted_into_another_row_does_not_open() {
        let keys = KeyRing::generate(&OsRandom).unwrap().snapshot();
        let secret = OtpSecret::generate(&OsRandom).unwrap();
        let (ann, id) = (owner("ann"), FactorId::generate(&OsRandom).unwrap());
        let factor = Factor {
            id,
            tenant: ann.tenant.clone(),
            subject: ann.subject.clone(),
            kind: FactorKind::TOTP,
            name: FactorName::new("phone").unwrap(),
            secret: sealed(&keys, &OsRandom, &ann, &id, &secret).unwrap(),
            last: None,
            created_at: Timestamp::UNIX_EPOCH,
            confirmed_at: None,
            used_at: None,
        };
        let read = opened(&keys, &ann, &factor).unwrap();
        assert_eq!(read.expose(), secret.expose());
        assert!(opened(&keys, &owner("bob"), &factor).is_none());
        let moved = Factor {
            id: FactorId::generate(&OsRandom).unwrap(),
            ..factor.clone()
        };
        assert!(opened(&keys, &ann, &moved).is_none());
        let others = KeyRing::generate(&OsRandom).unwrap().snapshot();
        assert!(opened(&others, &ann, &factor).is_none());
    }
}
