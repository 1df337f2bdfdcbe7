mod key;
mod window;

use std::fmt::Debug;

use async_trait::async_trait;

pub use key::{StatKey, StatName};
pub use window::{StatGrain, StatWindow};

use crate::request::Tenant;

use super::StoreError;

/// Counts what happens, by the minute and by the hour, for who must see an attack: a guard, a
/// ratio, a dashboard.
///
/// Nothing that must be exact to the last one is decided by these counts; that is what
/// [`QuotaStore`](super::QuotaStore) is for. The time is the engine's own.
///
/// # Contract
/// - Adds commute: of any number of racing callers every one is counted once. A sum that races
///   with an add has it or not, whole for each key.
/// - A method that fails may or may not have been carried out. Adding again counts again.
/// - An engine whose clock went back answers
///   [`ClockAnomaly`](super::StoreErrorKind::ClockAnomaly) and counts nothing; what was counted
///   before stands when the clock has caught up.
/// - Counts last a week at the most, and guard no account: an engine that must bound itself may let
///   go of the smallest.
#[async_trait]
pub trait StatsStore: Debug + Send + Sync + 'static {
    /// Adds to counters, in one round trip for all of them; a key that is named twice gets both.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](super::StoreErrorKind::Invalid) for more than
    /// [`StatKey::MOST`] keys.
    async fn count(&self, counts: &[(StatKey, u32)]) -> Result<(), StoreError>;

    /// Sums counters over a window, one sum a key, in order. What was never counted is 0.
    ///
    /// # Errors
    /// [`StoreError`]; [`Invalid`](super::StoreErrorKind::Invalid) for more than
    /// [`StatKey::MOST`] keys.
    async fn sums(&self, keys: &[StatKey], window: StatWindow) -> Result<Vec<u64>, StoreError>;

    /// Lists the values of a tenant's counters of a name that have the largest sums over a window:
    /// largest first, of equal ones by value, `limit` or a thousand at the most, and none that is 0.
    ///
    /// It reads every value of the name; ask it for an operator, not for a request.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn top(
        &self,
        name: StatName,
        tenant: &Tenant,
        window: StatWindow,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, StoreError>;
}
