use std::collections::HashMap;
use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, ConsumeOutcome};
use otp_core::event::EventKind;
use otp_core::request::Tenant;
use otp_core::store::{
    ChallengeStore as _, Granted, PolicyDocument, PolicyStore as _, Published, StatKey, StatName,
    StatWindow, StatsStore as _,
};
use otp_core::testing::store::kit;
use otp_store::RedisStore;

use crate::fixture::{attempt, insert, issued, outcome};
use crate::server::Server;

/// Counts what clients sent since the last look; scripts' own commands are none of it.
fn sent(raw: &mut redis::Connection) -> u64 {
    let counted = counted(raw);
    let calls = |command: &str| counted.get(command).copied().unwrap_or_default();
    calls("evalsha") + calls("eval")
}

/// Counts what was run since the last look, by command.
fn counted(raw: &mut redis::Connection) -> HashMap<String, u64> {
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(raw)
        .expect("counters");
    let calls = |line: &str| {
        let (command, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let calls = rest.split(',').next()?.parse().ok()?;
        Some((command.to_owned(), calls))
    };
    let counted = stats.lines().filter_map(calls).collect();
    let _: () = redis::cmd("CONFIG")
        .arg("RESETSTAT")
        .query(raw)
        .expect("reset");
    counted
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn issuing_and_verifying_take_two_round_trips_each() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let mut raw = server.raw();
    // The server learns the scripts first.
    let warm = issued(&store, "warm").await;
    attempt(&store, warm.id, None).await.unwrap();
    store.consume(kit::consume(&warm, None)).await.unwrap();
    let now = store.ping().await.unwrap();
    sent(&mut raw);

    let challenge = kit::challenge("ann", now);
    let admission = store.admit(&kit::issue_plan(&challenge)).await.unwrap();
    assert!(matches!(admission.granted, Some(Granted::Issue)));
    insert(&store, &challenge).await.unwrap();
    assert_eq!(sent(&mut raw), 2, "issuing");

    let admission = attempt(&store, challenge.id, None).await.unwrap();
    assert_eq!(outcome(&admission), Some(AttemptOutcome::Reserved));
    let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
    assert_eq!(won, ConsumeOutcome::Won);
    assert_eq!(sent(&mut raw), 2, "verifying");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn counts_and_the_policy_take_one_round_trip_each() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let mut raw = server.raw();
    let tenant = Tenant::default();
    let key = |name, value| StatKey::new(name, &tenant, value).unwrap();
    let keys = [
        key(StatName::SENT, "GB"),
        key(StatName::SENT, "DE"),
        key(StatName::VERIFIED, "GB"),
    ];
    // The server learns the scripts first.
    store.count(&[]).await.unwrap();
    store.count(&[(keys[0].clone(), 0)]).await.unwrap();
    store.sums(&keys, StatWindow::HOUR).await.unwrap();
    assert_eq!(store.version().await.unwrap(), 0);
    sent(&mut raw);

    let counts: Vec<_> = keys.iter().cloned().zip(1..).collect();
    store.count(&counts).await.unwrap();
    assert_eq!(sent(&mut raw), 1, "counting");
    let sums = store.sums(&keys, StatWindow::WEEK).await.unwrap();
    assert_eq!((sums, sent(&mut raw)), (vec![1, 2, 3], 1), "summing");
    let document = PolicyDocument::new("limits", "ann", "because").unwrap();
    let event = kit::event(EventKind::OperatorAction);
    let published = store.publish(None, document, event).await.unwrap();
    assert_eq!((published, sent(&mut raw)), (Published::As(1), 1));
    assert_eq!((store.version().await.unwrap(), sent(&mut raw)), (1, 1));
    assert!(store.current().await.unwrap().is_some());
    assert_eq!(sent(&mut raw), 1, "reading");
}

#[tokio::test]
#[ignore = "needs redis-server"]
async fn what_the_toll_fraud_guard_asks_of_a_start_is_some_dozens_of_commands() {
    let server = Server::start();
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let mut raw = server.raw();
    let tenant = Tenant::default();
    let keys = |names: &[&'static str]| -> Vec<StatKey> {
        let key = |name| StatKey::new(StatName::new(name).unwrap(), &tenant, "value").unwrap();
        names.iter().copied().map(key).collect()
    };
    let sent_to = keys(&["range_sent", "country_sent", "client_sent", "sent"]);
    let verified = keys(&[
        "range_verified",
        "country_verified",
        "client_verified",
        "verified",
    ]);
    let number = keys(&["number_verified"]);
    let hour = [sent_to.clone(), verified].concat();
    let counts: Vec<_> = hour
        .iter()
        .chain(&number)
        .map(|key| (key.clone(), 2))
        .collect();
    store.count(&counts).await.unwrap();
    counted(&mut raw);

    let fresh = StatWindow::last(Duration::from_secs(180));
    assert_eq!(store.sums(&hour, StatWindow::HOUR).await.unwrap(), [2; 8]);
    assert_eq!(store.sums(&sent_to, fresh).await.unwrap(), [2; 4]);
    assert_eq!(store.sums(&number, StatWindow::WEEK).await.unwrap(), [2]);
    let run = counted(&mut raw);
    let all: u64 = run.values().sum();
    assert!(all <= 50, "{all} commands: {run:?}");
}
