//! What the audit log has of changes: between which versions, by whom and why.

use std::sync::Arc;

use tokio::runtime::Handle;

use crate::event::{Act, Event, EventKind, Outcome};
use crate::policy::{Ended, Exception, Fallen, Override};
use crate::request::Tenant;
use crate::verifier::Verifier;

/// Says what changed, and whose doing it is.
pub(super) fn event(kind: EventKind, what: String, act: &Arc<Act>) -> Event {
    Event::new(kind, &Tenant::default())
        .with_outcome(Outcome::Success, what)
        .by(act)
}

/// Says what is overridden, or no longer.
pub(super) fn of_override(kind: EventKind, one: &Override, act: &Arc<Act>) -> Event {
    let event = event(kind, format!("{} {}", one.id(), one.exception()), act);
    match one.exception() {
        Exception::Vip(vip) => Event {
            tenant: vip.tenant().clone(),
            ..event.about(vip.whom())
        },
        _ => event,
    }
}

/// Says that an override ended by itself; every instance says it in the same record.
pub(super) fn of_end(one: &Ended) -> Event {
    let event = of_override(EventKind::OverrideEnded, one, one.act());
    let what = format!("{} {} expired", one.id(), one.exception());
    let event = event.with_outcome(Outcome::Success, what);
    Event {
        id: one.id().end_event().unwrap_or(event.id),
        ..event
    }
}

impl Verifier {
    /// Shows that overrides ended by themselves and has it recorded; of the fleet's, which seem to
    /// have, the store is asked.
    pub(super) fn announce(&self, fallen: &Fallen) {
        let events = self.seen_to_end(&fallen.ended);
        self.inner.policies.keep(events);
        // Outside of a runtime the next change or poll does it.
        if let Ok(runtime) = Handle::try_current() {
            let (verifier, asks) = (self.clone(), fallen.asks);
            drop(runtime.spawn(async move {
                if asks && let Err(error) = verifier.follow_overrides().await {
                    tracing::warn!(target: "otp_kit", %error, "an override's end is not known yet");
                }
                verifier.record_ends().await;
            }));
        }
    }

    /// Records ends; what the store does not take waits for the next time.
    pub(super) async fn record_ends(&self) {
        let shelf = &self.inner.policies;
        let mut events = shelf.unrecorded().into_iter();
        while let Some(event) = events.next() {
            if self.inner.store.append(event.clone()).await.is_err() {
                tracing::warn!(target: "otp_kit", "the end of an override is not recorded yet");
                shelf.keep(std::iter::once(event).chain(events));
                return;
            }
        }
    }
}
