//! What an operation costs the store, counted by a wrapper around it.

#[path = "../../examples/custom_store/counting.rs"]
mod counting;

use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::Outbox;

use crate::support::{PHONE, here, wrong};
use counting::Counting;

#[tokio::test]
async fn two_round_trips_before_the_message_leaves_and_two_for_every_answer_to_a_code() {
    let store = Counting::around(MemoryStore::new());
    let outbox = Outbox::new();
    let verifier = Verifier::builder(store.clone(), KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        .hasher(CodeHasher::keyed())
        .build()
        .unwrap();
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let issue = Issue::to(phone.clone()).for_purpose("login").from(here());
    let issued = verifier.issue(issue).await.unwrap();
    // The third records what the provider said.
    assert_eq!(store.take_calls(), ["admit", "insert", "settle"]);
    let code = outbox.last_code_for(&phone.into()).unwrap();
    let id = issued.challenge_id;
    for typed in [wrong(code.expose()), "12".to_owned()] {
        drop(verifier.verify(&id, typed, here()).await);
        assert_eq!(store.take_calls(), ["admit", "reject"]);
    }
    drop(verifier.verify(&id, code.expose(), here()).await.unwrap());
    assert_eq!(store.take_calls(), ["admit", "consume"]);
    drop(verifier.verify(&id, code.expose(), here()).await);
    assert_eq!(store.take_calls(), ["admit", "reject"]);
}

/// A host's own futures hold these, in as many layers as it has.
#[tokio::test]
async fn whoever_awaits_a_call_holds_less_than_a_kilobyte_of_it() {
    let verifier = Verifier::builder(MemoryStore::new(), KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::Sms, Route::primary(Outbox::new()))
        .limits(Limits::recommended())
        .hasher(CodeHasher::keyed())
        .build()
        .unwrap();
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let issue = verifier.issue(Issue::to(phone).for_purpose("login").from(here()));
    let sizes = [size_of_val(&issue)];
    let id = issue.await.unwrap().challenge_id;
    let again = verifier.resend(&id, here());
    let verify = verifier.verify(&id, "000000", here());
    let sizes = [sizes[0], size_of_val(&again), size_of_val(&verify)];
    assert!(sizes.iter().all(|size| *size < 1_024), "{sizes:?}");
}
