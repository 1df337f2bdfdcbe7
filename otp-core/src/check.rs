//! What asks the outside before money is spent: reputations, SIM swaps, captchas.
//!
//! A [`Check`] stands between the gates and the message. The gates are pure and come first, so
//! that nobody outside is asked about a request that a limit or a block refuses anyway. A check
//! allows, denies, or says that a person should prove to be one ([`CheckVerdict::StepUp`]); what a
//! step-up asks for is the captcha of the verifier's [`captcha`](crate::verifier::VerifierBuilder::captcha).
//!
//! Every check has a deadline, a panic in it harms nobody, and what its silence means is data
//! ([`CheckTerms`]).

mod address;
mod captcha;
mod device;
mod error;
mod risk;
mod sim_swap;
mod terms;

use std::borrow::Cow;
use std::fmt::Debug;

use async_trait::async_trait;

pub use address::{AddressCheck, AddressReputation};
pub use captcha::{CaptchaFailure, CaptchaQuestion, CaptchaToken, CaptchaVerdict, CaptchaVerifier};
pub use device::{DeviceCheck, DeviceReputation};
pub use error::CheckError;
pub use risk::{Risk, RiskRule};
pub use sim_swap::{SimSwap, SimSwapCheck, SimSwapSource};
pub use terms::{CheckTerms, OnSilence};

use crate::challenge::Lane;
use crate::clock::Timestamp;
use crate::destination::{Channel, Destination};
use crate::gate::Operation;
use crate::request::{Purpose, RequestContext, SubjectKey, Tenant};

/// A request for a message as checks see it: admitted by every gate, and not yet paid for.
///
/// A decoy is asked about like a person, so a check cannot tell them apart; where the name that
/// somebody typed is no address, there is no destination.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CheckRequest<'a> {
    /// What is asked for: a start or a resend.
    pub operation: Operation,
    /// Of which tenant.
    pub tenant: &'a Tenant,
    /// For whom.
    pub subject: Option<&'a SubjectKey>,
    /// To where; for a decoy, where its message would go.
    pub destination: Option<&'a Destination>,
    /// Over which channel.
    pub channel: Option<Channel>,
    /// What for.
    pub purpose: Option<&'a Purpose>,
    /// Through which door.
    pub lane: Lane,
    /// From where.
    pub context: &'a RequestContext,
    /// When, by the store's clock.
    pub now: Timestamp,
}

/// What a check says. Reasons are stable words for events (`bad_address`); they reach operators,
/// never the claimant, and hold nothing of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckVerdict {
    /// Nothing stands against the request.
    Allow,
    /// Whoever asks should prove to be a person first.
    StepUp(Cow<'static, str>),
    /// No message.
    Deny(Cow<'static, str>),
}

/// Asks something outside about a request.
///
/// # Contract
/// - The future may be dropped at any point: it is, when the deadline of its [`terms`](Self::terms)
///   is over.
/// - It keeps nothing of the request and logs no address, number or token.
///
/// # Examples
/// ```
/// use otp_core::async_trait;
/// use otp_core::check::{Check, CheckError, CheckRequest, CheckVerdict};
///
/// /// Lets nobody sign up at night.
/// #[derive(Debug)]
/// struct OpeningHours;
///
/// #[async_trait]
/// impl Check for OpeningHours {
///     fn name(&self) -> &str {
///         "opening_hours"
///     }
///
///     async fn judge(&self, request: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
///         let hour = request.now.as_millis() / 3_600_000 % 24;
///         Ok(match (request.purpose, hour) {
///             (Some(purpose), 0..=5) if purpose.as_str() == "sign-up" => {
///                 CheckVerdict::StepUp("night".into())
///             }
///             _ => CheckVerdict::Allow,
///         })
///     }
/// }
/// ```
#[async_trait]
pub trait Check: Debug + Send + Sync + 'static {
    /// Names the check in logs.
    fn name(&self) -> &str;

    /// Says how long the check may take, and what it means when it says nothing. Default:
    /// [`CheckTerms::advice`].
    fn terms(&self) -> CheckTerms {
        CheckTerms::advice()
    }

    /// Judges one request.
    ///
    /// # Errors
    /// [`CheckError`] where there is no verdict; the terms say what that means.
    async fn judge(&self, request: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError>;
}
