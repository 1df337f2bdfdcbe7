//! What does a start cost its target whose message the toll-fraud guard keeps back? Asked by
//! somebody who brings the guard up on purpose, because no message then tells the victim.

use otp_kit::policy::{GuardMode, TollFraud};
use otp_kit::prelude::*;
use otp_kit::store::ChallengeQuery;
use otp_kit::verifier::{Claim, IssueError, Issued};

use crate::guarded::{guarded, number, raise_the_guard, start};
use crate::support::{Service, from_anywhere, wrong};

const VICTIM: u32 = 9_100;

fn by_address(line: u32) -> Claim {
    Claim::latest_to(&Destination::from(number(line)), "login")
}

/// Asks for codes to the victim's number, all of which are kept back.
async fn ask(service: &Service, times: u32) -> Vec<Issued> {
    let before = service.outbox.len();
    let mut kept_back = Vec::new();
    for client in 0..times {
        let issued = service.verifier.issue(start(VICTIM, 500 + client)).await;
        kept_back.push(issued.unwrap());
    }
    assert_eq!(service.outbox.len(), before, "the victim would be told");
    kept_back
}

#[tokio::test]
async fn a_start_that_is_kept_back_ends_no_code_that_its_target_waits_with() {
    for by_id in [true, false] {
        for service in Service::everywhere(guarded).await {
            let verifier = &service.verifier;
            let waiting = verifier.issue(start(VICTIM, 1)).await.unwrap();
            let code = service.code(number(VICTIM).e164());
            raise_the_guard(&service).await;
            for kept_back in ask(&service, 3).await {
                let id = &kept_back.challenge_id;
                let stolen = verifier.verify(id, &code, from_anywhere(2)).await;
                assert!(matches!(stolen, Err(VerifyError::Rejected)), "{stolen:?}");
            }
            let found = verifier.store().find(&waiting.challenge_id).await.unwrap();
            let found = found.unwrap();
            assert_eq!(found.state.name(), "live");
            assert_eq!(
                found.expires_at,
                waiting.expires_at.into(),
                "nor shortens it"
            );
            assert_eq!(
                found.next_send_at,
                waiting.resend_at.into(),
                "nor its next message"
            );
            let claim = match by_id {
                true => Claim::from(waiting.challenge_id),
                false => by_address(VICTIM),
            };
            let signed_in = verifier.verify(claim, code, from_anywhere(1)).await;
            let signed_in = signed_in.unwrap();
            assert_eq!(signed_in.challenge_id(), waiting.challenge_id);
        }
    }
}

#[tokio::test]
async fn of_starts_that_are_kept_back_one_is_live_and_a_code_that_is_sent_ends_it() {
    for service in Service::everywhere(guarded).await {
        let verifier = &service.verifier;
        raise_the_guard(&service).await;
        let kept_back = ask(&service, 3).await;
        let live = async || {
            let query = ChallengeQuery {
                subject: Some(kept_back_subject()),
                ..ChallengeQuery::default()
            };
            let found = verifier.store().list(&query, 10).await.unwrap();
            found.into_iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!(live().await, [kept_back[2].challenge_id]);
        // The guard has calmed down.
        service.advance(240);
        let policy = verifier.policy().as_ref().clone();
        let act = otp_kit::event::Act::new("alice", "the attack is over").unwrap();
        let policy = policy.with_toll_fraud(TollFraud::new(GuardMode::Off));
        verifier.policies().replace(policy, act).await.unwrap();
        let sent = verifier.issue(start(VICTIM, 1)).await.unwrap();
        assert_eq!(live().await, [sent.challenge_id]);
    }
}

fn kept_back_subject() -> otp_kit::request::SubjectKey {
    otp_kit::request::SubjectKey::of_destination(&Destination::from(number(VICTIM)))
}

/// How many wrong codes are taken until the number is locked, by the id of a challenge or by the
/// number.
async fn until_locked(service: &Service, claim: Claim, line: u32) -> u32 {
    for guess in 1..=10 {
        let from = from_anywhere(700 + guess);
        let answer = service.verifier.verify(claim.clone(), "00000000", from);
        let answer = answer.await;
        assert!(answer.is_err(), "{answer:?}");
        let start = service.verifier.issue(start(line, 800 + guess)).await;
        match start {
            Err(IssueError::Locked(_)) => return guess,
            // A start that is let in takes the place of the one that is tried.
            Err(IssueError::Throttled(_)) => {}
            other => panic!("{other:?}"),
        }
    }
    0
}

#[tokio::test]
async fn r18_wrong_codes_lock_a_number_as_soon_whether_its_message_went_or_was_kept_back() {
    for by_id in [true, false] {
        for (waits, raised) in [(false, false), (false, true), (true, true)] {
            for service in Service::everywhere(guarded).await {
                if waits {
                    let waiting = service.verifier.issue(start(VICTIM, 1)).await;
                    assert!(waiting.is_ok(), "{waiting:?}");
                }
                if raised {
                    raise_the_guard(&service).await;
                }
                // All that the number gets in an hour: further starts are refused.
                let mut last = None;
                while let Ok(issued) = service.verifier.issue(start(VICTIM, 2)).await {
                    last = Some(issued);
                }
                let claim = match by_id {
                    true => Claim::from(last.unwrap().challenge_id),
                    false => by_address(VICTIM),
                };
                let taken = until_locked(&service, claim, VICTIM).await;
                assert_eq!(taken, 5, "by id: {by_id}, waits: {waits}, raised: {raised}");
            }
        }
    }
}

#[tokio::test]
async fn a_decoy_for_an_address_ends_no_code_of_whoever_confirms_that_address() {
    for service in Service::everywhere(|builder| builder).await {
        let waiting = service.issue_to("+14155559100", "login").await;
        let decoy = Issue::decoy("+1 (415) 555-9100", Channel::Sms).for_purpose("login");
        let decoy = decoy.from(from_anywhere(1));
        let decoy = service.verifier.issue(decoy).await.unwrap();
        let guess = wrong(&waiting.1);
        let from = from_anywhere(2);
        let guessed = service.verifier.verify(&decoy.challenge_id, guess, from);
        assert!(matches!(guessed.await, Err(VerifyError::Rejected)));
        let (id, code) = waiting;
        let signed_in = service.verifier.verify(&id, code, from_anywhere(3)).await;
        assert!(signed_in.is_ok(), "{signed_in:?}");
    }
}
