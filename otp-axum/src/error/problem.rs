use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use axum::response::Response;
use serde_json::json;

use super::Told;

const PROBLEM: &str = "application/problem+json";

/// Says whether a client asks for problem details by name.
pub(crate) fn wants_problem(headers: &HeaderMap) -> bool {
    let named = |value: &HeaderValue| {
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        value.split(',').any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let refused = |part: &str| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
            parts.next() == Some(PROBLEM) && !parts.any(refused)
        })
    };
    headers.get_all(ACCEPT).iter().any(named)
}

/// Writes an error of ours as RFC 9457 has it, the headers staying; other answers pass.
pub(crate) fn as_asked(response: Response) -> Response {
    let Some(told) = response.extensions().get::<Told>().cloned() else {
        return response;
    };
    let body = json!({
        "type": "about:blank",
        "title": told.status.canonical_reason().unwrap_or_default(),
        "status": told.status.as_u16(),
        "detail": told.detail,
        "code": told.code,
    });
    let (mut parts, _) = response.into_parts();
    parts
        .headers
        .insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body.to_string()))
}
