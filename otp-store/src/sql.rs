//! What engines with rows and transactions have in common: every intent, written once.
//!
//! An intent decides in Rust, inside one transaction of the engine's. Statements are kept beside
//! the code that uses them, with plain `?` places that every engine reads in the same order; what
//! has to be said in an engine's own words stands in its [`Dialect`].

mod admit;
mod attempt_rows;
mod audit;
mod blocklist;
mod boards;
mod budget_rows;
mod chain;
mod challenge_rows;
mod challenges;
mod deliveries;
mod delivery_rows;
mod device_store;
mod devices;
mod dialect;
mod factor_rows;
mod factors;
mod idempotency;
mod intent;
mod json;
mod key_uses;
mod link;
mod locks;
mod policy;
mod purge;
mod query;
mod quota_rows;
mod quotas;
mod revoke;
mod row;
mod schema;
mod seals;
mod seen;
mod session_store;
mod sessions;
mod settle;
mod states;
mod stats;
mod store;

pub(crate) use admit::Admit;
pub(crate) use audit::{Acknowledge, Append, AppendAll, Horizon, Outbox};
pub(crate) use blocklist::{Block, Blocks, Unblock};
pub(crate) use boards::{Post, ReadBoard};
pub(crate) use budget_rows::{CarryOver, LookAtBudget, TurnBudget};
pub(crate) use chain::{ChainHead, SealLinks, SealedAfter, TakeLease, Unsealed};
pub(crate) use challenges::{Find, List, Ping};
pub(crate) use deliveries::{
    Advance, ClaimResend, FailUnsent, Failures, FindDelivery, Overdue, Settle,
};
pub(crate) use device_store::keep_devices_in_rows;
pub(crate) use devices::{Devices, Forget, Remember};
pub(crate) use dialect::{Dialect, Removal};
pub(crate) use factors::{
    CodesLeft, DropFactor, EnrolFactor, Factors, FindCode, LastTry, NameFactor, PutCodes,
    ResetFactors, TakeCode, TakeStep,
};
pub(crate) use idempotency::Release;
#[cfg(feature = "sqlite")]
pub(crate) use intent::Pardon;
pub(crate) use intent::{Engine, Intent, Tx};
pub(crate) use key_uses::KeyUses;
pub(crate) use link::{Link, Value};
pub(crate) use locks::Locks;
#[cfg(feature = "mysql")]
pub(crate) use locks::Order;
pub(crate) use policy::{Adopt, History, Publish, Version};
pub(crate) use purge::purge;
pub(crate) use quotas::{CheckAll, Clear, Peek};
pub(crate) use revoke::revoke;
pub(crate) use row::{Columns, Row, corrupt};
pub(crate) use schema::{BOOKKEEPING, Step, WrongSchema, migration};
pub(crate) use seals::{EnterSeals, Entered, Seals};
pub(crate) use seen::FirstSeen;
pub(crate) use session_store::keep_sessions_in_rows;
pub(crate) use sessions::{EndSessions, ListSessions, LiveSession, SessionKeys};
pub(crate) use settle::Forgive;
pub(crate) use states::TakeState;
pub(crate) use stats::{Count, Sums, Top};
pub(crate) use store::keep_in_rows;
