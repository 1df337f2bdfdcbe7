use std::fmt;

use otp_core::session::Tokens;
use serde::Serialize;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::openapi::Schema;

/// The tokens of a session, on their way to the client and nowhere else. `Debug` shows none.
#[derive(Serialize, Zeroize, ZeroizeOnDrop)]
pub struct TokenPair {
    access_token: String,
    #[zeroize(skip)]
    token_type: &'static str,
    refresh_token: String,
}

impl TokenPair {
    /// Gives the access token, for a cookie.
    #[must_use]
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// Describes it.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::object([
            ("access_token", Schema::text()),
            ("token_type", Schema::word(["bearer"])),
            ("refresh_token", Schema::text()),
        ])
    }
}

impl From<Tokens> for TokenPair {
    fn from(tokens: Tokens) -> Self {
        Self {
            access_token: tokens.access.expose().to_owned(),
            token_type: "bearer",
            refresh_token: tokens.refresh.expose().expose().to_owned(),
        }
    }
}

impl fmt::Debug for TokenPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenPair").finish_non_exhaustive()
    }
}
