//! Shelves: whole small stores, each under one hash tag, so that a script finds on one node of a
//! cluster whatever it may touch. A single server has one.

use std::num::NonZeroU16;

use otp_core::quota::QuotaKey;
use otp_core::request::SubjectKey;
use otp_core::store::IdempotencyKey;

/// What the keys of a shelf begin with: of what may be lost, and of what guards.
#[derive(Clone)]
pub(super) struct Shelf {
    pub(super) prefix: String,
    pub(super) guard: String,
    place: u16,
}

impl Shelf {
    fn new(prefix: &str, tag: &str, place: u16) -> Self {
        Self {
            prefix: format!("{prefix}:{tag}"),
            guard: format!("{prefix}guard:{tag}"),
            place,
        }
    }

    /// Names the key that a client finds the shelf's node by.
    pub(super) fn route(&self) -> &str {
        &self.guard
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.place == other.place
    }
}

/// All shelves of a store.
pub(super) struct Shelves {
    first: Shelf,
    others: Vec<Shelf>,
    tagged: bool,
}

impl Shelves {
    /// One shelf, whose keys have no tag of their own.
    pub(super) fn one(prefix: &str) -> Self {
        Self {
            first: Shelf::new(prefix, "", 0),
            others: Vec::new(),
            tagged: false,
        }
    }

    /// So many shelves, each under a tag of its own.
    pub(super) fn many(prefix: &str, count: NonZeroU16) -> Self {
        let shelf = |place| Shelf::new(prefix, &format!("{{s{place}}}:"), place);
        Self {
            first: shelf(0),
            others: (1..count.get()).map(shelf).collect(),
            tagged: true,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.others.len().saturating_add(1)
    }

    /// Says whether everything lies on one shelf, so that one script sees all of it.
    pub(super) fn is_one(&self) -> bool {
        self.others.is_empty()
    }

    /// Gives how many there are where a cluster has them, even if it is one.
    pub(super) fn divided(&self) -> Option<usize> {
        self.tagged.then(|| self.count())
    }

    /// Gives the shelf that keeps what belongs to the whole store.
    pub(super) fn first(&self) -> &Shelf {
        &self.first
    }

    /// Gives all shelves but the first.
    pub(super) fn others(&self) -> &[Shelf] {
        &self.others
    }

    /// Gives all shelves; the first one comes last, as what is recorded there comes last.
    pub(super) fn all(&self) -> impl Iterator<Item = &Shelf> {
        self.others.iter().chain([&self.first])
    }

    pub(super) fn of_shard(&self, shard: u16) -> &Shelf {
        let place = usize::from(shard).checked_rem(self.count());
        let other = place.and_then(|place| place.checked_sub(1));
        other
            .and_then(|place| self.others.get(place))
            .unwrap_or(&self.first)
    }

    pub(super) fn of(&self, subject: &SubjectKey) -> &Shelf {
        self.of_shard(subject.shard())
    }

    pub(super) fn of_quota(&self, key: &QuotaKey) -> &Shelf {
        self.of_name(key.as_str())
    }

    pub(super) fn of_idempotency(&self, key: &IdempotencyKey) -> &Shelf {
        self.of_name(key.as_str())
    }

    /// Gives the shelf of what has no subject.
    pub(super) fn of_name(&self, name: &str) -> &Shelf {
        self.of_shard(hash(name))
    }
}

/// FNV-1a, folded to 16 bits: every version of the library must find what another one put.
fn hash(name: &str) -> u16 {
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let [a, b, c, d] = hash.to_be_bytes();
    u16::from_be_bytes([a ^ c, b ^ d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_shelf_has_the_plain_names_and_many_have_a_tag_each() {
        let one = Shelves::one("otp");
        assert_eq!(one.of_name("any").prefix, "otp:");
        assert_eq!(one.of_shard(u16::MAX).guard, "otpguard:");
        let many = Shelves::many("otp", NonZeroU16::MIN.saturating_add(63));
        assert_eq!(many.count(), 64);
        assert_eq!(many.of_shard(17).prefix, "otp:{s17}:");
        assert_eq!(many.of_shard(81).guard, "otpguard:{s17}:");
        assert_eq!(many.of_shard(64).route(), "otpguard:{s0}:");
        let places: Vec<u16> = many.all().map(|shelf| shelf.place).collect();
        assert_eq!((places.len(), places.last()), (64, Some(&0)));
    }

    #[test]
    fn a_name_lies_on_the_same_shelf_in_every_version() {
        assert_eq!(hash(""), 0x811c ^ 0x9dc5);
        assert_eq!(hash("a"), 0xe40c ^ 0x292c);
        assert_eq!(hash("foobar"), 0xbf9c ^ 0xf968);
    }

    #[test]
    fn names_spread_over_all_shelves() {
        let many = Shelves::many("otp", NonZeroU16::MIN.saturating_add(63));
        let mut counts = [0_u32; 64];
        for name in 0..6_400 {
            let shelf = many.of_name(&format!("issue:address:{name}"));
            counts[usize::from(shelf.place)] += 1;
        }
        assert!(
            counts.iter().all(|count| (50..200).contains(count)),
            "{counts:?}"
        );
    }
}
