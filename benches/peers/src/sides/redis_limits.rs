//! A limit that instances share, in Redis: one round trip and one script each.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::quota::{Quota, QuotaClaim, QuotaKey, Refused, Scope};
use otp_kit::store::{QuotaStore as _, RedisOptions, RedisStore};
use redis::aio::ConnectionManager;
use redis::{Client, Script};

use super::unknown;
use crate::crowd::crowd;
use crate::side::{Outcome, play as side};

const KEYS: u64 = 1_000;
const BURST: u32 = 1_000_000;
const PER: Duration = Duration::from_secs(100);
/// GCRA by hand: what the `redis-cell` module does, as a script.
const GCRA: &str = include_str!("../../gcra.lua");

/// `who` is a side and how many callers it has: `ours-16`.
pub(super) fn play(who: &str) -> Outcome {
    let url = std::env::var("PEERS_REDIS_URL").map_err(|_| "PEERS_REDIS_URL is not set")?;
    let (side, callers) = who.rsplit_once('-').unwrap_or((who, "1"));
    let callers = callers.parse()?;
    match side {
        "ours" => ours(&url, callers),
        "gcra" => by_hand(&url, callers),
        _ => unknown(who),
    }
}

fn runtime() -> Outcome<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

fn ours(url: &str, callers: u64) -> Outcome {
    let runtime = runtime()?;
    let options = RedisOptions::new(url).prefix("peers-ours");
    let store = Arc::new(runtime.block_on(RedisStore::with_options(options))?);
    let quota = Quota::rate(BURST, PER)?;
    let claims: Arc<Vec<[QuotaClaim; 1]>> = Arc::new(
        (0..KEYS)
            .map(|n| QuotaKey::new("issue", Scope::Address, "default", &format!("user-{n}")))
            .map(|key| [QuotaClaim::new(key, quota)])
            .collect(),
    );
    let work = move |number: u64| {
        let (store, claims) = (Arc::clone(&store), Arc::clone(&claims));
        async move {
            let claim = claims.get(usize::try_from(number % KEYS)?).ok_or("a key")?;
            Refused::unless_admitted(store.check_all(claim).await?)?;
            Ok(())
        }
    };
    side(|count| runtime.block_on(crowd(callers, count, work.clone())))
}

fn by_hand(url: &str, callers: u64) -> Outcome {
    let runtime = runtime()?;
    let client = Client::open(url)?;
    let bare = runtime.block_on(ConnectionManager::new(client))?;
    let script = Arc::new(Script::new(GCRA));
    let keys: Arc<Vec<String>> = Arc::new((0..KEYS).map(|n| format!("peers-gcra:{n}")).collect());
    let work = move |number: u64| {
        let (mut bare, script, keys) = (bare.clone(), Arc::clone(&script), Arc::clone(&keys));
        async move {
            let key = keys.get(usize::try_from(number % KEYS)?).ok_or("a key")?;
            let mut call = script.prepare_invoke();
            call.key(key).arg(BURST).arg(PER.as_micros().to_string());
            let (admitted, _left, _wait): (u8, i64, i64) = call.invoke_async(&mut bare).await?;
            if admitted == 1 {
                Ok(())
            } else {
                Err("it refused".into())
            }
        }
    };
    side(|count| runtime.block_on(crowd(callers, count, work.clone())))
}
