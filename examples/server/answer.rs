//! Answers that are no success, in the words of `otp_axum`.

pub(crate) use otp_axum::{ApiError as Declined, Refusal};

use crate::tokens::Failed;

/// The code was right and is spent, and the host's own tables failed.
impl From<Failed> for Declined {
    fn from(_: Failed) -> Self {
        Refusal::VERIFY_FAILED.into()
    }
}
