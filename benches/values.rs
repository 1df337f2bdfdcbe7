//! Making codes and reading phone numbers.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench that cannot be set up stops"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use otp_kit::challenge::{Code, CodeFormat};
use otp_kit::destination::{EmailAddress, PhoneNumber};
use otp_kit::random::OsRandom;

const PHONES: [&str; 8] = [
    "+14155550123",
    "+447911123456",
    "+4915112345678",
    "+33612345678",
    "+919876543210",
    "+819012345678",
    "+5511961234567",
    "+250788123456",
];

fn values(c: &mut Criterion) {
    let mut group = c.benchmark_group("values");
    group.throughput(Throughput::Elements(1));
    group.bench_function("code/generate", |b| {
        b.iter(|| Code::generate(CodeFormat::SIX_DIGITS, &OsRandom).unwrap());
    });
    group.bench_function("code/normalise", |b| {
        b.iter(|| Code::normalise(CodeFormat::SIX_DIGITS, black_box("271828")).unwrap());
    });
    let mut at = 0;
    group.bench_function("phone/parse_and_validate", |b| {
        b.iter(|| {
            at = (at + 1) % PHONES.len();
            PhoneNumber::parse(PHONES[at]).unwrap()
        });
    });
    group.bench_function("email/parse", |b| {
        b.iter(|| EmailAddress::parse(black_box("Mike@Example.org")).unwrap());
    });
    group.finish();
}

criterion_group!(benches, values);
criterion_main!(benches);
