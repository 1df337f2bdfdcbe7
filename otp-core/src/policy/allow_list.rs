use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use crate::destination::Destination;
use crate::store::{Block, BlockKind};

/// The fewest signs of a prefix: what is shorter is a whole country, or more.
const SHORTEST_PREFIX: usize = 5;

/// Somebody whom defences that go by neighbours must not meet: a number, an address, a range of
/// numbers or a domain that the operator knows.
///
/// The toll-fraud guard has nothing against what is sent there, and blocks of prefixes and domains
/// around it do not hold for it. Whatever is about themselves does: a block of this very number or
/// address, limits, and the guess budget. So do blocks of client addresses and devices.
///
/// # Examples
/// ```
/// use otp_core::policy::Allowed;
/// use otp_core::store::BlockKind;
///
/// let office = Allowed::new(BlockKind::Prefix, "+1415555")?;
/// assert_eq!(office.to_string(), "prefix +1415555");
/// assert!(Allowed::new(BlockKind::Prefix, "+1").is_err(), "a country is no exception");
/// # Ok::<(), otp_core::policy::InvalidAllowed>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allowed(Block);

/// Says why nobody is let past.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("allowed are phones, prefixes of at least 4 digits, e-mail addresses and domains")]
pub struct InvalidAllowed;

impl Allowed {
    /// Reads one, of the kinds phone, prefix, e-mail and domain.
    ///
    /// # Errors
    /// [`InvalidAllowed`].
    pub fn new(kind: BlockKind, value: &str) -> Result<Self, InvalidAllowed> {
        let fits = match kind {
            BlockKind::Prefix => value.len() >= SHORTEST_PREFIX,
            BlockKind::Phone | BlockKind::Email | BlockKind::Domain => true,
            _ => false,
        };
        let block = Block::new(kind, value).ok().filter(|_| fits);
        block.map(Self).ok_or(InvalidAllowed)
    }

    /// Names the kind.
    #[must_use]
    pub fn kind(&self) -> BlockKind {
        self.0.kind()
    }

    /// Gives the value in full, for the policy's document.
    #[must_use]
    pub fn value(&self) -> &str {
        self.0.value()
    }
}

/// Shows it masked.
impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind().name(), self.0.masked())
    }
}

impl fmt::Debug for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Allowed({self})")
    }
}

/// Everybody who is allowed, by the policy or for a while.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(BTreeSet<Allowed>);

impl AllowList {
    /// Starts with nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds somebody.
    #[must_use]
    pub fn with(mut self, allowed: Allowed) -> Self {
        self.0.insert(allowed);
        self
    }

    /// Lists them.
    pub fn iter(&self) -> impl Iterator<Item = &Allowed> {
        self.0.iter()
    }

    /// Finds by what a destination is allowed, where it is.
    #[must_use]
    pub fn find(&self, destination: &Destination) -> Option<Allowed> {
        if self.0.is_empty() {
            return None;
        }
        let names = Block::of_destination(destination).into_iter().map(Allowed);
        names.into_iter().find(|name| self.0.contains(name))
    }

    /// Adds the entries of the blocklist that would refuse a destination: of one that is allowed
    /// only its own.
    pub(crate) fn add_blocks_of(&self, destination: &Destination, blocks: &mut Vec<Block>) {
        if self.find(destination).is_none() {
            return Block::add_of_destination(destination, blocks);
        }
        let own = |block: &Block| matches!(block.kind(), BlockKind::Phone | BlockKind::Email);
        let all = Block::of_destination(destination);
        blocks.extend(all.into_iter().filter(own));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str) -> Destination {
        Destination::parse(text, None).unwrap()
    }

    #[test]
    fn whoever_is_allowed_meets_blocks_of_themselves_and_none_of_their_neighbours() {
        let list = AllowList::new()
            .with(Allowed::new(BlockKind::Prefix, "+1415555").unwrap())
            .with(Allowed::new(BlockKind::Domain, "example.org").unwrap());
        for (text, kinds) in [
            ("+14155550123", &[BlockKind::Phone][..]),
            ("ann@example.org", &[BlockKind::Email]),
        ] {
            assert!(list.find(&to(text)).is_some());
            let mut blocks = Vec::new();
            list.add_blocks_of(&to(text), &mut blocks);
            let found: Vec<_> = blocks.iter().map(Block::kind).collect();
            assert_eq!(found, kinds);
        }
        for text in ["+14165550123", "ann@example.com"] {
            assert_eq!(list.find(&to(text)), None);
            let mut blocks = Vec::new();
            list.add_blocks_of(&to(text), &mut blocks);
            assert_eq!(blocks, Block::of_destination(&to(text)));
        }
    }

    #[test]
    fn a_country_an_address_and_a_device_are_not_let_past() {
        for (kind, value) in [
            (BlockKind::Prefix, "+250"),
            (BlockKind::Prefix, "1415555"),
            (BlockKind::Ip, "203.0.113.1"),
            (BlockKind::Device, "device-1"),
            (BlockKind::Phone, "12"),
        ] {
            assert_eq!(Allowed::new(kind, value), Err(InvalidAllowed), "{value}");
        }
        let phone = Allowed::new(BlockKind::Phone, "+14155550123").unwrap();
        assert!(!format!("{phone} {phone:?}").contains("5550123"));
    }
}
