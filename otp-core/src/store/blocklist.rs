use std::fmt;
use std::fmt::Debug;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::clock::Timestamp;
use crate::destination::Destination;
use crate::event::Event;

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
    /// One client address.
    Ip,
    /// One device.
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
    value: String,
}

/// The value is not one of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a value of that kind")]
pub struct InvalidBlock;

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
            BlockKind::Domain => value.to_ascii_lowercase(),
            BlockKind::Ip => value
                .parse::<IpAddr>()
                .map_err(|_| InvalidBlock)?
                .to_canonical()
                .to_string(),
            BlockKind::Device => value.to_owned(),
        };
        Ok(Self { kind, value })
    }

    /// Lists every entry that would block a destination.
    #[must_use]
    pub fn of_destination(destination: &Destination) -> Vec<Self> {
        let key = destination.limit_key().expose().to_owned();
        match destination {
            Destination::Phone(phone) => {
                let full = phone.e164();
                let mut blocks: Vec<Self> = (2..=full.len())
                    .filter_map(|end| full.get(..end))
                    .map(|value| Self::raw(BlockKind::Prefix, value))
                    .collect();
                blocks.push(Self::raw(BlockKind::Phone, &key));
                blocks
            }
            Destination::Email(email) => vec![
                Self::raw(BlockKind::Email, &key),
                Self::raw(BlockKind::Domain, email.domain()),
            ],
        }
    }

    /// Gives the entry that would block a client address.
    #[must_use]
    pub fn of_address(address: IpAddr) -> Self {
        Self::raw(BlockKind::Ip, &address.to_canonical().to_string())
    }

    fn raw(kind: BlockKind, value: &str) -> Self {
        Self {
            kind,
            value: value.to_owned(),
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
        &self.value
    }
}

impl Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Block({})", self.kind.name())
    }
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
