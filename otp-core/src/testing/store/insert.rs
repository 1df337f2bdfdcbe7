use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, race};
use super::{StoreFixture, kit};
use crate::challenge::{AttemptOutcome, Challenge, ChallengeState, CodeFormat, Lane, Separators};
use crate::destination::Channel;
use crate::event::EventKind;
use crate::request::{FactorClass, Purpose, SessionBinding};
use crate::store::{ChallengeQuery, Insert};

/// However many challenges of one subject are inserted at once, one a lane is live.
pub async fn a_thousand_inserts_leave_one_live_challenge_a_lane(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let now = bench.now().await;
    let challenges: Vec<Challenge> = (0..RACERS)
        .map(|racer| Challenge {
            lane: if racer % 2 == 0 {
                Lane::Public
            } else {
                Lane::KnownDevice
            },
            ..kit::challenge("ann", now)
        })
        .collect();
    race(RACERS, |racer| {
        let challenge = challenges.get(racer).cloned().expect("one a racer");
        let event = kit::event(EventKind::ChallengeIssued).of_challenge(&challenge);
        let store = Arc::clone(&bench.store);
        async move {
            store
                .insert(Insert {
                    challenge,
                    delivery: None,
                    event,
                })
                .await
                .expect("an answer")
        }
    })
    .await;
    let live = bench.list(&ChallengeQuery::default()).await;
    let mut lanes: Vec<Lane> = live.iter().map(|challenge| challenge.lane).collect();
    lanes.sort();
    assert_eq!(
        lanes,
        Lane::ALL,
        "one live challenge a lane, whoever came last"
    );
    let (mut superseded, mut takers) = (0, 0);
    for challenge in &challenges {
        match bench.find(challenge).await.state {
            ChallengeState::Superseded => superseded += 1,
            ChallengeState::Live => takers += 1,
            other => panic!("an insert leads to no {other:?}"),
        }
    }
    assert_eq!((superseded, takers), (RACERS - 2, 2));
}

/// A new challenge takes the place of the live one of the same tenant, subject, purpose and lane,
/// and of no other.
pub async fn a_challenge_supersedes_its_own_kind_only(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let first = bench.issue("ann").await;
    let others = [
        Challenge {
            tenant: kit::tenant("other"),
            ..kit::challenge("ann", first.created_at)
        },
        Challenge {
            purpose: Purpose::RECOVERY,
            ..kit::challenge("ann", first.created_at)
        },
        Challenge {
            lane: Lane::KnownDevice,
            ..kit::challenge("ann", first.created_at)
        },
        kit::challenge("bob", first.created_at),
    ];
    for other in &others {
        bench.insert(other).await;
    }
    let state = bench.find(&first).await.state;
    assert_eq!(
        state,
        ChallengeState::Live,
        "a challenge takes a place of its own lane only"
    );
    let channel = |challenge| Challenge {
        channel: Channel::Email,
        ..challenge
    };
    let second = bench.issue_as("ann", channel).await;
    let replaced = bench.find(&first).await.state;
    assert_eq!(
        replaced,
        ChallengeState::Superseded,
        "over whichever channel it is sent"
    );
    for kept in others.iter().chain([&second]) {
        assert_eq!(bench.find(kept).await.state, ChallengeState::Live);
    }
}

/// What has ended is not touched by what comes after: a consumed challenge stays consumed.
pub async fn an_ended_challenge_is_not_superseded(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let won = bench.issue("ann").await;
    bench.win(&won).await;
    let expired = bench.issue("ann").await;
    bench.advance(kit::LIFE);
    bench.issue("ann").await;
    let state = bench.find(&won).await.state;
    assert!(
        matches!(state, ChallengeState::Consumed { .. }),
        "it was won and stays so"
    );
    assert_eq!(
        bench.find(&expired).await.state,
        ChallengeState::Live,
        "it expired, no more"
    );
}

