use tokio::runtime::Handle;

use super::desk::{KeptBack, Turned};
use super::dispatch::Parcel;
use super::draft::Draft;
use super::managed::{Custody, managed_format};
use super::onward::Onward;
use super::passage::{Passage, Passed};
use super::request::{Issue, Issued};
use super::routes::{Start, Way};
use super::{IssueError, Unavailable, Verifier};
use crate::challenge::{Challenge, ChallengeId};
use crate::destination::{Channel, Destination};
use crate::event::{Event, EventId, Outcome};
use crate::gate::Operation;
use crate::hash::Binding;
use crate::policy::Policy;
use crate::quota::QuotaKey;
use crate::random::RandomError;
use crate::request::Tenant;
use crate::store::{IdempotencyKey, Insert, RecordedIssue};

impl Verifier {
    /// Issues a code and sends it.
    ///
    /// The gates run first, then the checks; nothing is made before they admit. A live challenge of the same
    /// subject, purpose and lane is superseded, but not by a decoy or by a start whose message the
    /// toll-fraud guard keeps back; budgets are not touched, so a new challenge gives nobody new
    /// guesses. Two store round trips before the message leaves;
    /// with checks or a captcha two more, because the account's and the address's quotas are charged
    /// only once those let the start go on. A start by a name ([`Issue::by_name`]) asks about the
    /// name before it asks about the address, in a round trip of its own.
    ///
    /// Racing calls each count in the limits; the last one's code is the one that works. Calls
    /// with the same idempotency key make one challenge and one message between them.
    ///
    /// # Errors
    /// [`IssueError`]. With
    /// [`Dispatch::Await`](super::Dispatch::Await), [`IssueError::NotSent`] says whether the message
    /// may arrive all the same.
    ///
    /// # Cancellation
    /// A dropped call may have issued, sent, both or neither. Once the challenge is stored, its
    /// message is sent and settled to the end all the same. Repeat the call with its idempotency
    /// key. One that is kept and not polled stands still, message and all, as every future does.
    pub async fn issue(&self, issue: Issue) -> Result<Issued, IssueError> {
        let start = Box::pin(self.start(issue));
        self.measured(Operation::Issue, start).await
    }

