use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use otp_core::challenge::{ChallengeState, ConsumeOutcome};
use otp_core::event::EventKind;
use otp_core::store::{
    AuditStore as _, BudgetStore as _, ChallengeQuery, ChallengeStore as _, Revocation, StoreError,
    StoreErrorKind,
};
use otp_core::testing::store::kit;
use otp_store::RedisStore;

use crate::fixture::{Place, attempt, connected, insert, issued};
use crate::server::Server;

fn is_full<T>(what: &str, answer: Result<T, StoreError>) {
    let kind = answer.err().map(|error| error.kind());
    assert_eq!(kind, Some(StoreErrorKind::Full), "{what}");
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn a_full_outbox_refuses_what_it_could_not_record_and_drops_nothing() {
    let place = Place::new();
    let options = place.options().outbox_limit(3);
    let store = RedisStore::with_options(options).await.unwrap();
    let challenge = issued(&store, "ann").await;
    issued(&store, "bob").await;
    attempt(&store, challenge.id, None).await.unwrap();
    issued(&store, "cat").await;
    let now = store.find(&challenge.id).await.unwrap().unwrap().created_at;
    let other = kit::challenge("dan", now);

    is_full("issuing", store.admit(&kit::issue_plan(&other)).await);
    is_full("putting", insert(&store, &other).await);
    is_full("trying", attempt(&store, challenge.id, None).await);
    is_full(
        "winning",
        store.consume(kit::consume(&challenge, None)).await,
    );
    is_full("losing", store.reject(kit::reject(&challenge, None)).await);
    let key = kit::budget_key(&challenge);
    let event = || kit::event(EventKind::OperatorAction);
    is_full("unlocking", store.unlock(&key, event()).await);
    is_full("appending", store.append(event()).await);
    let query = ChallengeQuery::default();
    let revocation = Revocation {
        query,
        event: event(),
    };
    is_full("revoking", store.revoke(revocation).await);
    is_full("a sign of life", store.ping().await);

    let found = store.find(&challenge.id).await.unwrap().unwrap();
    assert_eq!((found.state, found.attempts), (ChallengeState::Live, 1));
    assert!(store.find(&other.id).await.unwrap().is_none());
    let kept = store.outbox(None, 10).await.unwrap();
    assert_eq!(kept.len(), 3, "nothing was dropped");
    store.acknowledge(kept[0].sequence).await.unwrap();
    let won = store.consume(kit::consume(&challenge, None)).await.unwrap();
    assert_eq!(
        won,
        ConsumeOutcome::Won,
        "whoever takes records away makes room"
    );
    is_full("a sign of life", store.ping().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs redis-server"]
async fn a_revocation_of_everything_is_many_short_steps_and_one_record() {
    const MANY: usize = 2_345;
    let server = Server::start();
    let store = connected(&server.url()).await;
    let now = store.ping().await.unwrap();
    let mut challenges = Vec::new();
    for subject in 0..MANY {
        let challenge = kit::challenge(&format!("subject-{subject}"), now);
        insert(&store, &challenge).await.unwrap();
        challenges.push(challenge);
    }
    let (over, other) = (Arc::new(AtomicBool::new(false)), store.clone());
    let newer = tokio::spawn({
        let over = Arc::clone(&over);
        async move {
            let mut newer = 0;
            while !over.load(Ordering::Acquire) {
                issued(&other, &format!("newer-{newer}")).await;
                newer += 1;
            }
            newer
        }
    });
    let asked = |server: &Server| {
        let told = server.tell("INFO", &["commandstats"]);
        let line = told.lines().find(|line| line.contains("cmdstat_zscan:"));
        line.map_or(0, |line| {
            let calls = line
                .split(['=', ','])
                .nth(1)
                .and_then(|calls| calls.parse().ok());
            calls.unwrap_or(0_usize)
        })
    };
    let event = kit::event(EventKind::OperatorAction);
    let revocation = Revocation {
        query: ChallengeQuery::default(),
        event: event.clone(),
    };
    let revoked = store.revoke(revocation).await.unwrap();
    over.store(true, Ordering::Release);
    let newer: usize = newer.await.unwrap();
    let revoked = usize::try_from(revoked).unwrap();
    assert!((MANY..=MANY + newer).contains(&revoked), "{revoked}");
    assert!(asked(&server) >= MANY / 1_000, "in several steps");
    for challenge in &challenges {
        let found = store.find(&challenge.id).await.unwrap().unwrap();
        assert_eq!(found.state, ChallengeState::Revoked);
    }
    let records = store.outbox(None, 100_000).await.unwrap();
    let of_it: Vec<_> = records
        .iter()
        .filter(|entry| entry.event.id == event.id)
        .collect();
    assert_eq!(of_it.len(), 1);
    let reason = format!("revoked:{revoked}");
    assert_eq!(of_it[0].event.reason.as_deref(), Some(reason.as_str()));
}

/// Has an outbox forget its last records, as a replica that is promoted may have.
fn forget(place: &Place, log: &str, last: isize) {
    for mut raw in place.raws() {
        let log = format!("{}{log}", place.prefix);
        let mut cut = redis::cmd("ZREMRANGEBYRANK");
        cut.arg(&log).arg(-last).arg(-1);
        // Other nodes of a cluster say that they do not have it.
        let _ = cut.query::<u64>(&mut raw);
        let mut top = redis::cmd("ZREVRANGE");
        top.arg(&log).arg(0).arg(0).arg("WITHSCORES");
        let top: Vec<String> = top.query(&mut raw).unwrap_or_default();
        if let [_, place] = &top[..] {
            let mut set = redis::cmd("SET");
            set.arg(format!("{log}:seq")).arg(place);
            let _: () = set.query(&mut raw).expect("set");
        }
    }
}

#[tokio::test]
#[ignore = "needs a Redis and a cluster: set TEST_REDIS_URL and TEST_REDIS_CLUSTER_URLS"]
async fn a_record_after_a_failover_has_a_higher_place_than_those_that_were_lost() {
    let outboxes = [
        (Place::new(), "guard:audit"),
        (Place::in_cluster(), "guard:{s0}:outbox"),
    ];
    for (place, log) in outboxes {
        let store = place.open().await;
        let event = || kit::event(EventKind::OperatorAction);
        for _ in 0..5 {
            store.append(event()).await.unwrap();
        }
        let last = store.outbox(None, 10).await.unwrap()[4].sequence;
        forget(&place, log, 3);
        assert_eq!(store.outbox(None, 10).await.unwrap().len(), 2, "{log}");
        store.append(event()).await.unwrap();
        store.append(event()).await.unwrap();
        let newer = store.outbox(Some(last), 10).await.unwrap();
        assert_eq!(newer.len(), 2, "no reader skips them in {log}");
        store.acknowledge(last).await.unwrap();
        assert_eq!(store.outbox(None, 10).await.unwrap().len(), 2, "{log}");
    }
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn a_place_follows_the_last_one_where_the_clock_lags_behind_it() {
    let place = Place::new();
    let store = place.open().await;
    let ahead = 4_000_000_000_000_000_u64;
    let mut set = redis::cmd("SET");
    set.arg(format!("{}guard:audit:seq", place.prefix))
        .arg(ahead);
    let _: () = set.query(&mut Place::raw()).unwrap();
    for _ in 0..3 {
        let event = kit::event(EventKind::OperatorAction);
        store.append(event).await.unwrap();
    }
    let entries = store.outbox(Some(ahead), 10).await.unwrap();
    let places: Vec<u64> = entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(places, [ahead + 1, ahead + 2, ahead + 3]);
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL"]
async fn a_record_of_a_kind_that_is_not_known_holds_up_none_before_it_and_is_not_dropped() {
    let place = Place::new();
    let store = place.open().await;
    let event = || kit::event(EventKind::OperatorAction);
    let first = event();
    store.append(first.clone()).await.unwrap();
    let unknown = u64::MAX >> 12;
    let member = format!("{unknown}:{{\"id\":\"00\",\"kind\":\"of_tomorrow\"}}");
    let mut add = redis::cmd("ZADD");
    add.arg(format!("{}guard:audit", place.prefix))
        .arg(unknown)
        .arg(member);
    let _: () = add.query(&mut Place::raw()).unwrap();
    let read = store.outbox(None, 10).await.unwrap();
    assert_eq!((read.len(), read[0].event.id), (1, first.id));
    store.acknowledge(read[0].sequence).await.unwrap();
    let told = store.outbox(None, 10).await.unwrap_err();
    assert_eq!(
        told.kind(),
        StoreErrorKind::Corrupt,
        "nobody skips it unread"
    );
}
