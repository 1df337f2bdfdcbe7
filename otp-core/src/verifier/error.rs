use std::time::Duration;

use thiserror::Error;

use super::{Issued, Relay};
use crate::delivery::{DispatchCertainty, InvalidRoute, RouteFailure, UnfitText};
use crate::destination::{Channel, ChannelMismatch};
use crate::gate::Denial;
use crate::hash::Busy;
use crate::policy::PolicyError;
use crate::quota::{QuotaReading, Refused};
use crate::store::{StoreError, StoreErrorKind};

/// Says why a verifier does not build.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The policy cannot be.
    #[error("the policy is refused")]
    Policy(#[from] PolicyError),
    /// A provider of a route does not serve the route's channel.
    #[error("provider {provider} does not serve {}", channel.name())]
    Provider {
        /// The provider.
        provider: String,
        /// The route's channel.
        channel: Channel,
    },
    /// A route cannot be.
    #[error("the route for {} is refused", channel.name())]
    Route {
        /// The route's channel.
        channel: Channel,
        /// Why.
        #[source]
        why: InvalidRoute,
    },
    /// The channel order names a channel that has no route, or names it twice.
    #[error("the channel order names {} without a route or twice", .0.name())]
    ChannelOrder(Channel),
    /// A text message of the catalogue cannot go out, or not in one segment.
    #[error("a text message of the catalogue is refused")]
    Text(#[from] UnfitText),
}

impl BuildError {
    pub(super) fn route(channel: Channel, why: InvalidRoute) -> Self {
        match why {
            InvalidRoute::Provider { provider, channel } => Self::Provider { provider, channel },
            why => Self::Route { channel, why },
        }
    }
}

/// A limit was met. It says when to come back and what the limits are, and nothing else.
#[derive(Clone, Debug)]
pub struct Throttled {
    retry_after: Duration,
    readings: Vec<QuotaReading>,
}

impl Throttled {
    pub(crate) fn by(readings: Vec<QuotaReading>) -> Self {
        let retry_after = readings
            .iter()
            .filter_map(QuotaReading::retry_after)
            .max()
            .unwrap_or_default();
        Self {
            retry_after,
            readings,
        }
    }

    /// Says when to come back where it is no limit of requests that was met.
    #[must_use]
    pub fn until(retry_after: Duration) -> Self {
        Self {
            retry_after,
            readings: Vec::new(),
        }
    }

    /// Says how long to wait: what HTTP's `Retry-After` is made of.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }

    /// Gives every limit that was looked at: what HTTP's `RateLimit` is made of.
    #[must_use]
    pub fn readings(&self) -> &[QuotaReading] {
        &self.readings
    }
}

impl From<Refused> for Throttled {
    fn from(refused: Refused) -> Self {
        Self::by(refused.readings().to_vec())
    }
}

/// Who it is that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Silent {
    /// Something of ours: the store, a check, the random source.
    Ours,
    /// The vendor that makes and checks codes, or all of them.
    Vendor,
}

/// Something of ours is down, or a vendor that checks codes. Nothing was accepted; try again later.
#[derive(Debug, Error)]
#[error("unavailable")]
pub struct Unavailable {
    kind: StoreErrorKind,
    silent: Silent,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl Unavailable {
    pub(crate) fn because(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            kind: StoreErrorKind::Unavailable,
            silent: Silent::Ours,
            source: source.into(),
        }
    }

    pub(super) fn of_vendor(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            silent: Silent::Vendor,
            ..Self::because(source)
        }
    }

    /// Says who does not answer.
    #[must_use]
    pub fn silent(&self) -> Silent {
        self.silent
    }

    /// Says what the store answered; for operators.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Self {
        Self {
            kind: error.kind(),
            silent: Silent::Ours,
            source: Box::new(error),
        }
    }
}

/// No provider took the message.
#[derive(Debug)]
pub struct NotSent {
    pub(super) failure: RouteFailure,
    pub(super) issued: Issued,
}

