//! Codes that a vendor makes, sends and checks. The challenge, its guesses and its records stay
//! here: what the vendor holds is written down in the place of a digest, and bound as one.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Verifier;
use super::issue::binding;
use super::routes::Way;
use crate::challenge::{Challenge, ChallengeId, Code, CodeFormat, Lane};
use crate::delivery::{
    Checked, DeliveryError, DeliveryErrorKind, DeliveryState, DispatchCertainty, Errand, Managers,
    Receipt, Reference, RouteFailure, VerificationCheck, VerificationProvider, unpanicked,
};
use crate::destination::{Channel, Destination};
use crate::event::{Event, EventKind, Outcome};
use crate::key::KeySet;
use crate::request::Tenant;
use crate::store::{ChallengeQuery, Reissue, Settled, StoreError};

mod held;
mod pace;

pub(super) use held::Held;
pub(super) use pace::{Pace, Word};

/// How long a vendor may take to check a code, or to end a verification.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);
/// Live challenges of one subject that are looked through; there is one a purpose and lane.
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

impl Custody {
    /// Gives the challenge as it is stored while the message is on its way: the code that a vendor
    /// sent before works until another is sent.
    pub(super) fn standing(custody: Option<&Self>, challenge: &Challenge) -> Challenge {
        let before = custody.and_then(|custody| custody.before.as_ref());
        match before {
            Some(before) => Challenge {
                channel: before.channel,
                key_id: before.key_id,
                digest: before.digest.clone(),
                sealed_code: before.sealed_code.clone(),
                ..challenge.clone()
            },
            None => challenge.clone(),
        }
    }

    /// Says whether somebody carries the message that may. Where nobody does it goes nowhere, as a
    /// decoy's: an answer of its own would tell a stranger of the code that it gave way to.
    pub(super) fn lets(custody: Option<&Self>, way: &Way, to: &Destination) -> bool {
        let passed_over = Managers::PassedOver;
        custody.is_none_or(|custody| {
            custody.errand.managers != passed_over || way.route.serves(to, passed_over)
        })
    }

    /// Says whether our code is still to be stored when it was sent over a channel. Over the next
    /// channel it is stored before.
    fn waits_for(&self, channel: Channel) -> bool {
        self.before.is_some() && self.challenge.channel == channel
    }
}

/// Gives the shape that codes have where a vendor may make them.
pub(super) fn managed_format(ways: &[Way]) -> Option<CodeFormat> {
    ways.iter().find_map(|way| way.route.managed_format())
}

impl Verifier {
    /// Prepares a new challenge for a vendor, where one may be asked: one more round trip, for
    /// what vendors hold for the same person.
    pub(super) async fn custody(
        &self,
        keys: &KeySet,
        first: &Way,
        ways: &[Way],
        challenge: &mut Challenge,
    ) -> Result<Option<Box<Custody>>, StoreError> {
        if managed_format(ways).is_none() {
            return Ok(None);
        }
        let errand = Box::pin(self.errand(keys, challenge, None)).await?;
        if challenge.is_decoy() {
            stand_in(keys, first, challenge);
            return Ok(None);
        }
        Ok(Some(Box::new(Custody {
            errand,
            challenge: challenge.clone(),
            before: None,
        })))
    }

    /// Prepares a challenge for a vendor that may send its code again, or make one.
    pub(super) async fn custody_again(
        &self,
        keys: &KeySet,
        first: &Way,
        ways: &[Way],
        before: Challenge,
        challenge: &mut Challenge,
    ) -> Result<Option<Box<Custody>>, StoreError> {
        if managed_format(ways).is_none() {
            return Ok(None);
        }
        let continues = known(keys, &before);
        let before = continues.is_some().then_some(before);
        let errand = Box::pin(self.errand(keys, challenge, continues)).await?;
        if challenge.is_decoy() {
            stand_in(keys, first, challenge);
            return Ok(None);
        }
        Ok(Some(Box::new(Custody {
            challenge: challenge.clone(),
            before,
            errand,
        })))
    }

    /// Looks at what lives for the same subject, which every store finds by an index. Whom else
    /// an address is of is not asked: a vendor ends what it finds in the way by itself. A decoy
    /// looks as well, and finds nothing.
    async fn errand(
        &self,
        keys: &KeySet,
        challenge: &Challenge,
        continues: Option<(String, Reference)>,
    ) -> Result<Errand, StoreError> {
        let query = ChallengeQuery {
            tenant: Some(challenge.tenant.clone()),
            subject: Some(challenge.subject.clone()),
            ..ChallengeQuery::default()
        };
        let live = self.inner.store.list(&query, LOOKED_THROUGH).await?;
        let others = || live.iter().filter(|other| other.id != challenge.id);
        let same_address = |other: &Challenge| other.destination_key == challenge.destination_key;
        // A vendor keeps one verification an address: what it starts for a stranger would end the
        // one of a device that is known. One that is on its way there is not written down yet.
        let known_device = |other: &Challenge| {
            other.lane == Lane::KnownDevice && (same_address(other) || Held::is(&other.digest))
        };
        if challenge.lane == Lane::Public && others().any(known_device) {
            tracing::info!(
                target: "otp_kit",
                "a public request gave way to a code that a known device waits for"
            );
            return Ok(Errand {
                managers: Managers::PassedOver,
                ..Errand::default()
            });
        }
        let replaced = others().filter(|other| continues.is_none() && same_address(other));
        Ok(Errand {
            replaces: replaced.filter_map(|other| known(keys, other)).collect(),
            continues,
            ..Errand::default()
        })
    }

