//! Few guesses at each of many accounts: what no account's own limit sees.

use otp_kit::event::EventKind;
use otp_kit::policy::FleetAlarm;
use otp_kit::prelude::*;

use crate::support::{Service, from_anywhere, wrong};

fn number(line: u32) -> String {
    format!("+1415555{line:04}")
}

/// Tries one wrong code at each of so many accounts.
async fn guess_at(service: &Service, accounts: std::ops::Range<u32>) {
    for account in accounts {
        let phone = PhoneNumber::parse(&number(account)).unwrap();
        let from = from_anywhere(account);
        let issue = Issue::to(phone).for_purpose("mfa").from(from.clone());
        let issued = service.verifier.issue(issue).await.unwrap();
        let guess = wrong(&service.code(&number(account)));
        let tried = service.verifier.verify(&issued.challenge_id, guess, from);
        assert!(tried.await.is_err());
    }
}

fn watching() -> Service {
    let alarm = FleetAlarm::default().with_wrong_codes_a_minute(100);
    Service::with(|builder| builder.fleet_alarm(alarm))
}

#[tokio::test]
async fn one_guess_at_each_of_many_accounts_makes_codes_longer_and_locks_nobody_out() {
    let service = watching();
    guess_at(&service, 0..99).await;
    let (_, code) = service.issue_to(&number(500), "mfa").await;
    assert_eq!(code.len(), 6);
    guess_at(&service, 99..100).await;
    let (id, code) = service.issue_to(&number(501), "mfa").await;
    assert_eq!(code.len(), 8, "a hundred times harder to guess");
    let verified = service
        .verifier
        .verify(&id, &code, from_anywhere(501))
        .await;
    assert!(verified.is_ok(), "{verified:?}");
    // What was issued before is still good.
    let (id, code) = service.issue_to(&number(502), "mfa").await;
    service.advance(200);
    let verified = service
        .verifier
        .verify(&id, &code, from_anywhere(502))
        .await;
    assert!(verified.is_ok(), "{verified:?}");
}

#[tokio::test]
async fn the_alarm_ends_by_itself_and_its_beginning_and_end_are_on_record() {
    let service = watching();
    guess_at(&service, 0..100).await;
    assert_eq!(service.issue_to(&number(501), "mfa").await.1.len(), 8);
    service.advance(400);
    assert_eq!(service.issue_to(&number(502), "mfa").await.1.len(), 6);
    let found = service.verifier.store().outbox(None, 10_000).await.unwrap();
    let alarms = found
        .into_iter()
        .filter(|entry| entry.event.kind == EventKind::FleetAlarm);
    let told: Vec<_> = alarms.filter_map(|entry| entry.event.reason).collect();
    assert_eq!(told, ["raised", "ended"]);
}

#[tokio::test]
async fn a_busy_day_of_people_who_type_rightly_is_no_alarm() {
    let service = watching();
    for person in 0..300 {
        let (id, code) = service.issue_to(&number(person), "mfa").await;
        let verified = service
            .verifier
            .verify(&id, &code, from_anywhere(person))
            .await;
        assert!(verified.is_ok());
        service.advance(6);
    }
    assert_eq!(service.issue_to(&number(501), "mfa").await.1.len(), 6);
}
