use std::fmt;

use data_encoding::{BASE32_NOPAD, Encoding};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::random::{RandomError, SecureRandom};
use crate::secret::{SecretBytes, SecretString};

/// The shared secret of an authenticator: 16 to 128 bytes, wiped on drop, redacted in `Debug`.
///
/// RFC 4226 section 4 (R6) demands 128 bits and recommends 160; shorter ones are refused, also on
/// import.
///
/// # Examples
/// ```
/// use otp_core::factor::OtpSecret;
///
/// let secret = OtpSecret::from_base32("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ")?;
/// assert_eq!(secret.expose(), b"12345678901234567890");
/// assert_eq!(secret.to_base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
/// assert_eq!(format!("{secret:?}"), "OtpSecret(20 bytes)");
/// # Ok::<(), otp_core::factor::InvalidOtpSecret>(())
/// ```
#[derive(Clone)]
pub struct OtpSecret(SecretBytes);

/// The text or bytes are no secret of an authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidOtpSecret {
    /// Fewer than 16 or more than 128 bytes.
    #[error("a secret of 16 to 128 bytes is needed")]
    Length,
    /// Not base32 (RFC 4648 section 6).
    #[error("not base32")]
    Encoding,
    /// Zeros alone: what nobody drew, and everybody guesses.
    #[error("a secret of zeros alone is none")]
    Blank,
}

const SHORTEST: usize = 16;
const LONGEST: usize = 128;
/// 160 bits, as RFC 4226 recommends.
const USUAL: usize = 20;

impl OtpSecret {
    /// Draws a secret of 160 bits.
    ///
    /// # Errors
    /// [`RandomError`] where there is no randomness.
    pub fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        let mut bytes = Zeroizing::new(vec![0; USUAL]);
        random.fill(&mut bytes)?;
        Ok(Self(SecretBytes::new(std::mem::take(&mut *bytes))))
    }

    /// Takes bytes over.
    ///
    /// # Errors
    /// [`InvalidOtpSecret::Length`], [`InvalidOtpSecret::Blank`].
    pub fn new(bytes: Vec<u8>) -> Result<Self, InvalidOtpSecret> {
        let bytes = SecretBytes::new(bytes);
        if !(SHORTEST..=LONGEST).contains(&bytes.len()) {
            return Err(InvalidOtpSecret::Length);
        }
        if bytes.expose().iter().all(|byte| *byte == 0) {
            return Err(InvalidOtpSecret::Blank);
        }
        Ok(Self(bytes))
    }

    /// Reads base32 (RFC 4648 section 6) as people copy it: either case, spaces and hyphens between,
    /// padding or none.
    ///
    /// # Errors
    /// [`InvalidOtpSecret`].
    pub fn from_base32(text: &str) -> Result<Self, InvalidOtpSecret> {
        // Twice the longest secret's letters: room for what people put between them.
        if text.len() > LONGEST * 4 {
            return Err(InvalidOtpSecret::Length);
        }
        let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
        let plain = text.trim_end_matches('=').bytes();
        letters.extend(
            plain
                .filter(|byte| !matches!(byte, b' ' | b'-'))
                .map(|byte| byte.to_ascii_uppercase()),
        );
        let bytes = encoding().decode(&letters);
        Self::new(bytes.map_err(|_| InvalidOtpSecret::Encoding)?)
    }

    /// Writes base32 without padding, as authenticators take it.
    #[must_use]
    pub fn to_base32(&self) -> SecretString {
        SecretString::new(encoding().encode(self.0.expose()))
    }

    /// Shows the bytes to the code that has to use or seal them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }
}

fn encoding() -> Encoding {
    BASE32_NOPAD
}

impl fmt::Debug for OtpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OtpSecret({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn what_was_written_is_read_back_and_two_secrets_differ() {
        let one = OtpSecret::generate(&OsRandom).unwrap();
        let two = OtpSecret::generate(&OsRandom).unwrap();
        assert_eq!(one.expose().len(), 20);
        assert_ne!(one.expose(), two.expose());
        let text = one.to_base32();
        assert_eq!(text.expose().len(), 32);
        let read = OtpSecret::from_base32(text.expose()).unwrap();
        assert_eq!(read.expose(), one.expose());
        let copied = format!(
            "{}====",
            text.expose().to_lowercase().replacen('a', "a-", 2)
        );
        let read = OtpSecret::from_base32(&copied).unwrap();
        assert_eq!(read.expose(), one.expose());
    }

    #[test]
    fn g05_a_secret_of_zeros_alone_is_refused_on_every_way_in() {
        for length in [16, 20, 128] {
            let refused = OtpSecret::new(vec![0; length]).map(drop);
            assert_eq!(refused, Err(InvalidOtpSecret::Blank));
        }
        let text = "A".repeat(32);
        let refused = OtpSecret::from_base32(&text).map(drop);
        assert_eq!(refused, Err(InvalidOtpSecret::Blank));
        let mut one_bit = vec![0; 20];
        one_bit[19] = 1;
        assert!(OtpSecret::new(one_bit).is_ok());
    }

    #[test]
    fn short_long_and_broken_secrets_are_refused() {
        for (text, problem) in [
            ("GEZDGNBVGY3TQOJQGEZDGNA", InvalidOtpSecret::Length),
            ("", InvalidOtpSecret::Length),
            (&"A".repeat(600), InvalidOtpSecret::Length),
            (
                "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1",
                InvalidOtpSecret::Encoding,
            ),
            (
                "GEZDGNBVGY3TQOJQ\u{ff27}EZDGNBVGY3TQOJQ",
                InvalidOtpSecret::Encoding,
            ),
        ] {
            let refused = OtpSecret::from_base32(text).err();
            assert_eq!(refused, Some(problem), "{text}");
        }
        assert!(OtpSecret::new(vec![7; 16]).is_ok());
        assert!(OtpSecret::new(vec![7; 15]).is_err());
        assert!(OtpSecret::new(vec![7; 129]).is_err());
    }
}
