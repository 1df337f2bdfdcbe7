use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::key::{KeyId, KeyMaterial, KeySet, Mac, mac};
use crate::random::{RandomError, SecureRandom};
use crate::request::{AttemptId, Tenant};
use crate::secret::SecretString;

use super::SessionId;

const SECRET: usize = 32;
const TAG: usize = 16;
const BODY: usize = SessionId::LENGTH + SECRET + TAG;
const LONGEST: usize = KeyId::MAX_LEN + 1 + BODY.div_ceil(3) * 4;

/// What continues a session when its access token has ended: 256 bits that nobody can guess, the name
/// of the session, and a tag by which a forged one is told without asking the store.
///
/// It is worth one use. Its successor is derived from it under the server's key, so that callers that
/// race with one token, and a caller whose answer was lost, all get the same one. The store keeps a
/// keyed digest. Wiped on drop, redacted in `Debug`.
#[derive(Clone)]
pub struct RefreshToken {
    session: SessionId,
    key: KeyId,
    secret: Zeroizing<[u8; SECRET]>,
    tag: [u8; TAG],
}

/// The keyed digest of a refresh token, as stores keep it. Compared in constant time.
#[derive(Clone, Copy)]
pub struct RefreshDigest([u8; 32]);

impl RefreshDigest {
    /// Reads the bytes back.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Gives the bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for RefreshDigest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for RefreshDigest {}

impl fmt::Debug for RefreshDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshDigest(..)")
    }
}

impl RefreshToken {
    pub(super) fn random(
        key: &KeyMaterial,
        tenant: &Tenant,
        session: SessionId,
        random: &dyn SecureRandom,
    ) -> Result<Self, RandomError> {
        let mut secret = Zeroizing::new([0; SECRET]);
        random.fill(secret.as_mut_slice())?;
        Ok(Self::tagged(key, tenant, session, secret))
    }

    /// Makes the first token of a session whose start the client named: the same one each time.
    pub(super) fn of_attempt(
        key: &KeyMaterial,
        tenant: &Tenant,
        session: SessionId,
        attempt: &AttemptId,
    ) -> Self {
        let parts: [&[u8]; 4] = [
            b"first refresh token",
            tenant.as_str().as_bytes(),
            session.as_bytes(),
            attempt.as_str().as_bytes(),
        ];
        Self::tagged(key, tenant, session, secret(&mac(key.token_key(), &parts)))
    }

    /// Makes the token that follows this one under a key.
    pub(super) fn successor(&self, key: &KeyMaterial, tenant: &Tenant) -> Self {
        let parts: [&[u8]; 3] = [
            b"next refresh token",
            self.session.as_bytes(),
            self.secret.as_slice(),
        ];
        let next = secret(&mac(key.token_key(), &parts));
        Self::tagged(key, tenant, self.session, next)
    }

    fn tagged(
        key: &KeyMaterial,
        tenant: &Tenant,
        session: SessionId,
        secret: Zeroizing<[u8; SECRET]>,
    ) -> Self {
        let whole = tag(key, tenant, &session, &secret);
        let tag = whole.as_bytes().first_chunk().copied().unwrap_or_default();
        Self {
            session,
            key: *key.id(),
            secret,
            tag,
        }
    }

