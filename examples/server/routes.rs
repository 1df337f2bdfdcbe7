//! One file a route.

pub(crate) mod address;
mod captcha;
pub(crate) mod initiate;
pub(crate) mod jwks;
pub(crate) mod link;
pub(crate) mod mfa;
pub(crate) mod oauth;
pub(crate) mod onboarding;
pub(crate) mod recovery_codes;
pub(crate) mod request;
mod second_factor;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod telegram;
pub(crate) mod totp;
pub(crate) mod verify;
pub(crate) mod webhook;
