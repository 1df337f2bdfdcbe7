use super::addressees::{Addressees, opened_all};
use super::checks::Proof;
use super::desk::Turned;
use super::dispatch::Parcel;
use super::enclosure::{Enclosure, Linked};
use super::issue::after_the_first;
use super::managed::Custody;
use super::onward::{Onward, charged};
use super::request::{Dispatch, Issued};
use super::routes::{Start, Way};
use super::{ResendError, Throttled, Unavailable, Verifier};
use crate::challenge::{Challenge, ChallengeId, Refusal, ResendClaim, ResendOutcome};
use crate::clock::Timestamp;
use crate::destination::{Channel, Destination};
use crate::event::{Event, EventKind, Outcome};
use crate::gate::{GateRequest, Operation, Wants};
use crate::key::KeySet;
use crate::policy::{Policy, ResendCode};
use crate::random::RandomError;
use crate::request::{RequestContext, SubjectKey, Tenant};
use crate::store::{Granted, Reissue, Step, StoreError, StoreErrorKind};

/// A send that was reserved on a challenge.
struct Reserved {
    now: Timestamp,
    challenge: Challenge,
    proof: Proof,
    event: Event,
}

impl Verifier {
    /// Sends a further message for a challenge.
    ///
    /// The challenge keeps its guesses, its budget, its end and the language of its first message;
    /// by default the message carries a
    /// fresh code, and the one before is worth nothing from then on. Of racing calls one sends.
    ///
    /// # Errors
    /// [`ResendError`]. An unknown, ended or foreign challenge is [`ResendError::Rejected`].
    ///
    /// # Cancellation
    /// A dropped call may have used one of the challenge's sends. Once the new code is stored, its
    /// message is sent and settled to the end all the same.
    pub async fn resend(
        &self,
        challenge: &ChallengeId,
        context: impl Into<RequestContext>,
    ) -> Result<Issued, ResendError> {
        self.resend_for(&Tenant::default(), challenge, context, Dispatch::Await)
            .await
    }

    /// Sends a further message for a challenge of a tenant's, waiting for the provider or not.
    ///
    /// # Errors
    /// As [`resend`](Self::resend).
    pub async fn resend_for(
        &self,
        tenant: &Tenant,
        challenge: &ChallengeId,
        context: impl Into<RequestContext>,
        dispatch: Dispatch,
    ) -> Result<Issued, ResendError> {
        let again = self.start_again(tenant, challenge, context.into(), dispatch);
        self.measured(Operation::Resend, Box::pin(again)).await
    }

