use super::SessionFixture;
use super::bench::{Bench, HOUR, MILLISECOND, new_session, rotation, subject};
use crate::event::EventKind;
use crate::key::KeyId;
use crate::request::Tenant;
use crate::store::{KeyHold, KeyUse, NewSession, Opened, Rotated, SessionQuery};

fn of_acme(seed: u64, name: &str) -> NewSession {
    NewSession {
        tenant: Tenant::new("acme").expect("a tenant"),
        ..new_session(seed, name)
    }
}

/// An ended session is over, once, and the log says so.
pub async fn an_ended_session_is_over_for_everybody(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let one = bench.open(new_session(1, "alice")).await.id;
    let two = bench.open(new_session(2, "alice")).await.id;
    assert_eq!(bench.end(SessionQuery::One(one)).await, 1);
    assert_eq!(bench.end(SessionQuery::One(one)).await, 0, "it was over");
    assert!(!bench.is_live(&one).await);
    assert!(bench.is_live(&two).await, "the other one lives");
    let records = bench.records(EventKind::SessionEnded).await;
    let reasons: Vec<_> = records
        .iter()
        .map(|event| event.reason.as_deref())
        .collect();
    assert_eq!(reasons, [Some("ended:1"), Some("ended:0")]);
}

/// All sessions of a subject end, and nobody else's.
pub async fn ending_a_subject_ends_all_of_its_sessions_and_no_others(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let mut hers = Vec::new();
    for seed in 1..=20 {
        hers.push(bench.open(new_session(seed, "alice")).await.id);
    }
    let bobs = bench.open(new_session(30, "bob")).await.id;
    let elsewhere = bench.open(of_acme(31, "alice")).await.id;
    let query = SessionQuery::Subject(Tenant::default(), subject("alice"));
    assert_eq!(bench.end(query).await, 20);
    for id in &hers {
        assert!(!bench.is_live(id).await);
    }
    assert!(bench.is_live(&bobs).await);
    assert!(bench.is_live(&elsewhere).await);
}

/// All sessions of a tenant end, and no other tenant's.
pub async fn ending_a_tenant_ends_all_of_its_sessions_and_no_others(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let mut theirs = Vec::new();
    for (seed, name) in (1..).zip(["alice", "bob", "carol", "dan", "eve"]) {
        theirs.push(bench.open(new_session(seed, name)).await.id);
    }
    let elsewhere = bench.open(of_acme(31, "alice")).await.id;
    assert_eq!(bench.end(SessionQuery::Tenant(Tenant::default())).await, 5);
    for id in &theirs {
        assert!(!bench.is_live(id).await);
    }
    assert!(bench.is_live(&elsewhere).await);
}

/// Everybody's sessions end, whoever's they are; none of them comes back by the proof that opened it.
pub async fn ending_everything_ends_the_sessions_of_every_tenant(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let mut all = Vec::new();
    for (seed, name) in (1..).zip(["alice", "bob", "carol", "dan"]) {
        all.push(bench.open(new_session(seed, name)).await.id);
    }
    all.push(bench.open(of_acme(31, "alice")).await.id);
    assert_eq!(bench.end(SessionQuery::Everything).await, 5);
    for id in &all {
        assert!(!bench.is_live(id).await);
    }
    let again = bench.store.open(new_session(1, "alice")).await;
    assert!(matches!(again, Ok(Opened::Known(known)) if known.ended_at.is_some()));
    let records = bench.records(EventKind::SessionEnded).await;
    let reasons: Vec<_> = records
        .iter()
        .map(|event| event.reason.as_deref())
        .collect();
    assert_eq!(reasons, [Some("ended:5")], "one record");
    let id = bench.open(new_session(9, "alice")).await.id;
    assert!(bench.is_live(&id).await, "what is opened afterwards lives");
    assert_eq!(bench.end(SessionQuery::Everything).await, 1);
}

/// What hangs on a key is counted, with the moment when the last of it lapses; what has ended or
/// moved on does not count.
pub async fn live_sessions_are_counted_by_their_keys(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let uses = || {
        let store = &bench.store;
        async move {
            let mut uses = store.session_keys().await.expect("an answer");
            uses.sort_by_key(|one| one.key);
            uses
        }
    };
    assert_eq!(uses().await, []);
    let first = bench.open(new_session(1, "alice")).await;
    bench.fixture.advance(MILLISECOND * 5);
    let last = bench.open(new_session(2, "bob")).await;
    let ended = bench.open(of_acme(3, "carol")).await.id;
    assert_eq!(bench.end(SessionQuery::One(ended)).await, 1);
    let of = |key, count, until| KeyUse {
        key,
        hold: KeyHold::Sessions,
        count,
        until: Some(until),
    };
    assert_eq!(uses().await, [of(first.key_id, 2, last.lapses_at)]);
    let next = KeyId::new("zz-next").expect("an id");
    let mut rotate = rotation(last.id, 1);
    rotate.key_id = next;
    let Rotated::Fresh(moved) = bench.store.rotate(rotate).await.expect("an answer") else {
        unreachable!("the token is in use");
    };
    let expected = [
        of(first.key_id, 1, first.lapses_at),
        of(next, 1, moved.lapses_at),
    ];
    assert_eq!(uses().await, expected);
    bench.fixture.advance(HOUR * 24);
    assert_eq!(uses().await, [], "what has lapsed hangs on nothing");
}

/// What is opened after an ending lives, at the same moment too.
pub async fn what_is_opened_after_an_ending_lives(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    bench.open(new_session(1, "alice")).await;
    bench.end(SessionQuery::Tenant(Tenant::default())).await;
    let query = SessionQuery::Subject(Tenant::default(), subject("alice"));
    bench.end(query).await;
    let id = bench.open(new_session(2, "alice")).await.id;
    assert!(bench.is_live(&id).await);
}

/// A list shows live sessions only, newest first, and no more than were asked for.
pub async fn sessions_are_listed_newest_first(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let mut opened = Vec::new();
    for seed in 1..=5 {
        opened.push(bench.open(new_session(seed, "alice")).await.id);
        bench.fixture.advance(MILLISECOND);
    }
    bench.open(new_session(9, "bob")).await;
    bench.end(SessionQuery::One(opened.remove(2))).await;
    opened.reverse();
    let listed = |limit| {
        let store = &bench.store;
        async move {
            let (tenant, alice) = (Tenant::default(), subject("alice"));
            let found = store.sessions(&tenant, &alice, limit).await;
            let found = found.expect("an answer");
            found.iter().map(|record| record.id).collect::<Vec<_>>()
        }
    };
    assert_eq!(listed(10).await, opened);
    assert_eq!(listed(2).await, opened.get(..2).unwrap_or_default());
}
