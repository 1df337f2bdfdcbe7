//! Codes that a vendor makes, sends and checks. The challenge, its guesses and its records stay
//! here: what the vendor holds is written down in the place of a digest, and bound as one.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Verifier;
use super::issue::binding;
use super::routes::Way;
use crate::challenge::{Challenge, ChallengeId, Code, CodeFormat};
use crate::delivery::{
    Checked, DeliveryError, DeliveryErrorKind, DeliveryState, DispatchCertainty, Errand, Receipt,
    Reference, RouteFailure, VerificationCheck, VerificationProvider, unpanicked,
};
use crate::destination::{Channel, Destination};
use crate::event::{Event, EventKind, Outcome};
use crate::key::KeySet;
use crate::request::Tenant;
use crate::store::{ChallengeQuery, Reissue, Settled, StoreError};

mod held;
mod pace;

pub(super) use held::Held;
pub(super) use pace::Pace;

/// How long a vendor may take to check a code, or to end a verification.
const DEADLINE: Duration = Duration::from_secs(5);
/// Live challenges to one address that are looked through for verifications to end; a vendor that
/// finds another in the way ends it by itself.
const LOOKED_THROUGH: usize = 32;
/// What a decoy stands on: it is asked about nowhere.
const DECOY: &str = "decoy";
/// Why a message failed whose code nobody could check.
const NOT_RECORDED: &str = "not_recorded";

/// What it takes to have a vendor make the code of a message.
pub(super) struct Custody {
    challenge: Challenge,
    /// The challenge as it stands until the vendor sends its code again.
    before: Option<Challenge>,
    pub(super) errand: Errand,
}

/// Gives the shape that codes have where a vendor may make them.
pub(super) fn managed_format(ways: &[Way]) -> Option<CodeFormat> {
    ways.iter().find_map(|way| way.route.managed_format())
}

impl Verifier {
    /// Prepares a new challenge for a vendor, where one may be asked: one more round trip, for the
    /// verifications to the same address that the new one takes the place of.
    pub(super) async fn custody(
        &self,
        keys: &KeySet,
        first: &Way,
        ways: &[Way],
        challenge: &mut Challenge,
    ) -> Result<Option<Custody>, StoreError> {
        if managed_format(ways).is_none() {
            return Ok(None);
        }
        let query = ChallengeQuery {
            destination: Some(challenge.destination_key.clone()),
            ..ChallengeQuery::default()
        };
        // A decoy looks as well, and finds nothing.
        let live = self.inner.store.list(&query, LOOKED_THROUGH).await?;
        if challenge.is_decoy() {
            stand_in(keys, first, challenge);
            return Ok(None);
        }
        Ok(Some(Custody {
            errand: Errand {
                continues: None,
                after: None,
                replaces: live.iter().filter_map(|other| known(keys, other)).collect(),
            },
            challenge: challenge.clone(),
            before: None,
        }))
    }

    /// Prepares a challenge for a vendor that may send its code again, or make one.
    pub(super) fn custody_again(
        &self,
        keys: &KeySet,
        first: &Way,
        ways: &[Way],
        before: Challenge,
        challenge: &mut Challenge,
    ) -> Option<Custody> {
        managed_format(ways)?;
        if challenge.is_decoy() {
            stand_in(keys, first, challenge);
            return None;
        }
        let continues = known(keys, &before);
        Some(Custody {
            challenge: challenge.clone(),
            before: continues.is_some().then_some(before),
            errand: Errand {
                continues,
                after: None,
                replaces: Vec::new(),
            },
        })
    }

    /// Records that a message was accepted, and by whom its code is held from now on.
    pub(super) async fn accepted(
        &self,
        receipt: &Receipt,
        custody: Option<&Custody>,
        channel: Channel,
        settled: Settled,
    ) -> Result<(), RouteFailure> {
        let (Some(reference), Some(event)) = (receipt.verification(), &settled.event) else {
            self.settle(settled).await;
            return Ok(());
        };
        let held = Held {
            provider: receipt.provider().to_owned(),
            reference: reference.clone(),
        };
        let kept = match custody {
            Some(custody) => self.keep(custody, &held, channel, event).await,
            None => None,
        };
        if kept.is_some() {
            self.observe(event);
            self.settle(recorded(settled)).await;
            return Ok(());
        }
        // What nobody can check must not be left standing at the vendor.
        self.release_held(held);
        let failure = RouteFailure::of_record(receipt.provider());
        let mut event = event.clone().with_outcome(Outcome::Failed, NOT_RECORDED);
        event.kind = EventKind::CodeNotSent;
        self.settle(Settled {
            state: DeliveryState::Failed(failure.kind()),
            reason: Some(NOT_RECORDED.to_owned()),
            event: Some(event),
            ..settled
        })
        .await;
        Err(failure)
    }

    /// Writes the vendor's verification in the place of the code that was not sent.
    async fn keep(
        &self,
        custody: &Custody,
        held: &Held,
        channel: Channel,
        event: &Event,
    ) -> Option<()> {
        let keys = self.inner.keys.snapshot();
        let mut challenge = custody.challenge.clone();
        challenge.channel = channel;
        let id = challenge.id.to_string();
        let digest = held.write(&keys, &binding(&challenge, &id))?;
        let reissue = Reissue {
            challenge: challenge.id,
            channel,
            key_id: *keys.current().id(),
            digest,
            sealed_code: None,
            delivery: None,
            event: event.clone(),
        };
        self.inner.store.reissue(reissue).await.ok()
    }

