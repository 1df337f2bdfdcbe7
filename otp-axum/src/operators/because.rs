use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use serde::Deserialize;

use crate::openapi::Schema;
use crate::{Refusal, StrictJson};

/// The body of a call that has nothing else to say: `note` or `reason`, or no body at all.
///
/// # Examples
/// ```
/// use axum::Json;
/// use axum::extract::State;
/// use otp_axum::ApiError;
/// use otp_axum::operators::{Because, Desk, Done};
/// use otp_core::verifier::Verifier;
///
/// async fn close_shop(
///     State(verifier): State<Verifier>,
///     desk: Desk,
///     because: Because,
/// ) -> Result<Json<Done>, ApiError> {
///     desk.operator(&verifier, because.reason())?.record("close_shop").await?;
///     Ok(Done::one(desk.mode(), "the shop".to_owned()))
/// }
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Because {
    note: Option<String>,
    reason: Option<String>,
}

impl Because {
    /// Describes it.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::object(["note?", "reason?"].map(|name| (name, Schema::text().or_null())))
    }

    /// Gives what it says of the reason.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref().or(self.note.as_deref())
    }
}

impl<S: Send + Sync> FromRequest<S> for Because {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if is_empty(request.headers()) {
            return Ok(Self::default());
        }
        let StrictJson(because) = StrictJson::from_request(request, state).await?;
        Ok(because)
    }
}

/// Says whether no body comes (RFC 9112 section 6.3).
fn is_empty(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH);
    let nothing = length.is_none_or(|length| length == "0");
    nothing && !headers.contains_key(TRANSFER_ENCODING)
}
