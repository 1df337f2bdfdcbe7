use std::sync::Arc;

use otp_kit::prelude::*;
use tokio::task::JoinSet;

use crate::bench::wrong;
use crate::engine::{Corner, Engine};

/// What the next version of the library may do to the tables while this one runs.
const ADDITIONS: [&str; 3] = [
    "ALTER TABLE auth_challenges ADD COLUMN novelty VARCHAR(8) DEFAULT 'none'",
    "ALTER TABLE guess_budgets ADD COLUMN novelty VARCHAR(8) DEFAULT 'none'",
    "CREATE TABLE auth_novelties (id BIGINT PRIMARY KEY)",
];
const NOTED: &str = "INSERT INTO _otp_kit_migrations
        (version, description, success, checksum, execution_time)
    VALUES (999, 'the next version', true, '', 0)";

/// F28: while a fleet is being replaced, instances of this version and of one that has added to the
/// tables count together, exactly.
async fn an_instance_that_was_there_before_and_one_that_came_after_count_together(engine: Engine) {
    let corner = Corner::shared(engine).await;
    let before = Arc::new(corner.service().await);
    for addition in ADDITIONS {
        corner.add(addition).await;
    }
    corner.add(NOTED).await;
    let after = Arc::new(corner.service().await);
    for person in 0..10 {
        let (issuing, other) = if person % 2 == 0 {
            (&before, &after)
        } else {
            (&after, &before)
        };
        let (id, code) = issuing.issue(person).await;
        let mut tasks = JoinSet::new();
        for attempt in 0..12 {
            let service = Arc::clone(if attempt % 2 == 0 { issuing } else { other });
            let typed = wrong(&code);
            tasks
                .spawn(async move { service.insist(&id, &typed, &format!("try-{attempt}")).await });
        }
        for answer in tasks.join_all().await {
            assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
        }
        let challenge = other.find(&id).await;
        assert_eq!(
            (challenge.attempts, challenge.wrong),
            (5, 5),
            "person {person}"
        );
    }
    corner.sweep().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a PostgreSQL: set TEST_POSTGRES_URL (./test.sh does)"]
async fn two_versions_beside_each_other_on_postgres() {
    an_instance_that_was_there_before_and_one_that_came_after_count_together(Engine::Postgres)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a MySQL or MariaDB: set TEST_MYSQL_URL (./test.sh does)"]
async fn two_versions_beside_each_other_on_mysql() {
    an_instance_that_was_there_before_and_one_that_came_after_count_together(Engine::Mysql).await;
}
