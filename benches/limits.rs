//! A local quota check beside a bare `governor` keyed check, on the same 100,000 string keys.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench that cannot be set up stops"
)]

use std::num::NonZeroU32;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use governor::RateLimiter;
use otp_kit::quota::{LocalQuotas, Quota, QuotaClaim, QuotaKey, Scope};

const KEYS: usize = 100_000;
const START: i64 = 1_800_000_000_000;

fn limits(c: &mut Criterion) {
    let keys: Vec<QuotaKey> = (0..KEYS)
        .map(|n| QuotaKey::new("issue", Scope::Address, "default", &format!("user-{n}")))
        .collect();
    let names: Vec<String> = keys.iter().map(|key| key.as_str().to_owned()).collect();
    let second = Duration::from_secs(1);
    let claims = |quota: Quota| -> Vec<QuotaClaim> {
        keys.iter()
            .map(|key| QuotaClaim {
                key: key.clone(),
                quota,
            })
            .collect()
    };
    let rates = claims(Quota::rate(1_000, second).unwrap());
    let windows = claims(Quota::window(10, second).unwrap());
    let thousand = NonZeroU32::new(1_000).unwrap();
    let bare = RateLimiter::dashmap(governor::Quota::per_second(thousand));
    let capacity = KEYS.try_into().unwrap();
    let local = LocalQuotas::with_capacity(capacity);
    let local_windows = LocalQuotas::with_capacity(capacity);
    for name in &names {
        drop(bare.check_key(name));
    }
    for (rate, window) in rates.iter().zip(&windows) {
        drop(local.check(rate, START));
        drop(local_windows.check(window, START));
    }

    let mut group = c.benchmark_group("limits");
    // A step that visits the keys out of order, as requests do.
    let mut at = 0;
    let mut next = move || {
        at = (at + 7_919) % KEYS;
        at
    };
    group.bench_function("governor_bare_keyed", |b| {
        b.iter(|| bare.check_key(&names[next()]).is_ok());
    });
    let mut now = START;
    group.bench_function("local_rate", |b| {
        b.iter(|| {
            now += 1;
            local.check(&rates[next()], now).is_ok()
        });
    });
    group.bench_function("local_window", |b| {
        b.iter(|| {
            now += 1;
            local_windows.check(&windows[next()], now).is_ok()
        });
    });
    group.finish();
}

criterion_group!(benches, limits);
criterion_main!(benches);
