//! Sessions of this server: the library's, where guesses are decided.

use std::sync::Arc;
use std::time::Duration;

use otp_axum::sessions::SessionDoor;
use otp_kit::key::KeyRing;
use otp_kit::random::RandomError;
use otp_kit::request::Tenant;
use otp_kit::session::{
    InvalidRules, OneTimeState, Passes, SessionRules, Sessions, TokenAlgorithm,
};
use otp_kit::store::SessionStore;

use crate::routes::link::SESSION;

const ISSUER: &str = "otp-kit-server";

/// What keeps people signed in, sign-ins through others' pages safe, and operators able to let
/// somebody in by hand.
pub(crate) struct Door {
    pub(crate) sessions: Sessions,
    pub(crate) states: OneTimeState,
    pub(crate) passes: Passes,
    pub(crate) tenant: Tenant,
    /// The same sessions, as routes of the library take them.
    pub(crate) front: SessionDoor,
}

impl Door {
    pub(crate) fn new(
        store: &Arc<dyn SessionStore>,
        keys: &KeyRing,
        access_life: Duration,
        algorithm: TokenAlgorithm,
    ) -> Result<Self, InvalidRules> {
        let rules = SessionRules::new(ISSUER)?.access_life(access_life)?;
        let rules = rules.algorithm(algorithm);
        let sessions = Sessions::new(Arc::clone(store), keys.clone(), rules);
        let tenant = Tenant::default();
        let front = SessionDoor::new(sessions.clone(), tenant.clone()).with_cookie(SESSION);
        Ok(Self {
            sessions,
            states: OneTimeState::new(Arc::clone(store), keys.clone()),
            passes: Passes::new(Arc::clone(store), keys.clone()),
            tenant,
            front,
        })
    }
}

/// The host's own tables failed; the log says how.
#[derive(Debug)]
pub(crate) struct Failed;

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        // The kind alone: a message of the engine may hold what was bound.
        let kind = match &error {
            sqlx::Error::Database(error) => error.code().unwrap_or_default().into_owned(),
            sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
            _ => "the connection failed".to_owned(),
        };
        tracing::error!(kind, "the users' table failed");
        Self
    }
}

impl From<RandomError> for Failed {
    fn from(error: RandomError) -> Self {
        tracing::error!(%error, "no randomness");
        Self
    }
}
