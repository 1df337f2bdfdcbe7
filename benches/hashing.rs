//! What it costs to store and to check a code, by hasher; Argon2id beside the bare crate.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench that cannot be set up stops"
)]

use std::hint::black_box;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use criterion::{Criterion, criterion_group, criterion_main};
use otp_kit::hash::{BcryptCost, Binding, CodeHasher};
use otp_kit::key::KeyRing;
use otp_kit::random::OsRandom;

const BINDING: Binding<'static> = Binding {
    tenant: "default",
    challenge: "AAAAAAAAAAAAAAAAAAAAAAAA",
    subject: "sub:user-1",
    purpose: "login",
    channel: "sms",
    destination: "dst:AAAAAAAAAAAAAAAAAAAAAAAA",
};

fn hashing(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let keys = KeyRing::generate(&OsRandom).unwrap().snapshot();
    let hashers = [
        ("keyed", CodeHasher::keyed()),
        ("argon2id", CodeHasher::argon2id()),
        (
            "bcrypt_10",
            CodeHasher::bcrypt(BcryptCost::new(10).unwrap()),
        ),
    ];
    let mut group = c.benchmark_group("hashing");
    group.sample_size(10);
    for (name, hasher) in &hashers {
        let hash = || {
            let slot = hasher.reserve().unwrap();
            runtime
                .block_on(slot.hash(&keys, &OsRandom, &BINDING, "271828"))
                .unwrap()
        };
        let stored = hash();
        group.bench_function(format!("{name}/hash"), |b| b.iter(hash));
        group.bench_function(format!("{name}/verify"), |b| {
            b.iter(|| {
                let slot = hasher.reserve().unwrap();
                runtime
                    .block_on(slot.verify(&keys, &BINDING, "271828", stored.as_str()))
                    .unwrap()
            });
        });
    }
    let params = Params::new(19_456, 2, 1, Some(32)).unwrap();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut blocks = vec![Block::default(); params.block_count()];
    group.bench_function("argon2id/bare_crate_reused_memory", |b| {
        b.iter(|| {
            let mut tag = [0_u8; 32];
            argon2
                .hash_password_into_with_memory(&[7; 32], &[9; 16], &mut tag, &mut blocks)
                .unwrap();
            black_box(tag)
        });
    });
    group.bench_function("argon2id/bare_crate_fresh_memory", |b| {
        b.iter(|| {
            let mut tag = [0_u8; 32];
            argon2
                .hash_password_into(&[7; 32], &[9; 16], &mut tag)
                .unwrap();
            black_box(tag)
        });
    });
    group.finish();
}

criterion_group!(benches, hashing);
criterion_main!(benches);
