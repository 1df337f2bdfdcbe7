use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::clock::Timestamp;
use crate::key::{KeyId, KeyMaterial, KeySet};
use crate::secret::SecretString;

use super::json::{Object, Writer};
use super::{Session, SessionRefusal, SessionRules, TokenAlgorithm};

/// What lets a client in for some minutes: a JSON Web Token (RFC 7519) in compact form, signed as
/// [`SessionRules::algorithm`] says by a key for nothing else. Redacted in `Debug`, wiped on drop.
///
/// The algorithm is the rules', never the header's (RFC 8725 section 3.1): a header that says
/// anything but the algorithm of the rules (or the one that they still accept), the id of a known
/// key and the type `at+jwt` (RFC 9068) is refused, and so is one that says more, such as `crit`. No
/// algorithm checks by what another one publishes.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// The most bytes of a token.
    pub const LONGEST: usize = 4_096;

    /// Signs what is said of a session; `None` where the key is damaged.
    pub(super) fn sign(key: &KeyMaterial, session: &Session, rules: &SessionRules) -> Option<Self> {
        let header = Writer::new()
            .text("alg", rules.algorithm.name())
            .text("kid", key.id().as_str())
            .text("typ", "at+jwt")
            .finish();
        let mut text = URL_SAFE_NO_PAD.encode(header);
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(session.write(rules), &mut text);
        let signed = rules.algorithm.sign(key, text.as_bytes())?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signed, &mut text);
        Some(Self(SecretString::new(text)))
    }

    /// Reads a token: its signature first, then what it says, then its times.
    pub(super) fn read(
        text: &str,
        keys: &KeySet,
        rules: &SessionRules,
        now: Timestamp,
    ) -> Result<Session, SessionRefusal> {
        let session = authentic(text, keys, rules).ok_or(SessionRefusal::NotOurs)?;
        let has_begun = session.issued_at <= now.saturating_add(rules.leeway);
        let has_ended = session.expires_at.saturating_add(rules.leeway) <= now;
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

fn authentic(text: &str, keys: &KeySet, rules: &SessionRules) -> Option<Session> {
    if text.len() > AccessToken::LONGEST {
        return None;
    }
    let (signed, given) = text.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let (algorithm, kid) = named(&decoded(header)?)?;
    if !rules.accepts(algorithm) {
        return None;
    }
    let given = URL_SAFE_NO_PAD.decode(given).ok()?;
    algorithm.verified(keys.get(&kid)?, signed.as_bytes(), &given)?;
    Session::read(&decoded(claims)?, rules)
}

/// Reads which key and which way a header names; `None` where it is not a header of ours.
fn named(header: &str) -> Option<(TokenAlgorithm, KeyId)> {
    let mut header = Object::read(header)?;
    let algorithm = TokenAlgorithm::from_name(&header.text("alg")?)?;
    let ours = header.text("typ")? == "at+jwt";
    let kid = KeyId::new(&header.text("kid")?).ok()?;
    header.is_read()?;
    ours.then_some((algorithm, kid))
}

fn decoded(part: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests;
