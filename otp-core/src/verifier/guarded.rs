//! The guard's place in a request: it judges what the gates have admitted, books the message, and
//! hears what became of it.

mod alarm;
mod shared;

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tracing::Instrument as _;

use super::{Verifier, nobody};
use crate::challenge::{Challenge, Lane};
use crate::clock::Timestamp;
use crate::delivery::DispatchCertainty;
use crate::destination::{Channel, Destination, DestinationKind, PhoneNumber};
use crate::event::{Event, EventKind, Outcome};
use crate::gate::{Denial, GateRequest, Operation};
use crate::guard::{Action, Exemption, FleetFigures, FleetModel, GuardModel, Sending, Verdict};
use crate::policy::{GuardMode, Told, TollFraud};
use crate::quota::ClientAddress;
use crate::request::{RequestContext, SubjectKey, Tenant};
use crate::store::{Admission, Granted, StoreError};

/// By when a start is answered after the guard has judged it: what is left is a digest and a row.
const ANSWERED_IN: Duration = Duration::from_millis(50);
/// The suspicions that are remembered for the operator.
const REMEMBERED: usize = 256;

/// What the guard knows, shared by every request of this verifier.
#[derive(Debug, Default)]
pub(super) struct Guard {
    model: Mutex<GuardModel>,
    fleet: Mutex<FleetAlarmState>,
    suspicions: Mutex<VecDeque<Suspicion>>,
    counting: Arc<shared::Counting>,
}

#[derive(Debug, Default)]
struct FleetAlarmState {
    model: FleetModel,
    raised: bool,
}

/// A message that the toll-fraud guard had something against.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Suspicion {
    /// When, by the store's clock.
    pub at: SystemTime,
    /// Whose message it was.
    pub tenant: Tenant,
    /// What was done with the verdict: in shadow mode, nothing.
    pub mode: GuardMode,
    /// The verdict and its reasons.
    pub verdict: Verdict,
}

/// A message that is counted as sent, from its admission on. Where the request ends before the
/// message is on its way, by an error or because the call is dropped, it is taken back.
#[derive(Debug)]
pub(super) struct Booking(Option<Booked>);

#[derive(Debug)]
struct Booked {
    guard: Arc<Guard>,
    message: Owned,
    at: Timestamp,
    counted: bool,
}

/// What a [`Sending`] borrows.
#[derive(Debug)]
struct Owned {
    tenant: Tenant,
    subject: Option<SubjectKey>,
    phone: PhoneNumber,
    number: SubjectKey,
    address: ClientAddress,
    lane: Lane,
}

impl Owned {
    fn of(request: &GateRequest<'_>, phone: &PhoneNumber) -> Self {
        Self {
            tenant: request.tenant.clone(),
            subject: request.subject.cloned(),
            phone: phone.clone(),
            number: number(phone),
            address: request.context.client_address(),
            lane: request.lane,
        }
    }

    fn as_sending(&self) -> Sending<'_> {
        Sending {
            tenant: &self.tenant,
            subject: self.subject.as_ref(),
            phone: &self.phone,
            number: &self.number,
            address: self.address,
            lane: self.lane,
        }
    }
}

impl Booking {
    pub(super) const fn nothing() -> Self {
        Self(None)
    }

    /// Keeps the count: the message goes.
    pub(super) fn keep(mut self) {
        if let Some(booked) = self.0.take().filter(|booked| !booked.counted) {
            let mut model = lock(&booked.guard.model);
            model.on_sent(&booked.message.as_sending(), booked.at);
        }
    }
}

impl Drop for Booking {
    fn drop(&mut self) {
        if let Some(booked) = self.0.take().filter(|booked| booked.counted) {
            lock(&booked.guard.model).on_not_sent(&booked.message.as_sending());
        }
    }
}

impl Verifier {
    /// Has something done, and beside it asks what the fleet has counted of a message to a phone. Of
    /// a start for nobody it asks as well, about a number that is nobody's: what a store takes to answer
    /// would tell who is known.
    pub(super) async fn beside_figures<T>(
        &self,
        request: &GateRequest<'_>,
        done: impl Future<Output = T>,
    ) -> (T, FleetFigures) {
        let on = request.policy.toll_fraud().mode() != GuardMode::Off;
        match number_to_judge(request) {
            Some(phone) if on && request.operation.sends() => {
                let message = Owned::of(request, phone);
                let sending = message.as_sending();
                let keys = self.inner.keys.snapshot();
                let asked = shared::figures(self.inner.store.as_ref(), &keys, &sending);
                Box::pin(shared::beside(done, asked)).await
            }
            _ => (done.await, FleetFigures::default()),
        }
    }

