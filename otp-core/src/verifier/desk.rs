//! What every use case does at the door: gather the gates' plans, have the store carry them out,
//! and let the gates judge.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::guarded::Booking;
use super::{Unavailable, Verifier};
use crate::event::{Event, EventKind, Outcome};
use crate::gate::{Denial, GateRequest, Operation, Wants};
use crate::policy::Told;
use crate::store::{Admission, Granted, Plan, Step, StoreError};

/// Why a request did not get past the door.
#[derive(Debug)]
pub(super) enum Turned {
    Away(Denial),
    Store(StoreError),
    /// Somebody outside said nothing, and that means a refusal.
    Silence(Unavailable),
}

impl From<StoreError> for Turned {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A request that got past the door.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) now: crate::clock::Timestamp,
    pub(super) granted: Granted,
    /// Why whoever asks should prove to be a person.
    pub(super) step_up: Option<Cow<'static, str>>,
    /// The message, where the toll-fraud guard counts one.
    pub(super) booking: Booking,
    /// Why the message of a start is kept back, which whoever asks is not told.
    pub(super) kept_back: Option<KeptBack>,
    /// The request's event, at that time.
    pub(super) event: Event,
}

/// Why a message is kept back.
#[derive(Debug)]
pub(super) struct KeptBack {
    pub(super) why: Cow<'static, str>,
    /// Whether the refusal has a record of its own already; else the start's says it.
    pub(super) recorded: bool,
}

/// What whoever asks is told of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Telling {
    All,
    /// Nothing: the message is kept back instead.
    Nothing,
}

impl Verifier {
    /// Asks every gate what it wants; a gate may refuse by the request alone.
    pub(super) async fn wants(
        &self,
        request: &GateRequest<'_>,
        event: &Event,
    ) -> Result<Wants, Turned> {
        self.wants_with(None, request, event).await
    }

    /// Asks every gate what it wants, of a request that the policy wants a captcha of.
    pub(super) async fn wants_with(
        &self,
        step_up: Option<Cow<'static, str>>,
        request: &GateRequest<'_>,
        event: &Event,
    ) -> Result<Wants, Turned> {
        match self.planned(step_up, request) {
            (wants, None) => Ok(wants),
            (wants, Some(denial)) => {
                let refused = Box::pin(self.refused_at_sight(request, wants, denial, event));
                Err(refused.await?)
            }
        }
    }

    /// Asks every gate what it wants, and says what stands against the request by itself.
    pub(super) fn planned(
        &self,
        step_up: Option<Cow<'static, str>>,
        request: &GateRequest<'_>,
    ) -> (Wants, Option<Denial>) {
        let mut wants = Wants::default();
        let mut denied = None;
        for gate in &self.inner.gates {
            if let Err(denial) = gate.plan(request, &mut wants)
                && let Err(denial) = self.unless_shown(request, denial, &mut wants.step_up)
            {
                denied.get_or_insert(denial);
            }
        }
        if let Some(reason) = step_up
            && let Err(denial) =
                self.unless_shown(request, Denial::StepUp(reason), &mut wants.step_up)
        {
            denied.get_or_insert(denial);
        }
        (wants, denied)
    }

    /// Refuses by the request alone. Whoever asks is charged for asking all the same, so that
    /// refusals are no free way to fill the audit log.
    async fn refused_at_sight(
        &self,
        request: &GateRequest<'_>,
        wants: Wants,
        denial: Denial,
        event: &Event,
    ) -> Result<Turned, StoreError> {
        let plan = Plan {
            blocks: Vec::new(),
            quotas: wants.quotas,
            step: Step::Nothing,
            event: event.clone(),
        };
        let plan = Plan {
            quotas: plan.quotas_of_requester(),
            ..plan
        };
        let admission = self.inner.store.admit(&plan).await?;
        let limited = admission.findings.objection().is_some();
        let denial = if limited {
            Denial::Limited(admission.findings.quotas.clone())
        } else {
            denial
        };
        self.turned_away(request, &admission, &denial, event.clone())
            .await?;
        Ok(Turned::Away(denial))
    }

    /// Has the store carry the plan out, and lets the gates judge.
    pub(super) fn admit(
        &self,
        request: &GateRequest<'_>,
        wants: Wants,
        step: Step,
        event: Event,
    ) -> impl Future<Output = Result<Admitted, Turned>> + Send {
        self.carried_out(request, wants, (step, event), Telling::All)
    }

    /// Has the store carry the plan out, and lets the gates judge; whoever may not have a message is
    /// admitted, with that kept back.
    pub(super) fn admit_untold(
        &self,
        request: &GateRequest<'_>,
        wants: Wants,
        step: Step,
        event: Event,
    ) -> impl Future<Output = Result<Admitted, Turned>> + Send {
        self.carried_out(request, wants, (step, event), Telling::Nothing)
    }