impl NotSent {
    /// Says whether it may reach the person all the same. Then the challenge stays live, and a code
    /// of ours that arrives works. One that a vendor made and sent does not, unless a resend
    /// continued it: without the vendor's answer nobody knows what to check it by, so offer a new
    /// start. Where a start's message surely was not sent, its challenge is gone; a resend's stays
    /// live.
    #[must_use]
    pub fn certainty(&self) -> DispatchCertainty {
        self.failure.certainty()
    }

    /// Gives what each provider answered; for operators, never for the claimant.
    #[must_use]
    pub fn failure(&self) -> &RouteFailure {
        &self.failure
    }

    /// Gives the challenge, which is live only where the outcome is unknown.
    #[must_use]
    pub fn issued(&self) -> &Issued {
        &self.issued
    }
}

/// Says why no code was issued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The purpose is not registered in the policy.
    #[error("the purpose is not registered")]
    UnknownPurpose,
    /// The channel has no route or is switched off, and no other in the order reaches the person.
    #[error("no route for {}", .0.name())]
    NoRoute(Channel),
    /// The request has a second address and names no account; see
    /// [`Addressed::or_to`](super::Addressed::or_to).
    #[error("a second address needs a named account")]
    NoSubject,
    /// A link was asked for, and the verifier knows no page for links
    /// ([`VerifierBuilder::links`](super::VerifierBuilder::links)).
    #[error("no page for links")]
    NoLinks,
    /// The link would lead on to an address that is not allowed.
    #[error("the return address is not allowed")]
    ReturnAddress,
    /// The destination is not one of the channel's.
    #[error("the destination does not fit the channel")]
    Channel(#[from] ChannelMismatch),
    /// The destination is of a kind that policy does not send to.
    #[error("not sent to this kind of destination")]
    Destination(&'static str),
    /// The idempotency key is not 1 to 128 visible ASCII characters.
    #[error("an idempotency key is 1 to 128 visible ascii characters")]
    InvalidIdempotencyKey,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    IdempotencyConflict,
    /// A limit was met.
    #[error("too many requests")]
    Throttled(Throttled),
    /// The subject's guess budget takes none for a time, so no code is sent either.
    #[error("account temporarily locked")]
    Locked(Throttled),
    /// The authenticator is disabled until it is bound anew.
    #[error("disabled until bound anew")]
    Disabled,
    /// Somebody or something in the request is blocked, or a check denies it.
    #[error("refused")]
    Blocked,
    /// A captcha is needed, and none was shown
    /// ([`RequestContext::captcha_token`](crate::request::RequestContext::captcha_token)).
    #[error("a captcha is required")]
    CaptchaRequired,
    /// The captcha that was shown is worth nothing; a fresh one may be. The event says why.
    #[error("the captcha failed")]
    CaptchaFailed,
    /// The hashing pool or the background is full; nothing was charged.
    #[error("busy")]
    Busy(Throttled),
    /// No provider took the message.
    #[error("the message was not sent")]
    NotSent(Box<NotSent>),
    /// Something of ours is down; nothing was issued.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

/// Says why nothing more was sent for a challenge.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResendError {
    /// There is no such live challenge: unknown, expired, consumed, revoked or used up, which are
    /// not told apart.
    #[error("the challenge is not live")]
    Rejected,
    /// It is too early; or every message of the challenge was sent, and only a new one helps.
    #[error("too early to send again")]
    TooEarly(Throttled),
    /// Every message that a challenge sends was sent.
    #[error("no more messages for this challenge")]
    NoneLeft,
    /// The channel has no route any more or is switched off, and no other in the order reaches the
    /// person.
    #[error("no route for {}", .0.name())]
    NoRoute(Channel),
    /// A limit was met.
    #[error("too many requests")]
    Throttled(Throttled),
    /// The subject's guess budget takes none for a time.
    #[error("account temporarily locked")]
    Locked(Throttled),
    /// The authenticator is disabled until it is bound anew.
    #[error("disabled until bound anew")]
    Disabled,
    /// Somebody or something in the request is blocked, or a check denies it.
    #[error("refused")]
    Blocked,
    /// A captcha is needed, and none was shown
    /// ([`RequestContext::captcha_token`](crate::request::RequestContext::captcha_token)).
    #[error("a captcha is required")]
    CaptchaRequired,
    /// The captcha that was shown is worth nothing; a fresh one may be. The event says why.
    #[error("the captcha failed")]
    CaptchaFailed,
    /// The hashing pool is full.
    #[error("busy")]
    Busy(Throttled),
    /// No provider took the message. The challenge stays live.
    #[error("the message was not sent")]
    NotSent(Box<NotSent>),
    /// Something of ours is down.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

/// Says why a code was not accepted.
///
/// Tell the claimant [`Rejected`](Self::Rejected) in one fixed sentence: unknown, expired,
/// consumed, revoked, malformed and wrong are one, on purpose. The audit event says which.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The code is not valid here and now.
    #[error("invalid code")]
    Rejected,
    /// A limit was met; no guess was counted.
    #[error("too many requests")]
    Throttled(Throttled),
    /// The subject's guess budget takes none for a time; nothing was compared.
    #[error("account temporarily locked")]
    Locked(Throttled),
    /// The authenticator is disabled until it is bound anew; nothing was compared.
    #[error("disabled until bound anew")]
    Disabled,
    /// Somebody or something in the request is blocked; nothing was compared.
    #[error("refused")]
    Blocked,
    /// The hashing pool is full; no guess was counted.
    #[error("busy")]
    Busy(Throttled),
    /// Something of ours is down. Nothing was accepted; repeating the try with the same attempt
    /// id is never counted twice.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

/// Says why a link did not sign in.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It is the right one, and this is not the browser that asked for it. Nothing was counted or
    /// used up. Show the code, and say that it is typed where the sign-in began.
    #[error("the link was opened in another browser")]
    OtherBrowser(Relay),
    /// It is not accepted, for the same reasons and in the same words as a code: unknown, expired,
    /// consumed, revoked, malformed and wrong are one.
    #[error("the link is not accepted")]
    NotAccepted(#[source] VerifyError),
}

/// Says why a challenge was not cancelled.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CancelError {
    /// Something of ours is down; the challenge may still be live.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

impl From<Busy> for Throttled {
    fn from(busy: Busy) -> Self {
        Self::until(busy.retry_after)
    }
}

macro_rules! from_failures {
    ($($error:ident),+) => {$(
        impl From<StoreError> for $error {
            fn from(error: StoreError) -> Self {
                Self::Unavailable(error.into())
            }
        }

        impl From<Busy> for $error {
            fn from(busy: Busy) -> Self {
                Self::Busy(busy.into())
            }
        }

        impl From<Denial> for $error {
            fn from(denial: Denial) -> Self {
                match denial {
                    Denial::Limited(readings) => Self::Throttled(Throttled::by(readings)),
                    Denial::Locked(wait) => Self::Locked(Throttled::until(wait)),
                    Denial::Disabled => Self::Disabled,
                    other => Self::refused(&other),
                }
            }
        }
    )+};
}

from_failures!(IssueError, ResendError, VerifyError);

impl IssueError {
    fn refused(denial: &Denial) -> Self {
        match denial {
            Denial::Destination(reason) => Self::Destination(reason),
            Denial::CaptchaRequired => Self::CaptchaRequired,
            Denial::CaptchaFailed(_) => Self::CaptchaFailed,
            _ => Self::Blocked,
        }
    }
}

impl ResendError {
    fn refused(denial: &Denial) -> Self {
        match denial {
            Denial::CaptchaRequired => Self::CaptchaRequired,
            Denial::CaptchaFailed(_) => Self::CaptchaFailed,
            _ => Self::Blocked,
        }
    }
}

impl VerifyError {
    fn refused(_: &Denial) -> Self {
        Self::Blocked
    }
}

impl<E: Into<VerifyError>> From<E> for LinkError {
    fn from(error: E) -> Self {
        Self::NotAccepted(error.into())
    }
}

impl From<StoreError> for CancelError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}
