//! Which algorithms there are, which of them is written, and which are accepted.

use super::{argon2id::Argon2Params, bcrypt::BcryptCost};

/// Names how a stored digest is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// The keyed digest as it is (`$otp-hmac$`).
    Keyed,
    /// Argon2id over the keyed digest (`$argon2id$`).
    Argon2id,
    /// bcrypt over the keyed digest (`$2b$`).
    Bcrypt,
}

/// What a hasher writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    Keyed,
    Argon2id(Argon2Params),
    Bcrypt(BcryptCost),
}

impl Scheme {
    pub(super) const fn algorithm(self) -> Algorithm {
        match self {
            Self::Keyed => Algorithm::Keyed,
            Self::Argon2id(_) => Algorithm::Argon2id,
            Self::Bcrypt(_) => Algorithm::Bcrypt,
        }
    }
}

/// The algorithms that a check accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllowList {
    keyed: bool,
    argon2id: bool,
    bcrypt: bool,
}

impl AllowList {
    pub(super) const ALL: Self = Self {
        keyed: true,
        argon2id: true,
        bcrypt: true,
    };
    pub(super) const NONE: Self = Self {
        keyed: false,
        argon2id: false,
        bcrypt: false,
    };

    pub(super) const fn with(mut self, algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Keyed => self.keyed = true,
            Algorithm::Argon2id => self.argon2id = true,
            Algorithm::Bcrypt => self.bcrypt = true,
        }
        self
    }

    pub(super) const fn allows(self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Keyed => self.keyed,
            Algorithm::Argon2id => self.argon2id,
            Algorithm::Bcrypt => self.bcrypt,
        }
    }
}
