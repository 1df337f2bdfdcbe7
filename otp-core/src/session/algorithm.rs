use crate::key::{KeyMaterial, signature};

/// How access tokens are signed. Each way has a key of its own, derived from the server's key, so
/// that what one way makes public is worth nothing to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenAlgorithm {
    /// HMAC-SHA-256 (RFC 7518 section 3.2): whoever can check a token can make one.
    Hs256,
    /// Ed25519 (RFC 8037 section 3.1): other services check tokens by a
    /// [document](crate::session::Jwks) of public keys, and can make none.
    #[cfg(feature = "eddsa")]
    EdDsa,
}

impl TokenAlgorithm {
    /// Names it, as `alg` in a header has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            #[cfg(feature = "eddsa")]
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads a name; case counts.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "HS256" => Some(Self::Hs256),
            #[cfg(feature = "eddsa")]
            "EdDSA" => Some(Self::EdDsa),
            _ => None,
        }
    }

    pub(super) fn sign(self, key: &KeyMaterial, text: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hs256 => Some(signature(key.token_key(), text).as_bytes().to_vec()),
            #[cfg(feature = "eddsa")]
            Self::EdDsa => key.sign(text).map(Vec::from),
        }
    }

    pub(super) fn verified(self, key: &KeyMaterial, text: &[u8], given: &[u8]) -> Option<()> {
        match self {
            Self::Hs256 => signature(key.token_key(), text).matches(given).ok(),
            #[cfg(feature = "eddsa")]
            Self::EdDsa => key.public_key().verified(text, given),
        }
    }
}
