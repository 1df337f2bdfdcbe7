use std::sync::Arc;

use otp_core::request::Tenant;
use otp_core::session::Sessions;

/// The sessions of a tenant, and where their tokens are looked for.
#[derive(Clone, Debug)]
pub struct SessionDoor {
    sessions: Sessions,
    tenant: Tenant,
    cookie: Option<&'static str>,
}

impl SessionDoor {
    /// Takes tokens from `Authorization: Bearer` alone (RFC 6750 section 2.1).
    #[must_use]
    pub fn new(sessions: Sessions, tenant: Tenant) -> Self {
        Self {
            sessions,
            tenant,
            cookie: None,
        }
    }

    /// Takes them from a cookie too, on requests that only read: a cookie comes along with what
    /// another page has the browser send. Default: from none.
    #[must_use]
    pub fn with_cookie(mut self, name: &'static str) -> Self {
        self.cookie = Some(name);
        self
    }

    /// Gives the sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Gives the tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    pub(super) fn cookie(&self) -> Option<&'static str> {
        self.cookie
    }
}

/// A router's state that sessions are in: what [`SignedIn`](super::SignedIn) asks.
pub trait HasSessions {
    /// Gives them.
    fn session_door(&self) -> &SessionDoor;
}

impl HasSessions for SessionDoor {
    fn session_door(&self) -> &SessionDoor {
        self
    }
}

impl<T: HasSessions + ?Sized> HasSessions for Arc<T> {
    fn session_door(&self) -> &SessionDoor {
        self.as_ref().session_door()
    }
}
