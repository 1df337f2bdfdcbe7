use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::key::{KeyId, KeyMaterial, KeySet, signature};
use crate::secret::SecretString;

use super::json::{Object, Writer};
use super::{Session, SessionRefusal};

/// What lets a client in for some minutes: a JSON Web Token (RFC 7519) in compact form, signed with
/// HMAC-SHA-256 (`HS256`, RFC 7515) by the server's key for tokens. Redacted in `Debug`, wiped on
/// drop.
///
/// The algorithm is the key's, never the header's (RFC 8725 section 3.1): a header that says
/// anything but `HS256`, the id of a known key and the type `at+jwt` (RFC 9068) is refused, and so
/// is one that says more, such as `crit`.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// The most bytes of a token.
    pub const LONGEST: usize = 4_096;

    pub(super) fn sign(key: &KeyMaterial, session: &Session, issuer: &str) -> Self {
        let header = Writer::new()
            .text("alg", "HS256")
            .text("kid", key.id().as_str())
            .text("typ", "at+jwt")
            .finish();
        let mut text = URL_SAFE_NO_PAD.encode(header);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(session.write(issuer), &mut text);
        let signed = signature(key.token_key(), text.as_bytes());
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signed.as_bytes(), &mut text);
        Self(SecretString::new(text))
    }

    /// Reads a token: its signature first, then what it says, then its times.
    pub(super) fn read(
        text: &str,
        keys: &KeySet,
        issuer: &str,
        leeway: Duration,
        now: Timestamp,
    ) -> Result<Session, SessionRefusal> {
        let session = authentic(text, keys, issuer).ok_or(SessionRefusal::NotOurs)?;
        let has_begun = session.issued_at <= now.saturating_add(leeway);
        let has_ended = session.expires_at.saturating_add(leeway) <= now;
        if has_begun && !has_ended {
            Ok(session)
        } else {
            Err(SessionRefusal::OutOfTime)
        }
    }

    /// Shows the token, for the client.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(redacted)")
    }
}

fn authentic(text: &str, keys: &KeySet, issuer: &str) -> Option<Session> {
    if text.len() > AccessToken::LONGEST {
        return None;
    }
    let (signed, given) = text.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let key = keys.get(&kid(&decoded(header)?)?)?;
    let given = URL_SAFE_NO_PAD.decode(given).ok()?;
    let expected = signature(key.token_key(), signed.as_bytes());
    expected.matches(&given).ok()?;
    Session::read(&decoded(claims)?, issuer)
}

/// Reads which key a header names; `None` where it is not a header of ours.
fn kid(header: &str) -> Option<KeyId> {
    let mut header = Object::read(header)?;
    let ours = header.text("alg")? == "HS256" && header.text("typ")? == "at+jwt";
    let kid = KeyId::new(&header.text("kid")?).ok()?;
    header.is_read()?;
    ours.then_some(kid)
}

fn decoded(part: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests;
