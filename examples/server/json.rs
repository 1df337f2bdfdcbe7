//! Bodies: JSON, small, and read one way only.

pub(crate) use otp_axum::StrictJson as Strict;
pub(crate) use otp_axum::json::{Given, Member};
