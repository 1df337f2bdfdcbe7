use super::attempts::found;
use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::{AttemptOutcome, Challenge, ChallengeState, Lane, Refusal};

async fn decoy_for(bench: &Bench<'_>, subject: &str) -> Challenge {
    let nobodys = |challenge| Challenge {
        destination: None,
        destination_masked: String::new(),
        ..challenge
    };
    bench.issue_as(subject, nobodys).await
}

/// A decoy leaves the code of somebody alone, and ends the decoy before it; a code for somebody
/// ends both.
pub async fn a_decoy_takes_the_place_of_decoys_alone(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let somebodys = bench.issue("ann").await;
    let first = decoy_for(&bench, "ann").await;
    let second = decoy_for(&bench, "ann").await;
    for kept in [&somebodys, &second] {
        let state = bench.find(kept).await.state;
        assert_eq!(state, ChallengeState::Live, "a decoy ends no code");
    }
    let before = bench.find(&first).await.state;
    assert_eq!(before, ChallengeState::Superseded, "it ends a decoy");
    let newer = bench.issue("ann").await;
    for ended in [&somebodys, &second] {
        let state = bench.find(ended).await.state;
        assert_eq!(state, ChallengeState::Superseded, "a code ends both");
    }
    assert_eq!(bench.find(&newer).await.state, ChallengeState::Live);
}

/// Whose code is live is found before a decoy that is newer, behind whichever door; where none is,
/// the decoy is, and takes guesses out of the same budget.
pub async fn a_decoy_is_the_latest_where_nobodys_code_is_live(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let both = [Lane::KnownDevice, Lane::Public];
    let alone = decoy_for(&bench, "ann").await;
    assert_eq!(found(&bench, &alone, &both).await, Some(alone.id));
    let somebodys = bench.issue("ann").await;
    let behind = decoy_for(&bench, "ann").await;
    let known = Challenge {
        lane: Lane::KnownDevice,
        ..behind.clone()
    };
    let known = Challenge {
        id: kit::challenge("ann", known.created_at).id,
        ..known
    };
    bench.insert(&known).await;
    assert_eq!(
        found(&bench, &behind, &both).await,
        Some(somebodys.id),
        "a code comes before every decoy"
    );
    bench.win(&somebodys).await;
    assert_eq!(
        found(&bench, &behind, &[Lane::Public]).await,
        Some(behind.id)
    );
    assert_eq!(found(&bench, &behind, &both).await, Some(known.id));
    assert_eq!(bench.attempt(&behind).await, AttemptOutcome::Reserved);
    assert_eq!(
        bench.attempt(&alone).await,
        AttemptOutcome::Refused(Refusal::Superseded)
    );
    assert_eq!(
        bench.guesses(&behind).await,
        5,
        "the budget is the subject's"
    );
}
