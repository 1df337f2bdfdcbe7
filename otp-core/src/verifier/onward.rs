//! From one channel to the next, under the same challenge.
//!
//! What the first channel surely did not send goes over the next with a code of its own: digests
//! bind the channel, so the code of the first is worth nothing from then on. Guesses, budget and
//! expiry stay. Every gate is asked about the new channel and address, and what the request was
//! not charged for yet is charged now: another channel is no way round a block or a quota.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Verifier;
use super::desk::Turned;
use super::dispatch::Letter;
use super::enclosure::{Enclosure, Linked};
use super::routes::Way;
use crate::challenge::Challenge;
use crate::clock::Timestamp;
use crate::delivery::{Afterwards, MessageId};
use crate::destination::Destination;
use crate::event::{Event, EventKind};
use crate::gate::{GateRequest, Operation, Wants};
use crate::hash::HashSlot;
use crate::key::KeySet;
use crate::policy::{Policy, ResendCode};
use crate::quota::QuotaKey;
use crate::request::{RequestContext, SubjectKey};
use crate::store::{NewDelivery, Reissue, Step};

/// What it takes to go on over another channel.
pub(super) struct Onward {
    pub(super) challenge: Challenge,
    pub(super) context: RequestContext,
    operation: Operation,
    linked: Linked,
    policy: Arc<Policy>,
    charged: Vec<QuotaKey>,
    ways: VecDeque<(Way, Destination)>,
}

/// The next channel, with what its message carries.
pub(super) struct NextWay {
    pub(super) id: MessageId,
    pub(super) way: Way,
    pub(super) destination: Destination,
    pub(super) enclosure: Enclosure,
}

impl Onward {
    /// Plans the ways after the first; `None` where there is none, which is the common case and
    /// copies nothing.
    pub(super) fn plan(
        challenge: &Challenge,
        context: &RequestContext,
        (operation, linked): (Operation, Linked),
        policy: &Arc<Policy>,
        charged: Vec<QuotaKey>,
        ways: impl Iterator<Item = (Way, Destination)>,
    ) -> Option<Self> {
        let ways: VecDeque<_> = ways.collect();
        (!ways.is_empty()).then(|| Self {
            challenge: challenge.clone(),
            context: context.clone(),
            operation,
            linked,
            policy: Arc::clone(policy),
            charged,
            ways,
        })
    }

    /// Says whether a message has another channel to go to.
    pub(super) fn afterwards(onward: Option<&Self>) -> Afterwards {
        match onward {
            Some(onward) if !onward.ways.is_empty() => Afterwards::AnotherChannel,
            _ => Afterwards::Nothing,
        }
    }
}

/// Names what a request is charged for, where it may go on to another channel.
pub(super) fn charged(wants: &Wants, ways: &[Way]) -> Vec<QuotaKey> {
    let more = ways.len() > 1;
    let keys = wants.quotas.iter().filter(|_| more);
    keys.map(|claim| claim.key.clone()).collect()
}

impl Verifier {
    /// Gets the next channel ready; `None` where there is none, or something stands against it.
    /// With the new code the store takes the record of what failed.
    pub(super) async fn go_onward(
        &self,
        onward: &mut Onward,
        letter: &Letter,
        failed: &Event,
        left: Duration,
    ) -> Option<NextWay> {
        let (way, destination) = onward.ways.pop_front()?;
        // A gate's refusal ends the order: the channels after it are no way round it.
        let now = self.admit_onward(onward, &way, &destination).await.ok()?;
        let id = letter.id_over(way.channel);
        let ready = match self.slot_within(left).await {
            Some(slot) if self.is_the_latest(onward, now).await => {
                let masked = destination.to_string();
                let intent = |challenge: &Challenge| {
                    NewDelivery::of(challenge, id.clone(), letter.locale.clone(), &masked)
                };
                self.reissue_over(onward, slot, &way, (intent, failed))
                    .await
            }
            _ => None,
        };
        let Some(enclosure) = ready else {
            tracing::warn!(
                target: "otp_kit",
                channel = way.channel.name(),
                "a message could not go on over the next channel"
            );
            return None;
        };
        Some(NextWay {
            id,
            way,
            destination,
            enclosure,
        })
    }

