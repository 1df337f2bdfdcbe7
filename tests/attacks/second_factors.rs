use std::sync::Arc;

use otp_kit::event::{EventKind, Outcome};
use otp_kit::factor::FactorName;
use otp_kit::policy::Assurance;
use otp_kit::prelude::*;
use otp_kit::request::FactorClass;
use otp_kit::store::{BudgetKey, FactorOwner};
use otp_kit::verifier::{Enrolment, FactorError, Proven, VerifiedFactor};
use tokio::task::JoinSet;

use crate::factors::{Phone, account, ann};
use crate::support::{PHONE, Service, figure, from_anywhere, here};

fn bob() -> SubjectId {
    SubjectId::new("bob").unwrap()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, VerifyError>) {
    assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
}

#[tokio::test]
async fn a_code_that_was_overlooked_opens_nothing_again() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = Phone::scan(&service.enrol(&ann).await);
        let first = phone.code(&service);
        let confirmed = verifier.confirm_factor(&ann, phone.id, &first, here());
        drop(confirmed.await.unwrap());
        refused(verifier.verify_totp(&ann, &first, here()).await);
        let leading = phone.code_in(&service, 30);
        drop(verifier.verify_totp(&ann, &leading, here()).await.unwrap());
        for by in [0, -30, 30] {
            let trailing = phone.code_in(&service, by);
            refused(verifier.verify_totp(&ann, trailing, here()).await);
        }
        service.advance(30);
        let spaced = format!(" {} {}", &leading[..3], &leading[3..]);
        refused(verifier.verify_totp(&ann, spaced, here()).await);
        let confirmed =
            verifier.confirm_factor(&ann, phone.id, phone.code_in(&service, 30), here());
        refused(confirmed.await);
    }
}

#[tokio::test]
async fn c07_a_slip_of_the_finger_is_no_guess_at_an_authenticator_either() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let pending = Phone::scan(&service.enrol(&ann).await);
        let slips = ["12345", "1234567", "12345678", "1234567890", "12345a", ""];
        let mut from = (0..).map(from_anywhere);
        let mut from = || from.next().unwrap();
        for slip in slips.repeat(4) {
            refused(
                verifier
                    .confirm_factor(&ann, pending.id, slip, from())
                    .await,
            );
        }
        let first = pending.code(&service);
        let confirmed = verifier.confirm_factor(&ann, pending.id, first, here());
        drop(confirmed.await.unwrap());
        service.advance(30);
        for slip in slips.repeat(4) {
            refused(verifier.verify_totp(&ann, slip, from()).await);
            refused(verifier.verify_totp(&bob(), slip, from()).await);
        }
        let code = pending.code(&service);
        drop(verifier.verify_totp(&ann, code, here()).await.unwrap());
        // What is as long as a code is a guess, of somebody's and of nobody's alike.
        let wrong = pending.wrong(&service);
        assert_eq!(guesses_until_locked(&service, &ann, &wrong).await, 8);
        assert_eq!(guesses_until_locked(&service, &bob(), "000000").await, 8);
    }
}

fn storm_size() -> u32 {
    figure("OTP_STORM", 1_000)
}

