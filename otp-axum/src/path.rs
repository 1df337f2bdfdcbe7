//! Paths: the part of one that varies.

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use crate::refusal::Refusal;

/// The one part of a path that varies, decoded. What is no text there is `not_found`, in the form
/// of every other error.
///
/// # Examples
/// ```
/// use axum::{Router, routing::get};
/// use otp_axum::PathPart;
///
/// async fn greet(PathPart(name): PathPart) -> String {
///     format!("hello {name}")
/// }
/// let routes: Router = Router::new().route("/greet/{name}", get(greet));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPart(pub String);

impl<S: Send + Sync> FromRequestParts<S> for PathPart {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let part = Path::<String>::from_request_parts(parts, state).await;
        let Path(part) = part.map_err(|_| Refusal::NOT_FOUND)?;
        Ok(Self(part))
    }
}