    async fn start(&self, issue: Issue) -> Result<Issued, IssueError> {
        let policy = self.policy();
        let (purpose, format) = policy
            .purposes()
            .find(&issue.purpose)
            .ok_or(IssueError::UnknownPurpose)?;
        let ways = self.ways(&policy, &issue)?;
        let Some(first) = ways.first() else {
            return Err(IssueError::NoRoute(issue.channel()));
        };
        let channel = first.channel;
        let alarm = self.alarm(&policy, &issue.tenant).await?;
        let longer = || self.longer(format, alarm);
        let format = managed_format(&ways).unwrap_or_else(longer);
        let keys = self.inner.keys.snapshot();
        let subject = issue.subject_key();
        let lane = self.lane(&keys, &issue.tenant, &subject, &issue.context);
        let lane = lane.await;
        let draft = Draft {
            id: ChallengeId::generate(self.random(), &subject)?,
            policy: &policy,
            keys: &keys,
            purpose,
            format,
            channel,
            lane,
            destination: issue.address_for(channel),
            destination_key: issue.destination_key(channel, &subject),
            subject,
            issue: &issue,
        };
        // Who is there and who is not take the same work, here and below.
        let masked = issue.judged(channel).map(Destination::masked);
        let masked = masked.filter(|_| draft.destination.is_some());
        let event = Event::new(Operation::Issue.event(), &issue.tenant)
            .from_request(&issue.context)
            .about(&draft.subject);
        let event = Event {
            purpose: Some(purpose.clone()),
            channel: Some(channel),
            lane: Some(lane),
            destination: masked,
            ..event
        };
        let alarmed = self.captcha_by_alarm(alarm);
        let passed = match self.pass(&draft, &ways, alarmed, event).await? {
            Passage::Before(before) => return Ok(Issued::recorded(&before, channel)),
            Passage::Through(passed) => *passed,
        };
        let Passed {
            now,
            slot,
            place,
            taken,
            booking,
            kept_back,
            proof,
            charged,
            event,
        } = passed;
        let spacings = draft.spacings();
        let context = proof.in_context(&issue.context);
        let linked = issue.linked();
        let enclosure = self.enclosure(format, draft.id, linked, channel)?;
        let kept_back = kept_back.map(|why| (why, event.destination.clone()));
        let draft = match kept_back {
            Some(_) => draft.for_nobody(),
            None => draft,
        };
        let mut challenge = draft.challenge(self, &enclosure, now)?;
        challenge.digest = self
            .digest(slot, &keys, &challenge, &enclosure)
            .await
            .map_err(Unavailable::because)?;
        let custody = self.custody(&keys, first, &ways, &mut challenge).await?;
        let issued = Issued::of(&challenge);
        let event = event.of_challenge(&challenge);
        let event = match &kept_back {
            // The start is one of nobody beside the record of the refusal.
            Some((KeptBack { recorded: true, .. }, _)) => Event {
                id: EventId::next(),
                ..event
            },
            Some((KeptBack { why, .. }, masked)) => Event {
                destination: masked.clone(),
                ..event.with_outcome(Outcome::Refused, why.clone())
            },
            None => event,
        };
        let life = challenge.expires_at.since(challenge.created_at);
        let lets = |way: &Way, to: &Destination| {
            kept_back.is_none() && Custody::lets(custody.as_deref(), way, to)
        };
        let to = issue.judged(channel).filter(|to| lets(first, to));
        let to = to.cloned().filter(|_| issue.destination().is_some());
        let onward = Onward::plan(
            &challenge,
            &context,
            (Operation::Issue, linked),
            &policy,
            charged,
            after_the_first(&ways, |channel| issue.address_for(channel))
                .filter(|(way, to)| lets(way, to)),
        );
        let blur = self.blur(&issue)?;
        let parcel = Parcel::new(&challenge, enclosure, to, first, &issue.context, life)
            .in_locale(issue.locale.clone())
            .in_custody(custody)
            .or_onward(onward)
            .after_answer_in(blur)
            .kept_back(kept_back.is_some());
        let delivery = Some(parcel.intent(&challenge));
        self.inner
            .store
            .insert(Insert {
                challenge,
                delivery,
                event: event.clone(),
            })
            .await?;
        taken.keep();
        booking.keep();
        self.observe(&event);
        let undo = Undo::of(&issue, &issued, spacings);
        let sent = self.dispatch(place, parcel, issued, Some(undo)).await;
        if !blur.is_zero() {
            tokio::time::sleep(blur).await;
        }
        sent.map_err(|not_sent| IssueError::NotSent(Box::new(not_sent)))
    }

    /// Lists the channels that a request may go over.
    fn ways(&self, policy: &Policy, issue: &Issue) -> Result<Vec<Way>, IssueError> {
        if !issue.others.is_empty() && issue.subject.is_none() {
            return Err(IssueError::NoSubject);
        }
        self.lets_link(issue)?;
        let start = issue.start();
        if let (Start::At(channel), Some(destination)) = (start, issue.destination()) {
            let reaches = issue.address_for(channel).is_some();
            let on = policy.channels().is_on(channel) && self.inner.routes.is_on(channel);
            if !reaches && on {
                channel.fits(destination)?;
            }
        }
        let reaches = |channel| policy.channels().is_on(channel) && issue.is_reached_over(channel);
        Ok(self.inner.routes.ways(start, reaches))
    }

    /// Refuses a link that the settings know no page for, or that would lead on to an address that
    /// they do not allow.
    fn lets_link(&self, issue: &Issue) -> Result<(), IssueError> {
        let Some(link) = &issue.link else {
            return Ok(());
        };
        let settings = self.links().ok_or(IssueError::NoLinks)?;
        match &link.return_to {
            Some(address) if !settings.allows(address) => Err(IssueError::ReturnAddress),
            _ => Ok(()),
        }
    }

    /// Takes back what surely reached nobody: the challenge, and the host's key for another try.
    pub(super) async fn undo(&self, undo: Undo) {
        if !undo.spacings.is_empty() {
            // Where it stays, the person waits a minute for the next try: the log says nothing new.
            drop(self.inner.store.clear(&undo.spacings).await);
        }
        let cancelled = self.end(&undo.tenant, undo.challenge, "not_sent").await;
        let released = match undo.key {
            Some(key) => self.inner.store.release(&key).await,
            None => Ok(()),
        };
        if cancelled.is_err() || released.is_err() {
            tracing::warn!(target: "otp_kit", "a challenge that was not sent could not be taken back");
        }
    }
}

