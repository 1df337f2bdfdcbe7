//! Sessions of several instances, and what becomes of them when a server loses things.

use std::sync::Arc;
use std::time::Duration;

use otp_core::clock::Clock as _;
use otp_core::event::EventKind;
use otp_core::key::KeyRing;
use otp_core::random::{OsRandom, SeededRandom};
use otp_core::request::{RequestContext, SessionBinding, SubjectId, Tenant};
use otp_core::session::{
    Methods, OneTimeState, SessionRules, Sessions, SignIn, StateError, Tokens,
};
use otp_core::store::ChallengeStore as _;
use otp_core::testing::store::kit;
use otp_store::RedisStore;

use crate::fixture::{Place, connected, until};
use crate::instances::see_what_another_ended;
use crate::server::Server;

fn keys() -> KeyRing {
    KeyRing::generate(&SeededRandom::new(3)).expect("keys")
}

fn states(store: &RedisStore) -> OneTimeState {
    OneTimeState::new(Arc::new(store.clone()), keys())
}

fn browser() -> SessionBinding {
    SessionBinding::of(b"a cookie")
}

fn sessions(store: &RedisStore, place: &Place) -> Sessions {
    let rules = SessionRules::new("https://login.example.org").expect("rules");
    let rules = rules.freshness(Duration::ZERO).expect("rules");
    Sessions::new(Arc::new(store.clone()), keys(), rules).clock(place.clock.clone())
}

async fn sign_in(sessions: &Sessions, place: &Place) -> Tokens {
    let (tenant, alice) = (Tenant::default(), SubjectId::new("alice").expect("a name"));
    let methods = Methods::new(["otp"]).expect("methods");
    let proof = SignIn::by_host(&tenant, &alice, methods, place.clock.now(), &OsRandom);
    let context = RequestContext::new();
    let tokens = sessions.start(proof.expect("a proof"), &context).await;
    tokens.expect("a session")
}

async fn is_in(sessions: &Sessions, tokens: &Tokens) -> bool {
    let token = tokens.access.expose();
    sessions.check(token, &Tenant::default()).await.is_ok()
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)"]
async fn what_one_instance_ends_another_one_sees_within_a_second() {
    let place = Place::new();
    let (one, other) = (place.open().await, place.open().await);
    see_what_another_ended(Arc::new(one), Arc::new(other), &place.clock).await;
}

#[tokio::test]
#[ignore = "needs a Redis Cluster: set TEST_REDIS_CLUSTER_URLS"]
async fn what_one_instance_ends_another_one_sees_within_a_second_in_a_cluster() {
    let place = Place::in_cluster();
    let (one, other) = (place.open().await, place.open().await);
    see_what_another_ended(Arc::new(one), Arc::new(other), &place.clock).await;
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)"]
async fn deleting_what_may_be_lost_by_hand_signs_nobody_out_and_nobody_in_again() {
    let place = Place::new();
    let store = place.open().await;
    let (sessions, states) = (sessions(&store, &place), states(&store));
    let (kept, ended) = (
        sign_in(&sessions, &place).await,
        sign_in(&sessions, &place).await,
    );
    let context = RequestContext::new();
    sessions.logout(&ended.session, &context).await.unwrap();
    let state = states.issue("github", &browser(), b"/").await.unwrap();
    let mut raw = Place::raw();
    for what in [":o:", "guard:e:", "guard:h:", "guard:g:"] {
        let found = place.keys(what);
        assert!(!found.is_empty(), "{what}");
        for key in found {
            let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut raw).unwrap();
            assert!(left > 0, "{key} goes by itself: {left}");
        }
    }
    assert_eq!(place.delete(":"), 1, "the state alone may be lost");
    assert!(is_in(&sessions, &kept).await);
    assert!(!is_in(&sessions, &ended).await);
    let taken = states.consume("github", state.expose(), &browser()).await;
    assert!(matches!(taken, Err(StateError::Refused)));
}

#[tokio::test]
#[ignore = "needs a Redis: set TEST_REDIS_URL (./test.sh does)"]
async fn a_leap_of_the_clock_is_forgiven_at_the_price_of_sessions_and_states() {
    let place = Place::new();
    let store = place.open().await;
    let (sessions, states) = (sessions(&store, &place), states(&store));
    let tokens = sign_in(&sessions, &place).await;
    let state = states.issue("github", &browser(), b"/").await.unwrap();
    let event = kit::event(EventKind::OperatorAction);
    store.forgive_clock(event).await.unwrap();
    assert!(!is_in(&sessions, &tokens).await);
    let taken = states.consume("github", state.expose(), &browser()).await;
    assert!(matches!(taken, Err(StateError::Refused)));
    let tokens = sign_in(&sessions, &place).await;
    assert!(is_in(&sessions, &tokens).await, "and goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs redis-server"]
async fn attack_a_state_that_a_restart_brings_back_is_not_taken_again() {
    let mut server = Server::start();
    let store = connected(&server.url()).await;
    let states = states(&store);
    let state = states.issue("github", &browser(), b"/").await.unwrap();
    server.kill();
    server.restart();
    until(async || store.ping().await.is_ok()).await;
    let taken = states.consume("github", state.expose(), &browser()).await;
    assert!(matches!(taken, Err(StateError::Refused)));
    let state = states.issue("github", &browser(), b"/").await.unwrap();
    let taken = states.consume("github", state.expose(), &browser()).await;
    assert!(taken.is_ok(), "what is issued afterwards is taken");
}
