//! How many records each key sealed, from what is entered beside the chain.

use otp_core::store::ChainStore as _;
use otp_store::PostgresStore;

use crate::fixture::{Place, number, run};

async fn counted(store: &PostgresStore) -> Vec<(String, u64)> {
    let uses = store.sealed_by().await.expect("it answers").into_iter();
    let mut uses: Vec<_> = uses.map(|one| (one.key.to_string(), one.count)).collect();
    uses.sort();
    uses
}

#[tokio::test]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn links_of_an_older_version_are_entered_once_and_those_that_were_cleared_away_count_no_more()
{
    let place = Place::migrated().await;
    let store = place.open().await;
    assert_eq!(counted(&store).await, []);
    // More than are entered at once.
    let sealed = "INSERT INTO audit_links (sequence, link)
        SELECT 3 * n, concat_ws(':', n, repeat('0', 64), repeat('0', 64),
            CASE WHEN n <= 20400 THEN 'k1' ELSE 'k2' END, repeat('0', 64))
        FROM generate_series(1, 20500) AS n";
    let mut raw = place.raw().await;
    assert_eq!(run(&mut raw, sealed).await, 20_500);
    let (old, new) = (("k1".to_owned(), 20_400), ("k2".to_owned(), 100));
    for _ in 0..2 {
        assert_eq!(counted(&store).await, [old.clone(), new.clone()]);
        let rows = number(&mut raw, "SELECT COUNT(*) FROM audit_seals").await;
        assert_eq!(rows, 2, "a row for records in a row");
    }
    let cleared = "DELETE FROM audit_links WHERE sequence <= 3 * 400";
    assert_eq!(run(&mut raw, cleared).await, 400);
    assert_eq!(
        counted(&store).await,
        [("k1".to_owned(), 20_000), new.clone()]
    );
    run(
        &mut raw,
        "DELETE FROM audit_links WHERE sequence <= 3 * 20410",
    )
    .await;
    assert_eq!(counted(&store).await, [("k2".to_owned(), 90)]);
}
