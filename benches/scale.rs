//! A million live challenges and a million quota keys: what one of each costs in bytes, and that
//! an answer takes no longer among a million than among a thousand.
//!
//! ```text
//! cargo bench --bench scale                        # in memory
//! TEST_REDIS_URL=... cargo bench --bench scale     # in Redis too
//! OTP_SCALE=100000 cargo bench --bench scale       # fewer
//! ```
//!
//! Bytes are what the process (`VmRSS`), or the server (`used_memory`), has grown by for each. A
//! challenge is as an SMS sign-in makes it, sealed address included.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a bench speaks to its reader, and stops where it cannot go on"
)]

use std::fs;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::event::EventKind;
use otp_kit::store::{Capacity, Insert, MemoryStore, RedisOptions, RedisStore, Store};
use otp_kit::testing::store::kit;
use tokio::task::JoinSet;

/// Among how few an answer is timed first.
const FEW: usize = 1_000;
/// How many answers are timed.
const TIMED: usize = 2_000;
const CALLERS: usize = 64;

fn main() {
    let test = std::env::args().any(|argument| argument == "--test");
    let asked = std::env::var("OTP_SCALE")
        .ok()
        .and_then(|text| text.parse().ok());
    let many = if test {
        2 * FEW
    } else {
        asked.unwrap_or(1_000_000)
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let held = many.saturating_add(FEW + 2 * TIMED);
        // Twice as much: each part of the store holds its own share, and shares are uneven.
        let room = NonZeroUsize::new(held.saturating_mul(2)).expect("some");
        let capacity = Capacity {
            challenges: room,
            quota_keys: room,
            ..Capacity::default()
        };
        let store: Arc<dyn Store> = Arc::new(MemoryStore::with_capacity(capacity));
        measure("memory", &store, many, async || resident()).await;
        let Ok(url) = std::env::var("TEST_REDIS_URL") else {
            println!("redis: left out, TEST_REDIS_URL is not set");
            return;
        };
        let prefix = format!("scale-{}", std::process::id());
        let options = RedisOptions::new(&url).prefix(&prefix);
        let store = RedisStore::with_options(options).await.expect("a Redis");
        let store: Arc<dyn Store> = Arc::new(store);
        let client = redis::Client::open(url).expect("a URL");
        let server = client
            .get_multiplexed_async_connection()
            .await
            .expect("a Redis");
        measure("redis", &store, many, async || used(server.clone()).await).await;
    });
}

async fn measure(
    engine: &str,
    store: &Arc<dyn Store>,
    many: usize,
    mut bytes: impl AsyncFnMut() -> u64,
) {
    for thing in [Thing::Challenge, Thing::QuotaKey] {
        fill(store, thing, 0, FEW).await;
        let among_few = time(store, thing, FEW).await;
        let (before, from) = (bytes().await, FEW + TIMED);
        fill(store, thing, from, many).await;
        let grown = bytes().await.saturating_sub(before);
        let among_many = time(store, thing, many + TIMED).await;
        println!(
            "{engine} {thing:?}: {} bytes each of {many}; {:.1} us among {FEW}, {:.1} us among all, {:.2}x",
            grown / u64::try_from(many - from.min(many - 1)).expect("a number"),
            among_few.as_secs_f64() * 1e6,
            among_many.as_secs_f64() * 1e6,
            among_many.as_secs_f64() / among_few.as_secs_f64(),
        );
    }
}

/// What there are many of.
#[derive(Clone, Copy, Debug)]
enum Thing {
    Challenge,
    QuotaKey,
}

impl Thing {
    async fn add(self, store: &Arc<dyn Store>, number: usize) {
        match self {
            Self::Challenge => {
                let name = format!("person-{number}");
                let challenge = kit::challenge(&name, SystemClock.now());
                let event = kit::event(EventKind::ChallengeIssued);
                store
                    .insert(Insert {
                        challenge,
                        delivery: None,
                        event,
                    })
                    .await
                    .expect("room");
            }
            Self::QuotaKey => {
                let claim = kit::rate(&format!("place-{number}"), 10, Duration::from_secs(3_600));
                store.check_all(&[claim]).await.expect("room");
            }
        }
    }
}

async fn fill(store: &Arc<dyn Store>, thing: Thing, from: usize, to: usize) {
    let mut tasks = JoinSet::new();
    for caller in 0..CALLERS {
        let store = Arc::clone(store);
        tasks.spawn(async move {
            for number in (from + caller..to).step_by(CALLERS) {
                thing.add(&store, number).await;
                // The records would fill memory, and are not what is measured.
                if number % 20_000 == 0 {
                    store.acknowledge(u64::MAX >> 1).await.expect("it answers");
                }
            }
        });
    }
    tasks.join_all().await;
    store.acknowledge(u64::MAX >> 1).await.expect("it answers");
}

/// Times adding one more, by one caller.
async fn time(store: &Arc<dyn Store>, thing: Thing, from: usize) -> Duration {
    let started = Instant::now();
    for number in from..from + TIMED {
        thing.add(store, number).await;
    }
    started.elapsed() / u32::try_from(TIMED).expect("a number")
}

fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kilobytes.unwrap_or_default() * 1_024
}

async fn used(mut server: redis::aio::MultiplexedConnection) -> u64 {
    let info = redis::cmd("INFO")
        .arg("memory")
        .query_async::<String>(&mut server)
        .await;
    let info = info.expect("it answers");
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("used_memory:"));
    line.and_then(|bytes| bytes.trim().parse().ok())
        .unwrap_or_default()
}
