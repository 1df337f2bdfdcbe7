//! The domain of otp-kit: challenges, guess budgets, gates, routes, and the contracts of stores
//! and providers. It links no network client, no database and no web framework.
//!
//! Most hosts use it through the facade crate `otp-kit`. Whoever writes a store or a provider of
//! their own depends on this crate alone, and proves their work with the suites of [`testing`].
//!
//! A request flows one way: [`verifier`], [`gate`], [`challenge`], [`store`], [`delivery`],
//! [`event`]. Nothing points back up.

pub mod audit;
pub mod breaker;
pub mod challenge;
pub mod check;
pub mod clock;
pub mod delivery;
pub mod destination;
pub mod event;
pub mod factor;
pub mod gate;
pub mod guard;
pub mod hash;
pub mod key;
pub mod metrics;
pub mod operator;
pub mod policy;
pub mod quota;
pub mod random;
pub mod request;
pub mod secret;
pub mod session;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod verifier;

/// For implementations of the traits of [`delivery`] and [`store`].
pub use async_trait::async_trait;

/// What most hosts need, in one line.
pub mod prelude {
    pub use crate::challenge::ChallengeId;
    pub use crate::delivery::Route;
    pub use crate::destination::{Channel, Destination, EmailAddress, PhoneNumber};
    pub use crate::hash::CodeHasher;
    pub use crate::key::KeyRing;
    pub use crate::policy::Limits;
    pub use crate::random::OsRandom;
    pub use crate::request::{Purpose, RequestContext, SubjectId, Tenant};
    pub use crate::store::Store;
    pub use crate::verifier::{
        Attempt, Dispatch, Issue, IssueError, Issued, Verified, Verifier, VerifyError,
    };
}
