use std::time::Duration;

use otp_kit::operator::Whom;
use otp_kit::prelude::*;
use otp_kit::request::SubjectKey;
use otp_kit::store::{Block, BlockKind};

use super::{guess, operator, words};
use crate::support::{PHONE, Service, from_anywhere, here};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn why_was_i_refused_is_answered_in_one_call() {
    let phone = Destination::parse(PHONE, None).unwrap();
    let whom = Whom::Destination(phone.clone());
    for service in Service::everywhere(|builder| builder).await {
        let fresh = operator(&service).explain(&whom).await.unwrap();
        assert!(fresh.reasons().is_empty() && fresh.limits.is_empty() && fresh.refusals.is_empty());

        let (id, code) = service.issue().await;
        for number in 0..5 {
            guess(&service, &id, &code, from_anywhere(number)).await;
        }
        let told = operator(&service).explain(&whom).await.unwrap();
        assert_eq!(told.reasons(), ["locked"]);
        assert_eq!(told.refusals.len(), 5, "{:?}", told.refusals);
        assert_eq!(
            told.limits.len(),
            4,
            "an hour's and a day's, twice: {:?}",
            told.limits
        );
        assert_eq!(told.live_challenges, 0, "the challenge is used up");

        let block = Block::new(BlockKind::Prefix, "+1415").unwrap();
        operator(&service).block(&[block], None).await.unwrap();
        let told = operator(&service).explain(&whom).await.unwrap();
        assert_eq!(told.reasons(), ["blocked", "locked"]);
        assert_eq!(told.blocks[0].author, "mike");
        assert_eq!(
            words(&service).await,
            ["explain", "explain", "block", "explain"]
        );
    }
}

#[tokio::test]
async fn an_account_that_the_records_name_is_explained_and_unlocked_by_that_name() {
    let whom = Whom::Destination(Destination::parse(PHONE, None).unwrap());
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        for number in 0..5 {
            guess(&service, &id, &code, from_anywhere(number)).await;
        }
        let again = Issue::to(PhoneNumber::parse(PHONE).unwrap()).for_purpose("login");
        assert!(service.verifier.issue(again.from(here())).await.is_err());
        let found = operator(&service).attackers(HOUR, 5).await.unwrap();
        let [source] = found.subjects.as_slice() else {
            panic!("{:?}", found.subjects)
        };
        assert_eq!((source.by_locks, source.by_blocks), (1, 0), "{source:?}");
        let named = Whom::Account(source.account.clone().unwrap());
        assert_eq!(named.to_string(), source.name);
        let told = operator(&service).explain(&named).await.unwrap();
        assert_eq!(told.reasons(), ["locked"]);
        assert_eq!(told.limits.len(), 4, "{:?}", told.limits);
        operator(&service).unlock(&named).await.unwrap();
        operator(&service).clear_limits(&named).await.unwrap();
        let told = operator(&service).explain(&whom).await.unwrap();
        assert!(
            told.reasons().is_empty() && told.limits.is_empty(),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn refusals_of_a_number_that_looks_the_same_are_no_refusals_of_this_one() {
    let phone = |number| PhoneNumber::parse(number).unwrap();
    let account = |name| SubjectId::new(name).unwrap();
    let start = |number, name| {
        let issue = Issue::to(phone(number)).for_purpose("mfa").from(here());
        issue.for_subject(account(name))
    };
    let alike = "+14155560123";
    assert_eq!(phone(alike).to_string(), phone(PHONE).to_string());
    let whom = Whom::Destination(phone(PHONE).into());
    for service in Service::everywhere(|builder| builder).await {
        let refused = async |number, name| {
            let issued = service.verifier.issue(start(number, name)).await.unwrap();
            let code = service.code(number);
            let id = issued.challenge_id;
            guess(&service, &id, &code, from_anywhere(1)).await;
        };
        refused(alike, "user-2").await;
        service.issue_to(alike, "login").await;
        let told = operator(&service).explain(&whom).await.unwrap();
        assert!(told.refusals.is_empty(), "{:?}", told.refusals);
        refused(PHONE, "user-1").await;
        let told = operator(&service).explain(&whom).await.unwrap();
        let of: Vec<_> = told
            .refusals
            .iter()
            .map(|one| one.subject.clone())
            .collect();
        assert_eq!(of, [Some(SubjectKey::of_subject(&account("user-1")))]);
    }
}

#[tokio::test]
async fn an_address_and_an_account_are_explained_too() {
    let service = Service::new();
    for _ in 0..5 {
        service.issue().await;
    }
    let subject = SubjectId::new("user-1").unwrap();
    let issue = Issue::to(PhoneNumber::parse("+14155550177").unwrap())
        .for_purpose("mfa")
        .for_subject(subject.clone())
        .from(here());
    service.verifier.issue(issue).await.unwrap();
    let account = operator(&service)
        .explain(&Whom::Subject(subject))
        .await
        .unwrap();
    assert_eq!((account.live_challenges, account.limits.len()), (1, 2));
    let address = Whom::Address(here().address().unwrap());
    let address = operator(&service).explain(&address).await.unwrap();
    assert_eq!(address.limits[0].reading.remaining(), 44);
    assert!(address.budgets.is_empty());
}

#[tokio::test]
async fn who_is_attacking_is_answered_with_the_sprayer_first() {
    for service in Service::everywhere(|builder| builder).await {
        service.issue().await;
        let sprayer = || RequestContext::from_address("198.51.100.66".parse().unwrap());
        for number in 0..30 {
            let (id, code) = service
                .issue_from(&format!("+1415555{:04}", 200 + number), number)
                .await;
            guess(&service, &id, &code, sprayer()).await;
        }
        let (id, code) = service.issue_from("+14155550123", 99).await;
        guess(&service, &id, &code, here()).await;

        let told = operator(&service).attackers(HOUR, 3).await.unwrap();
        assert_eq!((told.refused, told.complete), (31, true));
        assert_eq!(told.requests, 32 + 31);
        let worst = &told.addresses[0];
        assert_eq!(
            (worst.name.as_str(), worst.refused, worst.accounts),
            ("198.51.100.66", 30, 30)
        );
        assert_eq!(told.addresses[1].accounts, 1);
        assert_eq!(told.prefixes[0].name, "+1415");
        service.advance(3_601);
        let later = operator(&service).attackers(HOUR, 3).await.unwrap();
        assert_eq!(later.refused, 0, "what is long past is not told");
    }
}

#[tokio::test]
async fn the_latest_hour_is_found_behind_a_long_past() {
    let service = Service::new();
    let (unknown, _) = Service::new().issue().await;
    let guess = || service.verifier.verify(unknown, "123456", here());
    for _ in 0..5_000 {
        assert!(guess().await.is_err());
        service.advance(7);
    }
    let told = operator(&service).attackers(HOUR, 1).await.unwrap();
    assert_eq!(told.refused, 3_600 / 7, "one in seven seconds");
    assert!(told.complete);
}
