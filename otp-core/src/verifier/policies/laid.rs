//! What a fleet has laid on its policy: on a board of the store, and taken over from there.

use super::{PolicyChangeError, Verifier, audit};
use crate::clock::Timestamp;
use crate::event::Event;
use crate::policy::{OverrideList, Shared};
use crate::store::{Board, Published, StoreError, StoreErrorKind};
use crate::verifier::checked_by;

/// How often a change is tried where others change the list at the same time.
const TRIES: usize = 64;

/// What an instance knows of the fleet's overrides.
#[derive(Clone, Debug, Default)]
pub(super) struct Laid {
    /// The revision of the board.
    pub(super) revision: u64,
    pub(super) list: OverrideList,
}

/// What the fleet has, at a time of the store's.
pub(super) struct Reading {
    pub(super) list: OverrideList,
    pub(super) revision: u64,
    pub(super) now: Timestamp,
}

impl Verifier {
    /// Takes over what the fleet has by now, once nobody else here changes it.
    pub(super) async fn follow_overrides(&self) -> Result<(), StoreError> {
        let _turn = self.inner.policies.turn().await;
        self.read_overrides().await.map(drop)
    }

    /// Reads what the fleet has, and lays it on. The caller has the turn: a list that was read before
    /// a change must not be laid on after it.
    pub(super) async fn read_overrides(&self) -> Result<Reading, StoreError> {
        let known = self.inner.policies.laid().clone();
        let posted = self.inner.store.posted(Board::Overrides, known.revision);
        let posted = posted.await?;
        // An engine that has lost its board says nothing: what held goes on, with the next change.
        let list = match &posted.text {
            Some(text) => OverrideList::read(text),
            None => known.list,
        };
        let reading = Reading {
            list,
            revision: posted.revision,
            now: posted.now,
        };
        self.lay(&reading);
        self.record_ends().await;
        Ok(reading)
    }

    /// Changes what the fleet has, by one step that nobody else's comes between, with its records.
    /// The caller has the turn.
    pub(super) async fn post_overrides(
        &self,
        change: impl Fn(&Reading) -> Result<(OverrideList, Vec<Event>), PolicyChangeError>,
    ) -> Result<(), PolicyChangeError> {
        for _ in 0..TRIES {
            let mut reading = self.read_overrides().await?;
            // What has ended goes once that is on record.
            if self.inner.policies.has_recorded() {
                reading.list = reading.list.without_ended(reading.now);
            }
            let (list, events) = change(&reading)?;
            let text = list.text()?;
            let posted =
                self.inner
                    .store
                    .post(Board::Overrides, reading.revision, text, events.clone());
            if let Published::As(revision) = posted.await? {
                let now = reading.now;
                self.lay(&Reading {
                    list,
                    revision,
                    now,
                });
                let now = self.inner.clock.now();
                for event in events {
                    self.observe(&event.at(now));
                }
                return Ok(());
            }
        }
        Err(StoreError::from(StoreErrorKind::Unavailable).into())
    }

    fn lay(&self, reading: &Reading) {
        let shelf = &self.inner.policies;
        let news = {
            let mut laid = shelf.laid();
            let news = laid.revision != reading.revision;
            *laid = Laid {
                revision: reading.revision,
                list: reading.list.clone(),
            };
            news
        };
        let fits = |policy: &_| checked_by(policy, self.inner.captcha.as_ref()).is_ok();
        let now = self.inner.clock.now();
        let Shared { ended, left_out } = shelf.share(&reading.list, reading.now, now, fits);
        if news {
            for id in left_out {
                tracing::error!(target: "otp_kit", %id, "an override of the fleet cannot hold here");
            }
        }
        shelf.keep(self.seen_to_end(&ended));
    }

    /// Shows that overrides ended by themselves, and gives the records of it.
    pub(super) fn seen_to_end(&self, ended: &[crate::policy::Ended]) -> Vec<Event> {
        let now = self.inner.clock.now();
        let events: Vec<Event> = ended.iter().map(audit::of_end).collect();
        for event in &events {
            self.observe(&event.clone().at(now));
        }
        events
    }
}