/// What is taken back of a start whose message surely was not sent.
pub(super) struct Undo {
    tenant: Tenant,
    challenge: ChallengeId,
    key: Option<IdempotencyKey>,
    spacings: Vec<QuotaKey>,
}

impl Undo {
    fn of(issue: &Issue, issued: &Issued, spacings: Vec<QuotaKey>) -> Self {
        Self {
            spacings,
            tenant: issue.tenant.clone(),
            challenge: issued.challenge_id,
            key: IdempotencyKey::of(issue),
        }
    }
}

/// Gives the host's key back where the call ends, fails or is dropped between taking it and
/// storing the challenge: else repeating the call would be told of a challenge that never was.
pub(super) struct KeyTaken {
    verifier: Verifier,
    key: Option<IdempotencyKey>,
}

impl KeyTaken {
    pub(super) fn by(verifier: &Verifier, issue: &Issue) -> Self {
        Self {
            verifier: verifier.clone(),
            key: IdempotencyKey::of(issue),
        }
    }

    fn keep(mut self) {
        self.key = None;
    }

    pub(super) async fn give_back(mut self) {
        if let Some(key) = self.key.take() {
            give_back(&self.verifier, &key).await;
        }
    }
}

impl Drop for KeyTaken {
    fn drop(&mut self) {
        let (Some(key), Ok(runtime)) = (self.key.take(), Handle::try_current()) else {
            return;
        };
        let verifier = self.verifier.clone();
        drop(runtime.spawn(async move { give_back(&verifier, &key).await }));
    }
}

async fn give_back(verifier: &Verifier, key: &IdempotencyKey) {
    if verifier.inner.store.release(key).await.is_err() {
        tracing::warn!(target: "otp_kit", "an idempotency key could not be given back");
    }
}

pub(super) const DESTINATION: &[u8] = b"destination";
pub(super) const CODE: &[u8] = b"code";
/// Stands between the addresses of a challenge; no address holds one.
pub(super) const ADDRESS_BREAK: &str = "\n";
/// Begins the line after them that names the language of the messages; no address begins so.
pub(super) const LOCALE: &str = "l1|";

/// Pairs every way but the first with the address that it goes to.
pub(super) fn after_the_first<'a>(
    ways: &'a [Way],
    address: impl Fn(Channel) -> Option<&'a Destination> + 'a,
) -> impl Iterator<Item = (Way, Destination)> + 'a {
    ways.iter().skip(1).filter_map(move |way| {
        let address = address(way.channel)?;
        Some((way.clone(), address.clone()))
    })
}

/// Names the row that a sealed value belongs to; in any other row it does not open.
pub(super) fn row_aad<'a>(
    tenant: &'a Tenant,
    id: &'a ChallengeId,
    what: &'static [u8],
) -> [&'a [u8]; 3] {
    [tenant.as_str().as_bytes(), id.as_bytes(), what]
}

/// Says what a digest is bound to.
pub(super) fn binding<'a>(challenge: &'a Challenge, id: &'a str) -> Binding<'a> {
    Binding {
        tenant: challenge.tenant.as_str(),
        challenge: id,
        subject: challenge.subject.as_str(),
        purpose: challenge.purpose.as_str(),
        channel: challenge.channel.name(),
        destination: challenge.destination_key.as_str(),
    }
}

impl Issued {
    pub(super) fn of(challenge: &Challenge) -> Self {
        Self {
            challenge_id: challenge.id,
            expires_at: challenge.expires_at.into(),
            resend_at: challenge.next_send_at.into(),
            channel: challenge.channel,
        }
    }

    fn recorded(before: &RecordedIssue, channel: Channel) -> Self {
        Self {
            challenge_id: before.challenge,
            expires_at: before.expires_at.into(),
            resend_at: before.resend_at.into(),
            channel,
        }
    }
}

impl IdempotencyKey {
    pub(super) fn of(issue: &Issue) -> Option<Self> {
        let key = issue.idempotency_key.as_deref()?;
        Self::new(&issue.tenant, key)
    }
}

impl From<Turned> for IssueError {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Away(denial) => denial.into(),
            Turned::Store(error) => error.into(),
            Turned::Silence(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<RandomError> for IssueError {
    fn from(error: RandomError) -> Self {
        Self::Unavailable(Unavailable::because(error))
    }
}

impl From<Unavailable> for IssueError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}
