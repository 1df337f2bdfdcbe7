//! The same code once more, through the next provider, where a receipt never came.

use std::sync::Arc;
use std::time::Duration;

use super::Verifier;
use super::addressees::opened;
use super::dispatch::Parcel;
use super::enclosure::Enclosure;
use super::request::{Dispatch, Issued};
use super::routes::{Start, Way};
use crate::challenge::Challenge;
use crate::clock::Timestamp;
use crate::delivery::MessageId;
use crate::event::{EventKind, Outcome};
use crate::policy::{MAX_LIFETIME, Policy, ResendCode};
use crate::request::RequestContext;
use crate::store::{Delivery, NewDelivery, Reissue, StoreError, StoreErrorKind};

/// The most that one sweep sends on.
const MOST: usize = 100;
/// What follows the name of a message in that of its second one.
const AGAIN: &str = "again";
/// Why a message was sent once more.
const MISSING: &str = "receipt_missing";

impl Verifier {
    /// Sends on what was accepted and never reported on; answers how many went. Of racing sweeps
    /// one sends each.
    pub(super) async fn send_overdue(&self) -> Result<usize, StoreError> {
        let policy = self.policy();
        let within = self.inner.routes.receipt_within();
        let (Some(within), ResendCode::Same) = (within, policy.resend_code()) else {
            return Ok(0);
        };
        let store = &self.inner.store;
        // Beyond a code's life there is nothing to send any more.
        let age = within
            ..within
                .max(MAX_LIFETIME)
                .saturating_add(Duration::from_secs(1));
        let overdue = store.overdue(age, MOST).await?;
        if overdue.is_empty() {
            return Ok(0);
        }
        let now = store.ping().await?;
        let mut sent: usize = 0;
        for delivery in overdue {
            let gone = self.send_on(&policy, &delivery, now).await?;
            sent = sent.saturating_add(usize::from(gone.is_some()));
        }
        Ok(sent)
    }

    /// Sends one on; `None` where nothing more may be sent for it.
    async fn send_on(
        &self,
        policy: &Arc<Policy>,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Option<()>, StoreError> {
        let found = self.inner.store.find(&delivery.challenge).await?;
        let Some((challenge, way)) = found.and_then(|found| {
            let way = self.way_on(policy, delivery)?;
            is_latest(&found, delivery, now).then_some((found, way))
        }) else {
            return Ok(None);
        };
        let keys = self.inner.keys.snapshot();
        let kept = Enclosure::kept(&keys, &challenge);
        let (Some(enclosure), Some(to)) = (kept, opened(&keys, &challenge)) else {
            return Ok(None);
        };
        let Some(provider) = delivery.provider.as_deref() else {
            return Ok(None);
        };
        if !way.route.has_after(provider, &to) {
            return Ok(None);
        }
        let Ok(place) = self.inner.outbound.reserve(Dispatch::Background) else {
            tracing::warn!(target: "otp_kit", "no place for a message without a receipt");
            return Ok(None);
        };
        let id = MessageId::new(&format!("{}-{AGAIN}", delivery.id.as_str()));
        let event = delivery
            .event(EventKind::ChallengeResent)
            .with_outcome(Outcome::Success, MISSING);
        let masked = to.to_string();
        let intent = NewDelivery::of(&challenge, id.clone(), delivery.locale.clone(), &masked);
        let reissue = Reissue {
            challenge: challenge.id,
            channel: challenge.channel,
            key_id: challenge.key_id,
            digest: challenge.digest.clone(),
            sealed_code: challenge.sealed_code.clone(),
            delivery: Some(intent),
            event: event.clone(),
        };
        match self.inner.store.reissue(reissue).await {
            // It ended meanwhile.
            Err(error) if error.kind() == StoreErrorKind::Invalid => return Ok(None),
            other => other?,
        }
        self.observe(&event.at(now));
        let life = challenge.expires_at.since(now);
        let context = RequestContext::by_operator().on_behalf_of(challenge.address, None);
        let masked = to.masked();
        let parcel = Parcel::new(&challenge, enclosure, Some(to), &way, &context, life)
            .shown_as(Some(masked))
            .in_locale(delivery.locale.clone())
            .after(id, provider);
        let sent = self
            .dispatch(place, parcel, Issued::of(&challenge), None)
            .await;
        Ok(sent.is_ok().then_some(()))
    }

    /// Gives the channel's way, where it is open, its route waits for receipts and its vendors
    /// carry codes of ours.
    fn way_on(&self, policy: &Policy, delivery: &Delivery) -> Option<Way> {
        let only = |channel| channel == delivery.channel && policy.channels().is_on(channel);
        let ways = self.inner.routes.ways(Start::At(delivery.channel), only);
        let mut ways = ways.into_iter();
        ways.find(|way| way.route.receipt_time().is_some() && way.route.managed_format().is_none())
    }
}

/// Says whether the message is the challenge's latest, and the challenge can still be verified. A
/// message that was sent on already has another name.
fn is_latest(challenge: &Challenge, delivery: &Delivery, now: Timestamp) -> bool {
    let latest = format!("{}-{}", challenge.id.fingerprint(), challenge.sends);
    challenge.is_live(now)
        && challenge.tenant == delivery.tenant
        && challenge.channel == delivery.channel
        && delivery.id.as_str() == latest
}
