//! With what the store holds: one live challenge with its counters, up to ten million.

use std::fs;
use std::num::NonZeroUsize;

use otp_kit::store::{Capacity, MemoryStore};
use tokio::runtime::Runtime;

use super::{round, row};
use crate::crowd::crowd;
use crate::service::{Person, Service};
use crate::side::Outcome;

const HELD: [u64; 4] = [1, 10_000, 1_000_000, 10_000_000];
const COUNT: u64 = 5_000;
/// Those who hold a challenge; who is measured is somebody else.
const FIRST: u64 = 1_000_000;
/// What one more may take, with room to spare.
const BYTES: u64 = 1_500;

pub(super) fn run(runtime: &Runtime) -> Outcome {
    for held in HELD {
        let what = format!("in memory, {held} live challenges");
        if free()? < held * BYTES {
            println!(
                "| {what} | | | | | left out: needs {} GB free |",
                held * BYTES / 1_000_000_000
            );
            continue;
        }
        let service = Service::on(store(held)?)?;
        let before = status("VmRSS")?;
        fill(runtime, &service, held)?;
        let grown = status("VmRSS")?.saturating_sub(before);
        let note = if held < 1_000_000 {
            String::new()
        } else {
            format!("{} bytes each, with their counters", grown / held)
        };
        let services = [service];
        row(&what, &note, || round(runtime, &services, 1, COUNT))?;
    }
    Ok(())
}

fn store(held: u64) -> Outcome<MemoryStore> {
    let room = |each: u64| {
        Outcome::Ok(NonZeroUsize::try_from(usize::try_from(
            (held + FIRST) * each,
        )?)?)
    };
    let capacity = Capacity {
        challenges: room(1)?,
        budgets: room(1)?,
        quota_keys: room(4)?,
        seen_keys: room(1)?,
        ..Capacity::default()
    };
    Ok(MemoryStore::with_capacity(capacity))
}

fn fill(runtime: &Runtime, service: &Service, held: u64) -> Outcome {
    let service = service.clone();
    let work = move |number: u64| {
        let service = service.clone();
        async move {
            let person = Person::number(FIRST + number)?;
            service.issue(&person).await?;
            // The message was read, and its code is not typed.
            service.code(&person.address).map(drop)
        }
    };
    runtime.block_on(crowd(8, held, work))
}

/// Bytes of this process.
fn status(name: &str) -> Outcome<u64> {
    kilobytes(&fs::read_to_string("/proc/self/status")?, name)
}

/// Bytes that nobody uses.
fn free() -> Outcome<u64> {
    kilobytes(&fs::read_to_string("/proc/meminfo")?, "MemAvailable")
}

fn kilobytes(text: &str, name: &str) -> Outcome<u64> {
    let line = text.lines().find(|line| line.starts_with(name));
    let number = line
        .and_then(|line| line.split_whitespace().nth(1))
        .ok_or("no such line")?;
    Ok(number.parse::<u64>()? * 1_024)
}
