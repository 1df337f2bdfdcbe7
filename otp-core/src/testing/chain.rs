//! The conformance and race suite of [`ChainStore`]: one async function that gives a
//! [`ChainFixture`], and one line, [`chain_conformance!`](crate::chain_conformance).
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a conformance case reports by panicking"
)]

mod bench;
mod crowd;
mod leasing;
mod macros;
mod reading;
mod reference;
mod sealing;

use std::sync::Arc;
use std::time::Duration;

use crate::store::ChainStore;

pub use crowd::{
    a_hundred_writers_and_racing_sealers_leave_one_chain,
    of_a_hundred_who_seal_at_once_exactly_one_does, records_of_several_instances_are_in_one_chain,
};
pub use leasing::{
    a_lease_lapses_and_is_prolonged, a_lease_that_is_given_back_is_free,
    a_sealer_that_lost_its_lease_half_way_changes_nothing, one_of_a_thousand_has_the_lease,
};
pub use reading::{
    a_chain_that_has_not_begun_is_empty, a_sealed_record_is_kept_as_it_was_written,
    sealed_records_are_read_page_by_page, seals_are_counted_by_their_keys,
    unsealed_records_come_in_the_order_of_the_log,
};
pub use reference::{ReferenceChain, ReferenceChainFixture};
pub use sealing::{
    a_batch_that_does_not_follow_changes_nothing, a_dropped_seal_is_whole_or_absent,
    a_record_that_is_inserted_while_sealing_comes_after_it,
    a_sealer_that_heard_no_answer_finds_its_batch_stored_once,
    records_are_sealed_once_and_the_export_is_verified,
    what_was_acknowledged_is_sealed_all_the_same,
    what_was_read_and_not_sealed_is_sealed_by_the_next,
};

/// One fresh, empty store of a chain, and the clock that it reads.
///
/// # Contract
/// As that of [`StoreFixture`](super::store::StoreFixture).
pub trait ChainFixture: Send + Sync + 'static {
    /// Gives the store; each call the same one.
    fn chain(&self) -> Arc<dyn ChainStore>;

    /// Moves the store's clock forward.
    fn advance(&self, by: Duration);
}

#[cfg(test)]
mod tests;
