use crate::delivery::DeliveryState;

/// What became of messages that a provider took, as its vendor reported it to this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReceiptCounts {
    /// Those that arrived.
    pub delivered: u64,
    /// Those that will not.
    pub failed: u64,
}

impl ReceiptCounts {
    /// Gives how many of a hundred messages with a receipt arrived; `None` before the first.
    #[must_use]
    pub fn percent_delivered(&self) -> Option<u64> {
        let all = self.delivered.saturating_add(self.failed);
        self.delivered.saturating_mul(100).checked_div(all)
    }

    /// Counts a message that went from a state to a higher one. One that arrived after all is no
    /// failure any more.
    pub(crate) fn moved(&mut self, from: DeliveryState, to: DeliveryState) {
        let arrived = |state: DeliveryState| state.rank() >= DeliveryState::Delivered.rank();
        if to.failure().is_some() && from.failure().is_none() {
            self.failed = self.failed.saturating_add(1);
        }
        if arrived(to) && !arrived(from) {
            self.delivered = self.delivered.saturating_add(1);
            if from.failure().is_some() {
                self.failed = self.failed.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::DeliveryErrorKind;

    #[test]
    fn a_message_is_counted_once_as_what_it_is_in_the_end() {
        let failed = DeliveryState::Failed(DeliveryErrorKind::Unreachable);
        let (sent, delivered) = (DeliveryState::Sent, DeliveryState::Delivered);
        let mut counts = ReceiptCounts::default();
        assert_eq!(counts.percent_delivered(), None);
        for (from, to) in [
            (sent, failed),
            (DeliveryState::Queued, sent),
            (sent, delivered),
            (delivered, DeliveryState::Read),
            (sent, failed),
            (failed, delivered),
            (sent, DeliveryState::Complained),
        ] {
            counts.moved(from, to);
        }
        assert_eq!((counts.delivered, counts.failed), (3, 1));
        assert_eq!(counts.percent_delivered(), Some(75));
    }
}
