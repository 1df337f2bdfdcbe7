mod network;
mod value;

use std::fmt;
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::destination::{Destination, EmailAddress};
use crate::event::Event;
use crate::quota::ClientAddress;
use crate::request::DeviceId;

use self::value::Value;
use super::StoreError;

/// What kind of thing is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BlockKind {
    /// One phone number.
    Phone,
    /// Every number that starts so.
    Prefix,
    /// One e-mail address.
    Email,
    /// Every address of a domain.
    Domain,
    /// One client address; of IPv6 the /64 that it is in. Or a network around addresses: of IPv4
    /// a /8, /12, /16, /20, /24 or /28, of IPv6 a /32, /40, /48 or /56.
    Ip,
    /// One device, by the id that the host gives requests
    /// ([`RequestContext::device_id`](crate::request::RequestContext::device_id)).
    Device,
}

impl BlockKind {
    /// Names the kind, as the operator's routes have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Prefix => "prefix",
            Self::Email => "email",
            Self::Domain => "domain",
            Self::Ip => "ip",
            Self::Device => "device",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Phone,
            Self::Prefix,
            Self::Email,
            Self::Domain,
            Self::Ip,
            Self::Device,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// One thing that is, or may be, on the blocklist. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Block {
    kind: BlockKind,
    value: Value,
}

/// The value is not one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a value of that kind")]
pub struct InvalidBlock;

/// What a client's address adds to the blocks that a request asks for, which is likely to follow.
const MORE: usize = network::MOST_AROUND + 1;

impl Block {
    /// Reads a value of a kind into the form that requests are matched by.
    ///
    /// # Errors
    /// [`InvalidBlock`] where the value is none of the kind.
    pub fn new(kind: BlockKind, value: &str) -> Result<Self, InvalidBlock> {
        if value.is_empty() || value.len() > 254 || value.chars().any(char::is_control) {
            return Err(InvalidBlock);
        }
        let value = match kind {
            BlockKind::Phone | BlockKind::Email => {
                let destination = Destination::parse(value, None).map_err(|_| InvalidBlock)?;
                match (kind, &destination) {
                    (BlockKind::Phone, Destination::Phone(_))
                    | (BlockKind::Email, Destination::Email(_)) => {
                        destination.limit_key().expose().to_owned()
                    }
                    _ => return Err(InvalidBlock),
                }
            }
            BlockKind::Prefix => prefix(value)?,
            // The form that addresses have: IDNA, lower case.
            BlockKind::Domain => EmailAddress::parse(&format!("a@{value}"))
                .map_err(|_| InvalidBlock)?
                .domain()
                .to_owned(),
            BlockKind::Ip => {
                let mut entries = addresses(value)?.into_iter();
                match (entries.next(), entries.next()) {
                    (Some(entry), None) => entry,
                    _ => return Err(InvalidBlock),
                }
            }
            BlockKind::Device => value.to_owned(),
        };
        Ok(Self::raw(kind, &value))
    }

    /// Reads a value into the entries that cover it and nothing else: one, but for a network of a
    /// length between those of [`BlockKind::Ip`], which is written as up to sixteen of the next.
    ///
    /// # Errors
    /// [`InvalidBlock`] where the value is none of the kind, or a network that takes more.
    pub fn covering(kind: BlockKind, value: &str) -> Result<Vec<Self>, InvalidBlock> {
        if kind != BlockKind::Ip {
            return Self::new(kind, value).map(|block| vec![block]);
        }
        let entries = addresses(value)?;
        Ok(entries.iter().map(|entry| Self::raw(kind, entry)).collect())
    }

    /// Lists every entry that would block a destination.
    #[must_use]
    pub fn of_destination(destination: &Destination) -> Vec<Self> {
        let mut blocks = Vec::new();
        Self::add_of_destination(destination, &mut blocks);
        blocks
    }

    pub(crate) fn add_of_destination(destination: &Destination, blocks: &mut Vec<Self>) {
        let key = destination.limit_key();
        match destination {
            Destination::Phone(phone) => {
                let full = phone.e164();
                blocks.reserve(full.len().saturating_add(MORE));
                let starts = (2..=full.len()).filter_map(|end| full.get(..end));
                blocks.extend(starts.map(|value| Self::raw(BlockKind::Prefix, value)));
                blocks.push(Self::raw(BlockKind::Phone, key.expose()));
            }
            Destination::Email(email) => {
                blocks.reserve(MORE.saturating_add(2));
                blocks.push(Self::raw(BlockKind::Email, key.expose()));
                blocks.push(Self::raw(BlockKind::Domain, email.domain()));
            }
        }
    }