    /// Judges a message that every gate has admitted, and books it. What the guard has against it
    /// is recorded; in shadow mode that is all.
    pub(super) async fn guarded(
        &self,
        request: &GateRequest<'_>,
        admission: &Admission,
        fleet: &FleetFigures,
        event: &Event,
    ) -> Result<(Booking, Result<(), Denial>), StoreError> {
        let none = (Booking::nothing(), Ok(()));
        let rules = request.policy.toll_fraud();
        let Some(phone) = number_to_judge(request) else {
            return Ok(none);
        };
        if rules.mode() == GuardMode::Off || !sends(request.operation, admission) {
            return Ok(none);
        }
        let allowed = request.destination;
        let allowed = allowed.and_then(|to| request.policy.allow_list().find(to));
        let message = Owned::of(request, phone);
        let now = admission.now;
        let sending = message.as_sending();
        if request.destination.is_none() {
            // Nothing is held against nobody, and finding that out takes as long.
            let _verdict = lock(&self.inner.guard.model).judge(rules, &sending, fleet, now);
            return Ok(none);
        }
        let (verdict, counted) = {
            // Judged and counted under one lock: of callers that race for the last of a budget,
            // one gets it.
            let mut model = lock(&self.inner.guard.model);
            let verdict = match allowed {
                Some(_) => Verdict::exempt(Exemption::Allowed),
                None => model.judge(rules, &sending, fleet, now),
            };
            let verdict = match verdict.exemption {
                // A captcha that only new numbers are asked for would tell which are not.
                Some(Exemption::VerifiedBefore) if self.asks_alike(rules) => {
                    let new = model.judge_as_new(rules, &sending, fleet, now);
                    let asked = new.action == Action::StepUp;
                    if asked { new } else { verdict }
                }
                _ => verdict,
            };
            let goes = rules.mode() == GuardMode::Shadow || verdict.action == Action::Allow;
            if goes {
                model.on_sent(&sending, now);
            }
            (verdict, goes)
        };
        let booking = Booking(Some(Booked {
            guard: Arc::clone(&self.inner.guard),
            message,
            at: now,
            counted,
        }));
        let Some(word) = verdict.word() else {
            return Ok((booking, Ok(())));
        };
        let action = verdict.action;
        let reason = format!("toll_fraud_{word}");
        let judged = match (rules.mode(), action) {
            (GuardMode::Enforce, Action::Deny) => Err(Denial::Other(reason.into())),
            (GuardMode::Enforce, _) => Err(Denial::StepUp(reason.into())),
            _ => Ok(()),
        };
        let outcome = match judged {
            Ok(()) => Outcome::Success,
            Err(_) => Outcome::Refused,
        };
        let told = format!("{}_{}_{word}", rules.mode().name(), action.name());
        let mut suspected = event.clone().at(now).with_outcome(outcome, told);
        suspected.id = crate::event::EventId::next();
        suspected.kind = EventKind::TollFraudSuspected;
        let suspicion = Suspicion {
            at: now.into(),
            tenant: request.tenant.clone(),
            mode: rules.mode(),
            verdict,
        };
        tracing::warn!(
            target: "otp_kit",
            mode = suspicion.mode.name(),
            "toll fraud suspected: {}",
            suspicion.verdict
        );
        self.remember(suspicion);
        self.observe(&suspected);
        // A refusal has a record of its own.
        if judged.is_ok() {
            self.report(suspected);
        }
        Ok((booking, judged))
    }

    /// Records a suspicion that changes nothing, and refuses nobody where it cannot be recorded.
    /// Nobody waits for that but [`Verifier::drain`]: a start for nobody, of whom nothing is suspected,
    /// would be answered a write of the store sooner.
    fn report(&self, suspected: Event) {
        let verifier = self.clone();
        let until_recorded = self.inner.outbound.await_one();
        let report = async move {
            let _until_recorded = until_recorded;
            verifier.inner.outbound.let_answer_ahead(ANSWERED_IN).await;
            if verifier.inner.store.append(suspected).await.is_err() {
                tracing::warn!(target: "otp_kit", "a suspicion could not be recorded");
            }
        };
        drop(tokio::spawn(report.in_current_span()));
    }

    /// Books a message that the guard has nothing to say to: a further one of a challenge whose
    /// start it has judged.
    pub(super) fn booked(&self, request: &GateRequest<'_>, now: Timestamp) -> Booking {
        let Some(Destination::Phone(phone)) = request.destination else {
            return Booking::nothing();
        };
        if request.policy.toll_fraud().mode() == GuardMode::Off {
            return Booking::nothing();
        }
        let message = Owned::of(request, phone);
        lock(&self.inner.guard.model).on_sent(&message.as_sending(), now);
        Booking(Some(Booked {
            guard: Arc::clone(&self.inner.guard),
            message,
            at: now,
            counted: true,
        }))
    }