    /// Records that nobody took a message. The code that the vendor sent before is the one that
    /// works, as long as no other code can have arrived since.
    pub(super) async fn failed(&self, custody: &Custody, failure: &RouteFailure, settled: Settled) {
        let vendor = custody.errand.continues.as_ref().map(|known| &known.0);
        let is_sure = |error: &DeliveryError| {
            error.certainty() == DispatchCertainty::NotSent
                || vendor.is_some_and(|vendor| vendor == error.provider())
        };
        let put_back = match (&custody.before, &settled.event) {
            (Some(before), Some(event)) if failure.errors().iter().all(is_sure) => {
                let reissue = Reissue {
                    challenge: before.id,
                    channel: before.channel,
                    key_id: before.key_id,
                    digest: before.digest.clone(),
                    sealed_code: before.sealed_code.clone(),
                    delivery: None,
                    event: event.clone(),
                };
                self.inner.store.reissue(reissue).await.ok()
            }
            _ => None,
        };
        if let (Some(()), Some(event)) = (put_back, &settled.event) {
            self.observe(event);
            return self.settle(recorded(settled)).await;
        }
        self.settle(settled).await;
    }

    /// Asks the vendor whether a code is right, once and within its time.
    pub(super) async fn ask_vendor(
        &self,
        held: &Held,
        to: &Destination,
        code: &Code,
    ) -> Result<Checked, DeliveryError> {
        let begun = Instant::now();
        let name = held.provider.as_str();
        let Some(provider) = self.inner.routes.manager(name) else {
            return Err(
                DeliveryError::new(DeliveryErrorKind::Unavailable, name).with_code("no_route")
            );
        };
        let check = VerificationCheck::new(&held.reference, to, code);
        let checked = within(name, async { provider.check(&check).await }).await;
        match &checked {
            Ok(_) => self.inner.pace.saw(begun.elapsed()),
            Err(error) => tracing::warn!(
                target: "otp_kit",
                provider = name,
                kind = error.kind().name(),
                code = error.code(),
                "a provider did not check a code"
            ),
        }
        checked
    }

    /// Finds the verification of a live challenge of a tenant's.
    pub(super) async fn held(
        &self,
        tenant: &Tenant,
        challenge: &ChallengeId,
    ) -> Result<Option<Held>, StoreError> {
        if !self.inner.routes.has_managers() {
            return Ok(None);
        }
        let found = self.inner.store.find(challenge).await?;
        let found = found.filter(|found| found.tenant == *tenant && !found.is_decoy());
        let keys = self.inner.keys.snapshot();
        Ok(found.and_then(|found| read(&keys, &found)))
    }

    /// Ends a verification at its vendor, while nobody waits for it. It is over here already.
    pub(super) fn release_held(&self, held: Held) {
        let Some(provider) = self.inner.routes.manager(&held.provider) else {
            return;
        };
        drop(tokio::spawn(cancelled(provider, held.reference)));
    }
}

/// Says what came of a message whose record another intent carried.
fn recorded(settled: Settled) -> Settled {
    Settled {
        event: None,
        ..settled
    }
}

async fn cancelled(provider: Arc<dyn VerificationProvider>, reference: Reference) {
    let name = provider.name();
    let ended = within(name, async { provider.cancel(&reference).await }).await;
    if let Err(error) = ended {
        tracing::warn!(
            target: "otp_kit",
            provider = name,
            kind = error.kind().name(),
            code = error.code(),
            "a provider did not end a verification"
        );
    }
}

/// Gives a vendor its time. One that panics fails this call and no other.
async fn within<T>(
    name: &str,
    call: impl Future<Output = Result<T, DeliveryError>> + Send,
) -> Result<T, DeliveryError> {
    let call = pin!(call);
    match tokio::time::timeout(DEADLINE, unpanicked(call)).await {
        Ok(Some(answer)) => answer,
        Ok(None) => Err(DeliveryError::new(DeliveryErrorKind::Protocol, name)),
        Err(_elapsed) => Err(DeliveryError::new(DeliveryErrorKind::Timeout, name)),
    }
}

/// Makes a decoy's digest look like that of a challenge whose code a vendor made.
fn stand_in(keys: &KeySet, first: &Way, challenge: &mut Challenge) {
    let id = challenge.id.to_string();
    let written = first.route.managers().next().and_then(|provider| {
        let held = Held {
            provider: provider.name().to_owned(),
            reference: Reference::new(DECOY).ok()?,
        };
        held.write(keys, &binding(challenge, &id))
    });
    if let Some(digest) = written {
        challenge.digest = digest;
    }
}

fn read(keys: &KeySet, challenge: &Challenge) -> Option<Held> {
    let id = challenge.id.to_string();
    Held::read(keys, &binding(challenge, &id), &challenge.digest).ok()
}

fn known(keys: &KeySet, challenge: &Challenge) -> Option<(String, Reference)> {
    let held = read(keys, challenge)?;
    Some((held.provider, held.reference))
}
