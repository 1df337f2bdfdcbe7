//! Why a page is not shown, as a page.

use axum::http::StatusCode;
use otp_core::store::{StoreError, StoreErrorKind};
use otp_core::verifier::Unavailable;
use serde::Serialize;

/// What went wrong, in words for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("The form was not sent by this page. Nothing was done. Go back, reload and try again.")]
    Forged,
    #[error("What the form names is out of date. Nothing was done. Go back, reload and try again.")]
    Stale,
    #[error(
        "This confirmation was used before. What came of it is in the audit log: look there, and try it again as a new dry run."
    )]
    Spent,
    #[error("The form cannot be read. Nothing was done.")]
    Malformed,
    #[error("The form took too long to come. Nothing was done.")]
    Slow,
    #[error("A reason is 1 to 256 characters on one line: it is kept in the audit log.")]
    Reason,
    #[error("That is not a value of this kind. Phone numbers begin with + and the country code.")]
    Value,
    #[error(
        "That names nobody: a phone number with + and the country code, an e-mail address, an IP address or an account."
    )]
    Whom,
    #[error(
        "The store does not answer. Whether it was done is not known; doing it again does no harm."
    )]
    Store(StoreErrorKind),
    #[error("The page could not be made. The log of the service says why.")]
    Ours,
}

/// A field that was not understood, for the form to be filled in again.
#[derive(Serialize)]
pub(super) struct Wrong {
    field: &'static str,
    said: String,
}

impl Trouble {
    /// Says what is wrong with the form, where it is what somebody typed.
    pub(super) fn wrong(self) -> Option<Wrong> {
        let field = match self {
            Self::Reason => "reason",
            Self::Value => "value",
            Self::Whom => "who",
            _ => return None,
        };
        Some(Wrong {
            field,
            said: self.to_string(),
        })
    }

    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Forged => StatusCode::FORBIDDEN,
            Self::Stale | Self::Spent => StatusCode::CONFLICT,
            Self::Malformed | Self::Reason | Self::Value | Self::Whom => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Ours => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<Unavailable> for Trouble {
    fn from(error: Unavailable) -> Self {
        tracing::warn!(target: "otp_kit", %error, "a call of the operator's page failed");
        Self::Store(error.kind())
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Unavailable::from(error).into()
    }
}
