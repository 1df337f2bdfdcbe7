//! A factor's code whose answer was lost, sent again by the name of the try.

use std::sync::Arc;

use otp_kit::event::Outcome;
use otp_kit::prelude::*;
use otp_kit::quota::BudgetRules;
use otp_kit::request::{AttemptId, FactorClass, SubjectKey};
use otp_kit::store::FactorOwner;
use otp_kit::verifier::Attempt;
use tokio::task::JoinSet;

use crate::factors::ann;
use crate::support::{Service, here};

fn named(code: &str, name: &str) -> Attempt {
    Attempt::new(code).with_id(AttemptId::new(name).unwrap())
}

#[tokio::test]
async fn a_lost_answer_costs_neither_a_recovery_code_nor_a_guess() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let _phone = service.phone_of(&ann).await;
        let set = service.recovery_of(&ann).await;
        let code = set.codes()[0].to_text();
        let first = verifier.verify_recovery(&ann, named(code.expose(), "one"), here());
        let first = first.await.unwrap();
        assert!(!first.is_repeated());
        service.advance(60);
        for _ in 0..12 {
            let again = verifier.verify_recovery(&ann, named(code.expose(), "one"), here());
            let again = again.await.unwrap();
            assert!(again.is_repeated());
            assert_eq!((again.by(), again.at()), (first.by(), first.at()));
        }
        let left = verifier.recovery_left(&Tenant::default(), &ann).await;
        assert_eq!(left.unwrap(), 9);
        let records = verifier.store().outbox(None, 1_000).await.unwrap();
        let repeated = records.iter().filter(|entry| {
            entry.event.reason.as_deref() == Some("repeated")
                && entry.event.outcome == Outcome::Success
        });
        assert_eq!(repeated.count(), 12, "each is on record");
        for other in [named(code.expose(), "two"), Attempt::new(code.expose())] {
            let other = verifier.verify_recovery(&ann, other, here()).await;
            assert!(matches!(other, Err(VerifyError::Rejected)), "{other:?}");
        }
        service.advance(1);
        let late = verifier.verify_recovery(&ann, named(code.expose(), "one"), here());
        let late = late.await;
        assert!(matches!(late, Err(VerifyError::Rejected)), "{late:?}");
    }
}

#[tokio::test]
async fn a_code_of_an_authenticator_is_answered_again_after_its_key_was_rotated() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        service.advance(30);
        let code = phone.code(&service);
        let first = verifier.verify_totp(&ann, named(&code, "one"), here());
        let first = first.await.unwrap();
        let key = otp_kit::key::Key::new(
            otp_kit::key::KeyId::new("k2").unwrap(),
            &otp_kit::secret::SecretBytes::new((0..32).collect()),
        );
        service.keys.rotate(key.unwrap()).unwrap();
        let again = verifier.verify_totp(&ann, named(&code, "one"), here());
        let again = again.await.unwrap();
        assert!(again.is_repeated());
        assert_eq!((again.by(), again.at()), (first.by(), first.at()));
        // What a name answers is that call's alone.
        let bob = SubjectId::new("bob").unwrap();
        let elsewhere = verifier.verify_totp(&bob, named(&code, "one"), here());
        assert!(elsewhere.await.is_err());
        let hotp = verifier.verify_hotp(&ann, named(&code, "one"), here());
        assert!(hotp.await.is_err());
        let purpose = named(&code, "one").for_purpose(Purpose::LOGIN);
        let purpose = verifier.verify_totp(&ann, purpose, here());
        assert!(purpose.await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_try_that_is_sent_many_times_at_once_all_get_one_answer() {
    for service in Service::everywhere(|builder| builder).await {
        let ann = ann();
        let _phone = service.phone_of(&ann).await;
        let set = service.recovery_of(&ann).await;
        let code: Arc<str> = set.codes()[0].to_text().expose().into();
        let mut tries = JoinSet::new();
        for _ in 0..8 {
            let (verifier, ann, code) = (service.verifier.clone(), ann.clone(), Arc::clone(&code));
            tries.spawn(async move {
                let tried = verifier.verify_recovery(&ann, named(&code, "one"), here());
                let verified = tried.await.unwrap();
                (verified.is_repeated(), verified.at())
            });
        }
        let answers = tries.join_all().await;
        let firsts = answers.iter().filter(|(repeated, _)| !repeated).count();
        assert_eq!(firsts, 1, "one success: {answers:?}");
        assert!(answers.iter().all(|(_, at)| *at == answers[0].1));
        let left = service
            .verifier
            .recovery_left(&Tenant::default(), &ann)
            .await;
        assert_eq!(left.unwrap(), 9);
    }
}

/// Tells how many guesses at its authenticators an account has left.
async fn counted(service: &Service, ann: &SubjectId) -> usize {
    let owner = FactorOwner {
        tenant: Tenant::default(),
        subject: SubjectKey::of_subject(ann),
    };
    let (key, rules) = (owner.budget(FactorClass::Totp), BudgetRules::totp());
    let reading = service.verifier.store().budget(&key, &rules).await;
    reading.unwrap().budget.guesses.len()
}

#[tokio::test]
async fn attack_a_wrong_code_by_one_name_is_judged_as_of_its_first_try_and_counted_once() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        // A code of the near future, which becomes right while its name is remembered.
        let typed = phone.code_in(&service, 60);
        for _ in 0..3 {
            let refused = verifier
                .verify_totp(&ann, named(&typed, "one"), here())
                .await;
            assert!(matches!(refused, Err(VerifyError::Rejected)), "{refused:?}");
            service.advance(15);
        }
        assert_eq!(counted(&service, &ann).await, 1);
        let records = verifier.store().outbox(None, 1_000).await.unwrap();
        let told = |reason: &str| {
            let mut reasons = records.iter().map(|entry| entry.event.reason.as_deref());
            reasons
                .by_ref()
                .filter(|told| *told == Some(reason))
                .count()
        };
        assert_eq!((told("invalid_otp"), told("repeated_wrong_code")), (1, 2));
        // Under another name it is another guess, and a right one.
        let shown = verifier
            .verify_totp(&ann, named(&typed, "two"), here())
            .await;
        assert!(shown.is_ok(), "{shown:?}");
    }
}
