//! One file a route.

pub(crate) mod initiate;
pub(crate) mod jwks;
pub(crate) mod link;
pub(crate) mod oauth;
pub(crate) mod onboarding;
mod second_factor;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod telegram;
pub(crate) mod webhook;
