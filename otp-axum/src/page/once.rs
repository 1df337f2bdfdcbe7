//! What was confirmed is done once: a second click hears what came of the first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::deed::Told;

/// How many deeds are remembered with what came of them.
const REMEMBERED: usize = 256;

/// A deed that was confirmed.
#[derive(Default)]
pub(super) struct Deal {
    /// Its confirmation was spent by this instance.
    pub(super) ours: OnceCell<()>,
    pub(super) told: OnceCell<Told>,
}

/// The last deeds, by their confirmations.
#[derive(Default)]
pub(super) struct Done(Mutex<VecDeque<(String, Arc<Deal>)>>);

impl Done {
    /// Gives the deed of a confirmation: of all who ask with the same one, the same.
    pub(super) fn of(&self, ticket: &str) -> Arc<Deal> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, deal)) = all.iter().find(|(other, _)| other == ticket) {
            return Arc::clone(deal);
        }
        if all.len() == REMEMBERED {
            all.pop_front();
        }
        let deal = Arc::new(Deal::default());
        all.push_back((ticket.to_owned(), Arc::clone(&deal)));
        deal
    }
}
