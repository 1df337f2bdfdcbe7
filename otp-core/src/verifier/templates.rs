//! The templates that vendors approve of, and the channels that close when they no longer do.

use thiserror::Error;

use super::Verifier;
use crate::delivery::{DocumentLink, TemplateId, TemplateState};
use crate::destination::Channel;

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

/// The channel has no template to be approved of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no template for {}", .0.name())]
pub struct NoSuchTemplate(pub Channel);

/// The templates of a running [`Verifier`]: a channel whose template's approval lapses takes no
/// message, from the next one on, and a channel after it in the order does; when it is approved
/// again the channel is open again. An operator's switch stays as it is, and both must be on.
///
/// What is changed here holds on this instance: a fleet hands what its vendor reports to each, or
/// declares it to each.
///
/// # Examples
/// ```
/// # #[cfg(not(feature = "testing"))] fn main() {}
/// # #[cfg(feature = "testing")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
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
/// let state = templates.report(Channel::WhatsApp, "sign_in_code", "en_US", TemplateState::Paused)?;
/// assert_eq!(state, TemplateState::Paused);
/// // The operator knows better.
/// templates.declare(Channel::WhatsApp, TemplateState::Approved)?;
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
    /// the vendor reported before.
    ///
    /// # Errors
    /// [`NoSuchTemplate`].
    pub fn declare(&self, channel: Channel, state: TemplateState) -> Result<(), NoSuchTemplate> {
        self.change(channel, |approval| approval.declare(state))
            .map(drop)
    }

    /// Takes what the vendor reports of a template in a language, and answers with the state that
    /// the channel's template has now. A report of another template changes nothing.
    ///
    /// # Errors
    /// [`NoSuchTemplate`] where the channel needs no approval.
    pub fn report(
        &self,
        channel: Channel,
        template: &str,
        language: &str,
        state: TemplateState,
    ) -> Result<TemplateState, NoSuchTemplate> {
        self.change(channel, |approval| approval.take(template, language, state))
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

    fn change(
        &self,
        channel: Channel,
        change: impl FnOnce(&mut crate::delivery::TemplateApproval),
    ) -> Result<TemplateState, NoSuchTemplate> {
        let changed = self.0.inner.routes.change_approval(channel, change);
        let (before, now) = changed.ok_or(NoSuchTemplate(channel))?;
        if before != now {
            tracing::warn!(
                target: "otp_kit",
                channel = channel.name(),
                %before,
                %now,
                "a template changed its state"
            );
        }
        Ok(now)
    }
}
