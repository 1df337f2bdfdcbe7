use std::collections::BTreeMap;
use std::time::Duration;

use super::attackers::{Attackers, Watch};
use super::effect::Count;
use super::{Operator, records};
use crate::audit::Export;
use crate::clock::Timestamp;
use crate::event::{Event, EventKind, Outcome};
use crate::store::OutboxEntry;
use crate::verifier::Unavailable;

/// The most entries of the blocklist that are counted.
const BLOCKS: usize = 10_000;
/// The most different reasons that are told apart.
const REASONS: usize = 200;

/// What happened lately, for a first look.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Overview {
    /// When it was looked, by the store's clock.
    pub now: Timestamp,
    /// How many records there are of each kind and outcome.
    pub counts: BTreeMap<(&'static str, &'static str), u64>,
    /// How often each reason refused or failed something; what follows a colon is cut away.
    pub reasons: BTreeMap<String, u64>,
    /// Who was refused most.
    pub attackers: Attackers,
    /// How many entries the blocklist has.
    pub blocks: Count,
}

impl Overview {
    /// What is known while the store does not answer: nothing, and it says that it is not complete.
    #[must_use]
    pub fn unknown(now: Timestamp) -> Self {
        Self {
            now,
            counts: BTreeMap::new(),
            reasons: BTreeMap::new(),
            attackers: Attackers::default(),
            blocks: Count::AtLeast(0),
        }
    }

    /// Says how many records there are of a kind and an outcome.
    #[must_use]
    pub fn of(&self, kind: EventKind, outcome: Outcome) -> u64 {
        let key = (kind.name(), outcome.name());
        self.counts.get(&key).copied().unwrap_or_default()
    }

    /// Says how often a reason refused or failed something.
    #[must_use]
    pub fn because(&self, reason: &str) -> u64 {
        self.reasons.get(reason).copied().unwrap_or_default()
    }

    /// Says how many messages a provider took and no report has come of that they failed.
    #[must_use]
    pub fn sent_and_not_failed(&self) -> u64 {
        let sent = self.of(EventKind::CodeSent, Outcome::Success);
        sent.saturating_sub(self.of(EventKind::DeliveryReported, Outcome::Failed))
    }

    /// Says how many messages no provider took, or nobody knows of.
    #[must_use]
    pub fn not_sent(&self) -> u64 {
        let counts = self.counts.iter();
        let failed = counts.filter(|((kind, _), _)| *kind == EventKind::CodeNotSent.name());
        failed.map(|(_, count)| count).sum()
    }

    /// Says how many requests met a limit.
    #[must_use]
    pub fn limited(&self) -> u64 {
        let reasons = self.reasons.iter();
        let limits = reasons.filter(|(reason, _)| reason.starts_with("quota"));
        limits.map(|(_, count)| count).sum()
    }

    fn see(&mut self, event: &Event) {
        let key = (event.kind.name(), event.outcome.name());
        let count = self.counts.entry(key).or_default();
        *count = count.saturating_add(1);
        let reason = event.reason.as_deref().unwrap_or_default();
        let reason = reason.split(':').next().unwrap_or_default();
        let known = self.reasons.contains_key(reason) || self.reasons.len() < REASONS;
        if event.outcome != Outcome::Success && !reason.is_empty() && known {
            let count = self.reasons.entry(reason.to_owned()).or_default();
            *count = count.saturating_add(1);
        }
    }
}

impl Operator {
    /// Sums up what happened within a time, from the records that the outbox still has: what was
    /// sent, verified and refused, why, and by whom.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn overview(&self, within: Duration, top: usize) -> Result<Overview, Unavailable> {
        self.note_look(self.look("overview")).await?;
        let now = self.store().ping().await?;
        let blocks = self.store().blocks(BLOCKS).await?.len();
        let mut watch = Watch::default();
        let mut overview = Overview {
            now,
            counts: BTreeMap::new(),
            reasons: BTreeMap::new(),
            attackers: Attackers::default(),
            blocks: match u64::try_from(blocks).unwrap_or(u64::MAX) {
                many if blocks == BLOCKS => Count::AtLeast(many),
                all => Count::Exactly(all),
            },
        };
        let see = |event: Event| {
            if event.tenant == self.tenant {
                watch.see(&event);
                overview.see(&event);
            }
        };
        let reach = records::since(self.store(), now.saturating_sub(within), see).await?;
        overview.attackers = watch.told(top, reach);
        Ok(overview)
    }

    /// Reads records of the audit outbox after a place, oldest first, of all tenants. What was
    /// acknowledged may be gone from it.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn records(
        &self,
        after: Option<u64>,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>, Unavailable> {
        self.note_look(self.look("export_audit")).await?;
        Ok(self.store().outbox(after, limit).await?)
    }

    /// Exports records with their chain after a place, oldest first, of all tenants, as
    /// [`Sealer::export`](crate::audit::Sealer::export) does; `None` where the verifier was built
    /// without a sealer.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn export(
        &self,
        after: Option<u64>,
        limit: Option<usize>,
    ) -> Result<Option<Export>, Unavailable> {
        let Some(sealer) = self.verifier.sealer() else {
            return Ok(None);
        };
        self.note_look(self.look("export_audit")).await?;
        let export = sealer.export(after, limit, self.verifier.now());
        Ok(Some(export.await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_vendor_took_and_reported_as_failed_was_not_delivered() {
        let mut overview = Overview::unknown(Timestamp::UNIX_EPOCH);
        let counts = [
            (EventKind::CodeSent, Outcome::Success, 4),
            (EventKind::DeliveryReported, Outcome::Failed, 3),
            (EventKind::DeliveryReported, Outcome::Success, 1),
            (EventKind::CodeNotSent, Outcome::Failed, 2),
        ];
        for (kind, outcome, count) in counts {
            let key = (kind.name(), outcome.name());
            overview.counts.insert(key, count);
        }
        assert_eq!(
            (overview.sent_and_not_failed(), overview.not_sent()),
            (1, 2)
        );
        let late = (EventKind::DeliveryReported.name(), Outcome::Failed.name());
        overview.counts.insert(late, 9);
        assert_eq!(
            overview.sent_and_not_failed(),
            0,
            "reports of earlier messages"
        );
    }
}
