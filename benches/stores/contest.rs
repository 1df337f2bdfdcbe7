//! Two sides that take turns.

use std::future::Future;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

/// How often each side has its turn, and how much it does in one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    turns: usize,
    calls: usize,
}

impl Rounds {
    pub(crate) fn from_arguments() -> Self {
        if std::env::args().any(|argument| argument == "--test") {
            Self { turns: 1, calls: 4 }
        } else {
            Self {
                turns: 9,
                calls: 500,
            }
        }
    }

    /// How much a side does in a turn.
    pub(crate) fn calls(&self) -> usize {
        self.calls
    }
}

/// Callers at once.
pub(crate) const CALLERS: [usize; 3] = [1, 16, 128];

/// Does something `calls` times over, `callers` at once; `number` tells one call from another.
pub(crate) async fn crowd<F, W>(callers: usize, calls: usize, work: W) -> Duration
where
    F: Future<Output = ()> + Send + 'static,
    W: Fn(usize) -> F + Clone + Send + 'static,
{
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let work = work.clone();
        tasks.spawn(async move {
            let mut number = caller;
            while number < calls {
                work(number).await;
                number = number.saturating_add(callers);
            }
        });
    }
    tasks.join_all().await;
    started.elapsed()
}

/// Lets two sides take turns, and prints how the first compares with the second.
pub(crate) async fn contest<A, B>(name: &str, rounds: Rounds, mut ours: A, mut bare: B)
where
    A: AsyncFnMut(usize) -> Duration,
    B: AsyncFnMut(usize) -> Duration,
{
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for _ in 0..rounds.turns {
        one.push(ours(rounds.calls).await);
        two.push(bare(rounds.calls).await);
    }
    let (one, two) = (median(one), median(two));
    let each = |time: Duration| time.as_secs_f64() * 1e6 / rounds.calls as f64;
    println!(
        "{name:<42} {:>9.1} us   bare {:>9.1} us   {:>5.2}x the rate",
        each(one),
        each(two),
        two.as_secs_f64() / one.as_secs_f64()
    );
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
