use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use super::handle::handle;
use super::{OtpAlgorithm, OtpDigits};
use crate::clock::Timestamp;
use crate::key::Sealed;
use crate::request::{SubjectKey, Tenant};

handle! {
    /// Names an authenticator: 128 random bits, written as 22 characters of URL-safe base64.
    ///
    /// It is no secret: the subject's own pages show it, and another subject's opens nothing.
    FactorId, InvalidFactorId: "not a factor id"
}

/// What its owner calls an authenticator: 1 to 64 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FactorName(Arc<str>);

/// The text is not a name for an authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a factor's name must be 1 to 64 characters, none of them a control character")]
pub struct InvalidFactorName;

impl FactorName {
    /// The most characters of a name.
    pub const LONGEST: usize = 64;

    /// Wraps a name; space around it is dropped.
    ///
    /// # Errors
    /// [`InvalidFactorName`] where it is empty, too long, or holds a control character.
    pub fn new(name: &str) -> Result<Self, InvalidFactorName> {
        let name = name.trim();
        let fits = !name.is_empty() && name.chars().nth(Self::LONGEST).is_none();
        if fits && !name.chars().any(char::is_control) {
            Ok(Self(name.into()))
        } else {
            Err(InvalidFactorName)
        }
    }

    /// The name of what nobody named.
    pub(crate) fn usual() -> Self {
        Self("authenticator".into())
    }

    /// Gives the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FactorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an authenticator makes its codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FactorKind {
    /// By the time (RFC 6238).
    Totp {
        /// The hash.
        algorithm: OtpAlgorithm,
        /// The length of a code.
        digits: OtpDigits,
        /// How long a code is shown: 15 to 120 whole seconds.
        period: Duration,
    },
    /// By a counter (RFC 4226).
    Hotp {
        /// The hash.
        algorithm: OtpAlgorithm,
        /// The length of a code.
        digits: OtpDigits,
    },
}

impl FactorKind {
    /// Six digits by the time, of SHA-1 and 30 seconds: what every authenticator app does.
    pub const TOTP: Self = Self::Totp {
        algorithm: OtpAlgorithm::Sha1,
        digits: OtpDigits::Six,
        period: Duration::from_secs(30),
    };

    /// Names the kind for columns.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Totp { .. } => "totp",
            Self::Hotp { .. } => "hotp",
        }
    }

    /// Names the hash.
    #[must_use]
    pub const fn algorithm(&self) -> OtpAlgorithm {
        match self {
            Self::Totp { algorithm, .. } | Self::Hotp { algorithm, .. } => *algorithm,
        }
    }

    /// Gives the length of a code.
    #[must_use]
    pub const fn digits(&self) -> OtpDigits {
        match self {
            Self::Totp { digits, .. } | Self::Hotp { digits, .. } => *digits,
        }
    }

    /// Gives how long a code is shown, in seconds; 0 where a counter makes it.
    #[must_use]
    pub const fn period_seconds(&self) -> u64 {
        match self {
            Self::Totp { period, .. } => period.as_secs(),
            Self::Hotp { .. } => 0,
        }
    }

    /// Reads what a store has kept.
    #[must_use]
    pub fn from_stored(name: &str, algorithm: &str, digits: u8, seconds: u64) -> Option<Self> {
        let algorithm = OtpAlgorithm::from_name(algorithm)?;
        let digits = OtpDigits::from_count(digits)?;
        match (name, seconds) {
            ("totp", 15..=120) => Some(Self::Totp {
                algorithm,
                digits,
                period: Duration::from_secs(seconds),
            }),
            ("hotp", 0) => Some(Self::Hotp { algorithm, digits }),
            _ => None,
        }
    }
}

/// Whether an authenticator counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FactorState {
    /// Nobody has shown a code of it yet; it opens nothing.
    Pending,
    /// Its owner has shown a code of it.
    Active,
}

impl FactorState {
    /// Names the state for wires and columns.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
        }
    }
}

/// An authenticator as a store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Its name in the store.
    pub id: FactorId,
    /// Whose.
    pub tenant: Tenant,
    /// For whom.
    pub subject: SubjectKey,
    /// How it makes its codes.
    pub kind: FactorKind,
    /// What its owner calls it; one a subject.
    pub name: FactorName,
    /// The secret, sealed to tenant, subject and id.
    pub secret: Sealed,
    /// The time step or counter that was accepted last.
    pub last: Option<u64>,
    /// When it was enrolled.
    pub created_at: Timestamp,
    /// When its owner showed the first code of it.
    pub confirmed_at: Option<Timestamp>,
    /// When a code of it was accepted last.
    pub used_at: Option<Timestamp>,
}

impl Factor {
    /// The highest time step or counter that is accepted: every engine's numbers hold it.
    pub const LAST: u64 = i64::MAX.unsigned_abs();

    /// Says when an enrolment lapsed that nobody has confirmed within `life`; `None` while it may be,
    /// and of what counts.
    #[must_use]
    pub fn lapsed(&self, now: Timestamp, life: Duration) -> Option<Timestamp> {
        let end = self.created_at.saturating_add(life);
        (self.state() == FactorState::Pending && now > end).then_some(end)
    }

    /// Says whether it counts.
    #[must_use]
    pub const fn state(&self) -> FactorState {
        match self.confirmed_at {
            None => FactorState::Pending,
            Some(_) => FactorState::Active,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_one() {
        let id = FactorId::generate(&OsRandom).unwrap();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(id.to_string().len(), 22);
        for text in ["", "a", &format!("{id}A"), &"=".repeat(22)] {
            assert_eq!(text.parse::<FactorId>(), Err(InvalidFactorId), "{text}");
        }
    }

    #[test]
    fn a_name_is_short_and_printable() {
        let phone = FactorName::new(" phone ").map(|name| name.to_string());
        assert_eq!(phone.as_deref(), Ok("phone"));
        for name in ["", "  ", "a\nb", &"a".repeat(65)] {
            assert_eq!(FactorName::new(name), Err(InvalidFactorName), "{name:?}");
        }
    }

    #[test]
    fn a_kind_is_read_as_it_was_kept_and_no_other_is() {
        let hotp = FactorKind::Hotp {
            algorithm: OtpAlgorithm::Sha512,
            digits: OtpDigits::Eight,
        };
        for kind in [FactorKind::TOTP, hotp] {
            let algorithm = kind.algorithm().name();
            let (digits, seconds) = (kind.digits().count(), kind.period_seconds());
            let read = FactorKind::from_stored(kind.name(), algorithm, digits, seconds);
            assert_eq!(read, Some(kind));
        }
        for (name, algorithm, digits, seconds) in [
            ("totp", "SHA1", 6, 14),
            ("totp", "SHA1", 6, 121),
            ("totp", "MD5", 6, 30),
            ("totp", "SHA1", 5, 30),
            ("hotp", "SHA1", 6, 30),
            ("push", "SHA1", 6, 30),
        ] {
            let read = FactorKind::from_stored(name, algorithm, digits, seconds);
            assert_eq!(read, None, "{name} {algorithm} {digits} {seconds}");
        }
    }
}
