//! Places, cancellation and the cost of what cannot be checked.

use std::{
    future::Future,
    num::NonZeroUsize,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::Duration,
};

use super::*;
use crate::clock::Stopwatch;

#[tokio::test]
async fn what_cannot_be_checked_costs_the_work_of_a_check() {
    let (keys, hasher) = (ring().snapshot(), CodeHasher::argon2id());
    let stored = hash(&hasher, &keys).await;
    // Thread start and first use of memory stay out of the comparison.
    let took = async |stored: &str| {
        let mut least = Duration::MAX;
        // The least of many: a machine that is busy makes all of them longer, not this one.
        for _ in 0..10 {
            let watch = Stopwatch::start();
            let _ = verify(&hasher, &keys, &BINDING, "000000", stored).await;
            least = least.min(watch.elapsed());
        }
        least
    };
    let real = took(stored.as_str()).await;
    let corrupt = took("null").await;
    let unknown = took(&stored.as_str().replace("k1", "k9")).await;
    let watch = Stopwatch::start();
    hasher.reserve().unwrap().decoy().await.unwrap();
    for burnt in [corrupt, unknown, watch.elapsed()] {
        assert!(burnt * 2 > real, "{burnt:?} against {real:?}");
    }
}

#[test]
fn a_full_hasher_sheds_at_once_with_a_time_and_recovers_when_a_slot_is_dropped() {
    let hasher = cheap().workers(NonZeroUsize::MIN).queue(1);
    let (first, second) = (hasher.reserve().unwrap(), hasher.clone().reserve().unwrap());
    let busy = hasher.reserve().unwrap_err();
    assert!(busy.retry_after >= Duration::from_millis(5));
    drop(first);
    let third = hasher.reserve().unwrap();
    assert!(hasher.reserve().is_err());
    drop((second, third));
    assert!(hasher.reserve().is_ok());
}

#[test]
fn a_keyed_hasher_never_runs_out_of_slots() {
    let hasher = CodeHasher::keyed().workers(NonZeroUsize::MIN).queue(0);
    let slots: Vec<_> = (0..1_000).map(|_| hasher.reserve().unwrap()).collect();
    assert_eq!(slots.len(), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_jobs_all_get_their_own_answer() {
    let keys = ring().snapshot();
    let hasher = cheap().queue(100);
    let stored = hash(&hasher, &keys).await;
    let jobs: Vec<_> = (0..60)
        .map(|n| {
            let (slot, keys, stored) =
                (hasher.reserve().unwrap(), Arc::clone(&keys), stored.clone());
            tokio::spawn(async move {
                let code = if n % 3 == 0 { CODE } else { "000000" };
                (
                    n,
                    slot.verify(&keys, &BINDING, code, stored.as_str())
                        .await
                        .unwrap(),
                )
            })
        })
        .collect();
    for job in jobs {
        let (n, answer) = job.await.unwrap();
        let expected = if n % 3 == 0 {
            CURRENT
        } else {
            mismatch(MismatchReason::Wrong)
        };
        assert_eq!(answer, expected, "{n}");
    }
}

#[tokio::test]
async fn a_cancelled_hash_frees_its_place() {
    let keys = ring().snapshot();
    let hasher = cheap().workers(NonZeroUsize::MIN).queue(0);
    for _ in 0..20 {
        let slot = loop {
            match hasher.reserve() {
                Ok(slot) => break slot,
                Err(_) => tokio::task::yield_now().await,
            }
        };
        let mut job = pin!(slot.hash(&keys, &OsRandom, &BINDING, CODE));
        let _ = job.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    }
    let last = tokio::time::timeout(Duration::from_secs(20), async {
        while hasher.reserve().is_err() {
            tokio::task::yield_now().await;
        }
    });
    assert!(last.await.is_ok());
}

#[tokio::test]
async fn a_keyed_hasher_waits_for_a_place_when_it_meets_a_slow_form() {
    let keys = ring().snapshot();
    let stored = hash(&cheap(), &keys).await;
    let hasher = CodeHasher::keyed().workers(NonZeroUsize::MIN).queue(0);
    let checks: Vec<_> = (0..5)
        .map(|_| {
            let (slot, keys, stored) =
                (hasher.reserve().unwrap(), Arc::clone(&keys), stored.clone());
            tokio::spawn(async move {
                slot.verify(&keys, &BINDING, CODE, stored.as_str())
                    .await
                    .unwrap()
            })
        })
        .collect();
    for check in checks {
        assert_eq!(check.await.unwrap(), OLD);
    }
}

#[tokio::test]
async fn futures_can_move_between_threads() {
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let (keys, hasher) = (ring().snapshot(), CodeHasher::keyed());
    let stored = assert_send(
        hasher
            .reserve()
            .unwrap()
            .hash(&keys, &OsRandom, &BINDING, CODE),
    )
    .await
    .unwrap();
    let checked = assert_send(hasher.reserve().unwrap().verify(
        &keys,
        &BINDING,
        CODE,
        stored.as_str(),
    ))
    .await;
    assert_eq!(checked.unwrap(), CURRENT);
    assert_send(hasher.reserve().unwrap().decoy())
        .await
        .unwrap();
}
