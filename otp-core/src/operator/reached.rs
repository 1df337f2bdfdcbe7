//! Who was reached by a message, or signed in, after a time.

use std::collections::HashMap;

use super::records;
use crate::clock::Timestamp;
use crate::event::{Event, EventKind, Outcome};
use crate::request::{SubjectKey, Tenant};
use crate::store::{Delivery, Store, StoreError};

/// What is known of everybody, from the records that the outbox still has.
#[derive(Debug, Default)]
pub(super) struct Reached(HashMap<SubjectKey, Latest>);

#[derive(Debug, Default)]
struct Latest {
    signed_in: Option<Timestamp>,
    /// The latest message that a provider took, with the fingerprint of its challenge.
    sent: Option<(Timestamp, Option<String>)>,
}

impl Reached {
    pub(super) async fn read(
        store: &dyn Store,
        tenant: &Tenant,
        from: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut reached = Self::default();
        let see = |event: Event| {
            if event.tenant == *tenant {
                reached.see(event);
            }
        };
        records::since(store, from, see).await?;
        Ok(reached)
    }

    fn see(&mut self, event: Event) {
        let (Some(subject), Outcome::Success) = (event.subject, event.outcome) else {
            return;
        };
        match event.kind {
            EventKind::CodeSent => {
                let latest = self.0.entry(subject).or_default();
                if latest.sent.as_ref().is_none_or(|(at, _)| *at <= event.at) {
                    latest.sent = Some((event.at, event.challenge));
                }
            }
            EventKind::ValidationAttempt => {
                let latest = self.0.entry(subject).or_default();
                latest.signed_in = latest.signed_in.max(Some(event.at));
            }
            _ => {}
        }
    }

    /// Says whether somebody was reached after a message to them failed. The message's own
    /// acceptance is none: a vendor reported later that it had failed.
    pub(super) fn since(&self, failed: &Delivery) -> bool {
        let Some(latest) = self.0.get(&failed.subject) else {
            return false;
        };
        let signed_in = latest.signed_in > Some(failed.created_at);
        let sent = latest.sent.as_ref().is_some_and(|(at, challenge)| {
            let own = *challenge == Some(failed.challenge.fingerprint());
            let after = if own {
                failed.updated_at
            } else {
                failed.created_at
            };
            *at > after
        });
        signed_in || sent
    }
}
