//! One file a route.

pub(crate) mod initiate;
pub(crate) mod jwks;
pub(crate) mod link;
pub(crate) mod mfa;
pub(crate) mod oauth;
pub(crate) mod onboarding;
pub(crate) mod recovery_codes;
mod second_factor;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod telegram;
pub(crate) mod totp;
pub(crate) mod webhook;
