//! Counts what one call of ours allocates, and prints it as rows of a table.

#[expect(dead_code, reason = "the other program uses the rest")]
#[path = "../service.rs"]
mod service;
#[expect(dead_code, reason = "the other program uses the rest")]
#[path = "../side.rs"]
mod side;

use std::alloc::System;

use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::destination::PhoneNumber;
use otp_kit::factor::{OtpSecret, Totp};
use otp_kit::quota::{LocalQuotas, Quota, QuotaClaim, QuotaKey, Scope};
use otp_kit::store::MemoryStore;
use service::{Person, Service};
use side::Outcome;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTED: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TIMES: usize = 1_000;

fn main() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let service = Service::on(MemoryStore::new())?;
    let people = Person::several(TIMES.try_into()?)?;
    // Once for all, so that tables have their size.
    for person in &people {
        runtime.block_on(service.sign_in(person))?;
    }
    let mut begun = Vec::with_capacity(TIMES);
    count("issue, memory store", |n| {
        let person = people.get(n).ok_or("a person")?;
        begun.push(runtime.block_on(service.issue(person))?);
        Ok(())
    })?;
    count("verify, memory store", |n| {
        let (id, person) = begun.get(n).zip(people.get(n)).ok_or("a person")?;
        runtime.block_on(service.verify(id, person)).map(drop)
    })?;
    let quotas = LocalQuotas::new();
    let key = QuotaKey::new("issue", Scope::Address, "default", "user");
    let claim = QuotaClaim::new(key, Quota::rate(10_000, std::time::Duration::from_secs(1))?);
    count("`LocalQuotas::check`", |_| {
        Ok(quotas
            .check(&claim, SystemClock.now().as_millis())
            .map(drop)?)
    })?;
    let totp = Totp::new(&OtpSecret::new(b"12345678901234567890".to_vec())?);
    let now = SystemClock.now();
    let code = totp.code(now);
    count("`Totp::verify`", |_| {
        Ok(totp.verify(code.expose(), now, None).map(drop)?)
    })?;
    count("`PhoneNumber::parse`", |_| {
        Ok(PhoneNumber::parse("+14155552671").map(drop)?)
    })
}

fn count(what: &str, mut work: impl FnMut(usize) -> Outcome) -> Outcome {
    let region = Region::new(COUNTED);
    (0..TIMES).try_for_each(&mut work)?;
    let change = region.change();
    let each = |total: usize| total as f64 / TIMES as f64;
    let calls = each(change.allocations + change.reallocations);
    println!(
        "| {what} | {calls:.1} | {:.0} |",
        each(change.bytes_allocated)
    );
    Ok(())
}
