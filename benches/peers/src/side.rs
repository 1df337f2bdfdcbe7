//! One side of a comparison: a process that does so much work whenever it is told to.
//!
//! It warms up first, and finds out how much work fills a round. Then it answers each line that it
//! reads with how much it did, and how long that took.

use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::time::{Duration, Instant};

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// What is done before anything counts.
const WARM_UP: Duration = Duration::from_millis(400);
/// How long a round takes, about.
const ROUND: Duration = Duration::from_millis(200);

/// Plays a side until nobody asks any more; `work` does a thing so many times.
pub(crate) fn play(mut work: impl FnMut(u64) -> Outcome) -> Outcome {
    let mut time = |count| -> Outcome<Duration> {
        let started = Instant::now();
        work(count)?;
        Ok(started.elapsed())
    };
    let (started, mut count, mut took) = (Instant::now(), 1, Duration::ZERO);
    let mut is_warm = false;
    // What was slow only because it was the first says nothing about a round.
    while !is_warm || took < ROUND / 8 {
        is_warm = started.elapsed() >= WARM_UP;
        took = time(count)?;
        if took < ROUND / 8 {
            count *= 2;
        }
    }
    let share = ROUND.as_secs_f64() / took.as_secs_f64().max(1e-9);
    let round = ((count as f64 * share) as u64).max(1);
    say(&serde_json::json!({ "round": round }))?;
    for line in std::io::stdin().lock().lines() {
        line?;
        let took = time(round)?;
        let nanos = u64::try_from(took.as_nanos())?;
        say(&serde_json::json!({ "count": round, "nanos": nanos }))?;
    }
    Ok(())
}

fn say(line: &serde_json::Value) -> Outcome {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
