//! Holds the server's secret keys: one current, any number of older ones, four derived uses of each.

mod id;
mod mac;
mod material;
mod ring;
mod seal;
mod set;
mod text;

pub use id::{InvalidKeyId, KeyId};
pub use mac::{Mac, MacMismatch, mac};
pub(crate) use mac::{labelled, signature};
pub use material::{DerivedKey, InvalidKey, Key, KeyMaterial};
pub use ring::{KeyRing, KeyRingError};
pub use seal::{SealError, Sealed, open, seal};
pub use set::KeySet;
