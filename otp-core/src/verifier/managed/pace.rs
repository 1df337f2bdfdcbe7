use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long vendors lately took to answer: to say that a code is right or wrong, or to take a
/// message.
///
/// A request that is refused without asking one waits as long: else a stranger could tell by the
/// time whether there is a challenge and whether it is a decoy, or that a message is kept back.
#[derive(Debug, Default)]
pub(in crate::verifier) struct Pace(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: VecDeque<Duration>,
    /// Since when vendors say nothing, and how long the last one took to.
    silent: Option<(Instant, Duration)>,
}

/// What a try is answered that is refused without asking a vendor: as one that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verifier) enum Word {
    Verdict,
    Silence,
}

const KEPT: usize = 16;
/// Waited for before the first answer.
const FIRST: Duration = Duration::from_millis(200);
/// After so long without a check, nobody knows how the vendors are.
const REMEMBERED: Duration = Duration::from_secs(300);
/// Beyond this a vendor is failing, and every refusal would be slow for one of them.
const LONGEST: Duration = Duration::from_secs(2);

impl Pace {
    pub(in crate::verifier) fn saw(&self, took: Duration) {
        let mut kept = self.lock();
        kept.silent = None;
        if kept.answers.len() >= KEPT {
            kept.answers.pop_front();
        }
        kept.answers.push_back(took.min(LONGEST));
    }

    /// Remembers that the last check had no verdict.
    pub(in crate::verifier) fn heard_nothing(&self, took: Duration) {
        self.lock().silent = Some((Instant::now(), took));
    }

    /// Waits as long as one of the last answers took, each in its turn, and gives the word that a
    /// vendor would lately have had.
    pub(in crate::verifier) async fn wait(&self) -> Word {
        let (next, word) = self.next();
        tokio::time::sleep(next).await;
        word
    }

    fn next(&self) -> (Duration, Word) {
        let mut kept = self.lock();
        match kept.silent {
            Some((since, took)) if since.elapsed() <= REMEMBERED => return (took, Word::Silence),
            _ => {}
        }
        let Some(next) = kept.answers.pop_front() else {
            return (FIRST, Word::Verdict);
        };
        kept.answers.push_back(next);
        (next, Word::Verdict)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_takes_as_long_as_the_last_answers_did_and_never_long() {
        let pace = Pace::default();
        assert_eq!(pace.next(), (FIRST, Word::Verdict));
        pace.saw(Duration::from_secs(60));
        assert_eq!(pace.next(), (LONGEST, Word::Verdict));
        for millis in 1..=16 {
            pace.saw(Duration::from_millis(millis));
        }
        let seen: Vec<_> = (0..16).map(|_| pace.next().0).collect();
        assert_eq!(seen.iter().max(), Some(&Duration::from_millis(16)));
        assert_eq!(seen.iter().min(), Some(&Duration::from_millis(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendors_silence_is_remembered_until_the_next_verdict_or_for_minutes() {
        let (pace, took) = (Pace::default(), Duration::from_secs(5));
        pace.heard_nothing(took);
        assert_eq!(pace.next(), (took, Word::Silence));
        pace.saw(FIRST);
        assert_eq!(pace.next(), (FIRST, Word::Verdict));
        pace.heard_nothing(took);
        tokio::time::advance(REMEMBERED + took).await;
        assert_eq!(pace.next(), (FIRST, Word::Verdict));
    }
}
