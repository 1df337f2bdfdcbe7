use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::challenge::ChallengeId;
use crate::random::{RandomError, SecureRandom};
use crate::request::{SubjectId, SubjectKey};

/// Names a session: two bytes that find the shard of its subject, and sixteen of its own.
///
/// It is in every access token (`sid`) and in the log, and opens nothing by itself. Written as 24
/// characters of URL-safe base64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; Self::LENGTH]);

/// The text is not a session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a session id")]
pub struct InvalidSessionId;

impl SessionId {
    /// How many bytes an id has.
    pub const LENGTH: usize = 18;
    const TEXT_LENGTH: usize = 24;

    /// Draws an id for a subject.
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails.
    pub fn generate(random: &dyn SecureRandom, subject: &SubjectId) -> Result<Self, RandomError> {
        let mut name = [0_u8; 16];
        random.fill(&mut name)?;
        Ok(Self::named(name, subject))
    }

    /// Names the one session that a challenge can start: a second start finds it there.
    #[must_use]
    pub fn of_challenge(challenge: &ChallengeId, subject: &SubjectId) -> Self {
        let digest = Sha256::new()
            .chain_update(b"otp-kit session of challenge v1\0")
            .chain_update(challenge.as_bytes())
            .finalize();
        let name = digest.first_chunk::<16>().copied().unwrap_or_default();
        Self::named(name, subject)
    }

    /// Names the one session that a verified factor can start.
    pub(super) fn of_factor(spent: &[u8], subject: &SubjectId) -> Self {
        let digest = Sha256::new()
            .chain_update(b"otp-kit session of factor v1\0")
            .chain_update(spent)
            .chain_update(subject.as_str().as_bytes())
            .finalize();
        let name = digest.first_chunk::<16>().copied().unwrap_or_default();
        Self::named(name, subject)
    }

    fn named(name: [u8; 16], subject: &SubjectId) -> Self {
        let mut bytes = [0_u8; Self::LENGTH];
        let shard = SubjectKey::of_subject(subject).shard().to_be_bytes();
        for (to, from) in bytes.iter_mut().zip(shard.into_iter().chain(name)) {
            *to = from;
        }
        Self(bytes)
    }

    /// Gives the shard number of the subject, for stores that keep a subject's records together.
    #[must_use]
    pub const fn shard(&self) -> u16 {
        let [high, low, ..] = self.0;
        u16::from_be_bytes([high, low])
    }

    /// Gives the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }

    /// Reads the bytes back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({self})")
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != Self::TEXT_LENGTH {
            return Err(InvalidSessionId);
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidSessionId)?;
        bytes.try_into().map(Self).map_err(|_| InvalidSessionId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is_one() {
        let alice = SubjectId::new("alice").unwrap();
        let id = SessionId::generate(&SeededRandom::new(1), &alice).unwrap();
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_eq!(id.shard(), SubjectKey::of_subject(&alice).shard());
        for bad in ["", "x", &text[1..], &format!("{text}A"), &"!".repeat(24)] {
            assert_eq!(bad.parse::<SessionId>(), Err(InvalidSessionId), "{bad}");
        }
    }

    #[test]
    fn a_challenge_starts_one_session_and_tells_nothing_of_itself() {
        let alice = SubjectId::new("alice").unwrap();
        let one = ChallengeId::from_bytes([1; 27]);
        let two = ChallengeId::from_bytes([2; 27]);
        assert_eq!(
            SessionId::of_challenge(&one, &alice),
            SessionId::of_challenge(&one, &alice)
        );
        assert_ne!(
            SessionId::of_challenge(&one, &alice),
            SessionId::of_challenge(&two, &alice)
        );
        assert!(!SessionId::of_challenge(&one, &alice).as_bytes()[2..].starts_with(&[1, 1]));
    }
}
