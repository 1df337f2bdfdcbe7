//! Times as the answers have them.

pub(crate) use otp_axum::time::Rfc3339;
