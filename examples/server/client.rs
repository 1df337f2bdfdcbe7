//! Who is calling.

pub(crate) use otp_axum::Client;
