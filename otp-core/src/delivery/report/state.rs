use super::super::DeliveryErrorKind;

/// How far a message has come.
///
/// Vendors report late, twice and out of order, so states form a ladder on which a message only
/// climbs: [`advance`](Self::advance) takes the higher of two. Whatever the order and the repeats
/// of a message's reports, it ends in the same state.
///
/// The ladder is `Queued`, `Sent`, `Cancelled`, `Failed`, `Delivered`, `Read`, `Complained`. Proof
/// of arrival stands above a failure, which some vendors report too early. Of several failures the
/// one that protects the person most wins: a fault of the vendor's is the lowest, an opt-out and a
/// vendor's protection are the highest.
///
/// # Examples
/// ```
/// use otp_core::delivery::{DeliveryErrorKind, DeliveryState};
///
/// let state = DeliveryState::Delivered.advance(DeliveryState::Sent);
/// assert_eq!(state, DeliveryState::Delivered);
///
/// let failed = DeliveryState::Failed(DeliveryErrorKind::Unreachable);
/// assert_eq!(DeliveryState::Sent.advance(failed), failed);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeliveryState {
    /// The vendor has it and has not handed it on yet.
    Queued,
    /// It was handed to the carrier, the mail server or the app.
    Sent,
    /// It was taken back before it left.
    Cancelled,
    /// It will not arrive, for this kind of reason.
    Failed(DeliveryErrorKind),
    /// The handset, the app or the receiving mail server has it. It proves nobody's identity.
    Delivered,
    /// It was shown.
    Read,
    /// It came, and the person wants no more: a spam report, an unsubscription.
    Complained,
}

impl DeliveryState {
    /// Gives the place on the ladder: the higher number wins. Stores may keep and compare it; the
    /// numbers of existing states do not change.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 10,
            Self::Sent => 20,
            Self::Cancelled => 30,
            Self::Failed(kind) => match kind {
                DeliveryErrorKind::Protocol => 40,
                DeliveryErrorKind::Timeout => 41,
                DeliveryErrorKind::Unavailable => 42,
                DeliveryErrorKind::Throttled => 43,
                DeliveryErrorKind::Unauthorized => 44,
                DeliveryErrorKind::Invalid => 45,
                DeliveryErrorKind::Unreachable => 46,
                DeliveryErrorKind::OptedOut => 47,
                DeliveryErrorKind::Protected => 48,
            },
            Self::Delivered => 60,
            Self::Read => 70,
            Self::Complained => 80,
        }
    }

    /// Reads a place on the ladder back.
    #[must_use]
    pub fn from_rank(rank: u8) -> Option<Self> {
        DeliveryErrorKind::ALL
            .map(Self::Failed)
            .into_iter()
            .chain([
                Self::Queued,
                Self::Sent,
                Self::Cancelled,
                Self::Delivered,
                Self::Read,
                Self::Complained,
            ])
            .find(|state| state.rank() == rank)
    }

    /// Adds a report to what is known: the higher of the two.
    #[must_use]
    pub const fn advance(self, reported: Self) -> Self {
        if reported.rank() > self.rank() {
            reported
        } else {
            self
        }
    }

    /// Says why it failed, where it did.
    #[must_use]
    pub const fn failure(self) -> Option<DeliveryErrorKind> {
        match self {
            Self::Failed(kind) => Some(kind),
            _ => None,
        }
    }

    /// Names the state for events, metrics and columns; the kind of a failure has its own name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Cancelled => "cancelled",
            Self::Failed(_) => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Complained => "complained",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [DeliveryErrorKind; 9] = DeliveryErrorKind::ALL;

    fn states() -> Vec<DeliveryState> {
        use DeliveryState as State;
        let mut all = vec![
            State::Queued,
            State::Sent,
            State::Cancelled,
            State::Delivered,
            State::Read,
            State::Complained,
        ];
        all.extend(KINDS.map(State::Failed));
        all
    }

    fn end(events: &[DeliveryState]) -> DeliveryState {
        events
            .iter()
            .fold(DeliveryState::Queued, |known, event| known.advance(*event))
    }

    #[test]
    fn no_two_states_share_a_rank_so_that_any_two_reports_add_up_one_way() {
        let mut ranks: Vec<u8> = states().into_iter().map(DeliveryState::rank).collect();
        ranks.sort_unstable();
        ranks.dedup();
        assert_eq!(ranks.len(), states().len());
        for state in states() {
            assert_eq!(DeliveryState::from_rank(state.rank()), Some(state));
        }
        assert_eq!(DeliveryState::from_rank(39), None);
    }

    #[test]
    fn every_triple_of_states_adds_up_to_the_same_in_every_order() {
        for a in states() {
            assert_eq!(a.advance(a), a);
            for b in states() {
                assert_eq!(a.advance(b), b.advance(a));
                for c in states() {
                    assert_eq!(a.advance(b).advance(c), a.advance(b.advance(c)));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn fifty_events_shuffled_and_doubled_end_in_the_same_state(
            (events, shuffled) in prop::collection::vec(prop::sample::select(states()), 1..50)
                .prop_flat_map(|events| {
                    let mut doubled = events.clone();
                    doubled.extend(events.iter().copied());
                    (Just(events), Just(doubled).prop_shuffle())
                })
        ) {
            prop_assert_eq!(end(&events), end(&shuffled));
        }
    }

    #[test]
    fn an_arrived_message_never_goes_back_and_a_failure_never_becomes_progress() {
        for kind in KINDS {
            let failed = DeliveryState::Failed(kind);
            assert_eq!(
                DeliveryState::Delivered.advance(failed),
                DeliveryState::Delivered
            );
            assert_eq!(failed.advance(DeliveryState::Sent), failed);
            assert_eq!(failed.failure(), Some(kind));
        }
        assert_eq!(
            DeliveryState::Delivered.advance(DeliveryState::Read),
            DeliveryState::Read
        );
    }
}
