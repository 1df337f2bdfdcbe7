use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use otp_core::challenge::{Challenge, ConsumeOutcome};
use otp_core::store::{ChallengeStore as _, StoreError, StoreErrorKind};
use otp_core::testing::store::kit;
use otp_store::RedisStore;
use otp_store::redis::RedisOptions;
use tempfile::TempDir;

use crate::fixture::{attempt, insert, issued, until};
use crate::port;
use crate::server::Server;

/// One that watches a primary and names another when it is gone.
struct Sentinel {
    child: Child,
    port: u16,
    _home: TempDir,
}

impl Sentinel {
    fn watching(primary: &Server) -> Self {
        let (port, home) = (port::free(), TempDir::new().expect("a folder"));
        let file = home.path().join("sentinel.conf");
        let watched = primary.port();
        let lines = format!(
            "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {watched} 2\n\
             sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n",
            home.path().display()
        );
        std::fs::write(&file, lines).expect("a file");
        let child = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        Self {
            child,
            port,
            _home: home,
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    fn tell(&self, words: &[&str]) -> Option<String> {
        let client = redis::Client::open(self.url()).ok()?;
        let mut raw = client.get_connection().ok()?;
        let mut command = redis::cmd("SENTINEL");
        let told: redis::Value = command.arg(words).query(&mut raw).ok()?;
        Some(format!("{told:?}"))
    }

    /// Says whether it knows the two others, and the replica.
    fn is_ready(&self) -> bool {
        let Some(told) = self.tell(&["MASTER", "main"]) else {
            return false;
        };
        let number = |name: &str| {
            let rest = told.split_once(name)?.1;
            let digits = rest.split(|c: char| !c.is_ascii_digit());
            digits
                .into_iter()
                .find(|part| !part.is_empty())
                .map(str::to_owned)
        };
        number("num-other-sentinels").as_deref() == Some("2")
            && number("num-slaves").as_deref() == Some("1")
    }
}

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Signs a subject in, from nothing.
async fn sign_in(store: &RedisStore, subject: &str) -> Result<Challenge, StoreError> {
    let challenge = kit::challenge(subject, store.ping().await?);
    insert(store, &challenge).await?;
    attempt(store, challenge.id, None).await?;
    match store.consume(kit::consume(&challenge, None)).await? {
        ConsumeOutcome::Won => Ok(challenge),
        // The server was another one in between.
        _ => Err(StoreErrorKind::Unavailable.into()),
    }
}

/// Signs in until it works again by itself; every failure before is an outage.
async fn signed_in_again(store: &RedisStore, subject: &str) -> (Challenge, usize) {
    let (mut done, mut failures) = (None, 0);
    until(async || match sign_in(store, subject).await {
        Ok(challenge) => {
            done = Some(challenge);
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            failures += 1;
            false
        }
    })
    .await;
    (done.expect("it was signed in"), failures)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_failover_is_an_outage_of_seconds_and_no_success_comes_twice() {
    let mut primary = Server::start();
    let replica = Server::replica_of(&primary);
    let sentinels = [(); 3].map(|()| Sentinel::watching(&primary));
    until(async || sentinels.iter().all(Sentinel::is_ready)).await;
    let urls: Vec<String> = sentinels.iter().map(Sentinel::url).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let options = RedisOptions::sentinel("main", &urls).deadline(Duration::from_secs(1));
    let store = RedisStore::with_options(options).await.unwrap();
    let mut consumed = Vec::new();
    for subject in 0..10 {
        consumed.push(
            sign_in(&store, &format!("subject-{subject}"))
                .await
                .unwrap(),
        );
    }

    // The primary lives on as a replica: a connection to it takes no writes.
    assert!(sentinels[0].tell(&["FAILOVER", "main"]).is_some());
    replica.wait_for("INFO", &["replication"], "role:master");
    let open = issued_somehow(&store).await;
    // Sentinels take ten seconds to tell the old one.
    primary.tell("REPLICAOF", &["127.0.0.1", &replica.port().to_string()]);
    primary.wait_for("INFO", &["replication"], "master_link_status:up");
    consumed.push(signed_in_again(&store, "ann").await.0);
    replica.wait_for("INFO", &["replication"], "connected_slaves:1");
    until(async || sentinels.iter().all(Sentinel::is_ready)).await;

    // And now the new one dies.
    drop(replica);
    let (challenge, failures) = signed_in_again(&store, "bob").await;
    assert!(failures > 0, "it was noticed");
    consumed.push(challenge);
    for challenge in &consumed {
        for _ in 0..2 {
            let again = store.consume(kit::consume(challenge, None)).await.unwrap();
            assert!(matches!(again, ConsumeOutcome::Lost(_)), "{again:?}");
        }
    }
    let late = store.consume(kit::consume(&open, None)).await.unwrap();
    assert!(matches!(late, ConsumeOutcome::Lost(_)), "of another era");
    primary.kill();
    let kind = store.ping().await.map_err(|error| error.kind());
    assert_eq!(kind, Err(StoreErrorKind::Unavailable));
}

async fn issued_somehow(store: &RedisStore) -> Challenge {
    until(async || store.ping().await.is_ok()).await;
    issued(store, "cat").await
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn a_service_that_no_sentinel_knows_is_an_outage_and_no_sentinel_at_all_is_invalid() {
    let primary = Server::start();
    let sentinel = Sentinel::watching(&primary);
    until(async || sentinel.tell(&["MASTER", "main"]).is_some()).await;
    let options = RedisOptions::sentinel("other", &[&sentinel.url()]);
    let refused = RedisStore::with_options(options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let options = RedisOptions::sentinel("main", &[]);
    let refused = RedisStore::with_options(options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Invalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn a_sentinel_that_hangs_costs_a_moment_and_not_the_service() {
    let primary = Server::start();
    let sentinel = Sentinel::watching(&primary);
    until(async || sentinel.tell(&["MASTER", "main"]).is_some()).await;
    // Whoever connects here is never answered.
    let listening = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let hung = listening
        .each_ref()
        .map(|hung| format!("redis://{}", hung.local_addr().unwrap()));
    let (url, [one, two]) = (sentinel.url(), &hung);
    let urls = [one, two, &url].map(String::as_str);
    for seconds in [2, 4, 8] {
        let options = RedisOptions::sentinel("main", &urls);
        let store = RedisStore::with_options(options.deadline(Duration::from_secs(seconds))).await;
        assert!(store.is_ok(), "within {seconds} s");
    }
    let options = RedisOptions::sentinel("main", &urls[..2]).deadline(Duration::from_millis(300));
    let refused = RedisStore::with_options(options).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
}
