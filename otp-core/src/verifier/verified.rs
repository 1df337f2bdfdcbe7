use std::time::SystemTime;

use crate::challenge::{ChallengeId, Lane};
use crate::clock::Timestamp;
use crate::delivery::ReturnAddress;
use crate::destination::{Channel, Destination};
use crate::policy::Assurance;
use crate::request::{Purpose, SubjectId, SubjectKey, Tenant};
use crate::store::FactorOwner;

/// How somebody proved it, in the words of RFC 8176 where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthenticationMethod {
    /// A code over the telephone network, which NIST SP 800-63B calls restricted: `sms`.
    Sms,
    /// A voice call: `tel`.
    Telephone,
    /// A code in a chat application, or of an authenticator: `otp`.
    Otp,
    /// A code by e-mail. It confirms an address; NIST does not take e-mail as out-of-band.
    Email,
    /// A recovery code, a look-up secret of NIST SP 800-63B section 3.1.2. RFC 8176 has no word for
    /// it.
    Recovery,
}

impl AuthenticationMethod {
    /// Names the method, as an `amr` claim has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Telephone => "tel",
            Self::Otp => "otp",
            Self::Email => "email",
            Self::Recovery => "recovery",
        }
    }

    const fn of(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::Sms,
            Channel::Voice => Self::Telephone,
            Channel::Email => Self::Email,
            _ => Self::Otp,
        }
    }
}

/// The proof that a code was right, once. Only [`Verifier::verify`](super::Verifier::verify) and
/// [`Verifier::verify_link`](super::Verifier::verify_link) make one; there is no other way to it.
///
/// It says for whom, for what and how; use it for that and nothing else, and start a new session
/// with it (NIST SP 800-63B section 5.1).
///
/// ```compile_fail
/// use otp_core::verifier::Verified;
/// let forged = Verified { tenant: Default::default() };
/// ```
#[derive(Debug)]
#[must_use = "a verified code is spent: act on it"]
pub struct Verified {
    pub(super) challenge: ChallengeId,
    pub(super) tenant: Tenant,
    pub(super) subject: SubjectKey,
    pub(super) purpose: Purpose,
    pub(super) channel: Channel,
    pub(super) lane: Lane,
    pub(super) destination: Destination,
    pub(super) return_to: Option<ReturnAddress>,
    pub(super) at: Timestamp,
    pub(super) repeated: bool,
}

impl Verified {
    /// Names the account that the code was issued for, where the host named one.
    #[must_use]
    pub fn subject(&self) -> Option<SubjectId> {
        self.subject.subject_id()
    }

    /// Gives the address that the code was sent to, and that is now proven.
    #[must_use]
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Says what the code was issued for.
    #[must_use]
    pub fn purpose(&self) -> &Purpose {
        &self.purpose
    }

    /// Names the tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Names the challenge that is now spent.
    #[must_use]
    pub fn challenge_id(&self) -> ChallengeId {
        self.challenge
    }

    /// Says how the code was sent.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel
    }

    /// Says which door it came through.
    #[must_use]
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Says how it was proven.
    #[must_use]
    pub fn method(&self) -> AuthenticationMethod {
        AuthenticationMethod::of(self.channel)
    }

    /// Says how strong it is by itself; a code over the telephone network is restricted (NIST SP
    /// 800-63B section 3.2.9).
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        match self.method() {
            AuthenticationMethod::Email => Assurance::Address,
            AuthenticationMethod::Sms | AuthenticationMethod::Telephone => Assurance::Restricted,
            AuthenticationMethod::Otp | AuthenticationMethod::Recovery => Assurance::Single,
        }
    }

    /// Says where to go on to, where the link was asked for with such an address and the settings
    /// still allow it.
    #[must_use]
    pub fn return_to(&self) -> Option<&ReturnAddress> {
        self.return_to.as_ref()
    }

    /// Says when, by the store's clock.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at.into()
    }

    /// Says whether this is the recorded answer of a try that had succeeded before and was
    /// repeated with its attempt id: the sign-in that it belongs to may exist already.
    #[must_use]
    pub fn is_repeated(&self) -> bool {
        self.repeated
    }

    /// Names whose devices and authenticators are kept under this sign-in's account: the host's name
    /// for it or, where it named none, the address.
    #[must_use]
    pub fn owner(&self) -> FactorOwner {
        FactorOwner {
            tenant: self.tenant.clone(),
            subject: self.subject.clone(),
        }
    }
}
