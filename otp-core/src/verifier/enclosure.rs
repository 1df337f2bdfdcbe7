//! What a message carries, and what of it is stored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Verifier;
use super::issue::{CODE, binding, row_aad};
use crate::challenge::{Challenge, ChallengeId, Code, CodeFormat, LinkToken};
use crate::destination::Channel;
use crate::hash::{Binding, HashError, HashSlot, MismatchReason};
use crate::key::{KeyId, KeySet, SealError, Sealed, open, seal};
use crate::random::RandomError;

/// The code of a message, and the token of its link where it has one.
pub(super) struct Enclosure {
    pub(super) code: Code,
    pub(super) link: Option<LinkToken>,
}

/// Whether messages of a challenge carry a link, where their channel can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Linked {
    Yes,
    No,
}

/// Stands between a code and a token that are sealed together; neither holds one.
const BREAK: char = '\n';
/// What a stored form begins with where there is a link; the code's own form follows. No other
/// stored form begins like this.
const LINK: &str = "$otp-link$v=1$keyid=";
/// How long the digest of a link is in base64.
const DIGEST: usize = 43;

impl Linked {
    /// Says whether a message over a channel carries one. Only e-mail does: a text message has no
    /// room for it, and the others are written by their vendors' templates.
    const fn over(self, channel: Channel) -> bool {
        matches!((self, channel), (Self::Yes, Channel::Email))
    }
}

impl Enclosure {
    /// Opens what was sealed of a challenge, where policy keeps it.
    pub(super) fn kept(keys: &KeySet, challenge: &Challenge) -> Option<Self> {
        let sealed = challenge.sealed_code.as_ref()?;
        let aad = row_aad(&challenge.tenant, &challenge.id, CODE);
        let text = open(keys, &aad, sealed).ok()?;
        let text = std::str::from_utf8(text.expose()).ok()?;
        let (code, token) = match text.split_once(BREAK) {
            Some((code, token)) => (code, Some(LinkToken::parse(token).ok()?)),
            None => (text, None),
        };
        Some(Self {
            code: Code::normalise(challenge.format, code).ok()?,
            link: token,
        })
    }
}

impl Verifier {
    /// Draws the code of a message, and the token of its link. Both are new each time: what a
    /// message before carried is worth nothing once the digest of this one is stored.
    pub(super) fn enclosure(
        &self,
        format: CodeFormat,
        id: ChallengeId,
        linked: Linked,
        channel: Channel,
    ) -> Result<Enclosure, RandomError> {
        let linked = linked.over(channel);
        let link = linked.then(|| LinkToken::generate(id, self.random()));
        let link = link.transpose()?;
        let code = match &link {
            Some(token) => self.code_of(token, format)?,
            None => self.new_code(format)?,
        };
        Ok(Enclosure { code, link })
    }

    fn new_code(&self, format: CodeFormat) -> Result<Code, RandomError> {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if let Some(code) = &self.inner.fixed_code {
            return Ok(code.clone());
        }
        Code::generate(format, self.random())
    }

    /// Gives the code that went out with a link.
    pub(super) fn code_of(
        &self,
        token: &LinkToken,
        format: CodeFormat,
    ) -> Result<Code, RandomError> {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if let Some(code) = &self.inner.fixed_code {
            return Ok(code.clone());
        }
        token.code(format)
    }

    /// Makes what is stored of an enclosure. A decoy's code is something that none can be.
    pub(super) async fn digest(
        &self,
        slot: HashSlot,
        keys: &KeySet,
        challenge: &Challenge,
        enclosure: &Enclosure,
    ) -> Result<String, HashError> {
        let id = challenge.id.text();
        let binding = binding(challenge, id.as_str());
        let code = if challenge.is_decoy() {
            "no code"
        } else {
            enclosure.code.expose()
        };
        let stored = slot.hash(keys, self.random(), &binding, code).await?;
        Ok(match &enclosure.link {
            Some(token) => with_link(keys, &binding, token, stored.as_str()),
            None => stored.into_text(),
        })
    }

    /// Seals an enclosure to its row.
    pub(super) fn sealed(
        &self,
        keys: &KeySet,
        challenge: &Challenge,
        enclosure: &Enclosure,
    ) -> Result<Sealed, SealError> {
        let aad = row_aad(&challenge.tenant, &challenge.id, CODE);
        let code = enclosure.code.expose();
        match &enclosure.link {
            None => seal(keys, self.random(), &aad, code.as_bytes()),
            Some(token) => {
                let token = token.to_text();
                let both = zeroize::Zeroizing::new(format!("{code}{BREAK}{}", token.expose()));
                seal(keys, self.random(), &aad, both.as_bytes())
            }
        }
    }
}

/// Puts the digest of a link before the stored form of the code, so that one intent of a store
/// replaces both and one consumes both.
fn with_link(keys: &KeySet, binding: &Binding<'_>, token: &LinkToken, code: &str) -> String {
    let material = keys.current();
    let digest = binding.link_digest(material, token.secret());
    let digest = STANDARD_NO_PAD.encode(digest.as_bytes());
    format!("{LINK}{}${digest}{code}", material.id())
}