    async fn start_again(
        &self,
        tenant: &Tenant,
        challenge: &ChallengeId,
        context: RequestContext,
        dispatch: Dispatch,
    ) -> Result<Issued, ResendError> {
        let policy = self.policy();
        let keys = self.inner.keys.snapshot();
        // The limits of a resend are those of the challenge's own destination, so it is read
        // first; what is decided is decided in the admission, on the challenge as it is then.
        let known = self.inner.store.find(challenge).await?;
        let known = known.filter(|known| known.tenant == *tenant);
        let known_to = match &known {
            Some(known) => addressees(&keys, known)?,
            None => Addressees::default(),
        };
        let (addresses, locale) = (known_to.addresses, known_to.locale);
        let linked = match (known_to.link, self.links()) {
            (Some(_), Some(_)) => Linked::Yes,
            _ => Linked::No,
        };
        let ways = match &known {
            Some(known) => self.ways_of(&policy, known, &addresses)?,
            None => Vec::new(),
        };
        let channel = ways.first().map(|way| way.channel);
        let destination = channel.and_then(|channel| address(&addresses, channel));
        let destination_key = match (destination, &known) {
            // Of an address after the first, which the challenge does not go by.
            (Some(other), Some(_)) if addresses.first() != Some(other) => {
                Some(SubjectKey::of_destination(other))
            }
            (_, known) => known.as_ref().map(|known| known.destination_key.clone()),
        };
        let event = Event::new(EventKind::ChallengeResent, tenant)
            .from_request(&context)
            .naming(challenge);
        let event = match &known {
            Some(known) => event.of_challenge(known),
            None => event,
        };
        let event = Event {
            channel,
            destination: destination.map(ToString::to_string).or(event.destination),
            ..event
        };
        // A decoy's row holds no address, so nothing but a block of it is asked about the address:
        // a resend that is refused for its number would tell a person from a decoy. The start was
        // judged by it.
        let request = GateRequest {
            operation: Operation::Resend,
            tenant,
            subject: known.as_ref().map(|known| &known.subject),
            destination: None,
            destination_key: destination_key.as_ref(),
            channel,
            purpose: known.as_ref().map(|known| &known.purpose),
            lane: known.as_ref().map(|known| known.lane).unwrap_or_default(),
            context: &context,
            policy: &policy,
        };
        let mut wants = self.wants(&request, &event).await?;
        if let Some(destination) = destination {
            let allowed = policy.allow_list();
            allowed.add_blocks_of(destination, &mut wants.blocks);
        }
        let slot = self.inner.hasher.reserve()?;
        let place = self.inner.outbound.reserve(dispatch)?;
        let charged = charged(&wants, &ways);
        let step = resend_step(&policy, tenant, challenge, &context);
        let admitted = self
            .admit_resend(&request, wants, step, known.as_ref(), event)
            .await?;
        let (mut challenge, event) = (admitted.challenge, admitted.event);
        let keys = keys.begun_with(&challenge.key_id);
        let Some(first) = ways.first() else {
            return Err(ResendError::NoRoute(challenge.channel));
        };
        let proof = admitted.proof;
        let message = GateRequest {
            destination,
            ..request
        };
        let booking = self.booked(&message, admitted.now);
        let context = proof.in_context(&context);
        let before = challenge.clone();
        challenge.channel = first.channel;
        let enclosure = self.enclosed_again(&policy, &keys, &mut challenge, linked)?;
        challenge.key_id = *keys.current().id();
        challenge.digest = self
            .digest(slot, &keys, &challenge, &enclosure)
            .await
            .map_err(|error| ResendError::Unavailable(Unavailable::because(error)))?;
        let custody = self
            .custody_again(&keys, first, &ways, before, &mut challenge)
            .await?;
        let standing = Custody::standing(custody.as_deref(), &challenge);
        let lets = |way: &Way, to: &Destination| Custody::lets(custody.as_deref(), way, to);
        let issued = Issued::of(&challenge);
        let life = challenge.expires_at.since(admitted.now);
        let onward = Onward::plan(
            &standing,
            &context,
            (Operation::Resend, linked),
            &policy,
            charged,
            after_the_first(&ways, |channel| address(&addresses, channel))
                .filter(|(way, to)| lets(way, to)),
        );
        let to = destination.filter(|to| lets(first, to)).cloned();
        let masked = to.as_ref().map(Destination::masked);
        let parcel = Parcel::new(&challenge, enclosure, to, first, &context, life)
            .shown_as(masked)
            .in_locale(locale)
            .in_custody(custody)
            .or_onward(onward);
        self.inner
            .store
            .reissue(Reissue {
                challenge: challenge.id,
                channel: standing.channel,
                key_id: standing.key_id,
                digest: standing.digest,
                sealed_code: standing.sealed_code,
                delivery: Some(parcel.intent(&challenge)),
                event: event.clone(),
            })
            .await
            .map_err(over)?;
        booking.keep();
        self.observe(&event);
        self.dispatch(place, parcel, issued, None)
            .await
            .map_err(|not_sent| ResendError::NotSent(Box::new(not_sent)))
    }

    /// Lists the channels that a further message may go over, from the one that the challenge's
    /// latest message went over.
    fn ways_of(
        &self,
        policy: &Policy,
        known: &Challenge,
        addresses: &[Destination],
    ) -> Result<Vec<Way>, ResendError> {
        let kind = known.channel.destination_kind();
        let ways = self.inner.routes.ways(Start::At(known.channel), |channel| {
            if !policy.channels().is_on(channel) {
                false
            } else if known.is_decoy() {
                channel.destination_kind() == kind
            } else {
                address(addresses, channel).is_some()
            }
        });
        if ways.is_empty() {
            return Err(ResendError::NoRoute(known.channel));
        }
        Ok(ways)
    }

    /// Reserves a send. Where somebody outside is asked, that is done before, about a challenge
    /// that would have one: a captcha that is wanted uses up nothing.
    async fn admit_resend(
        &self,
        request: &GateRequest<'_>,
        mut wants: Wants,
        step: Step,
        known: Option<&Challenge>,
        event: Event,
    ) -> Result<Reserved, ResendError> {
        let outside = known.filter(|_| self.asks_outside());
        let (Some(known), Step::Resend { claim, .. }) = (outside, &step) else {
            let admitted = self.admit(request, wants, step, event).await?;
            let (now, event) = (admitted.now, admitted.event);
            let challenge = self.reserved(Some(admitted.granted), &event).await?;
            return Ok(Reserved {
                now,
                challenge,
                proof: Proof::NotAsked,
                event,
            });
        };
        let later = self.hold_back(&mut wants);
        let admitted = self.admit(request, wants, Step::Nothing, event).await?;
        let (now, event) = (admitted.now, admitted.event);
        let outcome = known.judge_resend(claim, now);
        self.granted(outcome, known.clone(), &event).await?;
        let asking = (now, admitted.step_up);
        let (proof, admission) = self
            .ask_then_charge(request, asking, (later, step), &event)
            .await?;
        let granted = admission.and_then(|admission| admission.granted);
        let challenge = self.reserved(granted, &event).await?;
        Ok(Reserved {
            now,
            challenge,
            proof,
            event,
        })
    }

