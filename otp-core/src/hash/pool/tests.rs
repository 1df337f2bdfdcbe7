use std::sync::mpsc;

use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(20);

fn pool(workers: usize, queue: usize) -> Pool {
    Pool::new(NonZeroUsize::new(workers).unwrap(), queue, 0)
}

/// A job that says that it runs and then waits for the gate.
fn gated(pool: &Pool) -> (oneshot::Receiver<()>, mpsc::Receiver<()>, mpsc::Sender<()>) {
    let (started, is_running) = mpsc::channel();
    let (open, gate) = mpsc::channel::<()>();
    let answer = pool
        .submit(pool.try_place().unwrap(), move |_| {
            started.send(()).unwrap();
            let _ = gate.recv();
        })
        .unwrap();
    (answer, is_running, open)
}

#[tokio::test]
async fn a_full_pool_has_no_place_and_recovers_when_a_job_ends() {
    let pool = pool(1, 1);
    let (first, running, open) = gated(&pool);
    running.recv().unwrap();
    let second = pool.submit(pool.try_place().unwrap(), |_| 2).unwrap();
    assert!(pool.try_place().is_none());
    open.send(()).unwrap();
    first.await.unwrap();
    assert!(pool.try_place().is_some());
    assert_eq!(second.await.unwrap(), 2);
}

#[tokio::test]
async fn the_place_is_free_by_the_time_the_answer_arrives() {
    let pool = pool(1, 0);
    for round in 0..200 {
        let place = pool.try_place().expect("free after the answer before");
        assert_eq!(
            pool.submit(place, move |_| round).unwrap().await.unwrap(),
            round
        );
    }
}

#[tokio::test]
async fn a_caller_gone_while_waiting_frees_the_place_without_the_work() {
    let pool = pool(1, 1);
    let (first, running, open) = gated(&pool);
    running.recv().unwrap();
    let (worked, has_worked) = mpsc::channel::<()>();
    drop(
        pool.submit(pool.try_place().unwrap(), move |_| worked.send(()))
            .unwrap(),
    );
    open.send(()).unwrap();
    first.await.unwrap();
    let both = async { (pool.place().await.unwrap(), pool.place().await.unwrap()) };
    let _places = timeout(PATIENCE, both)
        .await
        .expect("both places come back");
    assert!(has_worked.recv().is_err());
}

#[tokio::test]
async fn a_caller_gone_while_its_job_runs_frees_the_place_when_the_job_ends() {
    let pool = pool(1, 0);
    let (answer, running, open) = gated(&pool);
    running.recv().unwrap();
    drop(answer);
    assert!(pool.try_place().is_none());
    open.send(()).unwrap();
    let _place = timeout(PATIENCE, pool.place())
        .await
        .expect("the place comes back")
        .unwrap();
}

#[tokio::test]
async fn a_panicking_job_fails_alone() {
    let pool = pool(1, 0);
    for _ in 0..3 {
        let answer = pool
            .submit(pool.try_place().unwrap(), |_| panic!("on purpose"))
            .unwrap();
        assert!(timeout(PATIENCE, answer).await.unwrap().is_err());
        let place = timeout(PATIENCE, pool.place()).await.unwrap().unwrap();
        assert_eq!(pool.submit(place, |_| 1).unwrap().await.unwrap(), 1);
    }
    assert_eq!(pool.shared.lock().threads, 1);
}

#[tokio::test]
async fn threads_start_with_the_work_and_never_exceed_the_workers() {
    let pool = pool(2, 10);
    assert_eq!(pool.shared.lock().threads, 0);
    let jobs: Vec<_> = (0..3).map(|_| gated(&pool)).collect();
    assert_eq!(pool.shared.lock().threads, 2);
    for (answer, _running, open) in jobs {
        open.send(()).unwrap();
        answer.await.unwrap();
    }
}

#[test]
fn threads_stop_when_the_pool_is_dropped() {
    let pool = pool(2, 2);
    let (answer, running, open) = gated(&pool);
    running.recv().unwrap();
    let shared = Arc::downgrade(&pool.shared);
    drop(pool);
    open.send(()).unwrap();
    answer.blocking_recv().unwrap();
    // Only the worker holds the shared state now; it lets go when it ends.
    let watch = Stopwatch::start();
    while shared.strong_count() > 0 && watch.elapsed() < PATIENCE {
        thread::yield_now();
    }
    assert_eq!(shared.strong_count(), 0);
}

#[tokio::test]
async fn the_retry_time_follows_what_jobs_really_take() {
    let pool = pool(1, 3);
    assert_eq!(pool.retry_after(), FIRST_GUESS * 4);
    for _ in 0..100 {
        pool.shared.measured(Duration::from_millis(100));
    }
    assert!(pool.retry_after() > Duration::from_millis(390));
    for _ in 0..200 {
        pool.shared.measured(Duration::ZERO);
    }
    assert_eq!(pool.retry_after(), SHORTEST_RETRY);
    pool.shared.average.store(u64::MAX, Ordering::Relaxed);
    assert_eq!(pool.retry_after(), LONGEST_RETRY);
}
