//! What operators do by hand in an incident: each step a call, with a dry run, on record.
//!
//! [`Verifier::operator`] takes an [`Act`], who and why, and gives an [`Operator`]; nothing can be
//! done without one. Every call leaves a record with the name and the reason, those that only look
//! too. [`Operator::preview`] makes the calls that change things say what they would do, and change
//! nothing.

mod accounts;
mod attackers;
mod blocks;
mod captcha;
mod devices;
mod effect;
mod explain;
mod factors;
mod failures;
mod keys;
mod limits;
mod list;
mod locks;
mod notice;
mod overview;
mod reached;
mod records;
mod refused;
mod resend;
mod revoke;
mod whom;

use std::fmt;
use std::sync::Arc;

pub use accounts::{Account, Accounts, AccountsFailed, Forced, Notified};
pub use attackers::{Attackers, Source};
pub use blocks::ImportError;
pub use captcha::CaptchaCount;
pub use effect::{Count, Effect, Mode};
pub use explain::{BudgetState, Explanation, LimitState};
pub use factors::{DriftError, OperatorProof, ResetError};
pub use failures::FailedDelivery;
pub use keys::{KeyReport, KeyRole, KeyStanding, KeyVerdict};
pub use list::{BlockLine, BlockList, InvalidBlockList, InvalidLine};
pub use notice::{InvalidNotice, Notice};
pub use overview::Overview;
pub use resend::{NotResent, Resending};
pub use whom::Whom;

use crate::event::{Act, Event, EventKind, Outcome};
use crate::request::{RequestContext, Tenant};
use crate::store::{Store, StoreErrorKind};
use crate::verifier::{Unavailable, Verifier};

/// Somebody who acts by hand on a running service, for a reason.
///
/// The calls go to the store that all instances share, so they hold everywhere for whatever is
/// admitted after they returned. One that fails may or may not have been carried out; repeating it
/// does no harm. Cheap to clone.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::{Outbox, store::ReferenceStore};
/// # use otp_core::prelude::*;
/// # let store = ReferenceStore::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// # let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
/// #     .route(Channel::Sms, Route::primary(Outbox::new()))
/// #     .limits(Limits::recommended())
/// #     .build()?;
/// use otp_core::event::Act;
/// use otp_core::operator::Count;
/// use otp_core::store::{Block, BlockKind, ChallengeQuery};
///
/// let operator = verifier.operator(Act::new("mike", "incident #123")?);
/// let network = Block::new(BlockKind::Ip, "203.0.113.0/24")?;
/// operator.block(&[network], None).await?;
///
/// let everything = ChallengeQuery::default();
/// let would_end = operator.preview().revoke(everything).await?;
/// assert_eq!(would_end.count, Count::Exactly(0));
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "an operator does nothing until a call is made"]
pub struct Operator {
    verifier: Verifier,
    act: Arc<Act>,
    mode: Mode,
    tenant: Tenant,
    context: RequestContext,
}

impl Verifier {
    /// Gives the calls that are made by hand, to somebody with a name and a reason.
    ///
    /// Whoever holds this may do everything; who may have it, the host decides.
    pub fn operator(&self, act: Act) -> Operator {
        Operator {
            verifier: self.clone(),
            act: Arc::new(act),
            mode: Mode::Apply,
            tenant: Tenant::default(),
            context: RequestContext::default(),
        }
    }
}

impl Operator {
    /// Makes the calls that change things say what they would do, and change nothing. The record
    /// says that it was a preview.
    pub fn preview(mut self) -> Self {
        self.mode = Mode::Preview;
        self
    }

    /// Acts on what is of a tenant; blocks are everybody's. Default: [`Tenant::default`].
    pub fn for_tenant(mut self, tenant: Tenant) -> Self {
        self.tenant = tenant;
        self
    }

    /// Says where the operator's own request comes from, for the record.
    pub fn from(mut self, context: impl Into<RequestContext>) -> Self {
        self.context = context.into();
        self
    }

    /// Says whether calls change things.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Gives the tenant that is acted on.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Puts an act of the host's own on record, one that is no call here: a password reset, a key
    /// rotation. `what` is a stable word for it.
    ///
    /// # Errors
    /// [`Unavailable`]; then the host should not act.
    pub async fn record(&self, what: &'static str) -> Result<(), Unavailable> {
        self.note(self.event(what)).await
    }

    /// Puts an act of the host's own on somebody on record: a session that is handed out, say.
    ///
    /// # Errors
    /// [`Unavailable`]; then the host should not act.
    pub async fn record_about(&self, what: &'static str, whom: &Whom) -> Result<(), Unavailable> {
        self.note(whom.named_in(self.event(what))).await
    }

    /// Says who acts, and why.
    pub(crate) fn act(&self) -> &Arc<Act> {
        &self.act
    }

    fn store(&self) -> &dyn Store {
        self.verifier.store().as_ref()
    }

    /// Starts the record of a call.
    fn event(&self, what: &'static str) -> Event {
        let mut event = Event::new(EventKind::OperatorAction, &self.tenant)
            .from_request(&self.context)
            .by(&self.act);
        event.reason = Some(match self.mode {
            Mode::Apply => what.into(),
            Mode::Preview => format!("preview_{what}").into(),
        });
        event
    }

    /// Puts a look on record. While the store takes no record it is in the log alone: an operator
    /// must be able to look in an outage.
    ///
    /// # Errors
    /// [`Unavailable`] for what is no outage.
    pub async fn record_look(&self, what: &'static str) -> Result<(), Unavailable> {
        self.note_look(self.look(what)).await
    }

    /// Puts on record that something which the operator asked for was refused: it named nobody, or
    /// could not be. Whoever has a token must not try names unseen. While the store takes no record
    /// it is in the log alone.
    ///
    /// # Errors
    /// [`Unavailable`] for what is no outage.
    pub async fn record_refused(&self, what: &str) -> Result<(), Unavailable> {
        let event = self.look("refused");
        self.note_look(event.with_outcome(Outcome::Refused, what.to_owned()))
            .await
    }

    async fn note_look(&self, event: Event) -> Result<(), Unavailable> {
        let Err(error) = self.store().append(event.clone()).await else {
            self.verifier.observe(&event);
            return Ok(());
        };
        if error.kind() != StoreErrorKind::Unavailable {
            return Err(error.into());
        }
        self.verifier.observe(&event);
        tracing::warn!(
            target: "otp_kit",
            operator = %self.act.operator,
            reason = event.reason.as_deref().unwrap_or_default(),
            "an operator's look is in the log alone: the store takes no record"
        );
        Ok(())
    }

    /// Starts the record of a call that only looks, in whichever mode.
    fn look(&self, what: &'static str) -> Event {
        Event {
            reason: Some(what.into()),
            ..self.event(what)
        }
    }

    /// Adds a record by itself. Before the change where no store intent carries it, so that nothing
    /// is changed without one.
    async fn note(&self, event: Event) -> Result<(), Unavailable> {
        Ok(self.verifier.record(event).await?)
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operator")
            .field("act", &self.act)
            .field("mode", &self.mode)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}
