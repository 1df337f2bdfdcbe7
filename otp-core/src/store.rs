//! The storage contract: atomic intents, never get and set.
//!
//! Each trait's methods say what two racing callers see. A store's clock is its engine's clock;
//! the caller never sends the time. Write a store in one folder, and prove it with one line,
//! [`store_conformance!`](crate::store_conformance).

mod admission;
mod audit;
mod blocklist;
mod budget;
mod chain;
mod challenge;
mod delivery;
mod device;
mod error;
mod factor;
mod idempotency;
mod key_use;
mod plan;
mod policy;
mod quota;
mod seen;
mod session;
mod stats;
mod status;
mod to_the_end;

use std::fmt::Debug;

pub(crate) use admission::refusal;
pub use admission::{Admission, Findings, Granted};
pub use audit::{AuditStore, OutboxEntry};
pub use blocklist::{Block, BlockEntry, BlockKind, BlocklistStore, InvalidBlock};
pub use budget::{BudgetKey, BudgetReading, BudgetStore};
pub use chain::{ChainStore, Lease, SealBatch, SealerId, Sealing};
pub use challenge::{
    ChallengeQuery, ChallengeStore, Consume, Insert, Reissue, Reject, Revocation, Target,
};
pub use delivery::{
    Advanced, Climb, Delivery, DeliveryStore, KeptReport, NewDelivery, Recipient, Settled,
};
pub use device::{DeviceQuery, DeviceStore, NewDevice};
pub use error::{StoreError, StoreErrorKind};
pub use factor::{
    AcceptedBy, AcceptedTry, AdvanceFactor, Enrol, Enrolled, FactorAdvanced, FactorChange,
    FactorOwner, FactorSheet, FactorStore, NamedTry, PutRecovery, RecoveryUse, RemoveFactor,
    Removed, RenameFactor, Renamed, Shown, UseRecovery,
};
pub use idempotency::{IdempotencyClaim, IdempotencyKey, RecordedIssue};
pub use key_use::{KeyHold, KeyUse, KeyUseStore};
pub use plan::{BudgetClaim, Plan, Step};
pub use policy::{
    Board, BoardText, InvalidDocument, PolicyDocument, PolicyRecord, PolicyStore, Posted, Published,
};
pub use quota::QuotaStore;
pub use seen::{Seen, SeenStore};
pub use session::{
    NewSession, Opened, PutState, Rotate, Rotated, SessionQuery, SessionRecord, SessionStore,
};
pub use stats::{StatGrain, StatKey, StatName, StatWindow, StatsStore};
pub use status::{Condition, Connections, Duty, EngineStatus};
pub use to_the_end::ToTheEnd;

/// Everything that a [`Verifier`](crate::verifier::Verifier) keeps in one engine.
///
/// Implemented for whatever implements the parts.
pub trait Store:
    ChallengeStore
    + BudgetStore
    + QuotaStore
    + BlocklistStore
    + SeenStore
    + DeliveryStore
    + AuditStore
    + StatsStore
    + PolicyStore
    + FactorStore
    + DeviceStore
    + KeyUseStore
    + Debug
    + Send
    + Sync
    + 'static
{
}

impl<T> Store for T where
    T: ChallengeStore
        + BudgetStore
        + QuotaStore
        + BlocklistStore
        + SeenStore
        + DeliveryStore
        + AuditStore
        + StatsStore
        + PolicyStore
        + FactorStore
        + DeviceStore
        + KeyUseStore
        + Debug
        + Send
        + Sync
        + 'static
{
}
