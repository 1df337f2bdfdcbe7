use std::time::Duration;

use thiserror::Error;

use crate::clock::Timestamp;
use crate::random::{RandomError, SecureRandom};
use crate::request::{AttemptId, SubjectId, Tenant};
use crate::verifier::{Accepted, Assertion, Verified};

use super::SessionId;

/// How somebody proved who they are: the names of an `amr` claim (RFC 8176), `sms`, `otp`, `pwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods(Box<str>);

/// Says that a name is none of a method or class: up to 32 of `a-z 0-9 - _ . :`, and eight methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("methods and classes are named by 1 to 32 characters of a-z 0-9 - _ . : each")]
pub struct InvalidMethods;

impl Methods {
    /// The most methods of one sign-in.
    pub const MOST: usize = 8;

    /// Wraps names.
    ///
    /// # Errors
    /// [`InvalidMethods`] where there is none, there are more than eight, or one is no name.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Self, InvalidMethods> {
        let names: Vec<&str> = names.into_iter().take(Self::MOST + 1).collect();
        let fits =
            (1..=Self::MOST).contains(&names.len()) && names.iter().all(|name| is_name(name));
        fits.then(|| Self(names.join(" ").into()))
            .ok_or(InvalidMethods)
    }

    /// Reads what [`as_str`](Self::as_str) gave.
    ///
    /// # Errors
    /// [`InvalidMethods`].
    pub fn from_stored(text: &str) -> Result<Self, InvalidMethods> {
        Self::new(text.split(' '))
    }

    /// Gives the names, parted by spaces, as stores keep them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives the names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ')
    }
}

/// How strong a sign-in was, in the host's own words: an `acr` claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextClass(Box<str>);

impl ContextClass {
    /// Wraps a name.
    ///
    /// # Errors
    /// [`InvalidMethods`].
    pub fn new(name: &str) -> Result<Self, InvalidMethods> {
        is_name(name)
            .then(|| Self(name.into()))
            .ok_or(InvalidMethods)
    }

    /// Gives the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(name: &str) -> bool {
    let fits = |b: u8| {
        b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.' | b':')
    };
    (1..=32).contains(&name.len()) && name.bytes().all(fits)
}

/// A proof of who somebody is, that starts one session and no more
/// ([`Sessions::start`](super::Sessions::start)).
///
/// It is worth [`LIFE`](Self::LIFE), and only for the tenant and the account that it names.
#[derive(Debug)]
#[must_use = "a proof is worth a minute: start the session with it"]
pub struct SignIn {
    pub(super) session: SessionId,
    pub(super) tenant: Tenant,
    pub(super) subject: SubjectId,
    pub(super) methods: Methods,
    pub(super) class: Option<ContextClass>,
    pub(super) at: Timestamp,
    pub(super) attempt: Option<AttemptId>,
    pub(super) repeated: bool,
}

impl SignIn {
    /// How long a proof can start a session.
    pub const LIFE: Duration = Duration::from_secs(60);

    /// Takes a verified code for a proof. Where the code was issued for an account, it is that
    /// one's; `subject` names whose the address is where it was issued for an address alone.
    ///
    /// Its class is the [`Assurance`](crate::policy::Assurance) of the code. One verified code starts
    /// one session, however often and wherever this is called.
    ///
    /// # Errors
    /// [`InvalidMethods`] never, for what this version verifies.
    pub fn of(verified: &Verified, subject: &SubjectId) -> Result<Self, InvalidMethods> {
        let subject = verified.subject().unwrap_or_else(|| subject.clone());
        Ok(Self {
            session: SessionId::of_challenge(&verified.challenge_id(), &subject),
            tenant: verified.tenant().clone(),
            subject,
            methods: Methods::new([verified.method().name()])?,
            class: ContextClass::new(verified.assurance().name()).ok(),
            at: verified.at().into(),
            attempt: None,
            repeated: verified.is_repeated(),
        })
    }

    /// Takes an accepted assertion for a proof; `subject` is who the asserted person is here.
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails.
    pub fn of_assertion<A: Assertion>(
        accepted: &Accepted<A>,
        subject: &SubjectId,
        random: &dyn SecureRandom,
    ) -> Result<Self, RandomError> {
        // A party whose name is none of a method's is told of as somebody else.
        let methods = Methods::new([A::PARTY]).unwrap_or_else(|_| Methods("other".into()));
        let tenant = accepted.tenant();
        Self::by_host(tenant, subject, methods, accepted.accepted_at(), random)
    }

    /// Vouches for somebody whom the host knows by other means: a password, another provider's
    /// sign-in, a second factor, at that time. The host has seen to it that the proof is used once.
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails.
    pub fn by_host(
        tenant: &Tenant,
        subject: &SubjectId,
        methods: Methods,
        at: Timestamp,
        random: &dyn SecureRandom,
    ) -> Result<Self, RandomError> {
        Ok(Self {
            session: SessionId::generate(random, subject)?,
            tenant: tenant.clone(),
            subject: subject.clone(),
            methods,
            class: None,
            at,
            attempt: None,
            repeated: false,
        })
    }

    /// Adds the client's own name of the try: a start that is repeated with it, because its answer
    /// was lost, is answered with the same tokens. It must be the name that the try was verified by.
    pub fn named(mut self, attempt: AttemptId) -> Self {
        self.attempt = Some(attempt);
        self
    }

    /// Adds how strong it was.
    pub fn of_class(mut self, class: ContextClass) -> Self {
        self.class = Some(class);
        self
    }

    /// Names all methods, where there were more than the code. What the code alone was worth goes
    /// with its method: how strong the session is, is what these come to, or what
    /// [`of_class`](Self::of_class) says after it.
    pub fn by_methods(mut self, methods: Methods) -> Self {
        self.methods = methods;
        self.class = None;
        self
    }

    /// Names the session that it starts.
    #[must_use]
    pub fn session(&self) -> SessionId {
        self.session
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_names_and_come_back_from_the_store() {
        let methods = Methods::new(["sms", "otp"]).unwrap();
        assert_eq!(methods.as_str(), "sms otp");
        assert_eq!(Methods::from_stored("sms otp"), Ok(methods));
        for bad in ["", "SMS", "a b c d e f g h i", "a  b", "a\"", "a,b"] {
            assert!(Methods::from_stored(bad).is_err(), "{bad}");
        }
        assert!(Methods::new([]).is_err());
        assert!(ContextClass::new("urn:level:2").is_ok());
        assert!(ContextClass::new("Level 2").is_err());
    }
}
