use otp_core::delivery::{DeliveryErrorKind, DispatchCertainty};
use serde_json::Value;
#[cfg(any(feature = "generic", feature = "sns", feature = "vonage"))]
use url::form_urlencoded;

use crate::Classified;
use crate::http::HttpRequest;

pub(crate) fn json(request: &HttpRequest) -> Value {
    serde_json::from_slice(request.body()).expect("json")
}

#[cfg(any(feature = "generic", feature = "sns", feature = "vonage"))]
pub(crate) fn form(request: &HttpRequest) -> Vec<(String, String)> {
    form_urlencoded::parse(request.body())
        .into_owned()
        .collect()
}

/// Asserts a kind, a certainty and a code.
#[track_caller]
pub(crate) fn assert_read(
    read: &Classified,
    kind: DeliveryErrorKind,
    certainty: DispatchCertainty,
    code: &str,
) {
    assert_eq!(
        (read.kind, read.certainty, read.code.as_str()),
        (kind, certainty, code)
    );
}
