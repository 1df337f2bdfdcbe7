//! The conformance and race suite of [`SessionStore`]: one async function that gives a
//! [`SessionFixture`], and one line, [`session_conformance!`](crate::session_conformance).
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a conformance case reports by panicking"
)]

mod bench;
mod ending;
mod macros;
mod opening;
mod reference;
mod rotating;
mod states;

use std::sync::Arc;
use std::time::Duration;

use crate::store::{AuditStore, SessionStore};

pub use ending::{
    an_ended_session_is_over_for_everybody,
    ending_a_subject_ends_all_of_its_sessions_and_no_others,
    ending_a_tenant_ends_all_of_its_sessions_and_no_others,
    ending_everything_ends_the_sessions_of_every_tenant, live_sessions_are_counted_by_their_keys,
    sessions_are_listed_newest_first, what_is_opened_after_an_ending_lives,
};
pub use opening::{
    a_clock_that_went_back_revives_no_session, a_session_is_kept_as_it_was_opened,
    a_session_lapses_to_the_millisecond, an_ended_session_is_not_opened_again,
    hostile_subjects_are_inert_and_apart, one_of_a_thousand_opens_a_session,
};
pub use reference::{ReferenceSessions, ReferenceSessionsFixture};
pub use rotating::{
    a_refresh_prolongs_up_to_the_end_of_the_session, a_rotation_leaves_its_record,
    a_spent_token_ends_the_session_after_the_grace,
    a_spent_token_is_answered_again_within_the_grace,
    a_thousand_rotations_of_one_token_make_one_successor, a_token_before_the_last_ends_the_session,
    a_token_of_an_ended_session_turns_nothing_over,
};
pub use states::{
    a_state_lapses_after_its_time, a_state_of_another_browser_is_not_taken,
    a_state_that_is_too_large_or_too_long_is_refused, one_of_a_thousand_takes_a_state,
    states_are_kept_apart,
};

/// One fresh, empty store of sessions, the log that its records go to, and the clock that it reads.
///
/// # Contract
/// As that of [`StoreFixture`](super::store::StoreFixture).
pub trait SessionFixture: Send + Sync + 'static {
    /// Gives the store; each call the same one.
    fn sessions(&self) -> Arc<dyn SessionStore>;

    /// Gives the log of the same engine.
    fn records(&self) -> Arc<dyn AuditStore>;

    /// Moves the store's clock forward.
    fn advance(&self, by: Duration);

    /// Moves the store's clock backward.
    fn step_back(&self, by: Duration);
}
