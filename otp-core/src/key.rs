//! Holds the server's secret keys: one current, any number of others, each derived anew for every use.

#[cfg(feature = "eddsa")]
mod ed25519;
mod id;
mod mac;
mod material;
mod ring;
mod seal;
mod set;
mod text;

#[cfg(feature = "eddsa")]
pub use ed25519::PublicKey;
pub use id::{InvalidKeyId, KeyId};
pub use mac::{Mac, MacMismatch, mac};
pub(crate) use mac::{labelled, signature};
pub use material::{DerivedKey, InvalidKey, Key, KeyMaterial};
pub use ring::{KeyRing, KeyRingError};
pub use seal::{SealError, Sealed, open, seal};
pub use set::KeySet;
