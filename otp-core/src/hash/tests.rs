//! Codes through the whole hasher.

mod load;
mod matching;
mod policy;

use super::*;
use crate::{
    key::{Key, KeyId, KeyRing, KeySet},
    random::{BrokenRandom, OsRandom},
    secret::SecretBytes,
};

const CODE: &str = "492817";

const BINDING: Binding<'_> = Binding {
    tenant: "acme",
    challenge: "c-1",
    subject: "u-1",
    purpose: "login",
    channel: "sms",
    destination: "+14155550123",
};

fn cheap() -> CodeHasher {
    CodeHasher::argon2id_with(Argon2Params::cheap())
}

fn all() -> [CodeHasher; 3] {
    [
        CodeHasher::keyed(),
        cheap(),
        CodeHasher::bcrypt(BcryptCost::MIN),
    ]
}

fn key(id: &str, fill: u8) -> Key {
    Key::new(KeyId::new(id).unwrap(), &SecretBytes::new(vec![fill; 32])).unwrap()
}

fn ring() -> KeyRing {
    KeyRing::new(key("k1", 1))
}

async fn hash(hasher: &CodeHasher, keys: &KeySet) -> StoredHash {
    hasher
        .reserve()
        .unwrap()
        .hash(keys, &OsRandom, &BINDING, CODE)
        .await
        .unwrap()
}

async fn verify(
    hasher: &CodeHasher,
    keys: &KeySet,
    binding: &Binding<'_>,
    code: &str,
    stored: &str,
) -> Comparison {
    hasher
        .reserve()
        .unwrap()
        .verify(keys, binding, code, stored)
        .await
        .unwrap()
}

const CURRENT: Comparison = Comparison::Match {
    upgrade: Upgrade::NotNeeded,
};
const OLD: Comparison = Comparison::Match {
    upgrade: Upgrade::Advised,
};

const fn mismatch(reason: MismatchReason) -> Comparison {
    Comparison::Mismatch(reason)
}
