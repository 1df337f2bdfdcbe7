//! A whole sign-in, issue and verify, in this process: on the memory store and on SQLite, with
//! keyed digests so that the store and the library are what is measured.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench that cannot be set up stops"
)]

use std::time::Duration;

use async_trait::async_trait;
use criterion::{Criterion, criterion_group, criterion_main};
use otp_kit::delivery::{DeliveryError, DeliveryProvider, Message, Receipt};
use otp_kit::event::{Event, Observer};
use otp_kit::policy::LineTypes;
use otp_kit::prelude::*;
use otp_kit::quota::{Quota, Scope};
use otp_kit::store::{MemoryStore, SqliteStore};
use std::sync::{Arc, Mutex};

/// Takes a message and keeps its code.
#[derive(Clone, Debug, Default)]
struct Pocket(Arc<Mutex<String>>);

#[async_trait]
impl DeliveryProvider for Pocket {
    fn name(&self) -> &str {
        "pocket"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Sms]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let mut kept = self.0.lock().unwrap();
        kept.clear();
        kept.push_str(message.code().expose());
        Ok(Receipt::accepted("pocket"))
    }
}

#[derive(Debug)]
struct Silent;

impl Observer for Silent {
    fn observe(&self, _: &Event) {}
}

/// Every gate stays in place; only the figures are such that a bench never meets one.
fn limits() -> Limits {
    let roomy = |scope| {
        (
            scope,
            Quota::rate(1_000_000, Duration::from_secs(100)).unwrap(),
        )
    };
    let mut limits = Limits::recommended()
        .without(Scope::Address)
        .without(Scope::Subject)
        .without(Scope::Destination)
        .with_line_types(LineTypes::default());
    for (scope, quota) in [Scope::Address, Scope::Subject, Scope::Destination].map(roomy) {
        limits = limits.on_issue(scope, quota);
    }
    let (scope, quota) = roomy(Scope::Address);
    limits.on_resend(scope, quota).on_verify(scope, quota)
}

fn verifier(store: impl Store, pocket: Pocket) -> Verifier {
    let keys = KeyRing::generate(&OsRandom).unwrap();
    Verifier::builder(store, keys)
        .route(Channel::Sms, Route::primary(pocket))
        .limits(limits())
        .hasher(CodeHasher::keyed())
        .observer(Silent)
        .build()
        .unwrap()
}

fn sign_in(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let sqlite = runtime
        .block_on(SqliteStore::open(folder.path().join("bench.db")))
        .unwrap();
    let pocket = Pocket::default();
    let stores = [
        ("memory", verifier(MemoryStore::new(), pocket.clone())),
        ("sqlite", verifier(sqlite, pocket.clone())),
    ];
    // A thousand people from a thousand places, so that no figure is met.
    let people: Vec<(PhoneNumber, RequestContext)> = (0..1_000_u32)
        .map(|n| {
            let phone = PhoneNumber::parse(&format!("+1415555{:04}", 1_000 + n)).unwrap();
            let address = std::net::Ipv4Addr::from_bits(0x0a00_0000 + n);
            (phone, RequestContext::from_address(address.into()))
        })
        .collect();
    let mut turn = 0;
    let mut group = c.benchmark_group("sign_in");
    group.sample_size(20);
    for (name, verifier) in &stores {
        group.bench_function(format!("issue_and_verify/{name}"), |b| {
            b.iter(|| {
                turn = (turn + 1) % people.len();
                let (phone, context) = &people[turn];
                runtime.block_on(async {
                    let issue = Issue::to(phone.clone()).for_purpose("login").from(context);
                    let issued = verifier.issue(issue).await.unwrap();
                    let code = pocket.0.lock().unwrap().clone();
                    verifier
                        .verify(&issued.challenge_id, code, context)
                        .await
                        .unwrap()
                })
            });
        });
    }
    group.finish();
}

criterion_group!(benches, sign_in);
criterion_main!(benches);
