//! The templates that vendors approve of, and the channels that close when they no longer do.

use thiserror::Error;

use super::{Unavailable, Verifier};
use crate::delivery::{DocumentLink, TemplateApproval, TemplateId, TemplateState, Told, ToldBoard};
use crate::destination::Channel;
use crate::store::{Board, Published, StoreError, StoreErrorKind};

/// A channel's template, and whether its vendor lets it be sent. For operators: it names the
/// template.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TemplateStatus {
    /// The channel.
    pub channel: Channel,
    /// Its template.
    pub template: TemplateId,
    /// Where its approval stands; the channel takes messages where that is
    /// [`TemplateState::Approved`] only.
    pub state: TemplateState,
    /// The page about it.
    pub document: Option<DocumentLink>,
}

/// Says why what was told of a template was not taken.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The channel has no template to be approved of.
    #[error("no template for {}", .0.name())]
    NoSuchTemplate(Channel),
    /// The fleet cannot be told.
    #[error("unavailable")]
    Unavailable(#[source] Unavailable),
}

/// How often a change is tried where others make theirs at the same time.
const TRIES: usize = 64;

impl From<StoreError> for TemplateError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<StoreErrorKind> for TemplateError {
    fn from(kind: StoreErrorKind) -> Self {
        StoreError::from(kind).into()
    }
}

/// A template's state, before and now.
pub(super) struct TemplateChange {
    pub(super) channel: Channel,
    pub(super) before: TemplateState,
    pub(super) now: TemplateState,
}

/// The templates of a running [`Verifier`]: a channel whose template's approval lapses takes no
/// message, from the next one on, and a channel after it in the order does; when it is approved
/// again the channel is open again. An operator's switch stays as it is, and both must be on.
///
/// What is changed here holds on the whole fleet: here at once, on every instance that follows
/// ([`Verifier::follow_policy`]) within a poll or two, and on those that start later. What a template
/// was built with holds as long as nothing was told of it.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use otp_core::testing::{Outbox, store::ReferenceStore};
/// # let store = ReferenceStore::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// # let meta = Outbox::named("whatsapp");
/// use otp_core::delivery::{TemplateApproval, TemplateId, TemplateState};
/// use otp_core::prelude::*;
///
/// let code = TemplateApproval::new(TemplateId::new("sign_in_code")?, TemplateState::Approved);
/// let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
///     .route(Channel::WhatsApp, Route::primary(meta))
///     .template(Channel::WhatsApp, code)
///     .limits(Limits::recommended())
///     .build()?;
///
/// // From the vendor's webhook, after its signature was checked.
/// let templates = verifier.templates();
/// let paused = TemplateState::Paused;
/// let state = templates.report(Channel::WhatsApp, "sign_in_code", "en_US", paused).await?;
/// assert_eq!(state, paused);
/// // The operator knows better.
/// templates.declare(Channel::WhatsApp, TemplateState::Approved).await?;
/// assert_eq!(templates.status()[0].state, TemplateState::Approved);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Templates(Verifier);

impl Verifier {
    /// Gives the templates, to look at and to feed with what vendors say of them.
    #[must_use]
    pub fn templates(&self) -> Templates {
        Templates(self.clone())
    }
}

impl Templates {
    /// Says of a channel's template what the operator knows, for all its languages and over what
    /// the vendor reported before. It holds on the whole fleet, and leaves no record: the operator's
    /// own call does.
    ///
    /// # Errors
    /// [`TemplateError`]; with [`TemplateError::Unavailable`] nothing has changed, or an answer was
    /// lost and all of it has within a poll.
    pub async fn declare(
        &self,
        channel: Channel,
        state: TemplateState,
    ) -> Result<(), TemplateError> {
        let change = |_: &TemplateApproval, _| Some(Told::declaring(state));
        self.change(channel, change).await.map(drop)
    }

    /// Takes what the vendor reports of a template in a language, and answers with the state that
    /// the channel's template has now. A report of another template changes nothing, and neither
    /// does one that was heard before.
    ///
    /// # Errors
    /// [`TemplateError`]: as [`declare`](Self::declare); a vendor that hears of a failure says it
    /// again.
    pub async fn report(
        &self,
        channel: Channel,
        template: &str,
        language: &str,
        state: TemplateState,
    ) -> Result<TemplateState, TemplateError> {
        let change = |approval: &TemplateApproval, told: Told| {
            let minds = approval.minds(template, language);
            minds.then(|| told.reporting(language, state))
        };
        self.change(channel, change).await
    }

    /// Says where every template stands, channels in the order of their names.
    #[must_use]
    pub fn status(&self) -> Vec<TemplateStatus> {
        let approvals = self.0.inner.routes.approvals();
        let status = approvals
            .into_iter()
            .map(|(channel, approval)| TemplateStatus {
                channel,
                template: approval.template().clone(),
                state: approval.state(),
                document: approval.document().cloned(),
            });
        status.collect()
    }

    /// Changes what the fleet was told, by one step that nobody else's comes between.
    async fn change(
        &self,
        channel: Channel,
        change: impl Fn(&TemplateApproval, Told) -> Option<Told>,
    ) -> Result<TemplateState, TemplateError> {
        let Verifier { inner } = &self.0;
        let known = || inner.routes.approval(channel);
        let _turn = inner.policies.turn().await;
        for _ in 0..TRIES {
            let approval = known().ok_or(TemplateError::NoSuchTemplate(channel))?;
            let name = approval.template().as_str();
            let posted = inner.store.posted(Board::Templates, 0).await?;
            let board = posted.text.as_ref().map(ToldBoard::read);
            let board = board.unwrap_or_default();
            let before = board.of(channel, name);
            let told = change(&approval, before.clone()).unwrap_or_else(|| before.clone());
            if told == before {
                self.0.believe(posted.revision, &board);
                return Ok(known().map_or(approval.state(), |approval| approval.state()));
            }
            let board = board.with(channel, name, &told);
            let text = board.text().map_err(|_| StoreErrorKind::Invalid)?;
            let post = inner
                .store
                .post(Board::Templates, posted.revision, text, Vec::new());
            if let Published::As(revision) = post.await? {
                self.0.believe(revision, &board);
                return Ok(known().map_or(approval.state(), |approval| approval.state()));
            }
        }
        Err(StoreError::from(StoreErrorKind::Unavailable).into())
    }
}

impl Verifier {
    /// Takes over what the fleet was told of templates by now.
    pub(super) async fn follow_templates(&self) -> Result<(), StoreError> {
        let inner = &self.inner;
        let Some(known) = inner.routes.told() else {
            return Ok(());
        };
        let _turn = inner.policies.turn().await;
        let posted = inner.store.posted(Board::Templates, known).await?;
        // An engine that has lost its board says nothing: what was known goes on.
        if let Some(text) = &posted.text {
            self.believe(posted.revision, &ToldBoard::read(text));
        }
        Ok(())
    }

    fn believe(&self, revision: u64, board: &ToldBoard) {
        for change in self.inner.routes.believe(revision, board) {
            tracing::warn!(
                target: "otp_kit",
                channel = change.channel.name(),
                before = %change.before,
                now = %change.now,
                "a template changed its state"
            );
        }
    }
}
