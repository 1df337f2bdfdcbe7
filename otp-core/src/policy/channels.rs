use std::collections::BTreeSet;

use crate::destination::Channel;

/// The channels that are switched off, for every instance that the policy reaches. A channel
/// needs a route as well to take messages. Default: none is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Channels {
    off: BTreeSet<Channel>,
}

impl Channels {
    /// Switches a channel off.
    #[must_use]
    pub fn without(mut self, channel: Channel) -> Self {
        self.off.insert(channel);
        self
    }

    /// Switches a channel on.
    #[must_use]
    pub fn with(mut self, channel: Channel) -> Self {
        self.off.remove(&channel);
        self
    }

    /// Says whether a channel takes messages.
    #[must_use]
    pub fn is_on(&self, channel: Channel) -> bool {
        !self.off.contains(&channel)
    }

    /// Lists those that do not.
    pub fn off(&self) -> impl Iterator<Item = Channel> {
        self.off.iter().copied()
    }
}
