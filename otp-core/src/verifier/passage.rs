//! How a start gets past the door: whom it is for as everybody is told, or as nobody is.

use std::borrow::Cow;
use std::time::Duration;

use super::checks::Proof;
use super::desk::{Admitted, KeptBack, Turned};
use super::draft::Draft;
use super::guarded::Booking;
use super::issue::KeyTaken;
use super::onward::charged;
use super::outbound::Place;
use super::routes::Way;
use super::{Issue, IssueError, Verifier, nobody};
use crate::clock::Timestamp;
use crate::event::{Event, EventId, Outcome};
use crate::gate::widen;
use crate::hash::HashSlot;
use crate::quota::{Party, QuotaClaim, QuotaKey};
use crate::random::RandomError;
use crate::request::SubjectKey;
use crate::store::{Block, Granted, RecordedIssue, Step};

/// The longest that the answer to a start by a name waits.
const BLUR: Duration = Duration::from_millis(20);

/// What a start was found to be.
pub(super) enum Passage {
    Through(Box<Passed>),
    /// It was answered before, by its key.
    Before(RecordedIssue),
}

/// A start that got through, with what is held for it.
pub(super) struct Passed {
    pub(super) now: Timestamp,
    pub(super) slot: HashSlot,
    pub(super) place: Place,
    pub(super) taken: KeyTaken,
    pub(super) booking: Booking,
    pub(super) kept_back: Option<KeptBack>,
    pub(super) proof: Proof,
    /// What it was charged for, where it may go on to another channel.
    pub(super) charged: Vec<QuotaKey>,
    pub(super) event: Event,
}

/// What was found of the address that a name stands for.
struct AboutAddress {
    booking: Booking,
    kept_back: Option<KeptBack>,
    charged: Vec<QuotaKey>,
}

impl Verifier {
    /// Asks everybody about a start, and tells what they say.
    pub(super) async fn pass(
        &self,
        draft: &Draft<'_>,
        ways: &[Way],
        alarm: Option<Cow<'static, str>>,
        event: Event,
    ) -> Result<Passage, IssueError> {
        if let Some(name) = draft.issue.name_key() {
            return Box::pin(self.pass_by_name(draft, &name, ways, alarm, event)).await;
        }
        let request = draft.gate_request();
        let asked = self.captcha_by_policy(draft.policy, &event).await?;
        let mut wants = self.wants_with(asked.or(alarm), &request, &event).await?;
        // A place in the hashing pool, and one in the background, come before any reservation:
        // shedding costs nothing.
        let slot = self.inner.hasher.reserve()?;
        let place = self.inner.outbound.reserve(draft.issue.dispatch)?;
        let charged = charged(&wants, ways);
        let later = self.hold_back(&mut wants);
        let admitted = self
            .admit_start(draft, &request, wants, draft.step(&draft.subject)?, event)
            .await?;
        let Admitted {
            now,
            granted,
            step_up,
            booking,
            kept_back,
            event,
        } = admitted;
        if let Some(before) = self.answered_before(granted, &event).await? {
            return Ok(Passage::Before(before));
        }
        let taken = KeyTaken::by(self, draft.issue);
        let asked = self
            .ask_then_charge(&request, (now, step_up), (later, Step::Nothing), &event)
            .await;
        let proof = match asked {
            Ok((proof, _)) => proof,
            Err(turned) => {
                Box::pin(taken.give_back()).await;
                return Err(turned.into());
            }
        };
        Ok(Passage::Through(Box::new(Passed {
            now,
            slot,
            place,
            taken,
            booking,
            kept_back,
            proof,
            charged,
            event,
        })))
    }

    /// Asks everybody about whoever may be meant by a name, and tells what they say. Then asks about
    /// the address, and keeps the message back for whatever stands against that: in as many steps as
    /// for nobody.
    async fn pass_by_name(
        &self,
        draft: &Draft<'_>,
        name: &SubjectKey,
        ways: &[Way],
        alarm: Option<Cow<'static, str>>,
        event: Event,
    ) -> Result<Passage, IssueError> {
        let request = draft.named_request(name);
        let of_the_name = event.clone().about(name);
        let asked = self.captcha_by_policy(draft.policy, &of_the_name).await?;
        let mut wants = self.wants_with(asked.or(alarm), &request, &event).await?;
        if let Some(account) = draft.issue.account_named() {
            widen(&request, &account, &mut wants.quotas);
        }
        let slot = self.inner.hasher.reserve()?;
        let place = self.inner.outbound.reserve(draft.issue.dispatch)?;
        let mut all = charged(&wants, ways);
        let told = wants.blocks.clone();
        let later = self.hold_back(&mut wants);
        // Nobody guesses by a name, so its own budget is open and says nothing.
        let step = draft.step(name)?;
        let admitted = self
            .admit_start(draft, &request, wants, step, event)
            .await?;
        let (now, event) = (admitted.now, admitted.event);
        if let Some(before) = self.answered_before(admitted.granted, &event).await? {
            return Ok(Passage::Before(before));
        }
        let taken = KeyTaken::by(self, draft.issue);
        // A token that is shown is looked at, whoever the name is: else it would be spent for some
        // names and not for others.
        let shown = self.inner.captcha.is_some() && draft.issue.context.captcha().is_some();
        let asks = admitted.step_up.is_some() || shown;
        let proof = match asks {
            true => Proof::Given,
            false => Proof::NotAsked,
        };
        let asked = Box::pin(async {
            if asks {
                self.ask_for_captcha(&request, now, &event).await?;
            }
            if !later.is_empty() {
                self.charge(&request, later, Step::Nothing, &event).await?;
            }
            Ok::<_, Turned>(())
        });
        if let Err(turned) = asked.await {
            Box::pin(taken.give_back()).await;
            return Err(turned.into());
        }

        let about = self.ask_about_address(draft, ways, &told, (now, proof), &event);
        let about = Box::pin(about).await?;
        all.extend(about.charged);
        Ok(Passage::Through(Box::new(Passed {
            now,
            slot,
            place,
            taken,
            booking: about.booking,
            kept_back: about.kept_back,
            proof,
            charged: all,
            event,
        })))
    }

