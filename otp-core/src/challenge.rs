//! What is issued: its id, its code, and the pure state machine that says what may happen to it.
//!
//! Nothing here reads a clock, a store or a random source by itself: the machine is handed the
//! store's time and changes a [`Challenge`] in place, so that every engine decides alike.

mod code;
mod format;
mod id;
mod lane;
mod link;
mod machine;
mod record;
mod shape;

pub use code::{Code, MalformedCode};
pub use format::{Alphabet, CodeFormat, InvalidCodeFormat, Separators};
pub use id::{ChallengeId, InvalidChallengeId};
pub use lane::Lane;
pub use link::{LinkToken, MalformedLink};
pub use machine::{
    AttemptClaim, AttemptOutcome, ConsumeOutcome, Ended, Exhausted, RecordedAnswer, Refusal,
    ResendClaim, ResendOutcome,
};
pub use record::{AttemptAnswer, AttemptEntry, Challenge, ChallengeState};
pub use shape::{Separated, TypedKind, TypedShape};
