use std::sync::Arc;

use super::SessionFixture;
use super::bench::{Bench, GRACE, HOUR, MILLISECOND, digest, new_session, rotation};
use crate::event::{EventKind, Outcome};
use crate::request::SubjectKey;
use crate::store::{Rotated, SessionQuery};
use crate::testing::store::bench::{RACERS, count, race};

/// A thousand callers that present one token at once get one successor.
pub async fn a_thousand_rotations_of_one_token_make_one_successor(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    let answers = race(RACERS, |_| {
        let store = Arc::clone(&bench.store);
        async move { store.rotate(rotation(id, 1)).await.expect("an answer") }
    })
    .await;
    let fresh = count(&answers, |answer| matches!(answer, Rotated::Fresh(_)));
    assert_eq!(fresh, 1, "exactly one caller turns it over");
    let same = |answer: &Rotated| match answer {
        Rotated::Fresh(record) | Rotated::Again(record) => record.digest == digest(2),
        _ => false,
    };
    assert_eq!(count(&answers, same), RACERS, "all get the same successor");
    assert!(bench.is_live(&id).await);
    let records = bench.records(EventKind::SessionRefreshed).await;
    assert_eq!(records.len(), 1, "one record");
}

/// A caller whose answer was lost gets it again, as it was, while the grace lasts.
pub async fn a_spent_token_is_answered_again_within_the_grace(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    bench.fixture.advance(MILLISECOND * 7);
    let Rotated::Fresh(first) = bench.rotate(id, 1).await else {
        unreachable!("the token is in use");
    };
    bench.fixture.advance(GRACE - MILLISECOND);
    match bench.rotate(id, 1).await {
        Rotated::Again(again) => assert_eq!(again, first, "the same answer"),
        other => unreachable!("{other:?}"),
    }
    assert!(matches!(bench.rotate(id, 2).await, Rotated::Fresh(_)));
}

/// A spent token that comes back after the grace ends the session, also for who has the successor.
pub async fn a_spent_token_ends_the_session_after_the_grace(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    assert!(matches!(bench.rotate(id, 1).await, Rotated::Fresh(_)));
    bench.fixture.advance(GRACE);
    assert!(matches!(bench.rotate(id, 1).await, Rotated::Reused(_)));
    assert!(!bench.is_live(&id).await, "the session has ended");
    assert!(matches!(bench.rotate(id, 2).await, Rotated::Gone));
}

/// A token that is older than the last one ends the session at once.
pub async fn a_token_before_the_last_ends_the_session(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    assert!(matches!(bench.rotate(id, 1).await, Rotated::Fresh(_)));
    assert!(matches!(bench.rotate(id, 2).await, Rotated::Fresh(_)));
    assert!(matches!(bench.rotate(id, 1).await, Rotated::Reused(_)));
    assert!(!bench.is_live(&id).await, "the session has ended");
}

/// A token of a session that has ended, lapsed or never was turns nothing over.
pub async fn a_token_of_an_ended_session_turns_nothing_over(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let unknown = new_session(9, "nobody").id;
    assert!(matches!(bench.rotate(unknown, 1).await, Rotated::Gone));
    let id = bench.open(new_session(1, "alice")).await.id;
    bench.end(SessionQuery::One(id)).await;
    assert!(matches!(bench.rotate(id, 1).await, Rotated::Gone));
    let id = bench.open(new_session(2, "alice")).await.id;
    bench.fixture.advance(HOUR);
    assert!(matches!(bench.rotate(id, 1).await, Rotated::Gone));
    assert!(!bench.is_live(&id).await);
}

/// Each refresh gives the session its idle time anew, and none prolongs it beyond its end.
pub async fn a_refresh_prolongs_up_to_the_end_of_the_session(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let opened = bench.open(new_session(1, "alice")).await;
    let step = HOUR - MILLISECOND;
    for token in 1..=24 {
        bench.fixture.advance(step);
        let Rotated::Fresh(record) = bench.rotate(opened.id, token).await else {
            unreachable!("the session lives");
        };
        assert_eq!(record.expires_at, opened.expires_at);
        assert!(record.lapses_at <= opened.expires_at);
    }
    bench.fixture.advance(MILLISECOND * 24);
    assert!(!bench.is_live(&opened.id).await, "its day is over");
}

/// A rotation leaves a record of whose it was and how it came out.
pub async fn a_rotation_leaves_its_record(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    for _ in 0..2 {
        let _ = bench.rotate(id, 1).await;
    }
    bench.fixture.advance(GRACE);
    for _ in 0..2 {
        let _ = bench.rotate(id, 1).await;
    }
    let records = bench.records(EventKind::SessionRefreshed).await;
    let told: Vec<_> = records
        .iter()
        .map(|event| (event.outcome, event.reason.as_deref()))
        .collect();
    let expected = [
        (Outcome::Success, None),
        (Outcome::Refused, Some("token_reused")),
        (Outcome::Refused, Some("session_ended")),
    ];
    assert_eq!(told, expected);
    let alice = SubjectKey::of_subject(&super::bench::subject("alice"));
    let whose: Vec<_> = records.iter().map(|event| event.subject.as_ref()).collect();
    assert_eq!(whose.first(), Some(&Some(&alice)));
    assert_eq!(whose.get(1), Some(&Some(&alice)));
}
