use std::sync::Arc;
use std::time::Duration;

use super::SessionFixture;
use super::bench::{Bench, HOUR, MILLISECOND, new_session};
use crate::event::EventKind;
use crate::request::Tenant;
use crate::store::{Opened, SessionQuery, StoreErrorKind};
use crate::testing::store::bench::{RACERS, count, race};

/// One proof opens one session, however many present it at once, and leaves one record.
pub async fn one_of_a_thousand_opens_a_session(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let answers = race(RACERS, |_| {
        let store = Arc::clone(&bench.store);
        async move {
            store
                .open(new_session(1, "alice"))
                .await
                .expect("an answer")
        }
    })
    .await;
    let fresh = count(&answers, |answer| matches!(answer, Opened::Fresh(_)));
    assert_eq!(fresh, 1, "exactly one caller opens it");
    let records = bench.records(EventKind::SessionStarted).await;
    assert_eq!(records.len(), 1, "one record");
}

/// A session is read as it was opened.
pub async fn a_session_is_kept_as_it_was_opened(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let mut new = new_session(1, "alice");
    new.tenant = Tenant::new("acme").expect("a tenant");
    let opened = bench.open(new.clone()).await;
    assert_eq!(opened.refreshed_at, opened.created_at);
    assert_eq!(opened.lapses_at, opened.created_at.saturating_add(HOUR));
    assert_eq!(
        opened.expires_at,
        opened.created_at.saturating_add(HOUR * 24)
    );
    assert_eq!(
        (&opened.tenant, &opened.subject),
        (&new.tenant, &new.subject)
    );
    assert_eq!((&opened.methods, &opened.class), (&new.methods, &new.class));
    assert_eq!(opened.authenticated_at, new.authenticated_at);
    assert_eq!((opened.key_id, opened.digest), (new.key_id, new.digest));
    let live = bench.store.live(&new.id).await.expect("an answer");
    assert_eq!(live.as_ref(), Some(&opened));
    match bench.store.open(new).await.expect("an answer") {
        Opened::Known(known) => assert_eq!(known, opened),
        Opened::Fresh(_) => unreachable!("it was opened before"),
    }
    let bare = crate::store::NewSession {
        class: None,
        ..new_session(2, "bob")
    };
    assert_eq!(bench.open(bare).await.class, None);
}

/// A session that nobody refreshes is over after its time, not a millisecond earlier.
pub async fn a_session_lapses_to_the_millisecond(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    bench.fixture.advance(HOUR - MILLISECOND);
    assert!(bench.is_live(&id).await, "it lives until its time");
    bench.fixture.advance(MILLISECOND);
    assert!(!bench.is_live(&id).await, "it is over");
}

/// What opened a session that has ended opens it never again.
pub async fn an_ended_session_is_not_opened_again(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    assert_eq!(bench.end(SessionQuery::One(id)).await, 1);
    for _ in 0..3 {
        let again = bench.store.open(new_session(1, "alice")).await;
        assert!(matches!(again, Ok(Opened::Known(known)) if known.ended_at.is_some()));
        assert!(!bench.is_live(&id).await, "it stays over");
        bench.fixture.advance(HOUR * 12);
    }
}

/// A clock that went back lets nobody in.
pub async fn a_clock_that_went_back_revives_no_session(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let id = bench.open(new_session(1, "alice")).await.id;
    bench.fixture.advance(HOUR);
    assert!(!bench.is_live(&id).await, "it is over");
    bench.fixture.step_back(Duration::from_secs(4));
    assert!(!bench.is_live(&id).await, "a small step revives nothing");
    bench.fixture.step_back(HOUR);
    let failed = bench.store.live(&id).await.expect_err("the clock is wrong");
    assert_eq!(failed.kind(), StoreErrorKind::ClockAnomaly);
}

/// Subjects are apart, whatever they are made of.
pub async fn hostile_subjects_are_inert_and_apart(fixture: &dyn SessionFixture) {
    let bench = Bench::new(fixture);
    let names = ["a:b", "a", "{a}", "A", "'; --", "%", "ü", "a*", "\u{1f600}"];
    for (seed, name) in (1..).zip(names) {
        bench.open(new_session(seed, name)).await;
    }
    for name in names {
        let subject = super::bench::subject(name);
        let found = bench.store.sessions(&Tenant::default(), &subject, 10).await;
        let found = found.expect("an answer");
        assert_eq!(found.len(), 1, "{name}");
        assert!(found.iter().all(|one| one.subject == subject), "{name}");
    }
    let ended = SessionQuery::Subject(Tenant::default(), super::bench::subject("a"));
    assert_eq!(bench.end(ended).await, 1);
}
