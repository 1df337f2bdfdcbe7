//! A message that failed, sent again by an operator as a request of its own.

use super::addressees::opened_destination;
use super::{Issue, IssueError, Issued, Verifier};
use crate::request::RequestContext;
use crate::store::{Delivery, StoreError};

/// Why a failure was not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotAgain {
    /// A limit was met.
    Limited,
    /// The person's guess budget is locked, or disabled.
    Locked,
    /// Somebody or something is blocked, or a check or a rule of the policy denies it.
    Blocked,
    /// The policy wants a captcha, which nobody can show.
    CaptchaRequired,
    /// The purpose or the channel is not there any more.
    NoRoute,
    /// The address cannot be read: its key is retired.
    Unreadable,
    /// No provider took the message; that is a new failure.
    NotSent,
    /// The hashing pool was full.
    Busy,
    /// Something of ours is down.
    Unavailable,
}

impl NotAgain {
    /// Names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::Locked => "locked",
            Self::Blocked => "blocked",
            Self::CaptchaRequired => "captcha_required",
            Self::NoRoute => "no_route",
            Self::Unreadable => "unreadable",
            Self::NotSent => "not_sent",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }
}

impl From<IssueError> for NotAgain {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Throttled(_) => Self::Limited,
            IssueError::Locked(_) | IssueError::Disabled => Self::Locked,
            IssueError::Blocked | IssueError::Destination(_) => Self::Blocked,
            IssueError::CaptchaRequired | IssueError::CaptchaFailed => Self::CaptchaRequired,
            IssueError::UnknownPurpose
            | IssueError::NoLinks
            | IssueError::ReturnAddress
            | IssueError::NoRoute(_)
            | IssueError::NoSubject
            | IssueError::Channel(_) => Self::NoRoute,
            IssueError::NotSent(_) => Self::NotSent,
            IssueError::Busy(_) => Self::Busy,
            IssueError::InvalidIdempotencyKey
            | IssueError::IdempotencyConflict
            | IssueError::Unavailable(_) => Self::Unavailable,
        }
    }
}

impl Verifier {
    /// Issues a fresh code to whom a message did not reach, on behalf of whoever asked for that:
    /// their address is judged and charged, and their browser is the one that can verify.
    pub(crate) async fn issue_again(&self, failed: &Delivery) -> Result<Issued, NotAgain> {
        let to = failed.destination.as_ref().ok_or(NotAgain::Unreadable)?;
        let keys = self.inner.keys.snapshot();
        let opened = opened_destination(&keys, &failed.tenant, &failed.challenge, &to.sealed);
        let opened = opened.ok_or(NotAgain::Unreadable)?;
        let mut addresses = opened.addresses.into_iter();
        let first = addresses.next().ok_or(NotAgain::Unreadable)?;
        let addressed = addresses.fold(Issue::to(first), super::Addressed::or_to);
        let mut issue = addressed
            .for_purpose(failed.purpose.as_str())
            .for_tenant(failed.tenant.clone())
            .over(failed.channel)
            .in_locale(failed.locale.clone())
            .from(self.asked_first(failed).await?);
        if let (Some(link), Some(settings)) = (opened.link, self.links()) {
            issue = issue.with_link(link.allowed_by(settings));
        }
        if let Some(subject) = failed.subject.subject_id() {
            issue = issue.for_subject(subject);
        }
        Ok(self.issue(issue).await?)
    }

    /// Gives what is still known of the request that the message was for.
    async fn asked_first(&self, failed: &Delivery) -> Result<RequestContext, StoreError> {
        let known = self.inner.store.find(&failed.challenge).await?;
        let known = known.filter(|known| known.tenant == failed.tenant);
        Ok(known.map_or_else(RequestContext::by_operator, |known| {
            RequestContext::by_operator().on_behalf_of(known.address, known.binding)
        }))
    }
}

impl From<StoreError> for NotAgain {
    fn from(_: StoreError) -> Self {
        Self::Unavailable
    }
}
