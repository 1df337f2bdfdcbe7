use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use zeroize::Zeroizing;

use super::{ChallengeId, Code, CodeFormat};
use crate::key::{DerivedKey, labelled};
use crate::random::{RandomError, SecureRandom};
use crate::secret::SecretString;

/// The secret of a link: the challenge that it belongs to, and 256 random bits of its own.
///
/// It is zeroed on drop, has no `Display`, and `Debug` shows the challenge's fingerprint only. The
/// code that goes out in the same message is drawn from it, so that whoever shows the link can be
/// told the code and no store has to keep either; the other way round nothing follows.
///
/// # Examples
/// ```
/// use otp_core::challenge::LinkToken;
///
/// assert!(LinkToken::parse("not-a-token").is_err());
/// ```
#[derive(Clone)]
pub struct LinkToken {
    challenge: ChallengeId,
    secret: Zeroizing<[u8; Self::SECRET]>,
}

impl LinkToken {
    /// How many secret bytes a token has.
    pub const SECRET: usize = 32;
    /// How many characters of URL-safe base64 it is written in.
    pub const TEXT_LENGTH: usize = (Self::LENGTH * 8).div_ceil(6);
    const LENGTH: usize = ChallengeId::LENGTH + Self::SECRET;

    /// Draws the token of a challenge.
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails; then there is no token.
    pub fn generate(
        challenge: ChallengeId,
        random: &dyn SecureRandom,
    ) -> Result<Self, RandomError> {
        let mut secret = Zeroizing::new([0_u8; Self::SECRET]);
        random.fill(secret.as_mut_slice())?;
        Ok(Self { challenge, secret })
    }

    /// Reads a token as a link carries it, in its one spelling.
    ///
    /// # Errors
    /// [`MalformedLink`], which does not say where.
    pub fn parse(text: &str) -> Result<Self, MalformedLink> {
        if text.len() != Self::TEXT_LENGTH {
            return Err(MalformedLink);
        }
        let mut bytes = Zeroizing::new([0_u8; Self::LENGTH]);
        let read = URL_SAFE_NO_PAD
            .decode_slice(text, bytes.as_mut_slice())
            .map_err(|_| MalformedLink)?;
        let (challenge, secret) = bytes
            .split_first_chunk::<{ ChallengeId::LENGTH }>()
            .ok_or(MalformedLink)?;
        let secret: &[u8; Self::SECRET] = secret.try_into().map_err(|_| MalformedLink)?;
        if read == Self::LENGTH {
            Ok(Self {
                challenge: ChallengeId::from_bytes(*challenge),
                secret: Zeroizing::new(*secret),
            })
        } else {
            Err(MalformedLink)
        }
    }

    /// Names the challenge that it belongs to.
    #[must_use]
    pub const fn challenge_id(&self) -> ChallengeId {
        self.challenge
    }

    /// Writes the token for a link: 79 characters of `[A-Za-z0-9_-]`, which no URL has to escape.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let mut bytes = Zeroizing::new([0_u8; Self::LENGTH]);
        let parts = self.challenge.as_bytes().iter().chain(self.secret.iter());
        for (to, from) in bytes.iter_mut().zip(parts) {
            *to = *from;
        }
        let mut text = String::with_capacity(Self::TEXT_LENGTH);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
        SecretString::new(text)
    }

    /// Gives the secret in the clear: for the digest.
    pub(crate) fn secret(&self) -> &[u8; Self::SECRET] {
        &self.secret
    }

    /// Draws the code that goes with the link: each as likely as any other, and the same each time.
    pub(crate) fn code(&self, format: CodeFormat) -> Result<Code, RandomError> {
        let drawn = Drawn {
            key: DerivedKey::from_bytes(*self.secret),
            draws: AtomicU64::new(0),
        };
        Code::generate(format, &drawn)
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkToken(#{})", self.challenge.fingerprint())
    }
}

/// The text is no link's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the token of a link")]
pub struct MalformedLink;

/// A stream of bytes that follows from a token: HMAC-SHA-256 over a count.
#[derive(Debug)]
struct Drawn {
    key: DerivedKey,
    draws: AtomicU64,
}

impl SecureRandom for Drawn {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        for block in destination.chunks_mut(32) {
            let draw = self.draws.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let bytes = labelled(&self.key, b"otp-kit code of a link v1", &[&draw]);
            for (to, from) in block.iter_mut().zip(bytes.as_bytes()) {
                *to = *from;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{BrokenRandom, OsRandom, SeededRandom};
    use crate::request::{SubjectId, SubjectKey};

    fn token(random: &dyn SecureRandom) -> LinkToken {
        let subject = SubjectKey::of_subject(&SubjectId::new("user-1").expect("an id"));
        let id = ChallengeId::generate(random, &subject).expect("an id");
        LinkToken::generate(id, random).expect("a token")
    }

    #[test]
    fn a_token_reads_back_and_has_one_spelling_only() {
        let token = token(&OsRandom);
        let text = token.to_text();
        let text = text.expose();
        assert_eq!(text.len(), LinkToken::TEXT_LENGTH);
        let read = LinkToken::parse(text).expect("readable");
        assert_eq!(read.challenge_id(), token.challenge_id());
        assert_eq!(read.secret(), token.secret());
        let mut last = text.to_owned();
        let end = last.pop().expect("a character");
        // The last character holds two bits that no byte takes: they must be zero.
        let twin = char::from(u32::from(end).to_be_bytes()[3].wrapping_add(1));
        last.push(twin);
        for bad in ["", "=", &text[1..], &format!("{text}A"), &last] {
            assert_eq!(LinkToken::parse(bad).err(), Some(MalformedLink), "{bad}");
        }
    }

    #[test]
    fn each_token_is_another_and_none_comes_of_a_broken_source() {
        let random = SeededRandom::new(7);
        let one = token(&random);
        let other = LinkToken::generate(one.challenge_id(), &random).expect("a token");
        assert_ne!(one.secret(), other.secret());
        assert!(LinkToken::generate(one.challenge_id(), &BrokenRandom::default()).is_err());
    }

    #[test]
    fn the_code_of_a_token_is_always_the_same_and_seldom_that_of_another() {
        let random = SeededRandom::new(7);
        let format = CodeFormat::EIGHT_DIGITS;
        let code = |token: &LinkToken| token.code(format).expect("a code").expose().to_owned();
        let tokens: Vec<LinkToken> = (0..200).map(|_| token(&random)).collect();
        let mut codes: Vec<String> = tokens.iter().map(code).collect();
        assert!(tokens.iter().zip(&codes).all(|(one, is)| code(one) == *is));
        assert!(codes.iter().all(|code| code.len() == 8));
        codes.sort();
        codes.dedup();
        assert!(codes.len() >= 199, "{}", codes.len());
    }

    #[test]
    fn debug_shows_nothing_of_the_secret() {
        let token = token(&OsRandom);
        let text = token.to_text();
        let shown = format!("{token:?} {:?}", token.code(CodeFormat::SIX_DIGITS));
        let secret = &text.expose()[ChallengeId::LENGTH * 8 / 6 + 1..];
        assert!(!shown.contains(secret) && !text.expose().contains(&shown));
        assert_eq!(
            format!("{token:?}"),
            format!("LinkToken(#{})", token.challenge_id().fingerprint())
        );
    }
}
