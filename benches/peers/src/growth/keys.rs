//! With what the store holds: one live challenge with its counters, up to ten million.

use std::fs;
use std::num::NonZeroUsize;
use std::time::Duration;

use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::event::EventKind;
use otp_kit::quota::{Quota, QuotaClaim, QuotaKey, Scope};
use otp_kit::store::{Capacity, ChallengeStore as _, Insert, MemoryStore, QuotaStore as _};
use otp_kit::testing::store::kit;
use tokio::runtime::Runtime;

use super::{round, row};
use crate::crowd::crowd;
use crate::service::Service;
use crate::side::Outcome;

const HELD: [u64; 4] = [1, 10_000, 1_000_000, 10_000_000];
const COUNT: u64 = 5_000;
/// Room for those who are measured.
const SPARE: u64 = 1_000_000;
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
        let store = store(held)?;
        let before = status("VmRSS")?;
        fill(runtime, &store, held)?;
        let grown = status("VmRSS")?.saturating_sub(before);
        let note = if held < 1_000_000 {
            String::new()
        } else {
            format!("{} bytes each, with their counters", grown / held)
        };
        let services = [Service::on(store)?];
        row(&what, &note, || round(runtime, &services, 1, COUNT))?;
    }
    Ok(())
}

fn store(held: u64) -> Outcome<MemoryStore> {
    let room = |each: u64| {
        Outcome::Ok(NonZeroUsize::try_from(usize::try_from(
            (held + SPARE) * each,
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

/// Fills the store as its issues do, without the message.
fn fill(runtime: &Runtime, store: &MemoryStore, held: u64) -> Outcome {
    let rate = Quota::rate(1_000, Duration::from_secs(3_600))?;
    let store = store.clone();
    let work = move |number: u64| {
        let store = store.clone();
        async move {
            let name = format!("holder-{number}");
            let claims = [Scope::Address, Scope::Subject, Scope::Destination].map(|scope| {
                QuotaClaim::new(QuotaKey::new("issue", scope, "default", &name), rate)
            });
            store.check_all(&claims).await?;
            let challenge = kit::challenge(&name, SystemClock.now());
            let event = kit::event(EventKind::ChallengeIssued);
            store
                .insert(Insert {
                    challenge,
                    delivery: None,
                    event,
                })
                .await?;
            Ok(())
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