async fn storm<F>(service: &Arc<Service>, attempt: impl Fn(Arc<Service>, u32) -> F) -> usize
where
    F: Future<Output = Result<VerifiedFactor, VerifyError>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for number in 0..storm_size() {
        tasks.spawn(attempt(Arc::clone(service), number));
    }
    let answers = tasks.join_all().await;
    answers.into_iter().filter(Result::is_ok).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_parallel_copies_of_one_code_are_one_success() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let phone = service.phone_of(&ann()).await;
        let code = phone.code(&service);
        let wins = storm(&service, |service, number| {
            let code = code.clone();
            async move {
                let from = from_anywhere(number);
                service.verifier.verify_totp(&ann(), code, from).await
            }
        });
        assert_eq!(wins.await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_parallel_copies_of_one_first_code_are_one_confirmation() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let phone = Phone::scan(&service.enrol(&ann()).await);
        let (code, id) = (phone.code(&service), phone.id);
        let wins = storm(&service, |service, number| {
            let code = code.clone();
            async move {
                let from = from_anywhere(number);
                service
                    .verifier
                    .confirm_factor(&ann(), id, code, from)
                    .await
            }
        });
        assert_eq!(wins.await, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixteen_parallel_copies_of_one_recovery_code_are_one_success() {
    for service in Service::everywhere(|builder| builder).await {
        let service = Arc::new(service);
        let set = service.recovery_of(&ann()).await;
        let code = set.codes()[0].to_text();
        let mut tasks = JoinSet::new();
        for number in 0..16 {
            let (service, code) = (Arc::clone(&service), code.clone());
            tasks.spawn(async move {
                let from = from_anywhere(number);
                service
                    .verifier
                    .verify_recovery(&ann(), code.expose(), from)
                    .await
            });
        }
        let answers = tasks.join_all().await;
        let wins = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(wins, 1, "{answers:?}");
        let left = service
            .verifier
            .recovery_left(&Tenant::default(), &ann())
            .await;
        assert_eq!(left.unwrap(), 9);
    }
}

/// Guesses until the account takes none, and says how many were taken.
async fn guesses_until_locked(service: &Service, subject: &SubjectId, typed: &str) -> u32 {
    for number in 0..100 {
        let from = from_anywhere(number);
        match service.verifier.verify_totp(subject, typed, from).await {
            Err(VerifyError::Rejected) => {}
            Err(VerifyError::Locked(_)) => return number,
            answer => panic!("{answer:?}"),
        }
    }
    panic!("it takes guesses for ever");
}

#[tokio::test]
async fn guesses_through_every_door_spend_one_budget_and_nothing_refills_it() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        let wrong = phone.wrong(&service);
        refused(verifier.verify_hotp(&ann, &wrong, from_anywhere(900)).await);
        let confirm = verifier.confirm_factor(&ann, phone.id, &wrong, from_anywhere(901));
        refused(confirm.await);
        let pair = [wrong.as_str(), wrong.as_str()];
        let tenant = Tenant::default();
        let resync = verifier.resynchronise(&tenant, &ann, phone.id, pair, from_anywhere(902));
        refused(resync.await);
        assert_eq!(guesses_until_locked(&service, &ann, &wrong).await, 5);
        // Neither another code over another channel nor another enrolment opens it.
        let issue = Issue::to(PhoneNumber::parse(PHONE).unwrap())
            .for_purpose("mfa")
            .for_subject(ann.clone())
            .from(here());
        let issued = verifier.issue(issue).await.unwrap();
        let code = service.code(PHONE);
        drop(
            verifier
                .verify(&issued.challenge_id, code, here())
                .await
                .unwrap(),
        );
        let proven = service.proven(&ann, Assurance::Pair);
        let enrolled = verifier.enrol_factor(Enrolment::totp(account()), &proven, here());
        let another = Phone::scan(&enrolled.await.unwrap());
        for phone in [&phone, &another] {
            let right = phone.code(&service);
            let locked = verifier.verify_totp(&ann, right, here()).await;
            assert!(matches!(locked, Err(VerifyError::Locked(_))), "{locked:?}");
        }
        let right = another.code(&service);
        let locked = verifier
            .confirm_factor(&ann, another.id, right, here())
            .await;
        assert!(matches!(locked, Err(VerifyError::Locked(_))), "{locked:?}");
        // Its throttle leaves the recovery codes usable.
        let set = service.recovery_of(&ann).await;
        let code = set.codes()[0].to_text();
        drop(
            verifier
                .verify_recovery(&ann, code.expose(), here())
                .await
                .unwrap(),
        );
        service.advance(86_400);
        drop(service.show(&ann, &phone).await);
    }
}

#[tokio::test]
async fn a_success_between_two_attacks_gives_only_its_own_guess_back() {
    for service in Service::everywhere(|builder| builder).await {
        let ann = ann();
        let phone = service.phone_of(&ann).await;
        for number in 0..4 {
            let wrong = phone.wrong(&service);
            refused(
                service
                    .verifier
                    .verify_totp(&ann, wrong, from_anywhere(number))
                    .await,
            );
        }
        drop(service.show(&ann, &phone).await);
        let wrong = phone.wrong(&service);
        assert_eq!(guesses_until_locked(&service, &ann, &wrong).await, 4);
    }
}

#[tokio::test]
async fn what_is_no_code_costs_no_guess() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        let long = "1".repeat(100_000);
        for number in 0..20 {
            for typed in ["", "12345", "123456789", "12345a", "\u{0661}23456", &long] {
                let from = from_anywhere(number);
                refused(verifier.verify_totp(&ann, typed, from.clone()).await);
                refused(verifier.verify_recovery(&ann, typed, from).await);
            }
        }
        drop(service.show(&ann, &phone).await);
    }
}