    /// Gives the entry that would block a client address; an IPv6 host is blocked with its /64.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        Self::raw(BlockKind::Ip, &ClientAddress::from(address).bucket())
    }

    pub(crate) fn add_of_address(address: IpAddr, blocks: &mut Vec<Self>) {
        blocks.reserve(MORE);
        blocks.push(Self::of_address(address));
        network::around(address, |name| blocks.push(Self::raw(BlockKind::Ip, name)));
    }

    /// Gives the entry that would block a device.
    pub(crate) fn of_device(id: &DeviceId) -> Self {
        Self::raw(BlockKind::Device, id.as_str())
    }

    fn raw(kind: BlockKind, value: &str) -> Self {
        Self {
            kind,
            value: value.into(),
        }
    }

    /// Names the kind.
    #[must_use]
    pub fn kind(&self) -> BlockKind {
        self.kind
    }

    /// Gives the value in full, for stores and the operator.
    #[must_use]
    pub fn value(&self) -> &str {
        self.value.as_str()
    }

    /// Gives the value as people may see it: phones and e-mail addresses masked, of a device the
    /// beginning; prefixes, domains and networks name nobody and are as they are.
    #[must_use]
    pub fn masked(&self) -> String {
        let value = self.value();
        match self.kind {
            BlockKind::Phone | BlockKind::Email => Destination::parse(value, None).map_or_else(
                |_| "\u{2022}\u{2022}\u{2022}".to_owned(),
                |address| address.to_string(),
            ),
            BlockKind::Device => {
                let head: String = value.chars().take(4).collect();
                format!("{head}\u{2022}\u{2022}\u{2022}")
            }
            BlockKind::Prefix | BlockKind::Domain | BlockKind::Ip => value.to_owned(),
        }
    }
}

impl Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({})", self.kind.name())
    }
}

/// Reads an address, or a network, into the names that requests ask for.
fn addresses(value: &str) -> Result<Vec<String>, InvalidBlock> {
    if value.contains('/') {
        // What requests are counted by is a network too: a /64, and of 6to4 a /48.
        let host = value
            .split_once('/')
            .and_then(|(host, _)| host.parse().ok());
        let bucket = host.map(|host: IpAddr| ClientAddress::from(host).bucket());
        return match bucket {
            Some(bucket) if bucket == value => Ok(vec![bucket]),
            _ => network::covering(value),
        };
    }
    let address: IpAddr = value.parse().map_err(|_| InvalidBlock)?;
    Ok(vec![ClientAddress::from(address).bucket()])
}

fn prefix(value: &str) -> Result<String, InvalidBlock> {
    let digits = value.strip_prefix('+').ok_or(InvalidBlock)?;
    let fits = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits {
        Ok(value.to_owned())
    } else {
        Err(InvalidBlock)
    }
}

/// A blocklist entry with what the operator wrote beside it.
#[derive(Clone, Debug)]
pub struct BlockEntry {
    /// What is blocked.
    pub block: Block,
    /// Why, in the operator's words; cut at 256 characters by the caller.
    pub note: String,
    /// Who added it.
    pub author: String,
    /// When, by the store's clock.
    pub added_at: Timestamp,
    /// When it lapses; `None`: never.
    pub expires_at: Option<Timestamp>,
}

/// Keeps the blocklist. Requests are matched by
/// [`ChallengeStore::admit`](super::ChallengeStore::admit), all their values at once.
#[async_trait]
pub trait BlocklistStore: Debug + Send + Sync + 'static {
    /// Adds an entry, or replaces the one of the same value. It holds for every request that is
    /// admitted afterwards.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn block(
        &self,
        block: &Block,
        note: &str,
        author: &str,
        life: Option<Duration>,
        event: Event,
    ) -> Result<(), StoreError>;

    /// Removes an entry; one that is not there is no error.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn unblock(&self, block: &Block, event: Event) -> Result<(), StoreError>;

    /// Lists entries that hold now, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    async fn blocks(&self, limit: usize) -> Result<Vec<BlockEntry>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: BlockKind, text: &str) -> Option<String> {
        Block::new(kind, text)
            .ok()
            .map(|block| block.value().to_owned())
    }

    #[test]
    fn a_block_reads_itself_back_and_is_what_a_request_is_matched_by() {
        for (kind, text) in [
            (BlockKind::Phone, "+1 (415) 555-0123"),
            (BlockKind::Prefix, "+4479"),
            (BlockKind::Email, "Mike@Example.org"),
            (BlockKind::Domain, "B\u{fc}cher.example"),
            (BlockKind::Ip, "203.0.113.7"),
            (BlockKind::Ip, "2001:db8:1:2:3::4"),
            (BlockKind::Ip, "10.0.0.0/8"),
            (BlockKind::Ip, "2001:db8::/32"),
        ] {
            let kept = value(kind, text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(value(kind, &kept), Some(kept));
        }
        let neighbour: IpAddr = "2001:db8:1:2::9".parse().expect("an address");
        let blocked = Block::new(BlockKind::Ip, "2001:db8:1:2:3::4").ok();
        assert_eq!(
            Some(Block::of_address(neighbour)),
            blocked,
            "one /64 is one client"
        );
    }

    #[test]
    fn what_would_never_match_is_refused() {
        for (kind, text) in [
            (BlockKind::Domain, "@evil.example"),
            (BlockKind::Domain, "evil example"),
            (BlockKind::Ip, "10.0.0.1/8"),
            (BlockKind::Ip, "10.0.0.0/9"),
            (BlockKind::Ip, "2001:db8::/31"),
            (BlockKind::Prefix, "44"),
            (BlockKind::Phone, "mike@example.org"),
        ] {
            assert_eq!(value(kind, text), None, "{text}");
        }
    }
}
