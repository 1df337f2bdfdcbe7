//! What another channel is no way round.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::async_trait;
use otp_kit::check::{CheckError, SimSwap, SimSwapCheck, SimSwapSource};
use otp_kit::delivery::{DeliveryErrorKind, DispatchCertainty};
use otp_kit::event::{Event, EventKind, Outcome};
use otp_kit::prelude::*;
use otp_kit::store::Block;
use otp_kit::testing::Behaviour;
use otp_kit::verifier::IssueError;

use super::{DOWN, Trio, USUAL, both, configured, mail, phone, providers};
use crate::support::{Service, from_anywhere, here, wrong};

#[tokio::test]
async fn a_second_address_without_a_named_account_is_refused() {
    let trio = Trio::new(USUAL);
    let nobody = Issue::to(phone())
        .or_to(mail())
        .for_purpose("login")
        .from(here());
    let answer = trio.service.verifier.issue(nobody).await;
    assert!(matches!(answer, Err(IssueError::NoSubject)), "{answer:?}");
}

#[tokio::test]
async fn an_unknown_outcome_and_a_refusal_that_protects_end_the_order() {
    for (behaviour, certainty) in [
        (Behaviour::Lose, DispatchCertainty::Unknown),
        (
            Behaviour::Refuse(DeliveryErrorKind::OptedOut),
            DispatchCertainty::NotSent,
        ),
        (
            Behaviour::Refuse(DeliveryErrorKind::Protected),
            DispatchCertainty::NotSent,
        ),
    ] {
        let trio = Trio::new(USUAL);
        trio.whatsapp.set(behaviour);
        let answer = trio.service.verifier.issue(both()).await;
        let Err(IssueError::NotSent(failure)) = answer else {
            panic!("{answer:?}");
        };
        assert_eq!(failure.certainty(), certainty);
        assert_eq!((trio.sms.calls(), trio.email.calls()), (0, 0));
    }
}

#[tokio::test]
async fn toll_fraud_a_failing_mailer_is_no_way_round_a_blocked_number() {
    let trio = Trio::new(&[Channel::Email, Channel::Sms]);
    let verifier = &trio.service.verifier;
    let event = Event::new(EventKind::OperatorAction, &Tenant::default());
    for block in Block::of_destination(&phone()).into_iter().take(1) {
        let store = verifier.store();
        store
            .block(&block, "fraud", "ops", None, event.clone())
            .await
            .unwrap();
    }
    trio.email.set(DOWN);
    let answer = verifier.issue(both()).await;
    assert!(matches!(answer, Err(IssueError::NotSent(_))), "{answer:?}");
    assert_eq!(trio.sms.calls(), 0);
    let refused = trio.events().await.into_iter().any(|event| {
        event.channel == Some(Channel::Sms)
            && event.outcome == Outcome::Refused
            && event.reason.as_deref() == Some("blocked")
    });
    assert!(refused);
}

#[tokio::test]
async fn a_second_channel_is_no_way_round_the_quota_of_its_address() {
    let trio = Trio::new(USUAL);
    let verifier = &trio.service.verifier;
    for other in 0..5 {
        let mailed = Issue::to(mail())
            .for_purpose("login")
            .for_subject(SubjectId::new(format!("other-{other}")).unwrap())
            .from(from_anywhere(other));
        verifier.issue(mailed).await.unwrap();
    }
    trio.whatsapp.set(DOWN);
    trio.sms.set(DOWN);
    let answer = verifier.issue(both()).await;
    assert!(matches!(answer, Err(IssueError::NotSent(_))), "{answer:?}");
    assert_eq!(trio.email.calls(), 5);
}

#[tokio::test]
async fn going_on_costs_the_person_no_second_start() {
    let trio = Trio::new(USUAL);
    trio.whatsapp.set(DOWN);
    for _ in 0..5 {
        trio.service.verifier.issue(both()).await.unwrap();
    }
    let sixth = trio.service.verifier.issue(both()).await;
    assert!(matches!(sixth, Err(IssueError::Throttled(_))), "{sixth:?}");
    assert_eq!(trio.sms.calls(), 5);
}