    /// Asks everybody about the address that a name stands for, of what was not told already; nothing that
    /// they say is told.
    async fn ask_about_address(
        &self,
        draft: &Draft<'_>,
        ways: &[Way],
        told: &[Block],
        (now, proof): (Timestamp, Proof),
        event: &Event,
    ) -> Result<AboutAddress, IssueError> {
        let request = draft.gate_request();
        let asked = self.captcha_by_policy(draft.policy, event).await?;
        let asked = asked.filter(|_| proof == Proof::NotAsked);
        let (mut wants, denied) = self.planned(asked, &request);
        wants.blocks.retain(|block| !told.contains(block));
        if request.destination.is_none() {
            let kind = draft.channel.destination_kind();
            let address = nobody::address(kind).map(Block::of_destination);
            wants.blocks.extend(address.unwrap_or_default());
        }
        wants.quotas.retain(of_the_target);
        if denied.is_some() {
            draft.make_nobodys(&mut wants.quotas);
        }
        let all = charged(&wants, ways);
        let mut later = self.hold_back(&mut wants);
        let step = draft.budget_alone();
        let admitted = self
            .admit_untold(&request, wants, step, event.clone())
            .await?;
        let mut booking = admitted.booking;
        let mut kept_back = denied.as_ref().map(KeptBack::for_now);
        kept_back = admitted.kept_back.or(kept_back);
        if self.asks_outside() {
            if kept_back.is_none() {
                let asked = Box::pin(self.ask_again(&request, now, event)).await;
                kept_back = asked.err().map(untold).transpose()?;
            }
            if kept_back.is_some() {
                draft.make_nobodys(&mut later);
            }
            let event = Event {
                id: EventId::next(),
                ..event.clone()
            };
            let charged = Box::pin(self.charge(&request, later, Step::Nothing, &event)).await;
            let refused = charged.err().map(untold).transpose()?;
            kept_back = kept_back.or(refused);
        }
        if kept_back.is_some() {
            booking = Booking::nothing();
        }
        Ok(AboutAddress {
            booking,
            kept_back,
            charged: all,
        })
    }

    /// Draws how long the answer to a start by a name waits. A row that is written for one address and
    /// not for another takes a part of a millisecond, which is lost in this.
    pub(super) fn blur(&self, issue: &Issue) -> Result<Duration, RandomError> {
        if issue.named.is_none() {
            return Ok(Duration::ZERO);
        }
        let mut drawn = [0; 8];
        self.random().fill(&mut drawn)?;
        let most = u64::try_from(BLUR.as_micros()).unwrap_or(u64::MAX);
        let part = u64::from_be_bytes(drawn) % most.max(1);
        Ok(Duration::from_micros(part))
    }

    /// Gives what a start was answered before, where its key says that it was.
    async fn answered_before(
        &self,
        granted: Granted,
        event: &Event,
    ) -> Result<Option<RecordedIssue>, IssueError> {
        match granted {
            Granted::IssuedBefore(before) => {
                let repeated = event.clone().naming(&before.challenge);
                let repeated = repeated.with_outcome(Outcome::Success, "repeated");
                Box::pin(self.record(repeated)).await?;
                Ok(Some(before))
            }
            Granted::IdempotencyConflict => {
                let conflict = event.clone();
                let conflict = conflict.with_outcome(Outcome::Refused, "idempotency_conflict");
                Box::pin(self.record(conflict)).await?;
                Err(IssueError::IdempotencyConflict)
            }
            _ => Ok(None),
        }
    }
}

/// Takes a refusal that nobody is told of. It has a record of its own.
fn untold(turned: Turned) -> Result<KeptBack, IssueError> {
    match turned {
        Turned::Away(denial) => Ok(KeptBack {
            why: denial.reason(),
            recorded: true,
        }),
        Turned::Silence(_) => Ok(KeptBack {
            why: "check_silent".into(),
            recorded: true,
        }),
        Turned::Store(error) => Err(error.into()),
    }
}

fn of_the_target(claim: &QuotaClaim) -> bool {
    claim.key.scope().party() == Party::Target
}
