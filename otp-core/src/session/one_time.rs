use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::key::{KeyId, KeyRing, KeySet, SealError, Sealed, mac, open, seal};
use crate::random::{OsRandom, RandomError, SecureRandom};
use crate::request::SessionBinding;
use crate::secret::{SecretBytes, SecretString};
use crate::store::{PutState, SessionStore, StoreError};

const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = KeyId::MAX_LEN + 1 + 43;

/// Keeps what a sign-in through somebody else's page comes back with: the `state` of OAuth (RFC 6749
/// section 10.12) or a nonce. It is taken once, within ten minutes, by the browser that it was
/// issued to, under the name that it was issued for.
///
/// What is kept with it (where to return to, a PKCE verifier) is sealed in the store.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_core::key::KeyRing;
/// use otp_core::request::SessionBinding;
/// use otp_core::session::OneTimeState;
/// # use otp_core::{clock::SystemClock, random::OsRandom};
/// # #[cfg(feature = "testing")]
/// # otp_core::testing::store::run(async {
/// # let store = otp_core::testing::session::ReferenceSessions::new(Arc::new(SystemClock));
/// let states = OneTimeState::new(Arc::new(store), KeyRing::generate(&OsRandom).unwrap());
/// let browser = SessionBinding::of(b"the value of a random cookie");
/// let state = states.issue("github", &browser, b"/inbox").await.unwrap();
/// let kept = states.consume("github", state.expose(), &browser).await.unwrap();
/// assert_eq!(kept.expose(), b"/inbox");
/// assert!(states.consume("github", state.expose(), &browser).await.is_err());
/// # });
/// ```
#[derive(Clone)]
pub struct OneTimeState {
    store: Arc<dyn SessionStore>,
    keys: KeyRing,
    random: Arc<dyn SecureRandom>,
    life: Duration,
}

/// The value that goes through the other's page and comes back. Redacted in `Debug`.
#[derive(Clone)]
pub struct StateToken(SecretString);

/// Why state is not issued or not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StateError {
    /// It was never issued so, is used up, too old, or another browser's. Tell the client no more.
    #[error("the state is refused")]
    Refused,
    /// The name or the payload is too long: 64 bytes and 1 KiB.
    #[error("the state is too large")]
    TooLarge,
    /// The store failed; nothing was taken over.
    #[error("the state store is unavailable")]
    Store(#[from] StoreError),
    /// No randomness; nothing was issued.
    #[error("no randomness for a state")]
    Random(#[from] RandomError),
}

impl StateToken {
    /// Shows the value, for the redirect.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for StateToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateToken(redacted)")
    }
}

impl OneTimeState {
    /// The most bytes that are kept with a state.
    pub const LARGEST: usize = 1_024;

    /// Keeps state in a store, under keys, for ten minutes.
    #[must_use]
    pub fn new(store: Arc<dyn SessionStore>, keys: KeyRing) -> Self {
        Self {
            store,
            keys,
            random: Arc::new(OsRandom),
            life: PutState::LONGEST,
        }
    }

    /// Keeps it for less; more than ten minutes is ten minutes.
    #[must_use]
    pub fn life(mut self, life: Duration) -> Self {
        self.life = life.min(PutState::LONGEST);
        self
    }

    /// Replaces the source of randomness. Default: the operating system's.
    #[must_use]
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Issues state under a name, for a browser, with something to keep.
    ///
    /// # Errors
    /// [`StateError`].
    pub async fn issue(
        &self,
        name: &str,
        browser: &SessionBinding,
        payload: &[u8],
    ) -> Result<StateToken, StateError> {
        if name.len() > LONGEST_NAME || payload.len() > Self::LARGEST {
            return Err(StateError::TooLarge);
        }
        let keys = self.keys.snapshot();
        let mut secret = Zeroizing::new([0_u8; 32]);
        self.random.fill(secret.as_mut_slice())?;
        let key_id = *keys.current().id();
        let key = place(&keys, &key_id, name, &secret).ok_or(StateError::Refused)?;
        let sealed = seal(&keys, self.random.as_ref(), &[LABEL, &key], payload);
        let sealed = sealed.map_err(|error| match error {
            SealError::Random(error) => StateError::Random(error),
            _ => StateError::TooLarge,
        })?;
        let put = PutState {
            key,
            binding: browser.clone(),
            payload: sealed.as_bytes().to_vec(),
            life: self.life,
        };
        self.store.put_state(put).await?;
        let mut text = String::with_capacity(LONGEST_TEXT);
        text.push_str(key_id.as_str());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(secret.as_slice(), &mut text);
        Ok(StateToken(SecretString::new(text)))
    }

    /// Takes state back, and what was kept with it. Of racing callers one gets it.
    ///
    /// # Errors
    /// [`StateError`]; another browser is refused and uses nothing up.
    pub async fn consume(
        &self,
        name: &str,
        state: &str,
        browser: &SessionBinding,
    ) -> Result<SecretBytes, StateError> {
        let keys = self.keys.snapshot();
        let key = presented(&keys, name, state).ok_or(StateError::Refused)?;
        let taken = self.store.take_state(&key, browser).await?;
        let payload = taken.ok_or(StateError::Refused)?;
        let sealed = Sealed::from_bytes(&payload).map_err(|_| StateError::Refused)?;
        open(&keys, &[LABEL, &key], &sealed).map_err(|_| StateError::Refused)
    }
}

const LABEL: &[u8] = b"one-time state";

fn presented(keys: &KeySet, name: &str, state: &str) -> Option<[u8; 32]> {
    if state.len() > LONGEST_TEXT || name.len() > LONGEST_NAME {
        return None;
    }
    let (key_id, secret) = state.rsplit_once('.')?;
    let secret: Vec<u8> = URL_SAFE_NO_PAD.decode(secret).ok()?;
    let secret: [u8; 32] = secret.try_into().ok()?;
    place(
        keys,
        &KeyId::new(key_id).ok()?,
        name,
        &Zeroizing::new(secret),
    )
}

/// Says where the store keeps it.
fn place(keys: &KeySet, key: &KeyId, name: &str, secret: &[u8; 32]) -> Option<[u8; 32]> {
    let key = keys.get(key)?;
    let digest = mac(key.token_key(), &[LABEL, name.as_bytes(), secret]);
    Some(*digest.as_bytes())
}

impl fmt::Debug for OneTimeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneTimeState")
            .field("life", &self.life)
            .finish_non_exhaustive()
    }
}
