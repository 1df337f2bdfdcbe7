//! Stores made of stores: what decides when an engine is away, and where records go.
//!
//! | composite | above | beneath | while the one above is away |
//! |---|---|---|---|
//! | [`Degrading`] | a shared engine | memory | issues and verifies by tighter limits, as an outage policy says |
//! | [`ReadOnlyFallback`] | a shared engine | a local one | blocks, recent records and the policy can be read, nothing is decided |
//! | [`Split`] | what decides | what keeps the audit log | decisions go on, records wait |
//!
//! Every one of them is a [`Store`] and passes the suite of one while its
//! parts are in good order. None of them turns a failure into an acceptance: an answer of unknown
//! outcome stays [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable), and no success is
//! ever asked for in a second place.

mod alone;
mod circuit;
#[cfg(feature = "memory")]
pub mod degrading;
pub mod read_only;
mod sign;
mod split;
mod upkeep;

use std::future::Future;
use std::sync::Arc;

use otp_core::store::{Store, StoreError, StoreErrorKind};
use tokio::runtime::Handle;

use circuit::Circuit;

#[cfg(feature = "memory")]
pub use degrading::Degrading;
pub use read_only::ReadOnlyFallback;
pub use split::Split;

/// Whether an engine is left alone, and with which error its callers are told so.
type Away = Option<StoreErrorKind>;

/// Takes notice of an engine's answer. Where it raises a doubt, the engine is asked for a sign of
/// life beside the callers, who wait for nothing but their own answers.
fn watch<P: Store, T>(circuit: &Arc<Circuit>, engine: &Arc<P>, answer: &Result<T, StoreError>) {
    if let Some(doubt) = circuit.notice(answer) {
        let engine = Arc::clone(engine);
        beside(async move {
            match sign::of_life(&engine).await {
                Ok(()) => doubt.dispelled(),
                Err(_) => drop(doubt),
            }
        });
    }
}

/// Runs work beside the callers; without a runtime there is nobody to run it, and it is left out.
fn beside(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(work));
    }
}
