//! Who stays signed in while the primary is away, and who may sign in.

use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock as _;
use otp_core::event::Act;
use otp_core::key::KeyRing;
use otp_core::policy::OutagePolicy;
use otp_core::random::{OsRandom, SeededRandom};
use otp_core::request::{RequestContext, SessionBinding, SubjectId, Tenant};
use otp_core::session::{
    Methods, OneTimeState, SessionError, SessionRefusal, SessionRules, Sessions, SignIn,
    StateError, Tokens,
};
use otp_core::store::{SessionQuery, SessionStore};
use otp_store::{MemoryStore, ReadOnlyFallback};

use crate::fixture::House;
use crate::switch::{DOWN, Switched};

fn keys() -> KeyRing {
    KeyRing::generate(&SeededRandom::new(3)).expect("keys")
}

/// Asks the store at every check.
fn sessions(store: impl SessionStore, house: &House) -> Sessions {
    let rules = SessionRules::new("https://login.example.org").expect("rules");
    let rules = rules.freshness(Duration::ZERO).expect("rules");
    Sessions::new(Arc::new(store), keys(), rules).clock(house.clock.clone())
}

async fn sign_in(sessions: &Sessions, house: &House, who: &str) -> Result<Tokens, SessionError> {
    let methods = Methods::new(["otp"]).expect("methods");
    let (tenant, now) = (Tenant::default(), house.clock.now());
    let proof = SignIn::by_host(&tenant, &subject(who), methods, now, &OsRandom);
    let context = RequestContext::new();
    sessions.start(proof.expect("a proof"), &context).await
}

fn subject(name: &str) -> SubjectId {
    SubjectId::new(name).expect("a subject")
}

async fn check(sessions: &Sessions, tokens: &Tokens) -> Result<(), Option<SessionRefusal>> {
    let token = tokens.access.expose();
    let checked = sessions.check(token, &Tenant::default()).await;
    checked.map(drop).map_err(|error| error.refusal())
}

async fn refresh(sessions: &Sessions, tokens: &Tokens) -> Result<Tokens, Option<SessionRefusal>> {
    let (tenant, context) = (Tenant::default(), RequestContext::new());
    let token = tokens.refresh.expose();
    let next = sessions.refresh(token.expose(), &tenant, &context).await;
    next.map_err(|error| error.refusal())
}

#[tokio::test]
async fn who_signed_in_before_an_outage_is_neither_let_in_nor_out_until_it_is_over() {
    let house = House::new(OutagePolicy::memory());
    let sessions = sessions(house.store.clone(), &house);
    let tokens = sign_in(&sessions, &house, "ann").await.expect("a session");
    house.cut().await;
    assert_eq!(check(&sessions, &tokens).await, Err(None), "no answer");
    assert!(matches!(refresh(&sessions, &tokens).await, Err(None)));
    house.mend().await;
    assert_eq!(check(&sessions, &tokens).await, Ok(()));
    assert!(refresh(&sessions, &tokens).await.is_ok());
}

#[tokio::test]
async fn who_signs_in_during_an_outage_stays_in_after_it_at_this_instance() {
    let house = House::down(OutagePolicy::memory()).await;
    let sessions = sessions(house.store.clone(), &house);
    let tokens = sign_in(&sessions, &house, "ann").await.expect("a session");
    assert_eq!(check(&sessions, &tokens).await, Ok(()));
    house.mend().await;
    let next = refresh(&sessions, &tokens).await.expect("a successor");
    assert_eq!(check(&sessions, &next).await, Ok(()));
    let tenant = Tenant::default();
    let listed = sessions.list(&tenant, &subject("ann")).await;
    assert_eq!(listed.expect("an answer").len(), 1);
}

#[tokio::test]
async fn ending_everything_ends_what_was_opened_in_an_outage_too() {
    let house = House::new(OutagePolicy::memory());
    let sessions = sessions(house.store.clone(), &house);
    let above = sign_in(&sessions, &house, "ann").await.expect("a session");
    house.cut().await;
    let beneath = sign_in(&sessions, &house, "bob").await.expect("a session");
    let why = Arc::new(Act::new("mike", "incident").expect("an act"));
    let half = sessions.revoke(&SessionQuery::Everything, &why).await;
    assert!(half.is_err(), "those above cannot be reached");
    let ended = Err(Some(SessionRefusal::Ended));
    assert_eq!(check(&sessions, &beneath).await, ended);
    house.mend().await;
    assert_eq!(check(&sessions, &above).await, Ok(()), "it was not reached");
    let rest = sessions.revoke(&SessionQuery::Everything, &why).await;
    assert_eq!(rest.expect("an answer"), 1);
    for tokens in [&above, &beneath] {
        assert_eq!(check(&sessions, tokens).await, ended);
    }
}

#[tokio::test]
async fn where_an_outage_closes_the_service_nobody_signs_in() {
    let house = House::down(OutagePolicy::closed()).await;
    let sessions = sessions(house.store.clone(), &house);
    let refused = sign_in(&sessions, &house, "ann").await;
    assert!(matches!(refused, Err(SessionError::Store(_))));
    let states = OneTimeState::new(Arc::new(house.store.clone()), keys());
    let browser = SessionBinding::of(b"a cookie");
    let refused = states.issue("github", &browser, b"").await;
    assert!(matches!(refused, Err(StateError::Store(_))));
}

#[tokio::test]
async fn state_that_was_issued_in_an_outage_is_taken_once_also_after_it() {
    let house = House::down(OutagePolicy::memory()).await;
    let states = OneTimeState::new(Arc::new(house.store.clone()), keys());
    let browser = SessionBinding::of(b"a cookie");
    let state = states.issue("github", &browser, b"/inbox").await;
    let state = state.expect("issued");
    house.mend().await;
    let taken = states.consume("github", state.expose(), &browser).await;
    assert_eq!(taken.expect("taken").expose(), b"/inbox");
    let again = states.consume("github", state.expose(), &browser).await;
    assert!(matches!(again, Err(StateError::Refused)));
}

#[tokio::test]
async fn beneath_a_read_only_fallback_nobody_is_let_in_while_the_primary_is_away() {
    let house = House::new(OutagePolicy::memory());
    let clock = || Arc::new(house.clock.clone());
    let primary = Switched::around(MemoryStore::with_clock(clock()));
    let store = ReadOnlyFallback::new(primary.clone(), MemoryStore::with_clock(clock()));
    let sessions = sessions(store, &house);
    let tokens = sign_in(&sessions, &house, "ann").await.expect("a session");
    primary.turn(DOWN);
    for _ in 0..10 {
        assert_eq!(check(&sessions, &tokens).await, Err(None));
        assert!(sign_in(&sessions, &house, "bob").await.is_err());
    }
}
