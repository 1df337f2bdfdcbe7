//! Work that is done a batch at a time.

use otp_core::event::EventKind;
use otp_core::store::{AuditStore as _, ChallengeQuery, ChallengeStore as _, Revocation};
use otp_core::testing::store::kit;

use crate::fixture::{Place, issued, number, run};

/// A plan in which a subquery is run anew for each row.
const ANEW: [(&str, &str); 5] = [
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_material", "off"),
    ("enable_hashagg", "off"),
    ("enable_sort", "off"),
];

const LAPSED: [&str; 2] = [
    "INSERT INTO idempotency_keys
        SELECT 'acme', 'key-' || i, decode(repeat('00', 32), 'hex'), repeat('c', 36),
            now() - interval '1 h', now() FROM generate_series(1, 1200) AS i",
    "INSERT INTO blocklist
        SELECT 'device', 'device-' || i, '', '', now(), now() - interval '1 h'
        FROM generate_series(1, 1200) AS i",
];

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn more_lapsed_things_than_a_batch_are_purged_whatever_the_plan() {
    for lapsed in LAPSED {
        let place = Place::migrated().await;
        let store = place.open_with(1, &ANEW).await;
        run(&mut place.raw().await, lapsed).await;
        assert_eq!(store.purge(7).await.unwrap(), 7, "{lapsed}");
        assert_eq!(store.purge(10_000).await.unwrap(), 1_193, "{lapsed}");
    }
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn everything_is_revoked_in_batches_each_on_record() {
    let place = Place::migrated().await;
    let store = place.open_with(2, &[]).await;
    issued(&store, "ann").await;
    let mut raw = place.raw().await;
    run(
        &mut raw,
        "INSERT INTO auth_challenges SELECT (jsonb_populate_record(
            c, jsonb_build_object('id', 'copy-' || i, 'user_id', 'user-' || i))).*
         FROM auth_challenges AS c, generate_series(1, 1199) AS i",
    )
    .await;
    let revoke = async || {
        let (query, event) = (
            ChallengeQuery::default(),
            kit::event(EventKind::OperatorAction),
        );
        let revocation = Revocation { query, event };
        store.revoke(revocation).await.expect("an answer")
    };
    assert_eq!(revoke().await, 1_200);
    assert_eq!(revoke().await, 0);
    let live = "SELECT COUNT(*) FROM auth_challenges WHERE state = 'live'";
    assert_eq!(number(&mut raw, live).await, 0);
    let records = store.outbox(None, 10).await.unwrap();
    let reasons = records
        .iter()
        .filter_map(|record| record.event.reason.as_deref());
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        ["revoked:500", "revoked:500", "revoked:200", "revoked:0"]
    );
}
