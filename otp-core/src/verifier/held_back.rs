//! What a request is charged for last. Where somebody outside may refuse it still, or want a
//! captcha of it, whoever asks pays first, out of quotas of their own: a stranger's tries must not
//! spend the owner's messages.

use std::borrow::Cow;

use super::Verifier;
use super::checks::Proof;
use super::desk::Turned;
use crate::clock::Timestamp;
use crate::event::Event;
use crate::gate::{Denial, GateRequest, Wants};
use crate::quota::{Party, QuotaClaim};
use crate::store::{Admission, Findings, Plan, Step};

impl Verifier {
    /// Says whether anybody outside may be asked about a request.
    pub(super) fn asks_outside(&self) -> bool {
        self.inner.captcha.is_some() || !self.inner.checks.is_empty()
    }

    /// Takes the quotas of whom the request is about out of the first admission.
    pub(super) fn hold_back(&self, wants: &mut Wants) -> Vec<QuotaClaim> {
        if !self.asks_outside() {
            return Vec::new();
        }
        let own = |claim: &QuotaClaim| claim.key.scope().party() == Party::Requester;
        let (own, later) = std::mem::take(&mut wants.quotas).into_iter().partition(own);
        wants.quotas = own;
        later
    }

    /// Asks the outside about a request that would have room, and then takes that room.
    pub(super) async fn ask_then_charge(
        &self,
        request: &GateRequest<'_>,
        (now, step_up): (Timestamp, Option<Cow<'static, str>>),
        (later, step): (Vec<QuotaClaim>, Step),
        event: &Event,
    ) -> Result<(Proof, Option<Admission>), Turned> {
        let nothing_left = later.is_empty() && matches!(step, Step::Nothing);
        if nothing_left && step_up.is_none() && !self.asks_outside() {
            return Ok((Proof::NotAsked, None));
        }
        Box::pin(async move {
            self.room_for(request, &later, now, event).await?;
            let proof = self.ask_outside(request, now, step_up, event).await?;
            if nothing_left {
                return Ok((proof, None));
            }
            let admission = self.charge(request, later, step, event).await?;
            Ok((proof, Some(admission)))
        })
        .await
    }

    /// Refuses what would find no room, before anybody is asked about it.
    async fn room_for(
        &self,
        request: &GateRequest<'_>,
        later: &[QuotaClaim],
        now: Timestamp,
        event: &Event,
    ) -> Result<(), Turned> {
        if later.is_empty() {
            return Ok(());
        }
        let readings = self.inner.store.peek(later).await?;
        if readings
            .iter()
            .all(|reading| reading.retry_after().is_none())
        {
            return Ok(());
        }
        // Nothing was reserved, so the store has no record of it yet.
        let unrecorded = Admission {
            now,
            findings: Findings::default(),
            granted: None,
        };
        let denial = Denial::Limited(readings);
        self.turned_away(request, &unrecorded, &denial, event.clone())
            .await?;
        Err(Turned::Away(denial))
    }

    pub(super) async fn charge(
        &self,
        request: &GateRequest<'_>,
        quotas: Vec<QuotaClaim>,
        step: Step,
        event: &Event,
    ) -> Result<Admission, Turned> {
        let plan = Plan {
            blocks: Vec::new(),
            quotas,
            step,
            event: event.clone(),
        };
        let admission = self.inner.store.admit(&plan).await?;
        if admission.findings.objection().is_none() {
            return Ok(admission);
        }
        let mut gates = self.inner.gates.iter();
        let judged = gates.try_for_each(|gate| gate.judge(request, &admission));
        let denial = judged.err().unwrap_or(Denial::Other("refused".into()));
        self.turned_away(request, &admission, &denial, plan.event)
            .await?;
        Err(Turned::Away(denial))
    }
}