    /// Reads a token of a tenant's; `None` where it is none that these keys have made.
    pub(super) fn read(text: &str, tenant: &Tenant, keys: &KeySet) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (key, body) = text.rsplit_once('.')?;
        let key = keys.get(&KeyId::new(key).ok()?)?;
        let body = Zeroizing::new(URL_SAFE_NO_PAD.decode(body).ok()?);
        let (session, rest) = body.split_first_chunk()?;
        let (secret, given) = rest.split_first_chunk::<SECRET>()?;
        let session = SessionId::from_bytes(*session);
        let token = Self::tagged(key, tenant, session, Zeroizing::new(*secret));
        bool::from(token.tag.ct_eq(given)).then_some(token)
    }

    /// Names the session that it continues.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    pub(super) fn key(&self) -> KeyId {
        self.key
    }

    /// Makes the digest that the store knows it by, with the key that the token names.
    pub(super) fn digest(&self, keys: &KeySet) -> Option<RefreshDigest> {
        let parts: [&[u8]; 3] = [
            b"kept refresh token",
            self.session.as_bytes(),
            self.secret.as_slice(),
        ];
        let digest = mac(keys.get(&self.key)?.token_key(), &parts);
        Some(RefreshDigest(*digest.as_bytes()))
    }

    /// Writes the token for the client.
    #[must_use]
    pub fn expose(&self) -> SecretString {
        let mut body = Zeroizing::new(Vec::with_capacity(BODY));
        body.extend_from_slice(self.session.as_bytes());
        body.extend_from_slice(self.secret.as_slice());
        body.extend_from_slice(&self.tag);
        let mut text = String::with_capacity(LONGEST);
        text.push_str(self.key.as_str());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(body.as_slice(), &mut text);
        SecretString::new(text)
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RefreshToken(of {})", self.session)
    }
}

fn secret(mac: &Mac) -> Zeroizing<[u8; SECRET]> {
    Zeroizing::new(*mac.as_bytes())
}

fn tag(key: &KeyMaterial, tenant: &Tenant, session: &SessionId, secret: &[u8; SECRET]) -> Mac {
    let parts: [&[u8]; 4] = [
        b"refresh token",
        tenant.as_str().as_bytes(),
        session.as_bytes(),
        secret,
    ];
    mac(key.token_key(), &parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRing;
    use crate::random::SeededRandom;

    fn made() -> (KeyRing, Tenant, RefreshToken) {
        let keys = KeyRing::generate(&SeededRandom::new(7)).unwrap();
        let tenant = Tenant::default();
        let session = SessionId::from_bytes([3; 18]);
        let set = keys.snapshot();
        let token =
            RefreshToken::random(set.current(), &tenant, session, &SeededRandom::new(8)).unwrap();
        (keys, tenant, token)
    }

    #[test]
    fn a_token_is_read_as_it_was_written_and_debug_hides_it() {
        let (keys, tenant, token) = made();
        let text = token.expose();
        let read = RefreshToken::read(text.expose(), &tenant, &keys.snapshot()).unwrap();
        assert_eq!(read.secret, token.secret);
        assert_eq!(read.session(), token.session());
        let shown = format!("{token:?}{:?}", token.digest(&keys.snapshot()));
        let (_, body) = text.expose().rsplit_once('.').unwrap();
        assert!(!shown.contains(&body[24..]), "{shown}");
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused_without_a_store() {
        let (keys, tenant, token) = made();
        let keys = keys.snapshot();
        let text = token.expose().expose().to_owned();
        for place in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.clone().into_bytes();
                bytes[place] ^= 1 << bit;
                let text = String::from_utf8(bytes).unwrap();
                assert!(RefreshToken::read(&text, &tenant, &keys).is_none());
            }
            assert!(RefreshToken::read(&text[..place], &tenant, &keys).is_none());
        }
        for more in ["=", "A", ".", " ", "\n", &"A".repeat(9_000)] {
            let text = format!("{text}{more}");
            assert!(RefreshToken::read(&text, &tenant, &keys).is_none());
        }
        let other = Tenant::new("other").unwrap();
        assert!(RefreshToken::read(&text, &other, &keys).is_none());
    }

    #[test]
    fn a_successor_is_the_same_each_time_and_another_under_another_key() {
        let (keys, tenant, token) = made();
        let set = keys.snapshot();
        let one = token.successor(set.current(), &tenant);
        let two = token.successor(set.current(), &tenant);
        assert_eq!(one.secret, two.secret);
        assert_ne!(one.secret, token.secret);
        let other = KeyRing::generate(&SeededRandom::new(9)).unwrap().snapshot();
        assert_ne!(token.successor(other.current(), &tenant).secret, one.secret);
    }
}