    async fn carried_out(
        &self,
        request: &GateRequest<'_>,
        wants: Wants,
        (step, event): (Step, Event),
        telling: Telling,
    ) -> Result<Admitted, Turned> {
        let mut step_up = wants.step_up;
        let plan = Plan {
            blocks: wants.blocks,
            quotas: wants.quotas,
            step,
            event,
        };
        let admitting = self.inner.store.admit(&plan);
        let (admission, fleet) = self.beside_figures(request, admitting).await;
        let admission = admission?;
        let mut gates = self.inner.gates.iter();
        let judged = gates.try_for_each(|gate| {
            let judged = gate.judge(request, &admission);
            judged.or_else(|denial| self.unless_shown(request, denial, &mut step_up))
        });
        let mut kept_back = None;
        let (booking, judged) = match judged {
            Ok(()) => {
                let guarded = self.guarded(request, &admission, &fleet, &plan.event);
                let (booking, judged) = guarded.await?;
                let unless = |denial| self.unless_shown(request, denial, &mut step_up);
                match judged.or_else(unless) {
                    Err(denial)
                        if telling == Telling::Nothing
                            || is_untold(request, &admission, &denial) =>
                    {
                        kept_back = Some(KeptBack::for_now(&denial));
                        (Booking::nothing(), Ok(()))
                    }
                    judged => (booking, judged),
                }
            }
            Err(denial) if telling == Telling::Nothing => {
                let recorded = admission.findings.objection().is_some();
                if recorded {
                    self.told_of(request, &admission, &denial, plan.event.clone());
                }
                let why = denial.reason();
                kept_back = Some(KeptBack { why, recorded });
                (Booking::nothing(), Ok(()))
            }
            Err(denial) => (Booking::nothing(), Err(denial)),
        };
        if let Err(denial) = judged {
            // A gate of the host's may deny what the store has granted.
            if let (Some(Granted::Issue), Some(claim)) = (&admission.granted, plan.step.key()) {
                self.inner.store.release(claim).await?;
            }
            let away = self.turned_away(request, &admission, &denial, plan.event);
            Box::pin(away).await?;
            return Err(Turned::Away(denial));
        }
        let now = admission.now;
        let granted = match &kept_back {
            Some(_) => Some(Granted::Issue),
            None => admission.granted,
        };
        let objection = admission.findings.objection();
        match (granted, objection.filter(|_| kept_back.is_none())) {
            (Some(granted), None) => Ok(Admitted {
                now,
                granted,
                step_up,
                booking,
                kept_back,
                event: plan.event.at(now),
            }),
            // The store refused for something that no gate of this verifier judges.
            _ => Err(Turned::Away(Denial::Other("refused".into()))),
        }
    }

    /// Makes a refusal known. The store has the record already where the refusal was its own.
    pub(super) async fn turned_away(
        &self,
        request: &GateRequest<'_>,
        admission: &Admission,
        denial: &Denial,
        event: Event,
    ) -> Result<(), StoreError> {
        if admission.findings.objection().is_none() {
            let refused = refusal(admission, denial, event.clone());
            self.inner.store.append(refused).await?;
        }
        self.told_of(request, admission, denial, event);
        Ok(())
    }

    /// Shows a refusal that is in the store.
    pub(super) fn told_of(
        &self,
        request: &GateRequest<'_>,
        admission: &Admission,
        denial: &Denial,
        event: Event,
    ) {
        let refused = refusal(admission, denial, event);
        self.observe(&refused);
        if matches!(denial, Denial::Locked(_)) {
            tracing::warn!(
                target: "otp_kit",
                operation = request.operation.name(),
                "Account temporarily locked"
            );
        }
        if matches!(denial, Denial::Limited(_)) {
            let mut exceeded = refused;
            exceeded.kind = EventKind::RateLimitExceeded;
            self.observe(&exceeded);
            tracing::warn!(
                target: "otp_kit",
                operation = request.operation.name(),
                reason = %denial.reason(),
                "Rate limit exceeded"
            );
        }
    }

    /// Shows an event to every observer; one that panics does not harm the request.
    pub(crate) fn observe(&self, event: &Event) {
        self.guard_tried(event);
        for observer in &self.inner.observers {
            let seen = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
            if seen.is_err() {
                tracing::error!(target: "otp_kit", "an observer panicked");
            }
        }
    }

    /// Adds a record that no store intent carries, and shows it.
    pub(crate) async fn record(&self, event: Event) -> Result<(), StoreError> {
        self.inner.store.append(event.clone()).await?;
        self.observe(&event);
        Ok(())
    }
}

impl KeptBack {
    /// Of a refusal that the start's own record says.
    pub(super) fn for_now(denial: &Denial) -> Self {
        Self {
            why: denial.reason(),
            recorded: false,
        }
    }
}

fn refusal(admission: &Admission, denial: &Denial, event: Event) -> Event {
    event
        .at(admission.now)
        .with_outcome(Outcome::Refused, denial.reason())
}

/// Says whether the guard keeps a message back without a word. A captcha is asked for aloud: of
/// everybody alike.
fn is_untold(request: &GateRequest<'_>, admission: &Admission, denial: &Denial) -> bool {
    request.policy.toll_fraud().told() == Told::Nothing
        && matches!(admission.granted, Some(Granted::Issue))
        && !matches!(denial, Denial::CaptchaRequired)
}

impl Operation {
    pub(super) const fn event(self) -> EventKind {
        match self {
            Self::Issue => EventKind::ChallengeIssued,
            Self::Resend => EventKind::ChallengeResent,
            Self::Verify | Self::Change => EventKind::ValidationAttempt,
        }
    }
}
