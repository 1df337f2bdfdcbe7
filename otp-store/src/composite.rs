//! Stores made of stores: what decides when an engine is away, and where records go.
//!
//! | composite | above | beneath | while the one above is away |
//! |---|---|---|---|
//! | [`Degrading`] | a shared engine | memory | issues and verifies by tighter limits, as an outage policy says |
//! | [`ReadOnlyFallback`] | a shared engine | a local one | blocks and recent records can be read, nothing is decided |
//! | [`Split`] | what decides | what keeps the audit log | decisions go on, records wait |
//!
//! Every one of them is a [`Store`](otp_core::store::Store) and passes the suite of one while its
//! parts are in good order. None of them turns a failure into an acceptance: an answer of unknown
//! outcome stays [`Unavailable`](otp_core::store::StoreErrorKind::Unavailable), and no success is
//! ever asked for in a second place.

mod circuit;
#[cfg(feature = "memory")]
pub mod degrading;
pub mod read_only;
mod split;
mod upkeep;

use std::future::Future;

use otp_core::store::StoreErrorKind;
use tokio::runtime::Handle;

#[cfg(feature = "memory")]
pub use degrading::Degrading;
pub use read_only::ReadOnlyFallback;
pub use split::Split;

/// Whether an engine is left alone, and with which error its callers are told so.
type Away = Option<StoreErrorKind>;

/// Runs work beside the callers; without a runtime there is nobody to run it, and it is left out.
fn beside(work: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        drop(runtime.spawn(work));
    }
}
