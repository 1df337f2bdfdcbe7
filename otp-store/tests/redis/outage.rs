use std::sync::Arc;
use std::time::{Duration, Instant};

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::clock::ManualClock;
use otp_core::store::{ChallengeStore as _, StoreError, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::RedisStore;
use otp_store::redis::RedisOptions;

use crate::fixture::{attempt, guesses, issued, outcome, until};
use crate::server::Server;

const DEADLINE: Duration = Duration::from_millis(600);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(400);

async fn open(server: &Server) -> RedisStore {
    let options = RedisOptions::new(&server.url())
        .deadline(DEADLINE)
        .keep_challenges_over_restarts();
    RedisStore::with_options(options)
        .await
        .expect("it connects")
}

async fn unavailable_in_time<T>(what: &str, call: impl Future<Output = Result<T, StoreError>>) {
    let began = began();
    let kind = call.await.err().map(|error| error.kind());
    assert_eq!(kind, Some(StoreErrorKind::Unavailable), "{what}");
    let took = began.elapsed();
    assert!(took < DEADLINE + SLACK, "{what} took {took:?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a deadline is measured by the wall"
)]
fn began() -> Instant {
    Instant::now()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_server_that_is_killed_is_an_outage_in_time_and_what_it_answered_is_there_after() {
    let mut server = Server::start();
    let store = open(&server).await;
    let (challenge, won) = (issued(&store, "ann").await, issued(&store, "bob").await);
    attempt(&store, challenge.id, None).await.unwrap();
    attempt(&store, won.id, None).await.unwrap();
    assert_eq!(
        store.consume(kit::consume(&won, None)).await.unwrap(),
        ConsumeOutcome::Won
    );
    server.kill();
    for _ in 0..3 {
        unavailable_in_time("trying", attempt(&store, challenge.id, None)).await;
        unavailable_in_time("consuming", store.consume(kit::consume(&challenge, None))).await;
    }
    unavailable_in_time("connecting", RedisStore::connect(&server.url())).await;
    server.restart();
    let back = tokio::time::timeout(Duration::from_secs(10), async {
        while store.ping().await.is_err() {
            tokio::task::yield_now().await;
        }
    });
    back.await.expect("the connection comes back by itself");
    let again = attempt(&store, challenge.id, None).await.unwrap();
    assert_eq!(outcome(&again), Some(AttemptOutcome::Reserved));
    assert_eq!(
        guesses(&store, &challenge).await,
        2,
        "no guess was lost or made up"
    );
    let twice = store.consume(kit::consume(&won, None)).await.unwrap();
    assert!(
        matches!(twice, ConsumeOutcome::Lost(_)),
        "a consumed code stays consumed"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_store_made_before_its_server_is_there_asks_it_all_that_matters_when_it_comes() {
    let mut server = Server::start();
    server.kill();
    let options = || RedisOptions::new(&server.url()).deadline(DEADLINE);
    let store = RedisStore::connect_lazy(options()).expect("a URL");
    for _ in 0..3 {
        unavailable_in_time("a sign of life", store.ping()).await;
    }
    assert!(RedisStore::connect_lazy(RedisOptions::new("no-url")).is_err());
    let early = RedisStore::connect_lazy(options()).expect("a URL");
    server.restart();
    server.tell("CONFIG", &["SET", "maxmemory-policy", "allkeys-lru"]);
    let kind = early.ping().await.err().map(|error| error.kind());
    assert_eq!(kind, Some(StoreErrorKind::Invalid), "it evicts");
    server.tell("CONFIG", &["SET", "maxmemory-policy", "noeviction"]);
    for store in [store, early] {
        until(async || store.ping().await.is_ok()).await;
        let asked = (0..100).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.ping().await.is_ok() })
        });
        for answered in asked.collect::<Vec<_>>() {
            assert!(answered.await.unwrap());
        }
        let challenge = issued(&store, "ann").await;
        let tried = attempt(&store, challenge.id, None).await.unwrap();
        assert_eq!(outcome(&tried), Some(AttemptOutcome::Reserved));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_server_that_hangs_is_an_outage_in_time_and_a_repeated_try_counts_once() {
    let server = Server::start();
    let store = open(&server).await;
    let challenge = issued(&store, "ann").await;
    let mut raw = server.raw();
    let paused = redis::cmd("CLIENT")
        .arg("PAUSE")
        .arg(2_500)
        .arg("ALL")
        .to_owned();
    let _: () = paused.query(&mut raw).expect("paused");
    unavailable_in_time("trying", attempt(&store, challenge.id, Some("t1"))).await;
    unavailable_in_time("a sign of life", store.ping()).await;
    let back = tokio::time::timeout(Duration::from_secs(10), async {
        loop {
            if let Ok(again) = attempt(&store, challenge.id, Some("t1")).await {
                return again;
            }
        }
    });
    let again = back.await.expect("it comes back");
    assert!(matches!(
        outcome(&again),
        Some(AttemptOutcome::Reserved | AttemptOutcome::Resumed)
    ));
    assert_eq!(guesses(&store, &challenge).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_connection_that_let_a_call_wait_too_long_is_not_used_again() {
    let server = Server::start();
    let store = open(&server).await;
    let ours = |server: &Server| {
        let listed = server.tell("CLIENT", &["LIST"]);
        let ids = listed.lines().filter(|line| line.contains("cmd=evalsha"));
        let ids = ids.filter_map(|line| line.split(' ').next().map(str::to_owned));
        ids.collect::<Vec<_>>()
    };
    store.ping().await.unwrap();
    store.ping().await.unwrap();
    let before = ours(&server);
    assert_eq!(before.len(), 1, "one connection carries every call");
    server.tell("CLIENT", &["PAUSE", "900", "ALL"]);
    unavailable_in_time("a sign of life", store.ping()).await;
    until(async || store.ping().await.is_ok()).await;
    let after = ours(&server);
    assert!(after.iter().any(|id| !before.contains(id)), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_connection_that_the_server_closed_while_it_was_idle_costs_nobody_a_call() {
    let server = Server::start();
    let store = open(&server).await;
    let challenge = issued(&store, "ann").await;
    server.tell("CONFIG", &["SET", "timeout", "1"]);
    // Only whoever looks is connected then.
    server.wait_for("INFO", &["clients"], "connected_clients:1\r");
    attempt(&store, challenge.id, None).await.unwrap();
    assert_eq!(guesses(&store, &challenge).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_server_that_became_a_replica_is_an_outage_and_its_connection_is_left() {
    let server = Server::start();
    let store = open(&server).await;
    let challenge = issued(&store, "ann").await;
    // Where time stands still, nothing but the sign of life itself is written.
    let still = RedisOptions::new(&server.url())
        .prefix("still")
        .clock(Arc::new(ManualClock::default()));
    let still = RedisStore::with_options(still.deadline(DEADLINE)).await;
    let still = still.unwrap();
    still.ping().await.unwrap();
    server.tell("REPLICAOF", &["127.0.0.1", "1"]);
    unavailable_in_time("a sign of life", still.ping()).await;
    let before = server.counter("stats", "total_connections_received");
    unavailable_in_time("a sign of life", store.ping()).await;
    unavailable_in_time("trying", attempt(&store, challenge.id, None)).await;
    unavailable_in_time("consuming", store.consume(kit::consume(&challenge, None))).await;
    let opened = server.counter("stats", "total_connections_received") - before;
    assert!(opened >= 3, "each call looks for another server: {opened}");
    server.tell("REPLICAOF", &["NO", "ONE"]);
    until(async || store.ping().await.is_ok()).await;
    assert_eq!(guesses(&store, &challenge).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_server_that_cannot_write_its_disk_is_an_outage() {
    let server = Server::start();
    let store = open(&server).await;
    let challenge = issued(&store, "ann").await;
    std::fs::create_dir(server.home().join("dump.rdb")).unwrap();
    std::fs::write(server.home().join("dump.rdb/in-the-way"), "").unwrap();
    server.tell("CONFIG", &["SET", "save", "3600 1"]);
    server.tell("BGSAVE", &[]);
    server.wait_for("INFO", &["persistence"], "rdb_last_bgsave_status:err");
    unavailable_in_time("a sign of life", store.ping()).await;
    unavailable_in_time("consuming", store.consume(kit::consume(&challenge, None))).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_server_that_evicts_is_refused_unless_that_is_allowed() {
    let server = Server::start();
    let mut raw = server.raw();
    let policy = |raw: &mut redis::Connection, policy: &str| {
        let set = redis::cmd("CONFIG")
            .arg("SET")
            .arg("maxmemory-policy")
            .arg(policy)
            .to_owned();
        let _: () = set.query(raw).expect("set");
    };
    for evicting in ["allkeys-random", "volatile-lru"] {
        policy(&mut raw, evicting);
        let refused = RedisStore::connect(&server.url()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Invalid, "{evicting}");
        let told = format!("{refused} {refused:?}");
        assert!(!told.contains("127.0.0.1"), "{told}");
    }
    let allowed = RedisOptions::new(&server.url()).allow_eviction();
    assert!(RedisStore::with_options(allowed).await.is_ok());
    policy(&mut raw, "noeviction");
    let store = RedisStore::connect(&server.url()).await.unwrap();
    policy(&mut raw, "allkeys-lru");
    server.tell("CLIENT", &["KILL", "TYPE", "normal"]);
    until(async || store.ping().await.is_err()).await;
    for _ in 0..3 {
        let kind = store.ping().await.map_err(|error| error.kind());
        assert_eq!(kind, Err(StoreErrorKind::Unavailable), "a later connection");
    }
    server.tell("CONFIG", &["SET", "maxmemory-policy", "noeviction"]);
    until(async || store.ping().await.is_ok()).await;
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_server_without_room_counts_nothing_and_lets_nobody_in() {
    let server = Server::start();
    let store = open(&server).await;
    let challenge = issued(&store, "ann").await;
    let mut raw = server.raw();
    let limit = |raw: &mut redis::Connection, bytes: &str| {
        let set = redis::cmd("CONFIG")
            .arg("SET")
            .arg("maxmemory")
            .arg(bytes)
            .to_owned();
        let _: () = set.query(raw).expect("set");
    };
    limit(&mut raw, "1");
    unavailable_in_time("a sign of life", store.ping()).await;
    let refused = attempt(&store, challenge.id, None).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let refused = store
        .consume(kit::consume(&challenge, None))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    limit(&mut raw, "0");
    let found = store
        .find(&challenge.id)
        .await
        .unwrap()
        .expect("it is there");
    assert_eq!((found.attempts, guesses(&store, &challenge).await), (0, 0));
}

#[tokio::test]
async fn nobody_there_is_an_outage_whose_error_and_debug_name_no_address() {
    let url = "redis://:hunter2@127.0.0.1:1";
    let refused = RedisStore::connect(url).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let cluster = RedisOptions::cluster(&[url]).login(None, "hunter2");
    let named = RedisOptions::sentinel("main", &[url]);
    let shown = format!("{:?} {cluster:?} {named:?}", RedisOptions::new(url));
    let told = format!("{refused} {refused:?} {shown}");
    assert!(
        !told.contains("hunter2") && !told.contains("127.0.0.1"),
        "{told}"
    );
}
