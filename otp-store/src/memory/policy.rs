use std::collections::VecDeque;

use async_trait::async_trait;
use otp_core::event::Event;
use otp_core::store::{PolicyDocument, PolicyRecord, PolicyStore, Published, StoreError};

use super::{MemoryStore, lock};

/// The versions of a policy, oldest first.
#[derive(Debug, Default)]
pub(super) struct Policies(VecDeque<PolicyRecord>);

impl Policies {
    fn version(&self) -> u64 {
        self.0.back().map_or(0, |record| record.version)
    }

    fn push(&mut self, record: PolicyRecord) {
        let forgotten = PolicyRecord::forgotten(record.version);
        self.0.retain(|kept| kept.version > forgotten);
        self.0.push_back(record);
    }
}

#[async_trait]
impl PolicyStore for MemoryStore {
    async fn publish(
        &self,
        expected: Option<u64>,
        document: PolicyDocument,
        event: Event,
    ) -> Result<Published, StoreError> {
        let at = self.now()?;
        let mut policies = lock(&self.inner.policies);
        let current = policies.version();
        if expected.unwrap_or_default() != current {
            return Ok(Published::Conflict { current });
        }
        let version = current.saturating_add(1);
        policies.push(PolicyRecord {
            version,
            document,
            at,
        });
        self.outbox_lock().push(event.at(at));
        Ok(Published::As(version))
    }

    async fn current(&self) -> Result<Option<PolicyRecord>, StoreError> {
        Ok(lock(&self.inner.policies).0.back().cloned())
    }

    async fn version(&self) -> Result<u64, StoreError> {
        Ok(lock(&self.inner.policies).version())
    }

    async fn history(&self, limit: usize) -> Result<Vec<PolicyRecord>, StoreError> {
        let policies = lock(&self.inner.policies);
        Ok(policies.0.iter().rev().take(limit).cloned().collect())
    }

    async fn adopt(&self, record: &PolicyRecord) -> Result<(), StoreError> {
        let mut policies = lock(&self.inner.policies);
        if record.version > policies.version() {
            policies.push(record.clone());
        }
        Ok(())
    }
}
