//! [`Channel`]: the way that a code travels.

use std::{fmt, str::FromStr};

use super::{Destination, DestinationKind};

/// A way to deliver a code or a link.
///
/// # Examples
///
/// ```
/// use otp_core::destination::{Channel, Destination};
///
/// let channel: Channel = "whatsapp".parse()?;
/// let phone = Destination::parse("+14155550123", None)?;
/// channel.fits(&phone)?;
/// assert!(!channel.is_restricted());
/// assert!(Channel::Email.fits(&phone).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Channel {
    /// A text message over the telephone network.
    Sms,
    /// A `WhatsApp` message to a phone number.
    WhatsApp,
    /// A message by the Telegram Gateway to a phone number.
    Telegram,
    /// A spoken call over the telephone network.
    Voice,
    /// An e-mail message.
    Email,
}

impl Channel {
    /// Every channel, in the order of the variants.
    pub const ALL: [Self; 5] = [
        Self::Sms,
        Self::WhatsApp,
        Self::Telegram,
        Self::Voice,
        Self::Email,
    ];

    /// Returns the channel's name in lower case: `sms`, `whatsapp`, `telegram`, `voice` or `email`.
    ///
    /// The names are stable; they are stored and they are what [`FromStr`] reads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::WhatsApp => "whatsapp",
            Self::Telegram => "telegram",
            Self::Voice => "voice",
            Self::Email => "email",
        }
    }

    /// Tells whether the channel runs over the public switched telephone network, which NIST SP 800-63B
    /// clause 3.1.3.3 restricts: offer another factor beside it, tell the user of the risk, and have a
    /// plan to leave it.
    #[must_use]
    pub const fn is_restricted(self) -> bool {
        matches!(self, Self::Sms | Self::Voice)
    }

    /// Returns the kind of destination that the channel delivers to.
    #[must_use]
    pub const fn destination_kind(self) -> DestinationKind {
        match self {
            Self::Sms | Self::WhatsApp | Self::Telegram | Self::Voice => DestinationKind::Phone,
            Self::Email => DestinationKind::Email,
        }
    }

    /// Checks that the channel can deliver to `destination`.
    ///
    /// Only the kind is looked at; which countries and line types are served is policy.
    ///
    /// # Errors
    ///
    /// [`ChannelMismatch`] when the destination is of the other kind.
    pub fn fits(self, destination: &Destination) -> Result<(), ChannelMismatch> {
        if self.destination_kind() == destination.kind() {
            Ok(())
        } else {
            Err(ChannelMismatch {
                channel: self,
                kind: destination.kind(),
            })
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    /// Reads exactly one of the names that [`Channel::name`] gives.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.name() == name)
            .ok_or(UnknownChannel)
    }
}

/// A text that names no [`Channel`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel name")]
pub struct UnknownChannel;

/// A channel that cannot deliver to the destination it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {channel} channel does not deliver to a destination of kind {kind}")]
pub struct ChannelMismatch {
    channel: Channel,
    kind: DestinationKind,
}

impl ChannelMismatch {
    /// Returns the channel that was asked for.
    #[must_use]
    pub const fn channel(self) -> Channel {
        self.channel
    }

    /// Returns the kind of the destination it was asked for.
    #[must_use]
    pub const fn kind(self) -> DestinationKind {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_channel() {
        for channel in Channel::ALL {
            assert_eq!(channel.name().parse(), Ok(channel));
        }
    }

    #[test]
    fn other_spellings_are_no_channel() {
        for name in ["", "SMS", " sms", "sms\0", "push"] {
            assert_eq!(name.parse::<Channel>(), Err(UnknownChannel), "{name:?}");
        }
    }

    #[test]
    fn only_the_telephone_network_is_restricted() {
        let restricted: Vec<_> = Channel::ALL
            .into_iter()
            .filter(|channel| channel.is_restricted())
            .collect();
        assert_eq!(restricted, [Channel::Sms, Channel::Voice]);
    }

    #[test]
    fn a_channel_refuses_a_destination_of_the_other_kind() {
        let phone = Destination::parse("+14155550123", None).unwrap();
        let email = Destination::parse("mike@example.org", None).unwrap();
        for channel in Channel::ALL {
            let (fitting, other) = if channel == Channel::Email {
                (&email, &phone)
            } else {
                (&phone, &email)
            };
            assert_eq!(channel.fits(fitting), Ok(()));
            let refusal = channel.fits(other).unwrap_err();
            assert_eq!(refusal.channel(), channel);
            assert_eq!(refusal.kind(), other.kind());
        }
    }
}