/// Takes a stored form apart: the link's part, where there is one, and the code's. What only
/// begins like one of a link has neither.
fn taken_apart(stored: &str) -> (Option<(&str, &str)>, &str) {
    let Some(rest) = stored.strip_prefix(LINK) else {
        return (None, stored);
    };
    let parts = rest.split_once('$');
    let parts = parts.and_then(|(key, rest)| Some((key, rest.split_at_checked(DIGEST)?)));
    match parts {
        Some((key, (digest, code))) => (Some((key, digest)), code),
        None => (None, ""),
    }
}

/// Gives the stored form of the code alone.
pub(super) fn code_part(stored: &str) -> &str {
    taken_apart(stored).1
}

/// Compares a token with what is stored, with the key that this names, in constant time.
pub(super) fn compare_link(
    keys: &KeySet,
    binding: &Binding<'_>,
    token: &LinkToken,
    stored: &str,
) -> Result<(), MismatchReason> {
    let (Some((key, digest)), _) = taken_apart(stored) else {
        return Err(MismatchReason::Wrong);
    };
    let digest = STANDARD_NO_PAD.decode(digest);
    let digest = digest.map_err(|_| MismatchReason::Corrupt)?;
    let key = KeyId::new(key).map_err(|_| MismatchReason::Corrupt)?;
    let material = keys.get(&key).ok_or(MismatchReason::UnknownKey)?;
    binding
        .link_digest(material, token.secret())
        .matches(&digest)
        .map_err(|_| MismatchReason::Wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyRing;
    use crate::random::OsRandom;
    use crate::request::{SubjectId, SubjectKey};

    const BINDING: Binding<'_> = Binding {
        tenant: "tenant",
        challenge: "challenge",
        subject: "subject",
        purpose: "login",
        channel: "email",
        destination: "someone@example.org",
    };
    const STORED: &str = "$otp-hmac$v=1$keyid=k$AQEB";

    fn token() -> LinkToken {
        let subject = SubjectKey::of_subject(&SubjectId::new("user-1").expect("an id"));
        let id = ChallengeId::generate(&OsRandom, &subject).expect("an id");
        LinkToken::generate(id, &OsRandom).expect("a token")
    }

    #[test]
    fn a_link_fits_its_own_row_and_no_other() {
        let keys = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        let token = token();
        let stored = with_link(&keys, &BINDING, &token, STORED);
        assert_eq!(code_part(&stored), STORED);
        assert_eq!(compare_link(&keys, &BINDING, &token, &stored), Ok(()));
        for moved in [
            Binding {
                tenant: "other",
                ..BINDING
            },
            Binding {
                challenge: "other",
                ..BINDING
            },
            Binding {
                subject: "other",
                ..BINDING
            },
            Binding {
                purpose: "mfa",
                ..BINDING
            },
            Binding {
                channel: "sms",
                ..BINDING
            },
            Binding {
                destination: "other@example.org",
                ..BINDING
            },
        ] {
            let compared = compare_link(&keys, &moved, &token, &stored);
            assert_eq!(compared, Err(MismatchReason::Wrong), "{moved:?}");
        }
        let others = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        let compared = compare_link(&others, &BINDING, &token, &stored);
        assert_eq!(compared, Err(MismatchReason::UnknownKey));
    }

    #[test]
    fn every_flipped_bit_of_a_token_is_refused() {
        let keys = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        let token = token();
        let stored = with_link(&keys, &BINDING, &token, STORED);
        for bit in 0..256 {
            let mut secret = *token.secret();
            secret[bit / 8] ^= 1 << (bit % 8);
            let text = [token.challenge_id().as_bytes().as_slice(), &secret].concat();
            let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
            let flipped = LinkToken::parse(&text).expect("well formed");
            let compared = compare_link(&keys, &BINDING, &flipped, &stored);
            assert_eq!(compared, Err(MismatchReason::Wrong), "bit {bit}");
        }
    }

    #[test]
    fn what_is_no_stored_link_fits_no_token_and_no_code() {
        let keys = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        let token = token();
        assert_eq!(code_part(STORED), STORED);
        for broken in ["$otp-link$v=1$keyid=", "$otp-link$v=1$keyid=k$short", ""] {
            assert_eq!(code_part(broken), "", "{broken}");
            assert!(compare_link(&keys, &BINDING, &token, broken).is_err());
        }
        let stored = with_link(&keys, &BINDING, &token, STORED);
        for broken in [
            STORED.to_owned(),
            stored.replace("v=1", "v=2"),
            stored.replacen("keyid=", "keyid=!", 1),
            format!("{LINK}k${}{STORED}", "?".repeat(DIGEST)),
        ] {
            let compared = compare_link(&keys, &BINDING, &token, &broken);
            assert!(compared.is_err(), "{broken}");
        }
    }
}
