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
