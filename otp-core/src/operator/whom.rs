use std::fmt;
use std::net::IpAddr;

use crate::destination::Destination;
use crate::event::Event;
use crate::policy::AllowList;
use crate::quota::ClientAddress;
use crate::request::{SubjectId, SubjectKey};
use crate::store::{Block, ChallengeQuery};

/// Whom a call is about. `Display` masks a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whom {
    /// An account, by the host's id.
    Subject(SubjectId),
    /// An account or a destination by the key that records have of it
    /// ([`Source::account`](super::Source::account)); of a destination nothing else is known then.
    Account(SubjectKey),
    /// A phone number or an e-mail address.
    Destination(Destination),
    /// A client, by its address; of IPv6 with its /64.
    Address(IpAddr),
}

impl Whom {
    /// Gives the key that budgets and live challenges are kept by; an address has none.
    #[must_use]
    pub fn subject_key(&self) -> Option<SubjectKey> {
        match self {
            Self::Subject(subject) => Some(SubjectKey::of_subject(subject)),
            Self::Account(key) => Some(key.clone()),
            Self::Destination(destination) => Some(SubjectKey::of_destination(destination)),
            Self::Address(_) => None,
        }
    }

    /// Asks for the live challenges: of an account, those that went to a destination whoever the
    /// account is, or those that an address asked for.
    #[must_use]
    pub fn challenges(&self) -> ChallengeQuery {
        let mut query = ChallengeQuery::default();
        match self {
            Self::Subject(_) => query.subject = self.subject_key(),
            Self::Destination(_) => query.destination = self.subject_key(),
            Self::Account(key) => match key.subject_id() {
                Some(_) => query.subject = self.subject_key(),
                None => query.destination = self.subject_key(),
            },
            Self::Address(address) => query.address = Some(*address),
        }
        query
    }

    /// Lists the entries of the blocklist that would refuse them.
    pub(super) fn blocks(&self, allowed: &AllowList) -> Vec<Block> {
        let mut blocks = Vec::new();
        match self {
            Self::Subject(_) | Self::Account(_) => {}
            Self::Destination(destination) => allowed.add_blocks_of(destination, &mut blocks),
            Self::Address(address) => Block::add_of_address(*address, &mut blocks),
        }
        blocks
    }

    /// Says whether an event is about them. Records hold destinations masked, and others look the
    /// same: of accounts with names of their own it goes by those that a challenge was found for.
    pub(super) fn is_of(&self, event: &Event, accounts: &[SubjectKey]) -> bool {
        match self {
            Self::Subject(_) | Self::Account(_) => event.subject == self.subject_key(),
            Self::Destination(destination) => {
                let looks_like = || {
                    let masked = destination.to_string();
                    event.destination.as_deref() == Some(masked.as_str())
                };
                let of = |account: &SubjectKey| {
                    Some(account) == self.subject_key().as_ref()
                        || (accounts.contains(account) && looks_like())
                };
                event.subject.as_ref().is_some_and(of)
            }
            Self::Address(address) => {
                let bucket = ClientAddress::from(*address).bucket();
                let of = |other| ClientAddress::from(other).bucket() == bucket;
                event.address.is_some_and(of)
            }
        }
    }

    /// Names them in a record.
    pub(super) fn named_in(&self, mut event: Event) -> Event {
        event.subject = self.subject_key();
        if !matches!(self, Self::Subject(_) | Self::Account(_)) {
            event.destination = Some(self.to_string());
        }
        event
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subject(subject) => subject.fmt(f),
            Self::Account(key) => f.write_str(key.user_id()),
            Self::Destination(destination) => destination.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}