    /// Records that a message was accepted, and by whom its code is held from now on.
    pub(super) async fn accepted(
        &self,
        receipt: &Receipt,
        custody: Option<&Custody>,
        channel: Channel,
        (settled, event): (Settled, &Event),
    ) -> Result<(), RouteFailure> {
        let is_held = receipt.verification().is_some();
        if is_held || custody.is_some_and(|custody| custody.waits_for(channel)) {
            let settled = (settled, event);
            return Box::pin(self.held_from_now(receipt, custody, channel, settled)).await;
        }
        self.settle(settled, Some(event)).await;
        Ok(())
    }

    /// Records by whom the code of an accepted message is held, where it is not the one that is stored.
    async fn held_from_now(
        &self,
        receipt: &Receipt,
        custody: Option<&Custody>,
        channel: Channel,
        (settled, event): (Settled, &Event),
    ) -> Result<(), RouteFailure> {
        let held = receipt.verification().map(|reference| Held {
            provider: receipt.provider().to_owned(),
            reference: reference.clone(),
        });
        let kept = match (&held, custody) {
            (Some(held), Some(custody)) => self.keep(custody, held, channel, event).await,
            (None, Some(custody)) => self.ours(custody, event).await,
            (_, None) => None,
        };
        if kept.is_some() {
            self.observe(event);
            self.settle(recorded(settled), None).await;
            return Ok(());
        }
        // What nobody can check must not be left standing at the vendor.
        if let Some(held) = held {
            self.release_held(held);
        }
        let failure = RouteFailure::of_record(receipt.provider());
        let mut event = event.clone().with_outcome(Outcome::Failed, NOT_RECORDED);
        event.kind = EventKind::CodeNotSent;
        let settled = Settled {
            state: DeliveryState::Failed(failure.kind()),
            reason: Some(NOT_RECORDED.to_owned()),
            event: Some(event.clone()),
            ..settled
        };
        self.settle(settled, Some(&event)).await;
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
        let mut challenge = custody.challenge.clone();
        let keys = self.inner.keys.snapshot().begun_with(&challenge.key_id);
        challenge.channel = channel;
        challenge.key_id = *keys.current().id();
        challenge.sealed_code = None;
        let id = challenge.id.to_string();
        challenge.digest = held.write(&keys, &binding(&challenge, &id))?;
        self.write(challenge, event).await
    }

    /// Writes our code in the place of the vendor's, which is worth nothing from now on.
    async fn ours(&self, custody: &Custody, event: &Event) -> Option<()> {
        self.write(custody.challenge.clone(), event).await
    }

    async fn write(&self, challenge: Challenge, event: &Event) -> Option<()> {
        let reissue = Reissue {
            challenge: challenge.id,
            channel: challenge.channel,
            key_id: challenge.key_id,
            digest: challenge.digest,
            sealed_code: challenge.sealed_code,
            delivery: None,
            event: event.clone(),
        };
        self.inner.store.reissue(reissue).await.ok()
    }

    /// Records that nobody took a message. The code that the vendor sent before is the one that
    /// works, as long as no other code can have arrived since.
    pub(super) async fn failed(
        &self,
        custody: &Custody,
        failure: &RouteFailure,
        (settled, event): (Settled, &Event),
    ) {
        let vendor = custody.errand.continues.as_ref().map(|known| &known.0);
        let is_sure = |error: &DeliveryError| {
            error.certainty() == DispatchCertainty::NotSent
                || vendor.is_some_and(|vendor| vendor == error.provider())
        };
        let another = custody.before.is_some() && !failure.errors().iter().all(is_sure);
        if another && self.ours(custody, event).await.is_some() {
            self.observe(event);
            return self.settle(recorded(settled), None).await;
        }
        self.settle(settled, Some(event)).await;
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
        let took = begun.elapsed();
        if let Err(error) = &checked {
            tracing::warn!(
                target: "otp_kit",
                provider = name,
                kind = error.kind().name(),
                code = error.code(),
                "a provider did not check a code"
            );
        }
        match &checked {
            Err(error) if error.kind() != DeliveryErrorKind::Protected => {
                self.inner.pace.heard_nothing(took);
            }
            _ => self.inner.pace.saw(took),
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