    /// Hears what became of a message: one that surely did not leave is taken back, every other
    /// is counted for the fleet.
    pub(super) fn guard_sent(
        &self,
        event: &Event,
        phone: Option<&PhoneNumber>,
        left: Result<(), DispatchCertainty>,
    ) {
        let Some(phone) = phone.filter(|_| self.guards()) else {
            return;
        };
        let number = number(phone);
        let sending = Sending {
            tenant: &event.tenant,
            subject: event.subject.as_ref(),
            phone,
            number: &number,
            address: event.address.into(),
            lane: event.lane.unwrap_or_default(),
        };
        let guard = &self.inner.guard;
        if left == Err(DispatchCertainty::NotSent) {
            lock(&guard.model).on_not_sent(&sending);
        } else {
            let keys = self.inner.keys.snapshot();
            guard.counting.sent(&self.inner.store, &keys, &sending);
        }
    }

    /// Counts a code that was right.
    pub(super) fn guard_verified(
        &self,
        challenge: &Challenge,
        destination: &Destination,
        now: Timestamp,
    ) {
        let Destination::Phone(phone) = destination else {
            return;
        };
        if !self.guards() {
            return;
        }
        let number = number(phone);
        let sending = Sending {
            tenant: &challenge.tenant,
            subject: Some(&challenge.subject),
            phone,
            number: &number,
            address: challenge.address.into(),
            lane: challenge.lane,
        };
        let guard = &self.inner.guard;
        lock(&guard.model).on_verified(&sending, now);
        let keys = self.inner.keys.snapshot();
        guard.counting.verified(&self.inner.store, &keys, &sending);
    }

    fn asks_alike(&self, rules: &TollFraud) -> bool {
        let enforces = rules.mode() == GuardMode::Enforce;
        enforces && rules.told() == Told::Nothing && self.inner.captcha.is_some()
    }

    fn guards(&self) -> bool {
        self.policy().toll_fraud().mode() != GuardMode::Off
    }

    fn remember(&self, suspicion: Suspicion) {
        let mut suspicions = lock(&self.inner.guard.suspicions);
        if suspicions.len() >= REMEMBERED {
            suspicions.pop_front();
        }
        suspicions.push_back(suspicion);
    }

    /// Lists what the toll-fraud guard of this instance had something against lately, the oldest
    /// first; at most 256.
    #[must_use]
    pub fn suspicions(&self) -> Vec<Suspicion> {
        let suspicions = lock(&self.inner.guard.suspicions);
        suspicions.iter().cloned().collect()
    }

    /// Says what the toll-fraud guard of this instance would say to a message now, and why, in
    /// whatever mode it is. Nothing is counted and nothing is sent.
    #[must_use]
    pub fn explain_toll_fraud(
        &self,
        tenant: &Tenant,
        phone: &PhoneNumber,
        context: &RequestContext,
    ) -> Verdict {
        let number = number(phone);
        let sending = Sending {
            tenant,
            subject: None,
            phone,
            number: &number,
            address: context.client_address(),
            lane: Lane::Public,
        };
        let (policy, fleet) = (self.policy(), FleetFigures::default());
        if policy.allow_list().find(&phone.clone().into()).is_some() {
            return Verdict::exempt(Exemption::Allowed);
        }
        let now = self.inner.clock.now();
        lock(&self.inner.guard.model).judge(policy.toll_fraud(), &sending, &fleet, now)
    }
}

/// Says whether a message follows from what was granted.
fn sends(operation: Operation, admission: &Admission) -> bool {
    match &admission.granted {
        Some(Granted::Issue) => true,
        // The next channel of a start or resend.
        Some(Granted::Nothing) => operation.sends(),
        _ => false,
    }
}

/// Gives the number that a message is judged by. A start for a name that has no address, over a channel
/// that goes to phones, has a number that is nobody's.
fn number_to_judge<'a>(request: &GateRequest<'a>) -> Option<&'a PhoneNumber> {
    let kind = request.channel.map(Channel::destination_kind);
    let goes_to_phones = kind == Some(DestinationKind::Phone);
    match request.destination {
        Some(Destination::Phone(phone)) => Some(phone),
        None if request.operation == Operation::Issue && goes_to_phones => {
            nobody::address(DestinationKind::Phone)?.as_phone()
        }
        _ => None,
    }
}

fn number(phone: &PhoneNumber) -> SubjectKey {
    SubjectKey::of_destination(&Destination::Phone(phone.clone()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
