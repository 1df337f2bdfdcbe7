//! Whether a server answers at all: while it does not, its callers do not all wait for it.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use otp_core::store::{StoreError, StoreErrorKind};
use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio::time::{Instant, timeout};

/// How long a call waits to hear that a silent server is back, at the most.
const BRIEFLY: Duration = Duration::from_millis(250);

/// Why a call ended that asked nobody.
#[derive(Debug, thiserror::Error)]
#[error("the server is silent, and another call waits for it")]
struct Silent;

/// What the calls of a store heard of its server.
///
/// A call that was given its whole time and heard nothing, while nobody else heard anything either,
/// makes the server silent. From then on one call at a time waits for it in full; the others end as
/// unavailable soon, without having asked, unless that one hears it. A busy server answers somebody,
/// and is never taken for a silent one.
#[derive(Debug)]
pub(crate) struct Presence {
    /// A bit less than a call is given: as good as all of it.
    enough: Duration,
    briefly: Duration,
    heard: AtomicU64,
    silent: AtomicBool,
    turn: Mutex<()>,
    back: Notify,
}

impl Presence {
    pub(crate) fn new(deadline: Duration) -> Self {
        Self {
            enough: deadline.mul_f64(0.75),
            briefly: BRIEFLY.min(deadline / 4),
            heard: AtomicU64::new(0),
            silent: AtomicBool::new(false),
            turn: Mutex::new(()),
            back: Notify::new(),
        }
    }

    /// Makes a call that ends by itself within the deadline.
    pub(crate) async fn call<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let turn = self.turn().await?;
        let (begun, heard) = (Instant::now(), self.heard.load(Ordering::Acquire));
        let answer = work.await;
        match &answer {
            Err(error) if error.kind() == StoreErrorKind::Unavailable => {
                let alone = self.heard.load(Ordering::Acquire) == heard;
                if alone && begun.elapsed() >= self.enough {
                    self.silent.store(true, Ordering::Release);
                }
            }
            _ => self.hear(),
        }
        drop(turn);
        answer
    }

    fn hear(&self) {
        self.heard.fetch_add(1, Ordering::AcqRel);
        if self.silent.swap(false, Ordering::AcqRel) {
            self.back.notify_waiters();
        }
    }

    /// Waits for leave to ask.
    async fn turn(&self) -> Result<Option<MutexGuard<'_, ()>>, StoreError> {
        let back = self.back.notified();
        tokio::pin!(back);
        back.as_mut().enable();
        if !self.silent.load(Ordering::Acquire) {
            return Ok(None);
        }
        if let Ok(turn) = self.turn.try_lock() {
            return Ok(Some(turn));
        }
        match timeout(self.briefly, back).await {
            Ok(()) => Ok(None),
            Err(_) => Err(StoreError::new(StoreErrorKind::Unavailable).with_source(Silent)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::task::JoinSet;
    use tokio::time::sleep;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(5);

    /// A call that hears nothing for as long as it is let.
    async fn unheard() -> Result<(), StoreError> {
        sleep(DEADLINE).await;
        Err(StoreErrorKind::Unavailable.into())
    }

    async fn heard() -> Result<(), StoreError> {
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_waits_for_a_silent_server_and_a_crowd_does_not() {
        let presence = Arc::new(Presence::new(DEADLINE));
        assert!(presence.call(unheard()).await.is_err());
        let begun = Instant::now();
        let mut crowd = JoinSet::new();
        for _ in 0..300 {
            let presence = Arc::clone(&presence);
            crowd.spawn(async move {
                let answer = presence.call(unheard()).await;
                (answer, begun.elapsed())
            });
        }
        let mut waits = Vec::new();
        for (answer, wait) in crowd.join_all().await {
            assert!(answer.is_err());
            waits.push(wait);
        }
        let patient = waits.iter().filter(|wait| **wait > BRIEFLY * 2).count();
        assert_eq!(patient, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_hears_it_again_tells_those_who_wait() {
        let presence = Arc::new(Presence::new(DEADLINE));
        assert!(presence.call(unheard()).await.is_err());
        let first = async {
            let back = async {
                sleep(BRIEFLY / 2).await;
                heard().await
            };
            presence.call(back).await
        };
        let (first, second) = tokio::join!(first, presence.call(heard()));
        assert!(first.is_ok() && second.is_ok());
        let begun = Instant::now();
        let (first, second) = tokio::join!(presence.call(unheard()), presence.call(unheard()));
        assert!(first.is_err() && second.is_err());
        assert_eq!(begun.elapsed(), DEADLINE, "it is asked by everybody again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_answers_somebody_is_busy_and_not_silent() {
        let presence = Presence::new(DEADLINE);
        let other = async {
            sleep(DEADLINE / 2).await;
            presence.call(heard()).await
        };
        let (slow, other) = tokio::join!(presence.call(unheard()), other);
        assert!(slow.is_err() && other.is_ok());
        let begun = Instant::now();
        let (one, two) = tokio::join!(presence.call(unheard()), presence.call(unheard()));
        assert!(one.is_err() && two.is_err());
        assert_eq!(begun.elapsed(), DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_that_comes_at_once_is_no_silence() {
        let presence = Presence::new(DEADLINE);
        let refused = async { Err::<(), _>(StoreErrorKind::Unavailable.into()) };
        assert!(presence.call(refused).await.is_err());
        let (one, two) = tokio::join!(presence.call(heard()), presence.call(heard()));
        assert!(one.is_ok() && two.is_ok());
        let begun = Instant::now();
        drop(tokio::join!(
            presence.call(unheard()),
            presence.call(unheard())
        ));
        assert_eq!(begun.elapsed(), DEADLINE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_who_leaves_gives_the_turn_to_the_next() {
        let presence = Presence::new(DEADLINE);
        assert!(presence.call(unheard()).await.is_err());
        let left = timeout(BRIEFLY, presence.call(unheard())).await;
        assert!(left.is_err());
        assert!(presence.call(heard()).await.is_ok());
    }
}