#[tokio::test]
async fn an_account_without_a_factor_answers_as_one_with_a_wrong_code() {
    for service in Service::everywhere(|builder| builder).await {
        let (with, without) = (ann(), bob());
        let phone = service.phone_of(&with).await;
        service.recovery_of(&with).await;
        let wrong = phone.wrong(&service);
        let recovery = "K7-0123-4567-89AB-CDEF";
        for number in 0..12 {
            let mut shown = Vec::new();
            for subject in [&with, &without] {
                let from = || from_anywhere(number);
                let verifier = &service.verifier;
                let answers = [
                    verifier.verify_totp(subject, &wrong, from()).await,
                    verifier.verify_totp(subject, "12", from()).await,
                    verifier.verify_recovery(subject, recovery, from()).await,
                    verifier.verify_recovery(subject, "12", from()).await,
                ];
                shown.push(answers.map(|answer| format!("{answer:?}")));
            }
            assert_eq!(shown[0], shown[1], "try {number}");
        }
        let records = service.verifier.store().outbox(None, 1_000).await.unwrap();
        let of = |subject: &SubjectId| {
            let own = records.iter().filter(|entry| {
                let attempt = entry.event.kind == EventKind::ValidationAttempt;
                attempt && entry.event.subject == Some(owner(subject).subject)
            });
            own.count()
        };
        assert_eq!(of(&with), of(&without));
    }
}

fn owner(subject: &SubjectId) -> FactorOwner {
    FactorOwner {
        tenant: Tenant::default(),
        subject: otp_kit::request::SubjectKey::of_subject(subject),
    }
}

#[tokio::test]
async fn a_made_up_account_has_no_code_that_is_right() {
    let service = Service::new();
    let event = |number: u32| from_anywhere(number);
    // A hundred accounts, each guessed at with the codes that would be right of an empty secret.
    for number in 0..100 {
        let subject = SubjectId::new(format!("nobody-{number}")).unwrap();
        refused(
            service
                .verifier
                .verify_totp(&subject, "000000", event(number))
                .await,
        );
    }
}

#[tokio::test]
async fn a_stolen_session_without_the_factor_changes_none() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        for assurance in [Assurance::Address, Assurance::Restricted, Assurance::Single] {
            let stolen = service.proven(&ann, assurance);
            let answers = [
                verifier
                    .enrol_factor(Enrolment::totp(account()), &stolen, here())
                    .await
                    .map(drop),
                verifier.remove_factor(phone.id, &stolen, here()).await,
                verifier
                    .regenerate_recovery(&stolen, here())
                    .await
                    .map(drop),
                verifier
                    .export_factor(phone.id, account(), &stolen, here())
                    .await
                    .map(drop),
            ];
            for answer in answers {
                assert!(
                    matches!(answer, Err(FactorError::NotFresh { .. })),
                    "{answer:?}"
                );
            }
        }
        let outbox = verifier.store().outbox(None, 1_000).await.unwrap();
        let told = outbox.iter().filter(|entry| {
            entry.event.outcome == Outcome::Refused
                && entry.event.reason.as_deref() == Some("stale_proof")
        });
        assert_eq!(told.count(), 12);
        drop(service.show(&ann, &phone).await);
    }
}

#[tokio::test]
async fn what_a_thief_prepared_before_the_first_factor_is_worth_nothing_after_it() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let stolen = service.proven(&ann, Assurance::Address);
        let codes = verifier.regenerate_recovery(&stolen, here()).await;
        assert!(matches!(codes, Err(FactorError::Unknown)), "{codes:?}");
        let named = Enrolment::totp(account()).named(FactorName::new("spare").unwrap());
        let prepared = verifier.enrol_factor(named, &stolen, here()).await;
        let prepared = Phone::scan(&prepared.unwrap());

        let phone = service.phone_of(&ann).await;
        let code = prepared.code(&service);
        let late = verifier.confirm_factor(&ann, prepared.id, code, here());
        refused(late.await);
        let factors = verifier.list_factors(&Tenant::default(), &ann).await;
        let ids: Vec<_> = factors.unwrap().iter().map(|factor| factor.id).collect();
        assert_eq!(ids, [phone.id]);
        drop(service.show(&ann, &phone).await);
    }
}

