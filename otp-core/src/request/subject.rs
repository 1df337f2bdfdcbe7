use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::SubjectId;
use crate::destination::{Destination, DestinationKind};

/// The kind of authenticator that a guess is made against; each has a budget of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FactorClass {
    /// Codes and links that were sent, over every channel and for every purpose together.
    OutOfBand,
    /// TOTP and HOTP.
    Totp,
    /// Recovery codes.
    Recovery,
}

impl FactorClass {
    /// Names the class for keys, events and columns.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfBand => "oob",
            Self::Totp => "totp",
            Self::Recovery => "recovery",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::OutOfBand, Self::Totp, Self::Recovery]
            .into_iter()
            .find(|class| class.name() == name)
    }
}

/// Whom budgets, locks and live challenges are kept by: the subject, or the destination where
/// there is no subject.
///
/// A subject is kept by the host's id as it is, so that the operator's queries find it. A
/// destination is kept by a hash (`dst:...`) of its alias-folded form: a pseudonym that keeps
/// addresses out of keys and logs, not a protection against somebody who tries every number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectKey(Arc<str>);

const SUBJECT: &str = "sub:";
const DESTINATION: &str = "dst:";
const CLAIMED: &str = "unk:";
const NAMED: &str = "nam:";

impl SubjectKey {
    /// Keys by the host's id.
    #[must_use]
    pub fn of_subject(subject: &SubjectId) -> Self {
        Self([SUBJECT, subject.as_str()].concat().into())
    }

    /// Keys by the destination.
    #[must_use]
    pub fn of_destination(destination: &Destination) -> Self {
        Self::hashed(DESTINATION, destination.limit_key().expose())
    }

    /// Keys by a name that no account has: what a decoy is kept by where the name is no address.
    /// Case and surrounding space make no difference.
    #[must_use]
    pub fn of_claim(claimed: &str) -> Self {
        Self::hashed(CLAIMED, &claimed.trim().to_lowercase())
    }

    /// Keys by a name that was typed, whoever's it is: what starts by a name are counted by, over
    /// the channels that go to one kind of address. Case and surrounding space make no difference.
    #[must_use]
    pub fn of_name(name: &str, kind: DestinationKind) -> Self {
        let way = match kind {
            DestinationKind::Phone => "phone",
            DestinationKind::Email => "email",
        };
        Self::hashed(NAMED, &format!("{way} of {}", name.trim().to_lowercase()))
    }

    fn hashed(prefix: &str, value: &str) -> Self {
        let digest = Sha256::new()
            .chain_update(b"otp-kit subject v1\0")
            .chain_update(value.as_bytes())
            .finalize();
        let head: [u8; 18] = digest.first_chunk::<18>().copied().unwrap_or_default();
        let mut key = String::with_capacity(prefix.len() + 24);
        key.push_str(prefix);
        URL_SAFE_NO_PAD.encode_string(head, &mut key);
        Self(key.into())
    }

    /// Reads a stored key back.
    #[must_use]
    pub fn from_stored(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// Reads the pseudonym of a destination, as logs and records name it: `dst:` and 24 characters
    /// of URL-safe Base64. Anything else is `None`.
    ///
    /// # Examples
    /// ```
    /// use otp_core::destination::Destination;
    /// use otp_core::request::SubjectKey;
    ///
    /// let key = SubjectKey::of_destination(&Destination::parse("+14155550123", None)?);
    /// assert_eq!(SubjectKey::of_pseudonym(key.user_id()), Some(key));
    /// assert_eq!(SubjectKey::of_pseudonym("dst:cut-off"), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn of_pseudonym(text: &str) -> Option<Self> {
        let hash = text.strip_prefix(DESTINATION)?;
        let bytes = URL_SAFE_NO_PAD.decode(hash).ok()?;
        (bytes.len() == 18).then(|| Self(text.into()))
    }

    /// Gives the key as stores and quotas use it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the column value of `user_id`: the host's id, or the pseudonym.
    #[must_use]
    pub fn user_id(&self) -> &str {
        self.0.strip_prefix(SUBJECT).unwrap_or(&self.0)
    }

    /// Says whether this is a name that no account has and that is no address either.
    #[must_use]
    pub fn is_claimed(&self) -> bool {
        self.0.starts_with(CLAIMED)
    }

    /// Gives the host's id, where the key is one.
    #[must_use]
    pub fn subject_id(&self) -> Option<SubjectId> {
        self.0
            .strip_prefix(SUBJECT)
            .and_then(|id| SubjectId::new(id).ok())
    }

    /// Hashes the key to the number that [`ChallengeId`](crate::challenge::ChallengeId) carries.
    #[must_use]
    pub fn shard(&self) -> u16 {
        // FNV-1a: the same in every version and process, and nothing hangs on it but spreading.
        let hash = self
            .0
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        let [.., high, low] = (hash ^ (hash >> 32) ^ (hash >> 16)).to_be_bytes();
        u16::from_be_bytes([high, low])
    }
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SubjectKey({})", self.0)
    }
}