    async fn reserved(
        &self,
        granted: Option<Granted>,
        event: &Event,
    ) -> Result<Challenge, ResendError> {
        match granted {
            Some(Granted::Resend(outcome, challenge)) => {
                self.granted(outcome, *challenge, event).await
            }
            _ => Err(self.refused(event, Refusal::Unknown.name()).await),
        }
    }

    async fn granted(
        &self,
        outcome: ResendOutcome,
        challenge: Challenge,
        event: &Event,
    ) -> Result<Challenge, ResendError> {
        match outcome {
            ResendOutcome::Reserved => Ok(challenge),
            ResendOutcome::Wait(wait) => {
                drop(self.refused(event, "cooldown").await);
                Err(ResendError::TooEarly(Throttled::until(wait)))
            }
            ResendOutcome::NoneLeft => {
                drop(self.refused(event, "sends_exhausted").await);
                Err(ResendError::NoneLeft)
            }
            ResendOutcome::Refused(refusal) => Err(self.refused(event, refusal.name()).await),
        }
    }

    async fn refused(&self, event: &Event, reason: &'static str) -> ResendError {
        let refused = event.clone().with_outcome(Outcome::Refused, reason);
        match self.record(refused).await {
            Ok(()) => ResendError::Rejected,
            Err(error) => error.into(),
        }
    }

    /// Gives what a further message carries: a fresh code and link, or the sealed ones where policy
    /// keeps them.
    fn enclosed_again(
        &self,
        policy: &Policy,
        keys: &KeySet,
        challenge: &mut Challenge,
        linked: Linked,
    ) -> Result<Enclosure, ResendError> {
        if policy.resend_code() == ResendCode::Same
            && let Some(kept) = Enclosure::kept(keys, challenge)
        {
            return Ok(kept);
        }
        let enclosure =
            self.enclosure(challenge.format, challenge.id, linked, challenge.channel)?;
        challenge.sealed_code = match policy.resend_code() {
            ResendCode::Same if !challenge.is_decoy() => {
                let sealed = self.sealed(keys, challenge, &enclosure);
                Some(
                    sealed
                        .map_err(|error| ResendError::Unavailable(Unavailable::because(error)))?,
                )
            }
            _ => None,
        };
        Ok(enclosure)
    }
}

/// Opens whom the messages of a challenge go to, and how; of a decoy that is nobody.
fn addressees(keys: &KeySet, known: &Challenge) -> Result<Addressees, ResendError> {
    match opened_all(keys, known) {
        Some(opened) => Ok(opened),
        None if known.is_decoy() => Ok(Addressees::default()),
        // Its key is retired: nobody could be told what was sent, so nothing is.
        None => Err(ResendError::Unavailable(Unavailable::because(
            "the destination of a live challenge does not open",
        ))),
    }
}

fn address(addresses: &[Destination], channel: Channel) -> Option<&Destination> {
    addresses
        .iter()
        .find(|address| channel.fits(address).is_ok())
}

/// A challenge that ended while its new code was made takes none.
fn over(error: StoreError) -> ResendError {
    match error.kind() {
        StoreErrorKind::Invalid => ResendError::Rejected,
        _ => error.into(),
    }
}

fn resend_step(
    policy: &Policy,
    tenant: &Tenant,
    challenge: &ChallengeId,
    context: &RequestContext,
) -> Step {
    let limits = policy.limits();
    Step::Resend {
        challenge: *challenge,
        claim: ResendClaim {
            tenant: tenant.clone(),
            binding: context.binding().cloned(),
            send_limit: limits.sends(),
            cooldowns: limits.cooldowns().to_vec(),
        },
        rules: limits.budget().clone(),
    }
}

impl From<Turned> for ResendError {
    fn from(turned: Turned) -> Self {
        match turned {
            Turned::Away(denial) => denial.into(),
            Turned::Store(error) => error.into(),
            Turned::Silence(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<RandomError> for ResendError {
    fn from(error: RandomError) -> Self {
        Self::Unavailable(Unavailable::because(error))
    }
}