    /// Asks every gate about the new channel and address. The refusal is recorded by the desk.
    async fn admit_onward(
        &self,
        onward: &mut Onward,
        way: &Way,
        destination: &Destination,
    ) -> Result<Timestamp, Turned> {
        let policy = Arc::clone(&onward.policy);
        let challenge = &onward.challenge;
        let key = SubjectKey::of_destination(destination);
        let request = GateRequest {
            operation: onward.operation,
            tenant: &challenge.tenant,
            subject: Some(&challenge.subject),
            destination: Some(destination),
            destination_key: Some(&key),
            channel: Some(way.channel),
            purpose: Some(&challenge.purpose),
            lane: challenge.lane,
            context: &onward.context,
            policy: &policy,
        };
        let event = Event {
            channel: Some(way.channel),
            destination: Some(destination.to_string()),
            ..Event::new(EventKind::CodeNotSent, &challenge.tenant)
                .from_request(&onward.context)
                .of_challenge(challenge)
        };
        let mut wants = self.wants(&request, &event).await?;
        let charged = &onward.charged;
        wants.quotas.retain(|claim| !charged.contains(&claim.key));
        let new: Vec<QuotaKey> = wants.quotas.iter().map(|claim| claim.key.clone()).collect();
        let admitted = self.admit(&request, wants, Step::Nothing, event).await?;
        onward.charged.extend(new);
        // What a check let pass over the first channel it may not over this one: a number is not
        // an e-mail address. A captcha that was solved for the request is in its context still.
        self.ask_again(&request, admitted.now, &admitted.event)
            .await?;
        admitted.booking.keep();
        Ok(admitted.now)
    }

    /// Waits for a place to hash: the message is paid for, so it is not shed like a new request.
    async fn slot_within(&self, left: Duration) -> Option<HashSlot> {
        let begun = Instant::now();
        loop {
            match self.inner.hasher.reserve() {
                Ok(slot) => return Some(slot),
                Err(busy) => {
                    let left = left.saturating_sub(begun.elapsed());
                    if left.is_zero() {
                        return None;
                    }
                    tokio::time::sleep(busy.retry_after.min(left)).await;
                }
            }
        }
    }

    /// Says whether the code that was not sent is still the challenge's: not where the challenge
    /// ended meanwhile, or a resend replaced its code. A message for either would only confuse.
    async fn is_the_latest(&self, onward: &Onward, now: Timestamp) -> bool {
        let found = self.inner.store.find(&onward.challenge.id).await;
        let found = found.ok().flatten();
        found.is_some_and(|found| found.is_live(now) && found.digest == onward.challenge.digest)
    }

    /// Makes the code of the new channel, and the link where it carries one, and puts it in the place of the old one.
    async fn reissue_over(
        &self,
        onward: &mut Onward,
        slot: HashSlot,
        way: &Way,
        (intent, failed): (impl Fn(&Challenge) -> NewDelivery, &Event),
    ) -> Option<Enclosure> {
        let challenge = &mut onward.challenge;
        let keys = self.inner.keys.snapshot().begun_with(&challenge.key_id);
        let enclosure = self.enclosure(challenge.format, challenge.id, onward.linked, way.channel);
        let enclosure = enclosure.ok()?;
        challenge.channel = way.channel;
        challenge.key_id = *keys.current().id();
        challenge.sealed_code = self.sealed_again(&onward.policy, &keys, challenge, &enclosure)?;
        challenge.digest = self.digest(slot, &keys, challenge, &enclosure).await.ok()?;
        let reissue = Reissue {
            challenge: challenge.id,
            channel: challenge.channel,
            key_id: challenge.key_id,
            digest: challenge.digest.clone(),
            sealed_code: challenge.sealed_code.clone(),
            delivery: Some(intent(challenge)),
            event: failed.clone(),
        };
        self.inner.store.reissue(reissue).await.ok()?;
        Some(enclosure)
    }

    /// Seals the new code where policy keeps codes; the outer `None` is a failure.
    fn sealed_again(
        &self,
        policy: &Policy,
        keys: &KeySet,
        challenge: &Challenge,
        enclosure: &Enclosure,
    ) -> Option<Option<crate::key::Sealed>> {
        if policy.resend_code() != ResendCode::Same {
            return Some(None);
        }
        let sealed = self.sealed(keys, challenge, enclosure);
        sealed.ok().map(Some)
    }
}
