//! How the cost of a sign-in grows: with what the store holds, with callers at once, and with
//! instances that share a Redis.

mod callers;
mod instances;
mod keys;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use crate::crowd::crowd;
use crate::service::{Person, Service};
use crate::side::Outcome;
use crate::table::{Nanos, Times};

const ROUNDS: usize = 5;

/// Prints the rows of these parts, or of all.
pub(crate) fn run(parts: &[String]) -> Outcome {
    let asked = |part: &str| parts.is_empty() || parts.iter().any(|name| name == part);
    // As many threads as there are cores.
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    if asked("keys") {
        keys::run(&runtime)?;
    }
    if asked("callers") {
        callers::run(&runtime)?;
    }
    if asked("instances") {
        instances::run(&runtime)?;
    }
    Ok(())
}

/// What a round came to.
struct Round {
    /// From the first call to the last answer, for each sign-in.
    each: f64,
    waits: Vec<f64>,
}

/// Issues and verifies `count` times, `callers` at once, spread over the services.
fn round(runtime: &Runtime, services: &[Service], callers: u64, count: u64) -> Outcome<Round> {
    let services: Arc<[Service]> = services.into();
    let waits = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&waits);
    let work = move |number: u64| {
        let (services, list) = (Arc::clone(&services), Arc::clone(&list));
        async move {
            let caller = usize::try_from(number % callers)? % services.len();
            let service = services.get(caller).ok_or("a service")?;
            let person = Person::number(number)?;
            let started = Instant::now();
            let id = service.issue(&person).await?;
            let _ = service.verify(&id, &person).await?;
            let took = started.elapsed();
            list.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(took);
            Ok(())
        }
    };
    let started = Instant::now();
    runtime.block_on(crowd(callers, count, work))?;
    let each = started.elapsed().as_secs_f64() * 1e9 / count as f64;
    let waits = waits.lock().unwrap_or_else(PoisonError::into_inner);
    let nanos = |took: &Duration| took.as_secs_f64() * 1e9;
    Ok(Round {
        each,
        waits: waits.iter().map(nanos).collect(),
    })
}

/// Plays several rounds after one that does not count, and prints a row.
fn row(what: &str, note: &str, mut round: impl FnMut() -> Outcome<Round>) -> Outcome {
    round()?;
    let (mut each, mut waits) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let mut played = round()?;
        each.push(played.each);
        waits.append(&mut played.waits);
    }
    waits.sort_by(f64::total_cmp);
    let wait = |percent: usize| {
        let at = waits.get(waits.len() * percent / 100);
        Nanos(at.copied().unwrap_or_default())
    };
    let each = Times::of(each);
    let rate = 1e9 / each.middle;
    println!(
        "| {what} | {each} | {rate:.0} | {} | {} | {note} |",
        wait(50),
        wait(95)
    );
    Ok(())
}
