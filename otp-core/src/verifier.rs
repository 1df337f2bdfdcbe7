//! The handle that a host holds, one use case a file.

mod addressees;
mod again;
mod assertion;
mod attempt;
mod builder;
mod cancel;
mod checks;
mod desk;
mod device;
mod dispatch;
mod draft;
mod enclosure;
mod error;
mod factors;
mod guarded;
mod held_back;
mod issue;
mod link;
mod managed;
mod measured;
mod nobody;
mod onward;
mod outbound;
mod overdue;
mod passage;
mod policies;
mod receipts;
mod repeat;
mod request;
mod resend;
mod routes;
mod status;
mod templates;
mod verified;
mod verify;
mod webhook;

use std::sync::Arc;

pub use again::NotAgain;
pub use assertion::{Accepted, Assertion};
pub use attempt::{Attempt, Claim};
pub use builder::{Missing, Present, VerifierBuilder};
pub use device::{DeviceToken, Forgotten};
pub use error::{
    BuildError, CancelError, IssueError, LinkError, NotSent, ResendError, Silent, Throttled,
    Unavailable, VerifyError,
};
pub(crate) use factors::{Diagnosis, Freshness, freshness};
pub use factors::{
    Enrolment, FactorDrift, FactorError, NotTheSame, Offer, PendingFactor, Proven, ProvenBy,
    StepUp, StepUpError, VerifiedFactor,
};
pub use guarded::Suspicion;
pub use link::Link;
pub use measured::Load;
pub use outbound::StillSending;
#[cfg(feature = "policy-file")]
pub use policies::{FleetPolicy, FleetTrouble, PolicyText, PublishError};
pub use policies::{Policies, PolicyChangeError, PolicyStatus};
pub use receipts::{ReportOutcome, Swept};
pub use request::{Addressed, Dispatch, Issue, Issued};
#[cfg(feature = "policy-file")]
pub use routes::RefusedPlan;
pub use routes::{NoSuchProvider, NoSuchRoute, RouteStatus, Routes};
pub use status::{Health, Status};
pub use templates::{TemplateError, TemplateStatus, Templates};
pub use verified::{AuthenticationMethod, Verified};
pub use verify::Relay;
pub use webhook::{Noted, WebhookNote};

use crate::audit::Sealer;
use crate::check::{CaptchaVerifier, Check};
use crate::clock::{Clock, Timestamp};
use crate::delivery::{Brand, Catalogue, LinkSettings};
use crate::event::Observer;
use crate::gate::Gate;
use crate::hash::CodeHasher;
use crate::key::KeyRing;
use crate::policy::{Policy, PolicyError};
use crate::random::SecureRandom;
use crate::store::Store;

/// Issues codes and checks them.
///
/// Cheap to clone; clones share everything. Every method is safe to call from any number of tasks
/// and instances at once.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::{Outbox, store::ReferenceStore};
/// # let store = ReferenceStore::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// # let outbox = Outbox::new();
/// use otp_core::prelude::*;
///
/// let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
///     .route(Channel::Sms, Route::primary(outbox.clone()))
///     .limits(Limits::recommended())
///     .build()?;
///
/// let context = RequestContext::from_address("203.0.113.7".parse()?);
/// let phone = PhoneNumber::parse("+14155550123")?;
/// let issued = verifier
///     .issue(Issue::to(phone.clone()).for_purpose("login").from(&context))
///     .await?;
/// # let code = outbox.last_code_for(&phone.into()).ok_or("no message")?;
/// # let code = code.expose();
/// let verified = verifier.verify(&issued.challenge_id, code, &context).await?;
/// assert_eq!(verified.purpose().as_str(), "login");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<dyn Store>,
    keys: KeyRing,
    hasher: CodeHasher,
    recovery: CodeHasher,
    routes: routes::RouteTable,
    outbound: outbound::Outbound,
    /// How long vendors lately took to check a code.
    pace: managed::Pace,
    /// How long providers lately took to take a message to a phone.
    sending: managed::Pace,
    receipts: receipts::ReceiptTally,
    catalogue: Arc<dyn Catalogue>,
    brand: Brand,
    links: Option<LinkSettings>,
    sealer: Option<Sealer>,
    gates: Vec<Arc<dyn Gate>>,
    guard: Arc<guarded::Guard>,
    checks: Vec<Arc<dyn Check>>,
    captcha: Option<Arc<dyn CaptchaVerifier>>,
    observers: Vec<Arc<dyn Observer>>,
    policies: policies::Shelf,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    fixed_code: Option<crate::challenge::Code>,
}

impl Verifier {
    /// Starts a verifier on a store and a key ring. It builds once it has limits and a route;
    /// before that `build` does not exist.
    pub fn builder(store: impl Store, keys: KeyRing) -> VerifierBuilder<Missing, Missing> {
        VerifierBuilder::new(Arc::new(store), keys)
    }

    /// Gives the clock that device tokens expire by and breakers rest by; what the store keeps is
    /// judged by the store's.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Gives the store, for the operator's calls.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.inner.store
    }

    /// Gives the key ring, to rotate it.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.inner.keys
    }

    /// Gives what seals the audit log, where the host has set it.
    #[must_use]
    pub fn sealer(&self) -> Option<&Sealer> {
        self.inner.sealer.as_ref()
    }

    /// Gives the time by the host's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}

/// Refuses a policy that asks for captchas where nobody checks one.
fn checked_by(
    policy: &Policy,
    captcha: Option<&Arc<dyn CaptchaVerifier>>,
) -> Result<(), PolicyError> {
    match captcha {
        None if policy.captcha().asks_by_itself() => Err(PolicyError::NoCaptcha),
        _ => Ok(()),
    }
}
