//! Answers that are no success, in the words of `otp_axum`.

pub(crate) use otp_axum::{ApiError as Declined, Refusal};

use crate::tokens::Failed;

/// The host's own tables are away. The code may have been right: then it is spent, and the same try,
/// by its `attempt_id`, is answered again for a minute.
impl From<Failed> for Declined {
    fn from(_: Failed) -> Self {
        Refusal::UNAVAILABLE.into()
    }
}
