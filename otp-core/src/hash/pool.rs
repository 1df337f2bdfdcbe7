//! A few threads that do slow work and take no more of it than they were given places for.

use std::{
    collections::VecDeque,
    fmt,
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{HashError, argon2id::Memory};
use crate::clock::Stopwatch;

/// What a job is taken to last before the first one was measured.
const FIRST_GUESS: Duration = Duration::from_millis(20);
const SHORTEST_RETRY: Duration = Duration::from_millis(5);
const LONGEST_RETRY: Duration = Duration::from_secs(60);

/// How full a pool of hashing threads is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolLoad {
    /// The most jobs that run at once.
    pub workers: usize,
    /// The most that run or wait; beyond that the answer is [`Busy`](super::Busy).
    pub places: usize,
    /// Those that run, wait, or are about to be handed over.
    pub taken: usize,
}

/// The right to have one job running or waiting; dropping it gives the place back.
pub(super) type Place = OwnedSemaphorePermit;

type Job = Box<dyn FnOnce(&mut Memory, &Shared) + Send>;

/// Threads start as work comes in and stop when the pool is dropped.
pub(super) struct Pool {
    shared: Arc<Shared>,
    places: Arc<Semaphore>,
    workers: NonZeroUsize,
    capacity: usize,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    /// Moving average of a job's nanoseconds.
    average: AtomicU64,
    /// How much memory a worker keeps between jobs.
    keep_kib: u32,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Job>,
    threads: usize,
    idle: usize,
    closed: bool,
}

impl Pool {
    pub(super) fn new(workers: NonZeroUsize, queue: usize, keep_kib: u32) -> Self {
        let capacity = workers
            .get()
            .saturating_add(queue)
            .min(Semaphore::MAX_PERMITS);
        let average = AtomicU64::new(nanos(FIRST_GUESS));
        let shared = Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            average,
            keep_kib,
        };
        Self {
            shared: Arc::new(shared),
            places: Arc::new(Semaphore::new(capacity)),
            workers,
            capacity,
        }
    }

    pub(super) fn load(&self) -> PoolLoad {
        PoolLoad {
            workers: self.workers.get(),
            places: self.capacity,
            taken: self
                .capacity
                .saturating_sub(self.places.available_permits()),
        }
    }

    /// Takes a place if there is one.
    pub(super) fn try_place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }

    /// Takes a place as soon as there is one, in the order of asking.
    pub(super) async fn place(&self) -> Result<Place, HashError> {
        Arc::clone(&self.places)
            .acquire_owned()
            .await
            .map_err(|_| HashError::Failed)
    }

    /// Estimates when a full pool will have worked off what it holds.
    pub(super) fn retry_after(&self) -> Duration {
        let average = Duration::from_nanos(self.shared.average.load(Ordering::Relaxed));
        let rounds = u32::try_from(self.capacity.div_ceil(self.workers.get())).unwrap_or(u32::MAX);
        average
            .saturating_mul(rounds)
            .clamp(SHORTEST_RETRY, LONGEST_RETRY)
    }

    /// Hands the job to a thread; the place is given back just before the answer is sent.
    ///
    /// A job whose receiver is gone when its turn comes is not done. One that panics drops its sender.
    pub(super) fn submit<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<oneshot::Receiver<T>, HashError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |memory, shared| {
            // Bound here so that a panic gives the place back too.
            let place = place;
            if reply.is_closed() {
                return;
            }
            let watch = Stopwatch::start();
            let outcome = work(memory);
            shared.measured(watch.elapsed());
            drop(place);
            // The caller may have gone meanwhile.
            let _ = reply.send(outcome);
        });
        let mut state = self.shared.lock();
        if state.idle <= state.queue.len() && state.threads < self.workers.get() {
            let shared = Arc::clone(&self.shared);
            match thread::Builder::new()
                .name("otp-hash".into())
                .spawn(move || shared.work())
            {
                Ok(_) => state.threads += 1,
                Err(_) if state.threads == 0 => return Err(HashError::NoThread),
                Err(_) => {}
            }
        }
        state.queue.push_back(job);
        drop(state);
        self.shared.wake.notify_one();
        Ok(answer)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.queue.clear();
        drop(state);
        self.shared.wake.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("workers", &self.workers)
            .field("capacity", &self.capacity)
            .field("free", &self.places.available_permits())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No job runs under the lock, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut memory = Memory::default();
        while let Some(job) = self.next() {
            // A job that panics leaves bytes in the memory, which the next one overwrites.
            let _ = catch_unwind(AssertUnwindSafe(|| job(&mut memory, self)));
            memory.shrink_to(self.keep_kib);
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.queue.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.idle += 1;
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Takes a measured job into the average with a weight of one eighth; a lost race costs one sample.
    fn measured(&self, took: Duration) {
        let average = self.average.load(Ordering::Relaxed);
        let next = (average - average / 8).saturating_add(nanos(took) / 8);
        self.average.store(next, Ordering::Relaxed);
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
