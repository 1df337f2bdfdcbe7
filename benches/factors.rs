//! What it costs to check an authenticator's code with its window, beside `totp-rs`.
//!
//! A wrong code is the dear case: every step of the window is looked at. The search for a right one ends
//! at the step that is accepted, on both sides.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot be set up stops"
)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use otp_kit::clock::Timestamp;
use otp_kit::factor::{OtpSecret, Totp};
use totp_rs::Builder;

const SECRET: &[u8; 20] = b"12345678901234567890";
const NOW: u64 = 1_700_000_000;

fn totp(c: &mut Criterion) {
    let ours = Totp::new(&OtpSecret::new(SECRET.to_vec()).unwrap());
    let now = Timestamp::from_millis(i64::try_from(NOW).unwrap() * 1_000);
    let theirs = Builder::new()
        .with_secret(SECRET.to_vec())
        .with_skew(1)
        .build_noncompliant();
    let right = ours.code(now);
    assert!(theirs.check(right.expose(), NOW).is_some());
    let mut group = c.benchmark_group("totp");
    for (name, code) in [("right", right.expose()), ("wrong", "000000")] {
        group.bench_function(format!("otp_kit/{name}"), |b| {
            b.iter(|| ours.verify(black_box(code), black_box(now), None));
        });
        group.bench_function(format!("totp_rs/{name}"), |b| {
            b.iter(|| theirs.check(black_box(code), black_box(NOW)));
        });
    }
    group.finish();
}

criterion_group!(benches, totp);
criterion_main!(benches);
