use std::time::Duration;

use otp_core::challenge::{AttemptOutcome, Refusal};
use otp_core::clock::{Clock as _, Timestamp};
use otp_core::event::EventKind;
use otp_core::quota::{BudgetRules, Quota, QuotaClaim, QuotaKey, Scope};
use otp_core::store::{
    Block, BlockKind, BlocklistStore as _, ChallengeStore as _, Granted, Plan, QuotaStore as _,
    StoreErrorKind,
};
use otp_core::testing::store::kit;

use crate::fixture::{Place, attempt, connected, guesses, issued, outcome};
use crate::server::Server;

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn deleting_every_challenge_by_hand_in_mid_attack_gives_no_guess_back() {
    let place = Place::new();
    let store = place.open().await;
    let limit = usize::try_from(BudgetRules::out_of_band().windows[0].public).unwrap();
    let address = QuotaClaim::new(
        QuotaKey::new("verify.pw3600", Scope::Address, "default", "192.0.2.7"),
        Quota::window(3, Duration::from_secs(3_600)).unwrap(),
    );
    store
        .check_all(std::slice::from_ref(&address))
        .await
        .unwrap();
    let mut reserved = 0;
    for round in 0..60 {
        let challenge = issued(&store, "ann").await;
        let admission = attempt(&store, challenge.id, None).await.unwrap();
        reserved += usize::from(outcome(&admission) == Some(AttemptOutcome::Reserved));
        assert!(
            place.delete(":") > 0,
            "round {round} had something to delete"
        );
        let gone = attempt(&store, challenge.id, None).await.unwrap();
        assert!(matches!(
            gone.granted,
            Some(Granted::NoChallenge(Refusal::Unknown))
        ));
    }
    assert_eq!(reserved, limit, "as many as without");
    let any = kit::challenge("ann", place.clock.now());
    assert_eq!(guesses(&store, &any).await, limit);
    let readings = store.peek(&[address]).await.unwrap();
    assert_eq!(
        readings[0].remaining(),
        2,
        "what verifying counts is a guard too"
    );
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn what_may_lapse_has_a_time_to_live_and_guards_have_none() {
    let place = Place::new();
    let store = place.open().await;
    let challenge = issued(&store, "ann").await;
    let quotas = [
        kit::window("w", 3, Duration::from_secs(60)),
        kit::rate("r", 3, Duration::from_secs(60)),
    ];
    store.check_all(&quotas).await.unwrap();
    store
        .admit(&kit::keyed_issue_plan(&challenge, "key", 1))
        .await
        .unwrap();
    attempt(&store, challenge.id, None).await.unwrap();
    let mut raw = Place::raw();
    let keys: Vec<String> = redis::cmd("KEYS")
        .arg(format!("{}*", place.prefix))
        .query(&mut raw)
        .unwrap();
    let guard = format!("{}guard:", place.prefix);
    for key in &keys {
        let left: i64 = redis::cmd("PTTL").arg(key).query(&mut raw).unwrap();
        assert_eq!(left > 0, !key.starts_with(&guard), "{key} has {left}");
    }
    assert!(
        keys.iter()
            .any(|key| key.starts_with(&format!("{guard}b:")))
    );
    assert!(keys.len() > 8, "{keys:?}");
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn a_counter_that_was_tampered_with_refuses() {
    let place = Place::new();
    let store = place.open().await;
    let mut raw = Place::raw();
    for (index, odd) in ["-1", "1e18", "nan", "0x1", "", "99999999999"]
        .iter()
        .enumerate()
    {
        let challenge = issued(&store, &format!("subject-{index}")).await;
        let pattern = format!("{}:c:*{}", place.prefix, challenge.id);
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut raw).unwrap();
        let _: () = redis::cmd("HSET")
            .arg(&keys[0])
            .arg("attempts")
            .arg(odd)
            .query(&mut raw)
            .unwrap();
        let refused = attempt(&store, challenge.id, None).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{odd}");
        assert_eq!(guesses(&store, &challenge).await, 0);
    }
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn json_that_was_tampered_with_is_corrupt_and_no_outage() {
    let place = Place::new();
    let store = place.open().await;
    let mut raw = Place::raw();
    for (index, odd) in ["{", "7", "[[1]]", "[\"a\"]", ""].iter().enumerate() {
        let challenge = issued(&store, &format!("subject-{index}")).await;
        let pattern = format!("{}:c:*{}", place.prefix, challenge.id);
        let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut raw).unwrap();
        let mut set = redis::cmd("HSET");
        let _: () = set
            .arg(&keys[0])
            .arg("log")
            .arg(odd)
            .query(&mut raw)
            .unwrap();
        let refused = attempt(&store, challenge.id, Some("t1")).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{odd}");
    }
    let block = Block::new(BlockKind::Device, "stolen").unwrap();
    let plan = Plan {
        blocks: vec![block.clone()],
        ..kit::quota_plan(Vec::new())
    };
    let event = kit::event(EventKind::OperatorAction);
    store.block(&block, "", "op", None, event).await.unwrap();
    let mut set = redis::cmd("HSET");
    set.arg(format!("{}guard:blocks", place.prefix))
        .arg("device:stolen");
    let _: () = set.arg("{\"expires_at\":").query(&mut raw).unwrap();
    let refused = store.admit(&plan).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Corrupt);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn the_runbooks_line_against_everything_under_otp_gives_an_attacker_no_guess() {
    let server = Server::start();
    let store = connected(&server.url()).await;
    let limit = usize::try_from(BudgetRules::out_of_band().windows[0].public).unwrap();
    let line = "redis-cli -u URL --scan --pattern \"otp:*\" | xargs -r redis-cli -u URL del";
    let mut reserved = 0;
    for _ in 0..limit + 10 {
        let challenge = issued(&store, "ann").await;
        let admission = attempt(&store, challenge.id, None).await.unwrap();
        reserved += usize::from(outcome(&admission) == Some(AttemptOutcome::Reserved));
        let mut shell = std::process::Command::new("sh");
        let ran = shell
            .arg("-c")
            .arg(line.replace("URL", &server.url()))
            .output();
        assert!(ran.unwrap().status.success());
        assert!(
            store.find(&challenge.id).await.unwrap().is_none(),
            "it was deleted"
        );
    }
    assert_eq!(reserved, limit, "as many as without");
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn a_leap_of_the_clock_is_forgiven_at_the_price_of_what_is_live() {
    let place = Place::new();
    let store = place.open().await;
    let start: Timestamp = place.clock.now();
    let challenge = issued(&store, "ann").await;
    place.clock.advance(Duration::from_secs(3_600));
    issued(&store, "bob").await;
    place.clock.set(start);
    assert_eq!(
        store.ping().await.unwrap_err().kind(),
        StoreErrorKind::ClockAnomaly
    );
    let event = kit::event(EventKind::OperatorAction);
    assert_eq!(store.forgive_clock(event).await.unwrap(), 2);
    assert_eq!(store.ping().await.unwrap(), start);
    let late = attempt(&store, challenge.id, None).await.unwrap();
    assert_eq!(
        outcome(&late),
        Some(AttemptOutcome::Refused(Refusal::Revoked))
    );
    let records = otp_core::store::AuditStore::outbox(&store, None, 10)
        .await
        .unwrap();
    assert_eq!(
        records.last().unwrap().event.reason.as_deref(),
        Some("revoked:2")
    );
}
