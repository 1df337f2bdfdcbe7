//! The audit log after it is written: sealed into a chain, exported, and kept in daily files.
//!
//! Every decision writes its record in the step that makes it true. A [`Sealer`] links the records
//! into the [chain](crate::event::chain) about a second later, in the order of the log: one chain
//! for all instances that share a store. An [`Export`] is checked offline, by
//! [`verify`](crate::event::chain::verify); [`DailyFiles`] are for whoever searches with `tail`,
//! `grep` and `jq`.

mod daily;
mod export;
mod sealer;

pub use daily::DailyFiles;
pub use export::Export;
pub use sealer::{Round, Sealer};
