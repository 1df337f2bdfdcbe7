//! One file a route.

pub(crate) mod address;
mod captcha;
pub(crate) mod initiate;
pub(crate) mod link;
pub(crate) mod oauth;
pub(crate) mod onboarding;
pub(crate) mod request;
pub(crate) mod session;
pub(crate) mod status;
pub(crate) mod telegram;
pub(crate) mod verify;
pub(crate) mod webhook;
