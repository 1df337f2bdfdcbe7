use std::fmt;
use std::fmt::Debug;
use std::fmt::Write as _;
use std::net::IpAddr;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};

use super::CheckError;
use crate::clock::Timestamp;
use crate::secret::SecretString;

/// What a captcha's widget gave the client. It works once; redacted in `Debug`, zeroed on drop.
#[derive(Clone)]
pub struct CaptchaToken(SecretString);

impl CaptchaToken {
    /// The longest token in bytes; the vendors' are two thousand or so.
    pub const LONGEST: usize = 4_096;

    /// Takes a token; `None` for what no vendor's widget gives: nothing, too long, or another
    /// character than letters and digits of ASCII and `-._~+/=:|`. What a vendor's own server
    /// would stumble over must not reach it.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=Self::LONGEST).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=:|".contains(&byte));
        fits.then(|| Self(SecretString::from(text)))
    }

    /// Gives the token; for the vendor's request only.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// Names the token for replay memory, without holding it.
    pub(crate) fn replay_key(&self) -> String {
        let digest = Sha256::new()
            .chain_update(b"otp-kit captcha token v1\0")
            .chain_update(self.expose().as_bytes())
            .finalize();
        let mut key = String::from("captcha:");
        for byte in digest {
            // Writing to a string does not fail.
            let _ = write!(key, "{byte:02x}");
        }
        key
    }
}

impl Debug for CaptchaToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CaptchaToken(..)")
    }
}

/// What a captcha's vendor is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CaptchaQuestion<'a> {
    /// The token. The verifier has seen to it that it is the first time that it is shown.
    pub token: &'a CaptchaToken,
    /// The client's address, where it is known.
    pub address: Option<IpAddr>,
    /// The time, by the store's clock.
    pub now: Timestamp,
}

impl<'a> CaptchaQuestion<'a> {
    /// Asks about a token.
    #[must_use]
    pub const fn new(token: &'a CaptchaToken, address: Option<IpAddr>, now: Timestamp) -> Self {
        Self {
            token,
            address,
            now,
        }
    }
}

/// What a captcha's vendor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaptchaVerdict {
    /// A person solved it, here and now, for this.
    Passed,
    /// It is worth nothing.
    Failed(CaptchaFailure),
}

/// Why a token is worth nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CaptchaFailure {
    /// The vendor says so: forged, expired, used before.
    Refused,
    /// It was solved on another host's page.
    OtherHost,
    /// It was solved for another action.
    OtherAction,
    /// Its score is below the floor, or missing.
    LowScore,
    /// It was solved too long ago, or in the future.
    Stale,
    /// It was shown here before.
    Replayed,
}

impl CaptchaFailure {
    /// Names the failure for events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "captcha_refused",
            Self::OtherHost => "captcha_other_host",
            Self::OtherAction => "captcha_other_action",
            Self::LowScore => "captcha_low_score",
            Self::Stale => "captcha_stale",
            Self::Replayed => "captcha_replayed",
        }
    }
}

/// Asks a captcha's vendor about a token.
///
/// # Contract
/// - It passes only what the vendor says in so many words, for the host's own site.
/// - The token is not logged and not kept.
/// - The future may be dropped at any point.
///
/// # Examples
/// ```
/// use otp_core::async_trait;
/// use otp_core::check::{CaptchaFailure, CaptchaQuestion, CaptchaVerdict, CaptchaVerifier, CheckError};
///
/// /// A proof of work of the host's own.
/// #[derive(Debug)]
/// struct ProofOfWork;
///
/// #[async_trait]
/// impl CaptchaVerifier for ProofOfWork {
///     fn name(&self) -> &str {
///         "proof-of-work"
///     }
///
///     async fn verify(&self, asked: &CaptchaQuestion<'_>) -> Result<CaptchaVerdict, CheckError> {
///         Ok(if asked.token.expose().starts_with("0000") {
///             CaptchaVerdict::Passed
///         } else {
///             CaptchaVerdict::Failed(CaptchaFailure::Refused)
///         })
///     }
/// }
/// ```
#[async_trait]
pub trait CaptchaVerifier: Debug + Send + Sync + 'static {
    /// Names the vendor in logs.
    fn name(&self) -> &str;

    /// Asks about one token.
    ///
    /// # Errors
    /// [`CheckError`] where there is no verdict. [`CheckError::Misconfigured`] where our own
    /// secret is refused.
    async fn verify(&self, question: &CaptchaQuestion<'_>) -> Result<CaptchaVerdict, CheckError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_widget_gives_is_no_token() {
        for bad in [
            "",
            "a b",
            "a\n",
            "é",
            "a&b",
            "a%00",
            "<a>",
            &"a".repeat(4_097),
        ] {
            assert!(CaptchaToken::new(bad).is_none(), "{bad:.20}");
        }
        assert!(CaptchaToken::new(&"a".repeat(4_096)).is_some());
        for token in [
            "P1_eyJ0eXAi.eyJ-_x",
            "10000000-aaaa-bbbb-cccc-000000000001",
            "a+/=",
            "a|b",
        ] {
            assert!(CaptchaToken::new(token).is_some(), "{token}");
        }
    }

    #[test]
    fn neither_debug_nor_the_replay_key_holds_the_token() {
        let token = CaptchaToken::new("canary-token").unwrap();
        let shown = format!("{token:?} {}", token.replay_key());
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(
            token.replay_key().len(),
            CaptchaToken::new("another").unwrap().replay_key().len()
        );
    }
}
