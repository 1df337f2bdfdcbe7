//! The alarm for codes that are guessed at many accounts: who raises it, and what it asks of a start.

use std::borrow::Cow;

use super::lock;
use crate::challenge::CodeFormat;
use crate::event::{Event, EventKind, Outcome};
use crate::policy::{FleetAlarm, Policy};
use crate::request::Tenant;
use crate::store::StoreError;
use crate::verifier::Verifier;

impl Verifier {
    /// Says whether codes are being guessed at many accounts, as far as this instance sees.
    #[must_use]
    pub fn is_fleet_alarmed(&self) -> bool {
        let (policy, now) = (self.policy(), self.inner.clock.now());
        let fleet = lock(&self.inner.guard.fleet);
        fleet.model.is_alarmed(policy.fleet_alarm(), now)
    }

    /// Counts codes that were tried, over all accounts.
    pub(in crate::verifier) fn guard_tried(&self, event: &Event) {
        if event.kind != EventKind::ValidationAttempt {
            return;
        }
        let now = self.inner.clock.now();
        let mut fleet = lock(&self.inner.guard.fleet);
        match (event.outcome, event.reason.as_deref()) {
            (Outcome::Success, None) => fleet.model.on_right(now),
            (Outcome::Refused, Some("invalid_otp")) => fleet.model.on_wrong(now),
            _ => {}
        }
    }

    /// Says what a new challenge needs while codes are guessed at many accounts, if they are. The
    /// beginning and the end are events.
    pub(in crate::verifier) async fn alarm<'a>(
        &self,
        policy: &'a Policy,
        tenant: &Tenant,
    ) -> Result<Option<&'a FleetAlarm>, StoreError> {
        let rules = policy.fleet_alarm();
        let now = self.inner.clock.now();
        let (raised, changed) = {
            let mut fleet = lock(&self.inner.guard.fleet);
            let raised = fleet.model.is_alarmed(rules, now);
            let before = std::mem::replace(&mut fleet.raised, raised);
            (raised, before != raised)
        };
        if changed {
            let told = if raised { "raised" } else { "ended" };
            tracing::warn!(target: "otp_kit", "the alarm for guesses at many accounts has {told}");
            let alarm = Event::new(EventKind::FleetAlarm, tenant);
            let alarm = alarm.with_outcome(Outcome::Success, told);
            if Box::pin(self.record(alarm)).await.is_err() {
                lock(&self.inner.guard.fleet).raised = !raised;
                tracing::warn!(target: "otp_kit", "an alarm could not be recorded yet");
            }
        }
        Ok(raised.then_some(rules))
    }

    /// Says why a start needs a captcha for the alarm; nobody does where none can be solved.
    pub(in crate::verifier) fn captcha_by_alarm(
        &self,
        alarm: Option<&FleetAlarm>,
    ) -> Option<Cow<'static, str>> {
        alarm.and(self.inner.captcha.as_ref())?;
        Some("fleet_alarm".into())
    }

    /// Makes a code longer for the alarm.
    pub(in crate::verifier) fn longer(
        &self,
        format: CodeFormat,
        alarm: Option<&FleetAlarm>,
    ) -> CodeFormat {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if self.inner.fixed_code.is_some() {
            return format;
        }
        let Some(alarm) = alarm else {
            return format;
        };
        let length = format.length().saturating_add(alarm.codes_longer_by());
        match CodeFormat::of(format.alphabet(), length) {
            Ok(longer) => longer.with_separators(format.separators()),
            Err(_) => format,
        }
    }
}
