//! Hands out sessions: signed access tokens that live minutes, refresh tokens that turn over at each
//! use, and one-time state for sign-ins that go through somebody else's page.
//!
//! A host that has sessions of its own ignores this room and pays nothing for it: no other room
//! knows it, and [`SessionStore`](crate::store::SessionStore) is no part of
//! [`Store`](crate::store::Store).

mod access;
mod algorithm;
mod claims;
mod error;
mod id;
mod json;
#[cfg(feature = "eddsa")]
mod jwks;
mod liveness;
mod one_time;
mod pass;
mod proven;
mod refresh;
mod reset;
mod rules;
mod sessions;
mod sign_in;

pub use access::AccessToken;
pub use algorithm::TokenAlgorithm;
pub use claims::Session;
pub use error::{SessionError, SessionRefusal};
pub use id::{InvalidSessionId, SessionId};
#[cfg(feature = "eddsa")]
pub use jwks::Jwks;
pub use one_time::{OneTimeState, StateError, StateToken};
pub use pass::Passes;
pub use refresh::{RefreshDigest, RefreshToken};
pub use rules::{InvalidRules, SessionRules};
pub use sessions::{Sessions, Tokens};
pub use sign_in::{ContextClass, InvalidMethods, Methods, SignIn};
