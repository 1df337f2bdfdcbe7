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
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(raw)
        .expect("counters");
    let calls = |command: &str| {
        let line = stats
            .lines()
            .find_map(|line| line.strip_prefix(command)?.strip_prefix(":calls="));
        let calls = line.and_then(|line| line.split(',').next()?.parse::<u64>().ok());
        calls.unwrap_or_default()
    };
    let sent = calls("cmdstat_evalsha") + calls("cmdstat_eval");
    let _: () = redis::cmd("CONFIG")
        .arg("RESETSTAT")
        .query(raw)
        .expect("reset");
    sent
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
