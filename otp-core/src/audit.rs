//! The audit log after it is written: sealed into a chain.
//!
//! Every decision writes its record in the step that makes it true. A [`Sealer`] links the records
//! into the [chain](crate::event::chain) about a second later, in the order of the log: one chain
//! for all instances that share a store.

mod sealer;

pub use sealer::{Round, Sealer};
