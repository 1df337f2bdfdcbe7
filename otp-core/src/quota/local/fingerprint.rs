//! Fingerprints: what a table of buckets keeps in place of a key.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

use crate::quota::QuotaKey;

/// A key under two keyed hashes with random seeds: 128 bits, of no use to whoever lacks the seeds.
///
/// The hash is the standard library's, which resists floods of colliding keys. Among a million live keys the chance of any two sharing a bucket is below 2^-88.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fingerprint {
    place: u64,
    rest: u64,
}

impl Fingerprint {
    /// The half that no table orders by, for choices that a caller must not foresee.
    pub(super) fn chance(self) -> u64 {
        self.rest
    }

    /// The bits to choose a shard by; a table's own order depends on others of them.
    pub(super) fn shard(self) -> u64 {
        self.rest >> 24
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.place);
    }
}

/// The two seeds of a limiter.
pub(super) struct Seeds {
    place: RandomState,
    rest: RandomState,
}

impl Seeds {
    pub(super) fn new() -> Self {
        Self {
            place: RandomState::new(),
            rest: RandomState::new(),
        }
    }

    pub(super) fn fingerprint(&self, key: &QuotaKey) -> Fingerprint {
        let text = key.as_str().as_bytes();
        let under = |seed: &RandomState| {
            let mut hasher = seed.build_hasher();
            hasher.write(text);
            hasher.finish()
        };
        Fingerprint {
            place: under(&self.place),
            rest: under(&self.rest),
        }
    }
}

/// Takes a fingerprint for the hash that it is.
#[derive(Clone, Copy, Default)]
pub(super) struct AsItIs;

impl BuildHasher for AsItIs {
    type Hasher = Place;

    fn build_hasher(&self) -> Place {
        Place(0)
    }
}

/// The hasher of [`AsItIs`].
pub(super) struct Place(u64);

impl Hasher for Place {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, place: u64) {
        self.0 = place;
    }
}

#[cfg(test)]
mod tests {
    use super::Seeds;
    use crate::quota::{QuotaKey, Scope};

    #[test]
    fn keys_that_collide_in_one_process_do_not_in_the_next() {
        let key = QuotaKey::new("issue", Scope::Subject, "", "alice");
        let (one, other) = (Seeds::new(), Seeds::new());
        assert!(one.fingerprint(&key) == one.fingerprint(&key));
        assert!(one.fingerprint(&key) != other.fingerprint(&key));
    }
}
