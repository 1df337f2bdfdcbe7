use std::sync::Arc;

use super::bench::{Bench, race};
use super::list::{meant, others, parts};
use super::{StoreFixture, kit};
use crate::challenge::{Challenge, ChallengeState, ConsumeOutcome, Refusal};
use crate::event::EventKind;
use crate::store::{ChallengeQuery, Revocation};

/// A revocation ends what fits its query, by each part, and nothing else; it answers how many,
/// and none of them can be verified afterwards.
pub async fn a_revocation_ends_what_fits_and_counts_it(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let probe = kit::challenge("probe", bench.now().await);
    let kept = others(&probe);
    for other in &kept {
        bench.insert(other).await;
    }
    for part in 0..parts(&probe).len() {
        let challenge = bench.issue_as("ann", meant).await;
        let (name, query) = parts(&challenge).swap_remove(part);
        assert_eq!(bench.revoke(query.clone()).await, 1, "by {name}");
        assert_eq!(
            bench.find(&challenge).await.state,
            ChallengeState::Revoked,
            "by {name}"
        );
        let outcome = bench.consume(kit::consume(&challenge, None)).await;
        assert_eq!(
            outcome,
            ConsumeOutcome::Lost(Refusal::Revoked),
            "nothing revives it"
        );
        assert_eq!(
            bench.revoke(query).await,
            0,
            "what has ended is not ended again"
        );
    }
    for other in &kept {
        assert_eq!(
            bench.find(other).await.state,
            ChallengeState::Live,
            "others are left alone"
        );
    }
}

/// A revocation of everything ends everything that is live, and what had ended stays as it was.
pub async fn an_open_query_revokes_everything_live(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let expired = bench.issue("expired").await;
    bench.advance(kit::LIFE);
    let won = bench.issue("won").await;
    bench.win(&won).await;
    for name in 0..20 {
        bench.issue(&format!("subject-{name}")).await;
    }
    assert_eq!(bench.revoke(ChallengeQuery::default()).await, 20);
    assert!(bench.list(&ChallengeQuery::default()).await.is_empty());
    let state = bench.find(&won).await.state;
    assert!(matches!(state, ChallengeState::Consumed { .. }));
    assert_eq!(
        bench.find(&expired).await.state,
        ChallengeState::Live,
        "it expired, no more"
    );
}

/// Of revocations that race, each challenge is counted by one.
pub async fn racing_revocations_count_each_challenge_once(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    for name in 0..50 {
        bench.issue(&format!("subject-{name}")).await;
    }
    let counts = race(100, |_| {
        let query = ChallengeQuery::default();
        let event = kit::event(EventKind::ChallengeCancelled);
        let store = Arc::clone(&bench.store);
        async move {
            let revoked = store.revoke(Revocation { query, event }).await;
            revoked.expect("an answer")
        }
    })
    .await;
    let total: u64 = counts.iter().sum();
    assert_eq!(total, 50, "fifty challenges are ended once each");
}

/// After a revocation the subject may ask anew, and the new challenge works.
pub async fn a_revoked_subject_may_ask_anew(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let revoked: Challenge = bench.issue("ann").await;
    bench.revoke(ChallengeQuery::default()).await;
    let fresh = bench.issue("ann").await;
    assert_eq!(bench.find(&revoked).await.state, ChallengeState::Revoked);
    bench.win(&fresh).await;
}
