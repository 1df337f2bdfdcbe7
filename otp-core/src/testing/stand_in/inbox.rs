use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::challenge::Code;
use crate::delivery::{Message, MessageId, SenderId};
use crate::destination::{Channel, Destination};

/// What arrived at everybody's, through whichever provider. Clones are one inbox.
#[derive(Clone, Debug, Default)]
pub struct Inbox(Arc<Mutex<HashMap<Destination, Vec<Arrived>>>>);

#[derive(Debug)]
struct Arrived {
    through: String,
    channel: Channel,
    id: MessageId,
    code: Code,
    sender: Option<SenderId>,
}

impl Inbox {
    /// Makes an empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts all messages.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().values().map(Vec::len).sum()
    }

    /// Says whether nobody got anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Counts those who got anything.
    #[must_use]
    pub fn people(&self) -> usize {
        self.lock().len()
    }

    /// Counts what one person got.
    #[must_use]
    pub fn count_for(&self, to: &Destination) -> usize {
        self.lock().get(to).map_or(0, Vec::len)
    }

    /// Says how many messages the person got who got the most.
    #[must_use]
    pub fn most_for_one(&self) -> usize {
        self.lock().values().map(Vec::len).max().unwrap_or(0)
    }

    /// Gives the code that a person got last.
    #[must_use]
    pub fn last_code_for(&self, to: &Destination) -> Option<Code> {
        self.last(to, |arrived| arrived.code.clone())
    }

    /// Gives the channel over which a person got the last message.
    #[must_use]
    pub fn last_channel_for(&self, to: &Destination) -> Option<Channel> {
        self.last(to, |arrived| arrived.channel)
    }

    /// Gives the sender that the last message to a person asked for.
    #[must_use]
    pub fn last_sender_for(&self, to: &Destination) -> Option<SenderId> {
        self.last(to, |arrived| arrived.sender.clone()).flatten()
    }

    /// Lists the providers that a person got messages through, in order.
    #[must_use]
    pub fn senders_for(&self, to: &Destination) -> Vec<String> {
        self.all(to, |arrived| arrived.through.clone())
    }

    /// Lists the codes that a person got, in order.
    #[must_use]
    pub fn codes_for(&self, to: &Destination) -> Vec<String> {
        self.all(to, |arrived| arrived.code.expose().to_owned())
    }

    /// Lists the ids of the messages that a person got, in order.
    #[must_use]
    pub fn ids_for(&self, to: &Destination) -> Vec<MessageId> {
        self.all(to, |arrived| arrived.id.clone())
    }

    pub(super) fn put(&self, through: &str, message: &Message) {
        let arrived = Arrived {
            through: through.to_owned(),
            channel: message.channel(),
            id: message.id().clone(),
            code: message.code().clone(),
            sender: message.sender().cloned(),
        };
        let to = message.destination().clone();
        self.lock().entry(to).or_default().push(arrived);
    }

    fn last<T>(&self, to: &Destination, read: impl Fn(&Arrived) -> T) -> Option<T> {
        self.lock().get(to)?.last().map(read)
    }

    fn all<T>(&self, to: &Destination, read: impl Fn(&Arrived) -> T) -> Vec<T> {
        let inside = self.lock();
        inside.get(to).into_iter().flatten().map(read).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Destination, Vec<Arrived>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
