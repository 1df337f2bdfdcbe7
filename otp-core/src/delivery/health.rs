//! How a provider is doing: what it was handed, what it answered, how long it took.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{DeliveryError, DeliveryErrorKind, DispatchCertainty, VendorNotice};
use crate::breaker::{BreakerState, SharedBreaker};
use crate::clock::Timestamp;
use crate::destination::Region;

mod latency;
mod receipts;

pub use latency::AnswerTimes;
use latency::{Average, Latencies};
pub use receipts::ReceiptCounts;

impl DeliveryErrorKind {
    /// Says whether an error of this kind is the provider's own fault, and counts towards its
    /// breaker. What the person or the message caused (invalid, unreachable, opted out, protected)
    /// says nothing of the provider, so nobody can open its breaker with bad numbers.
    #[must_use]
    pub const fn blames_provider(self) -> bool {
        match self {
            Self::Unavailable
            | Self::Timeout
            | Self::Throttled
            | Self::Unauthorized
            | Self::Protocol => true,
            Self::Invalid | Self::Unreachable | Self::OptedOut | Self::Protected => false,
        }
    }
}

/// How one provider of a route is doing. For operators: it names the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderHealth {
    /// The provider.
    pub provider: String,
    /// The country whose rule it serves; `None` for the route's own providers.
    pub country: Option<Region>,
    /// Whether it is asked.
    pub breaker: BreakerState,
    /// Its failures in a row while it is asked.
    pub failures_in_a_row: u32,
    /// The messages that it took.
    pub accepted: u64,
    /// The messages that it failed to take, by its own fault; unknown outcomes included.
    pub failed: u64,
    /// Those of them that may have been sent all the same.
    pub unknown: u64,
    /// The messages that it refused for a reason of the person's or the message's.
    pub refused: u64,
    /// The messages that went by it while its breaker was open.
    pub passed_over: u64,
    /// How long it takes to answer: a moving average over about the last ten answers.
    pub latency: Option<Duration>,
    /// What 95 of a hundred answers of the last minutes stayed under, rounded up to a power of two
    /// of milliseconds.
    pub latency_p95: Option<Duration>,
    /// How long all its answers took.
    pub answers: AnswerTimes,
    /// The kind of its last error.
    pub last_error: Option<DeliveryErrorKind>,
    /// When it last failed or refused.
    pub last_error_at: Option<Timestamp>,
    /// When it last took a message.
    pub last_accepted_at: Option<Timestamp>,
    /// What its vendor reported of the messages that it took, over all channels and countries.
    pub receipts: ReceiptCounts,
    /// What its vendor's status page said last, where somebody reads it; see
    /// [`Routes::vendor_says`](crate::verifier::Routes::vendor_says).
    pub vendor: Option<VendorNotice>,
}

/// The least that a provider is waited for before its silence counts. The runbooks of services that
/// send codes want an answer to a start within as much.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);

/// The record of one leg, which all clones of its route share.
#[derive(Clone, Debug, Default)]
pub(super) struct LegHealth {
    pub(super) breaker: SharedBreaker,
    tally: Arc<Mutex<Tally>>,
}

#[derive(Debug, Default)]
struct Tally {
    accepted: u64,
    failed: u64,
    unknown: u64,
    refused: u64,
    passed_over: u64,
    latencies: Latencies,
    /// How long it takes to take a message, apart from how long its failures take.
    usual: Average,
    last_error: Option<(DeliveryErrorKind, Timestamp)>,
    last_accepted_at: Option<Timestamp>,
}

impl LegHealth {
    pub(super) fn accepted(&self, took: Duration, now: Timestamp) {
        let mut tally = self.lock();
        tally.accepted = tally.accepted.saturating_add(1);
        tally.latencies.add(took, now);
        tally.usual.add(took);
        tally.last_accepted_at = Some(now);
    }

    /// Says how long it is waited for before its silence counts against it: four times what it
    /// usually takes, and half a second at least. `None` where it has taken no message yet.
    pub(super) fn patience(&self) -> Option<Duration> {
        let usual = self.lock().usual.read()?;
        Some(usual.saturating_mul(4).max(PATIENCE))
    }

    pub(super) fn erred(&self, error: &DeliveryError, took: Duration, now: Timestamp) {
        let mut tally = self.lock();
        let count = if error.kind().blames_provider() {
            &mut tally.failed
        } else {
            &mut tally.refused
        };
        *count = count.saturating_add(1);
        if error.certainty() == DispatchCertainty::Unknown {
            tally.unknown = tally.unknown.saturating_add(1);
        }
        tally.latencies.add(took, now);
        tally.last_error = Some((error.kind(), now));
    }

    pub(super) fn passed_over(&self) {
        let mut tally = self.lock();
        tally.passed_over = tally.passed_over.saturating_add(1);
    }

    pub(super) fn read(
        &self,
        provider: &str,
        country: Option<Region>,
        now: Timestamp,
    ) -> ProviderHealth {
        let tally = self.lock();
        ProviderHealth {
            provider: provider.to_owned(),
            country,
            breaker: self.breaker.state(),
            failures_in_a_row: self.breaker.failures(),
            accepted: tally.accepted,
            failed: tally.failed,
            unknown: tally.unknown,
            refused: tally.refused,
            passed_over: tally.passed_over,
            latency: tally.latencies.average(),
            latency_p95: tally.latencies.p95(now),
            answers: tally.latencies.all().clone(),
            last_error: tally.last_error.map(|(kind, _)| kind),
            last_error_at: tally.last_error.map(|(_, at)| at),
            last_accepted_at: tally.last_accepted_at,
            receipts: ReceiptCounts::default(),
            vendor: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_providers_own_faults_blame_it() {
        let blamed = |kind: DeliveryErrorKind| kind.blames_provider();
        assert!(
            [
                DeliveryErrorKind::Unavailable,
                DeliveryErrorKind::Timeout,
                DeliveryErrorKind::Throttled,
                DeliveryErrorKind::Unauthorized,
                DeliveryErrorKind::Protocol,
            ]
            .into_iter()
            .all(blamed)
        );
        assert!(
            ![
                DeliveryErrorKind::Invalid,
                DeliveryErrorKind::Unreachable,
                DeliveryErrorKind::OptedOut,
                DeliveryErrorKind::Protected,
            ]
            .into_iter()
            .any(blamed)
        );
    }

    #[test]
    fn faults_refusals_and_unknown_outcomes_are_counted_apart() {
        let health = LegHealth::default();
        let now = Timestamp::from_millis(5);
        health.accepted(Duration::from_millis(3), now);
        for kind in [
            DeliveryErrorKind::Throttled,
            DeliveryErrorKind::Timeout,
            DeliveryErrorKind::Unreachable,
        ] {
            health.erred(&DeliveryError::new(kind, "a"), Duration::ZERO, now);
        }
        health.passed_over();
        let read = health.read("a", None, now);
        assert_eq!(
            (
                read.accepted,
                read.failed,
                read.unknown,
                read.refused,
                read.passed_over
            ),
            (1, 2, 1, 1, 1)
        );
        assert_eq!(read.last_error, Some(DeliveryErrorKind::Unreachable));
        assert_eq!(read.last_accepted_at, Some(now));
    }
}
