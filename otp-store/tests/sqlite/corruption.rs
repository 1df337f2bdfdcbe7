use otp_core::store::{ChallengeStore as _, StoreErrorKind};

use crate::fixture::{Place, attempt, consume, issued, run};

/// What nobody but a broken disk or a stray hand writes.
const DAMAGE: [&str; 14] = [
    "UPDATE auth_challenges SET attempts = -1",
    "UPDATE auth_challenges SET attempts = 1000000000000000000",
    "UPDATE auth_challenges SET attempt_limit = -5",
    "UPDATE auth_challenges SET state = 'fresh'",
    "UPDATE auth_challenges SET state = 'consumed', consumed_at = NULL",
    "UPDATE auth_challenges SET lane = ''",
    "UPDATE auth_challenges SET channel = 'SMS'",
    "UPDATE auth_challenges SET factor_class = 'none'",
    "UPDATE auth_challenges SET destination = zeroblob(8193)",
    "UPDATE auth_challenges SET binding = x'00'",
    "UPDATE auth_challenges SET code_length = 3",
    "UPDATE auth_challenges SET code_alphabet = 'any'",
    "UPDATE auth_challenges SET digest = printf('%.*c', 1000000, 'x')",
    "UPDATE auth_challenges SET tenant = 'A B'",
];

#[tokio::test]
async fn a_damaged_challenge_is_corrupt_and_never_accepted() {
    for damage in DAMAGE {
        let place = Place::new();
        let store = place.open().await;
        let challenge = issued(&store, "ann").await;
        assert_eq!(run(&mut place.raw().await, damage).await, 1, "{damage}");
        for refused in [
            attempt(&store, &challenge, Some("t1")).await.map(drop),
            store.consume(consume(&challenge, None)).await.map(drop),
            store.find(&challenge.id).await.map(drop),
        ] {
            let refused = refused.expect_err(damage);
            assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{damage}");
        }
    }
}

#[tokio::test]
async fn a_damaged_budget_takes_no_guess() {
    for damage in [
        "UPDATE guess_budgets SET consecutive = -1",
        "UPDATE guess_budgets SET strikes_public = 5000000000",
        "UPDATE guess_budgets SET disabled = 7",
        "UPDATE guess_log SET lane = 'side door'",
    ] {
        let place = Place::new();
        let store = place.open().await;
        let challenge = issued(&store, "ann").await;
        attempt(&store, &challenge, None).await.unwrap();
        assert_eq!(run(&mut place.raw().await, damage).await, 1, "{damage}");
        let refused = attempt(&store, &challenge, None).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Corrupt, "{damage}");
    }
}

#[tokio::test]
async fn one_damaged_row_is_nobody_elses_outage() {
    let place = Place::new();
    let store = place.open().await;
    let (damaged, sound) = (issued(&store, "ann").await, issued(&store, "bob").await);
    let sql = "UPDATE auth_challenges SET state = 'x' WHERE user_id = 'ann'";
    run(&mut place.raw().await, sql).await;
    let (one, two) = tokio::join!(
        attempt(&store, &damaged, None),
        attempt(&store, &sound, None)
    );
    assert_eq!(one.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert!(two.unwrap().granted.is_some());
}
