//! A session of an operator, which lives in a sealed cookie.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_core::clock::Timestamp;
use otp_core::key::{KeySet, SealError, Sealed, open, seal};
use otp_core::random::{RandomError, SecureRandom};
use otp_core::secret::SecretString;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::origin::Scheme;

/// How long a session lasts after its last click, and in all.
pub(super) const IDLE: Duration = Duration::from_secs(30 * 60);
pub(super) const WHOLE: Duration = Duration::from_secs(8 * 3_600);

const PLACE: &[&[u8]] = &[b"operator page session"];

/// Somebody who signed in. The token itself is in it, so that a session is worth nothing from the
/// moment on in which its token is not.
pub(super) struct Session {
    pub(super) token: SecretString,
    pub(super) id: [u8; 16],
    pub(super) scheme: Scheme,
    began: Timestamp,
    seen: Timestamp,
    form: Zeroizing<[u8; 32]>,
}

/// The form does not carry the session's token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forged;

impl Session {
    pub(super) fn begin(
        token: SecretString,
        scheme: Scheme,
        random: &dyn SecureRandom,
        now: Timestamp,
    ) -> Result<Self, RandomError> {
        let (mut id, mut form) = ([0; 16], Zeroizing::new([0; 32]));
        random.fill(&mut id)?;
        random.fill(form.as_mut_slice())?;
        Ok(Self {
            token,
            id,
            scheme,
            began: now,
            seen: now,
            form,
        })
    }

    /// Writes it for the cookie.
    pub(super) fn sealed(
        &self,
        keys: &KeySet,
        random: &dyn SecureRandom,
    ) -> Result<String, SealError> {
        let mut plain = Zeroizing::new(Vec::with_capacity(65 + self.token.len()));
        plain.extend_from_slice(&self.began.as_millis().to_be_bytes());
        plain.extend_from_slice(&self.seen.as_millis().to_be_bytes());
        plain.push(self.scheme.as_byte());
        plain.extend_from_slice(&self.id);
        plain.extend_from_slice(self.form.as_slice());
        plain.extend_from_slice(self.token.expose().as_bytes());
        let sealed = seal(keys, random, PLACE, &plain)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed.as_bytes()))
    }

    /// Reads a cookie; `None` of one that is over, or was never ours.
    pub(super) fn open(cookie: &str, keys: &KeySet, now: Timestamp) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let plain = open(keys, PLACE, &Sealed::from_bytes(&bytes).ok()?).ok()?;
        let (began, rest) = plain.expose().split_first_chunk()?;
        let (seen, rest) = rest.split_first_chunk()?;
        let (scheme, rest) = rest.split_first()?;
        let (id, rest) = rest.split_first_chunk()?;
        let (form, token) = rest.split_first_chunk()?;
        let at = |bytes: &[u8; 8]| Timestamp::from_millis(i64::from_be_bytes(*bytes));
        let (began, seen) = (at(began), at(seen));
        // A clock that went back revives nothing: what is to begin later is no session either.
        let begun = began <= now.saturating_add(Duration::from_secs(60));
        if !begun || now.since(seen) >= IDLE || now.since(began) >= WHOLE {
            return None;
        }
        Some(Self {
            token: SecretString::new(str::from_utf8(token).ok()?.to_owned()),
            id: *id,
            scheme: Scheme::from_byte(*scheme),
            began,
            seen,
            form: Zeroizing::new(*form),
        })
    }

    /// Notes a click; `None` where one was noted a moment ago.
    pub(super) fn seen(&self, now: Timestamp) -> Option<Self> {
        (now.since(self.seen) >= Duration::from_secs(30)).then(|| Self {
            token: self.token.clone(),
            id: self.id,
            scheme: self.scheme,
            began: self.began,
            seen: now,
            form: self.form.clone(),
        })
    }

    /// Gives what every form of the session carries.
    pub(super) fn form(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.form.as_slice())
    }

    /// Checks what a form carries, in a time that tells nothing of it.
    pub(super) fn check(&self, presented: &str) -> Result<(), Forged> {
        let own = self.form();
        match bool::from(own.as_bytes().ct_eq(presented.as_bytes())) {
            true => Ok(()),
            false => Err(Forged),
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use otp_core::key::KeyRing;
    use otp_core::random::OsRandom;

    use super::*;

    fn keys() -> Arc<KeySet> {
        KeyRing::generate(&OsRandom).unwrap().snapshot()
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_millis(1_700_000_000_000).saturating_add(Duration::from_secs(seconds))
    }

    fn begun() -> Session {
        Session::begin("token".into(), Scheme::Https, &OsRandom, at(0)).unwrap()
    }

    #[test]
    fn a_session_ends_half_an_hour_after_the_last_click_and_eight_hours_after_it_began() {
        let keys = keys();
        let open = |session: &Session, now| {
            let cookie = session.sealed(&keys, &OsRandom).unwrap();
            Session::open(&cookie, &keys, now)
        };
        let mut session = begun();
        assert!(open(&session, at(1_799)).is_some());
        assert!(open(&session, at(1_800)).is_none());
        assert!(session.seen(at(29)).is_none(), "a moment ago");
        for minutes in (20..480).step_by(20) {
            let opened = open(&session, at(minutes * 60)).unwrap();
            session = opened.seen(at(minutes * 60)).unwrap();
        }
        assert!(open(&session, at(28_799)).is_some());
        assert!(open(&session, at(28_800)).is_none());
    }

    #[test]
    fn a_cookie_of_other_keys_an_altered_one_and_one_of_the_future_are_none() {
        let keys = keys();
        let cookie = begun().sealed(&keys, &OsRandom).unwrap();
        assert!(
            Session::open(
                &cookie,
                &KeyRing::generate(&OsRandom).unwrap().snapshot(),
                at(0)
            )
            .is_none()
        );
        for place in 0..cookie.len() {
            let mut altered = cookie.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(Session::open(&altered, &keys, at(0)).is_none(), "{place}");
        }
        let before = Timestamp::from_millis(1_600_000_000_000);
        assert!(Session::open(&cookie, &keys, before).is_none());
        assert!(Session::open("", &keys, at(0)).is_none());
    }

    #[test]
    fn a_form_of_another_session_a_part_of_the_token_and_none_are_forged() {
        let (one, other) = (begun(), begun());
        assert_eq!(one.check(&one.form()), Ok(()));
        for forged in [other.form(), String::new(), one.form()[1..].to_owned()] {
            assert_eq!(one.check(&forged), Err(Forged));
        }
        assert_eq!(format!("{one:?}"), "Session(redacted)");
    }
}
