use std::fmt;

use crate::challenge::{Challenge, ChallengeId};
use crate::delivery::{DeliveryState, Locale, MessageId};
use crate::destination::Channel;
use crate::event::Event;
use crate::key::Sealed;
use crate::request::{Purpose, SubjectKey, Tenant};

/// Where a message goes, as people may see it and as only the keys open it.
#[derive(Clone, PartialEq, Eq)]
pub struct Recipient {
    /// As people may see it: `+1415•••0123`.
    pub masked: String,
    /// The challenge's addresses, sealed and bound to the challenge; that of the message's channel
    /// is meant.
    pub sealed: Sealed,
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient({})", self.masked)
    }
}

/// The intent to send a message. It rides in the intent that makes its code true, so that no
/// message leaves that is on no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery {
    /// Its name.
    pub id: MessageId,
    /// Whose it is.
    pub tenant: Tenant,
    /// The challenge whose code it carries.
    pub challenge: ChallengeId,
    /// Whom it is for.
    pub subject: SubjectKey,
    /// What the code is for.
    pub purpose: Purpose,
    /// How it is sent.
    pub channel: Channel,
    /// In which language.
    pub locale: Locale,
    /// To where; `None` for a decoy.
    pub destination: Option<Recipient>,
}

impl NewDelivery {
    /// Intends to send the code of a challenge over its channel. `masked` is the address that it
    /// goes to, which need not be the challenge's first.
    #[must_use]
    pub fn of(challenge: &Challenge, id: MessageId, locale: Locale, masked: &str) -> Self {
        Self {
            id,
            tenant: challenge.tenant.clone(),
            challenge: challenge.id,
            subject: challenge.subject.clone(),
            purpose: challenge.purpose.clone(),
            channel: challenge.channel,
            locale,
            destination: challenge.destination.clone().map(|sealed| Recipient {
                masked: masked.to_owned(),
                sealed,
            }),
        }
    }
}

/// What came of a sending.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Which message.
    pub id: MessageId,
    /// The challenge whose code it carries.
    pub challenge: ChallengeId,
    /// Who accepted it, or was the last to refuse it.
    pub provider: Option<String>,
    /// The vendor's id of it.
    pub reference: Option<String>,
    /// How far it came: [`Sent`](DeliveryState::Sent), [`Failed`](DeliveryState::Failed), or
    /// [`Cancelled`](DeliveryState::Cancelled) where it went to nobody or another channel took
    /// its place.
    pub state: DeliveryState,
    /// Why it failed.
    pub reason: Option<String>,
    /// The record of it; `None` where another intent carries it, and for a decoy.
    pub event: Option<Event>,
}
