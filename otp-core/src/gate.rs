//! Admission: what stands before a code is made, sent or compared.
//!
//! A [`Gate`] plans and judges, purely. It names what it wants to know and to reserve; the store
//! carries the plans of all gates out in one step; then each gate judges what was found. Adding a
//! defence is adding a file and one line in the builder.

mod blocklist;
mod denial;
mod geography;
mod line_type;
mod lockout;
mod quota;

use std::borrow::Cow;
use std::fmt::Debug;

pub use blocklist::BlocklistGate;
pub use denial::Denial;
pub use geography::GeographyGate;
pub use line_type::LineTypeGate;
pub use lockout::LockoutGate;
pub use quota::{QuotaGate, WIDER};
pub(crate) use quota::{spacing, widen};

pub use crate::request::Operation;

use crate::challenge::Lane;
use crate::destination::{Channel, Destination};
use crate::policy::Policy;
use crate::quota::QuotaClaim;
use crate::request::{Purpose, RequestContext, SubjectKey, Tenant};
use crate::store::{Admission, Block};

/// A request as gates see it. What a request does not tell (a verify names a challenge, not a
/// subject) is `None`.
#[derive(Clone, Copy, Debug)]
pub struct GateRequest<'a> {
    /// What is asked for.
    pub operation: Operation,
    /// Of which tenant.
    pub tenant: &'a Tenant,
    /// For whom.
    pub subject: Option<&'a SubjectKey>,
    /// To where; for a decoy, where its message would go.
    pub destination: Option<&'a Destination>,
    /// The pseudonym that the address is counted by; a decoy has one too.
    pub destination_key: Option<&'a SubjectKey>,
    /// Over which channel.
    pub channel: Option<Channel>,
    /// What for.
    pub purpose: Option<&'a Purpose>,
    /// Through which door.
    pub lane: Lane,
    /// From where.
    pub context: &'a RequestContext,
    /// The policy in force.
    pub policy: &'a Policy,
}

/// What the gates of one request want to know and to reserve.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// Blocklist entries that would refuse it.
    pub blocks: Vec<Block>,
    /// Quotas that it is charged to.
    pub quotas: Vec<QuotaClaim>,
    /// Why whoever asks should prove to be a person, where a gate said so
    /// ([`Denial::StepUp`]) or the policy does.
    pub step_up: Option<Cow<'static, str>>,
}

/// One defence.
///
/// # Contract
/// Both methods are pure: no clock, no store, no network. What must ask the outside is a check
/// after the gates, not a gate.
pub trait Gate: Debug + Send + Sync + 'static {
    /// Names the gate in events.
    fn name(&self) -> &'static str;

    /// Adds what the gate wants to know and to reserve.
    ///
    /// # Errors
    /// A [`Denial`] where the request alone says enough; then nothing is reserved.
    fn plan(&self, request: &GateRequest<'_>, wants: &mut Wants) -> Result<(), Denial>;

    /// Judges what the store found.
    ///
    /// # Errors
    /// A [`Denial`] where it stands against the request. Where the store's own rule
    /// ([`Findings::objection`](crate::store::Findings::objection)) had none, what was reserved
    /// stays spent.
    fn judge(&self, request: &GateRequest<'_>, admission: &Admission) -> Result<(), Denial>;
}
