use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long vendors lately took to say that a code is right or wrong.
///
/// A try that is refused without asking one waits as long: else a stranger could tell by the time
/// whether there is a challenge, and whether it is a decoy.
#[derive(Debug, Default)]
pub(in crate::verifier) struct Pace(Mutex<VecDeque<Duration>>);

const KEPT: usize = 16;
/// Beyond this a vendor is failing, and every refusal would be slow for one of them.
const LONGEST: Duration = Duration::from_secs(2);

impl Pace {
    pub(super) fn saw(&self, took: Duration) {
        let mut kept = self.lock();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(took.min(LONGEST));
    }

    /// Waits as long as one of the last answers took, each in its turn.
    pub(in crate::verifier) async fn wait(&self) {
        let next = self.next();
        if let Some(next) = next {
            tokio::time::sleep(next).await;
        }
    }

    fn next(&self) -> Option<Duration> {
        let mut kept = self.lock();
        let next = kept.pop_front()?;
        kept.push_back(next);
        Some(next)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_takes_as_long_as_the_last_answers_did_and_never_long() {
        let pace = Pace::default();
        assert_eq!(pace.next(), None);
        pace.saw(Duration::from_secs(60));
        assert_eq!(pace.next(), Some(LONGEST));
        for millis in 1..=16 {
            pace.saw(Duration::from_millis(millis));
        }
        let seen: Vec<_> = (0..16).filter_map(|_| pace.next()).collect();
        assert_eq!(seen.iter().max(), Some(&Duration::from_millis(16)));
        assert_eq!(seen.iter().min(), Some(&Duration::from_millis(1)));
    }
}
