use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::key::{KeyMaterial, KeySet};

use super::json::Writer;

/// The public keys by which other services check access tokens: a JSON Web Key Set (RFC 7517) of
/// Ed25519 keys (RFC 8037). It holds no secret, and may be served to anybody.
///
/// It has every key of the ring, those too that do not sign yet: publish a key first
/// ([`KeyRing::publish`](crate::key::KeyRing::publish)), let every reader fetch the document again,
/// and only then have it sign ([`KeyRing::promote`](crate::key::KeyRing::promote)). Serve it as
/// [`MEDIA_TYPE`](Self::MEDIA_TYPE), to be kept for no longer than that wait.
///
/// # Examples
/// ```
/// # use otp_core::random::OsRandom;
/// use otp_core::key::KeyRing;
/// use otp_core::session::Jwks;
///
/// let keys = KeyRing::generate(&OsRandom)?;
/// let document = Jwks::of(&keys.snapshot()).to_string();
/// assert!(document.starts_with(r#"{"keys":[{"kty":"OKP","crv":"Ed25519","#));
/// # Ok::<(), otp_core::random::RandomError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwks(String);

impl Jwks {
    /// How it is served (RFC 7517 section 8.5).
    pub const MEDIA_TYPE: &'static str = "application/jwk-set+json";

    /// Writes the public halves of all keys, the one that signs first.
    #[must_use]
    pub fn of(keys: &KeySet) -> Self {
        let members: Vec<String> = keys.all().map(member).collect();
        Self(format!(r#"{{"keys":[{}]}}"#, members.join(",")))
    }
}

fn member(key: &KeyMaterial) -> String {
    Writer::new()
        .text("kty", "OKP")
        .text("crv", "Ed25519")
        .text("use", "sig")
        .text("alg", "EdDSA")
        .text("kid", key.id().as_str())
        .text("x", &URL_SAFE_NO_PAD.encode(key.public_key().as_bytes()))
        .finish()
}

impl fmt::Display for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
