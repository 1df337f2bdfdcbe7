use otp_kit::challenge::CodeFormat;
use otp_kit::prelude::*;
use otp_kit::quota::BudgetRules;
use otp_kit::verifier::{Attempt, IssueError};

use crate::support::{PHONE, Service, from_anywhere, wrong};

fn start(purpose: &str, address: u32) -> Issue {
    let phone = PhoneNumber::parse(PHONE).unwrap();
    Issue::to(phone)
        .for_purpose(purpose)
        .from(from_anywhere(address))
}

/// Counts the guesses that are compared while somebody starts challenges and guesses as fast as
/// the service lets them, from as many addresses as they like, for some days.
async fn guesses_in(service: &Service, days: u64) -> u32 {
    let (mut compared, mut address) = (0, 0_u32);
    let purposes = ["login", "mfa", "recovery", "sign-up", "confirm-address"];
    for hour in 0..days * 24 {
        for purpose in purposes {
            address += 1;
            let Ok(issued) = service.verifier.issue(start(purpose, address)).await else {
                continue;
            };
            let code = service.code(PHONE);
            for round in 0..3 {
                for _ in 0..3 {
                    address += 1;
                    let attempt = Attempt::new(wrong(&code));
                    let from = from_anywhere(address);
                    drop(
                        service
                            .verifier
                            .verify(&issued.challenge_id, attempt, from)
                            .await,
                    );
                }
                service.advance(60 << round);
                drop(
                    service
                        .verifier
                        .resend(&issued.challenge_id, from_anywhere(address))
                        .await,
                );
            }
            let found = service
                .verifier
                .store()
                .find(&issued.challenge_id)
                .await
                .unwrap();
            compared += found.map_or(0, |challenge| challenge.wrong);
        }
        let spent = 5 * 420;
        service.advance(3_600_u64.saturating_sub(spent).max(1));
        if hour % 24 == 0 {
            service.verifier.store().purge(10_000).await.unwrap();
        }
    }
    compared
}

#[tokio::test]
async fn resends_and_new_challenges_for_a_month_never_refill_the_budget() {
    for service in Service::everywhere(|builder| builder).await {
        let compared = guesses_in(&service, 29).await;
        let budget = BudgetRules::out_of_band();
        assert!(
            compared <= budget.windows[1].public,
            "{compared} guesses in a month"
        );
        assert!(
            compared >= 16,
            "the attack guesses as much as it is let: {compared}"
        );
    }
}

#[tokio::test]
async fn a_simulated_year_stays_under_the_stated_bound() {
    let years = crate::support::figure("OTP_YEARS", 1);
    let service = Service::new();
    let compared = guesses_in(&service, 365 * u64::from(years)).await;
    let bound = service.verifier.policy().limits().budget().guesses_a_year();
    let bound = bound * u64::from(years);
    assert!(
        u64::from(compared) <= bound,
        "{compared} guesses, {bound} stated"
    );
}

#[tokio::test]
async fn other_purposes_and_addresses_share_one_budget() {
    for service in Service::everywhere(|builder| builder).await {
        let mut compared = 0;
        for (number, purpose) in ["login", "mfa", "recovery", "sign-up"]
            .into_iter()
            .enumerate()
        {
            let number = u32::try_from(number).unwrap();
            let issued = match service.verifier.issue(start(purpose, number)).await {
                Ok(issued) => issued,
                Err(IssueError::Locked(locked)) => {
                    assert_eq!(compared, 15, "locked by windows only when they are full");
                    drop(locked);
                    break;
                }
                Err(error) => panic!("{error:?}"),
            };
            let code = service.code(PHONE);
            for _ in 0..5 {
                let answer = service
                    .verifier
                    .verify(&issued.challenge_id, wrong(&code), from_anywhere(number))
                    .await;
                compared += u32::from(matches!(answer, Err(VerifyError::Rejected)));
            }
            service.advance(3_600);
        }
        // 16 in 24 hours from the public lane: three challenges of five, and one guess more.
        let store = service.verifier.store();
        let subject =
            otp_kit::request::SubjectKey::of_destination(&Destination::parse(PHONE, None).unwrap());
        let key = otp_kit::store::BudgetKey {
            tenant: Tenant::default(),
            subject,
            class: otp_kit::request::FactorClass::OutOfBand,
        };
        let reading = store
            .budget(&key, &BudgetRules::out_of_band())
            .await
            .unwrap();
        assert_eq!(reading.budget.guesses.len(), 16);
    }
}

#[tokio::test]
async fn a_success_between_attacks_refills_nothing() {
    for service in Service::everywhere(|builder| builder).await {
        for round in 0..3 {
            let (id, code) = service.issue().await;
            for _ in 0..4 {
                drop(
                    service
                        .verifier
                        .verify(&id, wrong(&code), from_anywhere(round))
                        .await,
                );
            }
            drop(
                service
                    .verifier
                    .verify(&id, &code, from_anywhere(round))
                    .await
                    .unwrap(),
            );
            service.advance(60);
        }
        let (id, code) = service.issue().await;
        let mut locked = 0;
        for _ in 0..5 {
            let answer = service
                .verifier
                .verify(&id, wrong(&code), from_anywhere(9))
                .await;
            locked += u32::from(matches!(answer, Err(VerifyError::Locked(_))));
        }
        assert_eq!(
            locked, 1,
            "twelve guesses were spent before, so four of five are taken"
        );
    }
}

#[tokio::test]
async fn a_malformed_code_costs_no_guess_and_gets_the_same_answer() {
    for service in
        Service::everywhere(|builder| builder.purpose(Purpose::LOGIN, CodeFormat::SIX_DIGITS)).await
    {
        let (id, code) = service.issue().await;
        let megabyte = "1".repeat(1 << 20);
        for typed in [
            "",
            "12345",
            "1234567",
            "12345a",
            "123456\n",
            "\u{661}23456",
            &megabyte,
        ] {
            let answer = service.verifier.verify(&id, typed, from_anywhere(1)).await;
            assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
        }
        let challenge = service.verifier.store().find(&id).await.unwrap().unwrap();
        assert_eq!(challenge.attempts, 0);
        assert!(
            service
                .verifier
                .verify(&id, code, from_anywhere(1))
                .await
                .is_ok()
        );
    }
}