/// Every field comes back as it went in.
pub async fn every_field_of_a_challenge_is_kept(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let now = bench.now().await;
    let format = CodeFormat::unambiguous(9).expect("a format");
    let full = Challenge {
        tenant: kit::tenant("acme-eu.1"),
        purpose: Purpose::CONFIRM_ADDRESS,
        channel: Channel::Email,
        lane: Lane::KnownDevice,
        class: FactorClass::Recovery,
        format: format.with_separators(Separators::Refuse),
        destination: Some(kit::sealed(1)),
        destination_key: kit::subject("somewhere"),
        destination_masked: "a•••@example.com".to_owned(),
        sealed_code: Some(kit::sealed(2)),
        key_id: kit::key_id("2026-11"),
        address: Some("2001:db8::7".parse().expect("an address")),
        binding: Some(SessionBinding::of(b"cookie")),
        created_at: now,
        expires_at: now.saturating_add(Duration::from_millis(123_456)),
        attempt_limit: 3,
        sends: 2,
        next_send_at: now.saturating_add(Duration::from_millis(7)),
        ..kit::challenge("ann", now)
    };
    let decoy = Challenge {
        destination: None,
        destination_masked: String::new(),
        address: Some("192.0.2.7".parse().expect("an address")),
        ..kit::challenge("nobody", now)
    };
    for challenge in [full, decoy] {
        bench.insert(&challenge).await;
        same(&challenge, &bench.find(&challenge).await);
        let only = Some(challenge.id);
        let query = ChallengeQuery {
            challenge: only,
            ..ChallengeQuery::default()
        };
        let [listed] = &bench.list(&query).await[..] else {
            panic!("a live challenge is listed")
        };
        same(&challenge, listed);
    }
}

/// What happened to a challenge comes back as well: tries, answers, winner.
pub async fn the_history_of_a_challenge_is_kept(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let mut expected = bench.issue("ann").await;
    let now = bench.now().await;
    for (id, filling) in [("wrong", 1), ("pending", 2), ("right", 3)] {
        let claim = kit::named_claim(id, filling);
        assert_eq!(expected.attempt(&claim, now), AttemptOutcome::Reserved);
        assert_eq!(
            bench.attempt_as(&expected, claim).await,
            AttemptOutcome::Reserved
        );
    }
    expected.refuse(Some(&kit::attempt_id("wrong")));
    bench.reject(kit::reject(&expected, Some("wrong"))).await;
    let digest = expected.digest.clone();
    expected.consume(&digest, Some(&kit::attempt_id("right")), now);
    bench.consume(kit::consume(&expected, Some("right"))).await;
    same(&expected, &bench.find(&expected).await);
}

/// Ids that mean something to an engine's language are only ids.
pub async fn hostile_subject_ids_are_inert_and_apart(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let long = "x".repeat(128);
    let ids = [
        "'; DROP TABLE auth_challenges; --",
        "\" OR 1=1 --",
        "{tag}",
        "a:b",
        "a",
        "%",
        "_",
        "\\",
        "*",
        "?",
        "$1",
        "\u{202e}ünïcode",
        "Ann",
        "ann",
        "ann ",
        "NULL",
        &long,
    ];
    let mut challenges = Vec::new();
    for id in ids {
        challenges.push(bench.issue(id).await);
    }
    for challenge in &challenges {
        assert_eq!(bench.attempt(challenge).await, AttemptOutcome::Reserved);
    }
    for challenge in &challenges {
        same(
            &Challenge {
                attempts: 1,
                ..challenge.clone()
            },
            &bench.find(challenge).await,
        );
        assert_eq!(
            bench.guesses(challenge).await,
            1,
            "each subject has its own budget"
        );
        let subject = Some(challenge.subject.clone());
        let query = ChallengeQuery {
            subject,
            ..ChallengeQuery::default()
        };
        let found = bench.list(&query).await;
        assert_eq!(found.len(), 1, "{:?} names one subject", challenge.subject);
    }
}

/// What was never inserted is not found.
pub async fn what_was_never_inserted_is_not_found(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let never = kit::challenge("ann", bench.now().await);
    let found = bench.store.find(&never.id).await.expect("an answer");
    assert!(found.is_none());
}

/// Compares every field, and names those that differ.
fn same(expected: &Challenge, found: &Challenge) {
    macro_rules! fields {
        ($($field:ident)+) => {
            $(assert_eq!(found.$field, expected.$field, "the field {}", stringify!($field));)+
        };
    }
    fields!(id tenant subject purpose channel lane class destination destination_key);
    fields!(destination_masked digest sealed_code key_id address binding created_at expires_at);
    fields!(attempts wrong attempt_limit sends next_send_at state attempt_log);
    assert_eq!(found.format, expected.format, "the field format");
}
