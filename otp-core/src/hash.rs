//! Makes and checks the stored form of codes.
//!
//! A code has few values, so its stored form is always made over an HMAC with a key that the store does not
//! have, bound to the challenge it was issued for. [`CodeHasher`] then stores that digest as it is, or puts
//! Argon2id or bcrypt over it. Slow work runs on a bounded pool that answers [`Busy`] rather than queue
//! without end.

mod argon2id;
mod bcrypt;
mod binding;
mod comparison;
mod hasher;
mod pool;
mod scheme;
mod slot;
mod stored;

pub use argon2id::{Argon2Params, InvalidArgon2Params};
pub use bcrypt::{BcryptCost, InvalidBcryptCost};
pub use binding::Binding;
pub use comparison::{Comparison, HashError, MismatchReason, Upgrade};
pub use hasher::{Busy, CodeHasher};
pub use pool::PoolLoad;
pub use scheme::Algorithm;
pub use slot::HashSlot;
pub use stored::{MalformedHash, StoredHash};

#[cfg(test)]
mod tests;