#[tokio::test]
async fn another_channel_refills_no_guess_and_prolongs_nothing() {
    let trio = Trio::new(&[Channel::Sms, Channel::Email]);
    let verifier = &trio.service.verifier;
    let issued = verifier.issue(both()).await.unwrap();
    let first = trio.inbox.last_code_for(&phone()).unwrap();
    for _ in 0..3 {
        let guess = wrong(first.expose());
        verifier
            .verify(&issued.challenge_id, guess, here())
            .await
            .unwrap_err();
    }
    trio.service.advance(60);
    trio.sms.set(DOWN);
    let resent = verifier.resend(&issued.challenge_id, here()).await.unwrap();
    assert_eq!(
        (resent.channel, resent.expires_at),
        (Channel::Email, issued.expires_at)
    );
    let second = trio.inbox.last_code_for(&mail()).unwrap();
    // The code of the first channel is worth nothing now, and costs one of the two guesses left.
    let old = verifier
        .verify(&issued.challenge_id, first.expose(), here())
        .await;
    assert!(old.is_err());
    verifier
        .verify(&issued.challenge_id, wrong(second.expose()), here())
        .await
        .unwrap_err();
    let late = verifier
        .verify(&issued.challenge_id, second.expose(), here())
        .await;
    assert!(late.is_err(), "the sixth guess");
}

#[tokio::test]
async fn enumeration_a_decoy_takes_the_same_channel_as_a_person_whatever_is_switched_off() {
    for off in [None, Some(Channel::WhatsApp), Some(Channel::Sms)] {
        let trio = Trio::new(USUAL);
        let verifier = &trio.service.verifier;
        if let Some(channel) = off {
            verifier.routes().disable(channel).unwrap();
        }
        for start in [Channel::WhatsApp, Channel::Sms] {
            let person = Issue::to(phone()).for_purpose("login");
            let decoy = Issue::decoy("+14155550199", start).for_purpose("login");
            let mut answers = Vec::new();
            for issue in [person.over(start), decoy] {
                let waiting = issue.dispatch(Dispatch::Background).from(here());
                let answer = verifier.issue(waiting).await;
                answers.push(match answer {
                    Ok(issued) => {
                        trio.service.advance(60);
                        verifier.drain(Duration::from_secs(1)).await.unwrap();
                        let resent = verifier
                            .resend_for(
                                &Tenant::default(),
                                &issued.challenge_id,
                                here(),
                                Dispatch::Background,
                            )
                            .await;
                        (Some(issued.channel), resent.map(|r| r.channel).ok())
                    }
                    Err(error) => {
                        assert!(matches!(error, IssueError::NoRoute(_)), "{error:?}");
                        (None, None)
                    }
                });
            }
            assert_eq!(answers[0], answers[1], "{off:?} {start:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_challenge_that_another_one_replaced_meanwhile_sends_nothing_over_the_next_channel() {
    let trio = Arc::new(Trio::new(USUAL));
    let slowly = Behaviour::RefuseAfter(Duration::from_secs(1), DeliveryErrorKind::Unavailable);
    trio.whatsapp.then(slowly);
    let first = tokio::spawn({
        let trio = Arc::clone(&trio);
        async move { trio.service.verifier.issue(both()).await }
    });
    while trio.whatsapp.under_way() == 0 {
        tokio::task::yield_now().await;
    }
    let second = trio.service.verifier.issue(both()).await.unwrap();
    let first = first.await.unwrap();
    assert!(matches!(first, Err(IssueError::NotSent(_))), "{first:?}");
    assert_eq!((trio.sms.calls(), trio.inbox.len()), (0, 1));
    let code = trio.inbox.last_code_for(&phone()).unwrap();
    let verifier = &trio.service.verifier;
    let verified = verifier
        .verify(&second.challenge_id, code.expose(), here())
        .await;
    assert!(verified.is_ok(), "{verified:?}");
}

/// A SIM that was changed an hour ago.
#[derive(Debug)]
struct Swapped;

#[async_trait]
impl SimSwapSource for Swapped {
    async fn last_swap(&self, _: &PhoneNumber) -> Result<SimSwap, CheckError> {
        Ok(SimSwap::Ago(Duration::from_secs(3_600)))
    }
}

#[tokio::test]
async fn a_failing_mailer_is_no_way_to_a_number_whose_sim_was_swapped() {
    let (inbox, stand_ins) = providers();
    let order = &[Channel::Email, Channel::Sms];
    let service = Service::with(|builder| {
        configured(builder, &stand_ins, order).check(SimSwapCheck::new(Swapped))
    });
    let trio = Trio::of(service, inbox, stand_ins);
    let verifier = &trio.service.verifier;
    assert!(
        verifier.issue(both()).await.is_ok(),
        "mail is not asked about"
    );
    trio.email.set(DOWN);
    let answer = verifier.issue(both()).await;
    assert!(matches!(answer, Err(IssueError::NotSent(_))), "{answer:?}");
    assert_eq!(trio.sms.calls(), 0);
    let refused = trio.events().await.into_iter().any(|event| {
        event.channel == Some(Channel::Sms) && event.reason.as_deref() == Some("sim_swapped")
    });
    assert!(refused);
}