#[tokio::test]
async fn nobody_confirms_shows_or_removes_what_is_anothers() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann, bob) = (&service.verifier, ann(), bob());
        let pending = Phone::scan(&service.enrol(&ann).await);
        let code = pending.code(&service);
        refused(
            verifier
                .confirm_factor(&bob, pending.id, code, here())
                .await,
        );
        let phone = service.phone_of(&ann).await;
        let set = service.recovery_of(&ann).await;
        let proven = service.proven(&bob, Assurance::Pair);
        let removed = verifier.remove_factor(phone.id, &proven, here()).await;
        assert!(matches!(removed, Err(FactorError::Unknown)), "{removed:?}");
        let exported = verifier.export_factor(phone.id, account(), &proven, here());
        let exported = exported.await;
        assert!(
            matches!(exported, Err(FactorError::Unknown)),
            "{exported:?}"
        );
        refused(
            verifier
                .verify_totp(&bob, phone.code(&service), here())
                .await,
        );
        let elsewhere = Tenant::new("elsewhere").unwrap();
        let attempt = Attempt::new(phone.code(&service)).for_tenant(elsewhere);
        refused(verifier.verify_totp(&ann, attempt, here()).await);
        let codes = set.codes();
        refused(
            verifier
                .verify_recovery(&bob, codes[0].to_text().expose(), here())
                .await,
        );
        let crossed = format!("{}{}", codes[0].selector().as_str(), codes[1].expose());
        refused(verifier.verify_recovery(&ann, crossed, here()).await);
        drop(service.show(&ann, &phone).await);
    }
}

#[tokio::test]
async fn a_stranger_who_spends_every_guess_does_not_keep_the_owners_device_out() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let phone = service.phone_of(&ann).await;
        let issue = Issue::to(PhoneNumber::parse(PHONE).unwrap())
            .for_purpose("login")
            .for_subject(ann.clone())
            .from(here());
        let issued = verifier.issue(issue).await.unwrap();
        let code = service.code(PHONE);
        let verified = verifier.verify(&issued.challenge_id, code, here()).await;
        let device = verifier.remember_device(&verified.unwrap()).await.unwrap();
        let wrong = phone.wrong(&service);
        assert_eq!(guesses_until_locked(&service, &ann, &wrong).await, 8);
        let known = here().device_token(device.expose());
        let shown = verifier
            .verify_totp(&ann, phone.code(&service), known)
            .await;
        assert!(shown.is_ok(), "{shown:?}");
    }
}

#[tokio::test]
async fn a_call_that_is_dropped_before_its_answer_stays_counted() {
    let service = Service::new();
    let ann = ann();
    service.recovery_of(&ann).await;
    let key = BudgetKey {
        class: FactorClass::Recovery,
        ..owner(&ann).budget(FactorClass::Recovery)
    };
    for number in 0..3 {
        let typed = "K7-0123-4567-89AB-CDEF";
        let verify = service
            .verifier
            .verify_recovery(&ann, typed, from_anywhere(number));
        let mut verify = Box::pin(verify);
        // The memory store answers at once, so the first poll ends in the hashing pool.
        let pending = std::future::poll_fn(|context| {
            std::task::Poll::Ready(verify.as_mut().poll(context).is_pending())
        });
        assert!(pending.await);
        drop(verify);
    }
    let rules = otp_kit::quota::BudgetRules::totp();
    let reading = service.verifier.store().budget(&key, &rules).await.unwrap();
    assert_eq!(reading.budget.guesses.len(), 3);
}

#[tokio::test]
async fn nothing_that_is_shown_or_kept_holds_a_secret() {
    let service = Service::new();
    let (verifier, ann) = (&service.verifier, ann());
    let pending = service.enrol(&ann).await;
    let secret = pending.secret().to_base32();
    let phone = Phone::scan(&pending);
    let code = phone.code(&service);
    let confirmed = verifier.confirm_factor(&ann, phone.id, &code, here());
    let confirmed = confirmed.await.unwrap();
    let set = service.recovery_of(&ann).await;
    let outbox = verifier.store().outbox(None, 1_000).await.unwrap();
    let listed = verifier
        .list_factors(&Tenant::default(), &ann)
        .await
        .unwrap();
    let proven = Proven::by_factor(&confirmed);
    let shown =
        format!("{pending:?}{confirmed:?}{set:?}{outbox:?}{listed:?}{proven:?}{verifier:?}");
    assert!(!shown.contains(secret.expose()), "{shown}");
    assert!(!shown.contains(&code), "{shown}");
    for code in set.codes() {
        assert!(!shown.contains(code.expose()), "{shown}");
    }
}
