/// Proves a store of the audit log's chain: expands to a module with one named test per promise, as
/// [`store_conformance!`](crate::store_conformance) does.
///
/// # Examples
/// ```
/// use otp_core::testing::chain::{ChainFixture, ReferenceChainFixture};
///
/// async fn fixture() -> impl ChainFixture {
///     ReferenceChainFixture::new()
/// }
///
/// otp_core::chain_conformance!(fixture);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! chain_conformance {
    ($fixture:ident) => {
        $crate::chain_conformance!(chain_conformance, $fixture);
    };
    ($module:ident, $fixture:ident) => {
        $crate::chain_conformance!(@list [] $module $fixture);
    };
    (ignore = $reason:literal, $module:ident, $fixture:ident) => {
        $crate::chain_conformance!(@list [#[ignore = $reason]] $module $fixture);
    };
    (@list $attributes:tt $module:ident $fixture:ident) => {
        $crate::conformance_cases!(chain $attributes $module $fixture
            one_of_a_thousand_has_the_lease,
            a_lease_lapses_and_is_prolonged,
            a_lease_that_is_given_back_is_free,
            a_sealer_that_lost_its_lease_half_way_changes_nothing,
            of_a_hundred_who_seal_at_once_exactly_one_does,
            a_hundred_writers_and_racing_sealers_leave_one_chain,
            records_of_several_instances_are_in_one_chain,
            records_are_sealed_once_and_the_export_is_verified,
            what_was_acknowledged_is_sealed_all_the_same,
            a_batch_that_does_not_follow_changes_nothing,
            a_record_that_is_inserted_while_sealing_comes_after_it,
            what_was_read_and_not_sealed_is_sealed_by_the_next,
            a_sealer_that_heard_no_answer_finds_its_batch_stored_once,
            a_dropped_seal_is_whole_or_absent,
            a_chain_that_has_not_begun_is_empty,
            unsealed_records_come_in_the_order_of_the_log,
            a_sealed_record_is_kept_as_it_was_written,
            sealed_records_are_read_page_by_page,
            seals_are_counted_by_their_keys,
        );
    };
}
