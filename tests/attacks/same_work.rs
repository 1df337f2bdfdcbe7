//! Who is there is not told by how often the store is asked before the answer: a round trip is
//! milliseconds, and those are seen from outside.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::clock::Timestamp;
use otp_kit::policy::{GuardMode, TollFraud};
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::{ManualClock, Outbox};

use crate::counting::Counting;
use crate::guarded;
use crate::support::{from_anywhere, wrong};

/// Whom a start is for.
#[derive(Clone, Copy, Debug)]
enum Whom {
    Known,
    /// Nobody, by a user's name.
    Named,
    /// Nobody, by an address.
    Addressed,
}

fn text(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "ann@example.org",
        _ => "+14155550177",
    }
}

fn to(channel: Channel) -> Destination {
    Destination::parse(text(channel), None).unwrap()
}

fn start(whom: Whom, channel: Channel) -> Issue {
    let address = text(channel);
    let claimed = match whom {
        Whom::Known => None,
        Whom::Named => Some("user-7"),
        Whom::Addressed => Some(address),
    };
    let issue = match claimed {
        Some(claimed) => Issue::decoy(claimed, channel).for_purpose("login"),
        None => {
            let subject = SubjectId::new("user-7").unwrap();
            let issue = Issue::to(to(channel)).for_purpose("login");
            issue.for_subject(subject).over(channel)
        }
    };
    issue.dispatch(Dispatch::Background).from(from_anywhere(1))
}

/// Starts from a range that the guard has something against, types a wrong code and asks for a
/// further message, and lists what the store was asked before each answer.
async fn asked(mode: GuardMode, whom: Whom, channel: Channel) -> [Vec<&'static str>; 3] {
    let clock = ManualClock::new(Timestamp::from_millis(1_800_000_000_000));
    let memory = MemoryStore::with_clock(Arc::new(clock.clone()));
    let store = Counting::around(memory);
    let outbox = Outbox::new();
    let verifier = Verifier::builder(store.clone(), KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .route(Channel::Email, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        .toll_fraud(TollFraud::new(mode))
        .hasher(CodeHasher::keyed())
        .clock(clock.clone())
        .build()
        .unwrap();
    for line in 0..60 {
        verifier
            .issue(guarded::start(line * 101, 100 + line))
            .await
            .unwrap();
    }
    verifier.drain(Duration::from_secs(5)).await.unwrap();
    assert_eq!(verifier.suspicions().is_empty(), mode == GuardMode::Off);
    store.take_calls();
    let issued = verifier.issue(start(whom, channel)).await.unwrap();
    let started = store.take_calls();
    verifier.drain(Duration::from_secs(5)).await.unwrap();
    let code = outbox.last_code_for(&to(channel));
    // An enforcing guard keeps messages to the range back.
    let sent = mode != GuardMode::Enforce || channel == Channel::Email;
    assert_eq!(code.is_some(), sent && matches!(whom, Whom::Known));
    let code = code.map_or_else(|| "123456".to_owned(), |code| wrong(code.expose()));
    store.take_calls();
    let id = &issued.challenge_id;
    let refused = verifier.verify(id, &code, from_anywhere(1)).await;
    assert!(matches!(refused, Err(VerifyError::Rejected)), "{refused:?}");
    let checked = store.take_calls();
    clock.advance(Duration::from_secs(61));
    let tenant = Tenant::default();
    let again = verifier.resend_for(&tenant, id, from_anywhere(1), Dispatch::Background);
    again.await.unwrap();
    [started, checked, store.take_calls()]
}

#[tokio::test]
async fn r18_the_store_is_asked_the_same_whoever_is_there() {
    for mode in [GuardMode::Off, GuardMode::Shadow, GuardMode::Enforce] {
        for channel in [Channel::Sms, Channel::Email] {
            let known = asked(mode, Whom::Known, channel).await;
            assert!(known.iter().all(|calls| calls.len() >= 2), "{known:?}");
            for whom in [Whom::Named, Whom::Addressed] {
                let nobody = asked(mode, whom, channel).await;
                assert_eq!(nobody, known, "{mode:?} {whom:?} {channel:?}");
            }
        }
    }
}
