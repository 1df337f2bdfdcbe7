use std::time::Duration;

use otp_kit::operator::{Count, Mode, Whom};
use otp_kit::prelude::*;
use otp_kit::store::ChallengeQuery;
use otp_kit::verifier::VerifyError;

use super::{guess, operator, words};
use crate::support::{PHONE, Service, from_anywhere, here};

#[tokio::test]
async fn what_an_operator_revokes_is_worth_nothing_and_a_preview_ends_nothing() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        let (other, other_code) = service.issue_to("+14155550177", "login").await;
        let phone = Whom::Destination(Destination::parse(PHONE, None).unwrap());

        let preview = operator(&service)
            .preview()
            .revoke_of(&phone)
            .await
            .unwrap();
        assert_eq!(
            (preview.mode, preview.count),
            (Mode::Preview, Count::Exactly(1))
        );
        assert!(preview.sample[0].contains("+1415•••0123"), "{preview:?}");
        let all = ChallengeQuery::default();
        assert_eq!(
            service.verifier.store().list(&all, 9).await.unwrap().len(),
            2
        );

        let done = operator(&service).revoke_of(&phone).await.unwrap();
        assert_eq!((done.mode, done.count), (Mode::Apply, Count::Exactly(1)));
        let refused = service.verifier.verify(&id, &code, here()).await;
        assert!(matches!(refused, Err(VerifyError::Rejected)), "{refused:?}");
        assert!(
            service
                .verifier
                .verify(&other, &other_code, here())
                .await
                .is_ok()
        );
        assert_eq!(words(&service).await, ["preview_revoke:1", "revoke:1"]);
    }
}

#[tokio::test]
async fn challenges_are_revoked_by_whose_they_are_where_they_went_who_asked_and_when() {
    let subject = SubjectId::new("user-1").unwrap();
    let phone = Destination::parse(PHONE, None).unwrap();
    for service in Service::everywhere(|builder| builder).await {
        let issue = Issue::to(phone.clone())
            .for_purpose("login")
            .for_subject(subject.clone())
            .from(here());
        let asked = here().address().unwrap();
        for whom in [
            Whom::Subject(subject.clone()),
            Whom::Destination(phone.clone()),
            Whom::Address(asked),
        ] {
            service.verifier.issue(issue.clone()).await.unwrap();
            let done = operator(&service).revoke_of(&whom).await.unwrap();
            assert_eq!(done.count, Count::Exactly(1), "{whom}");
        }
        let elsewhere = Whom::Address("198.51.100.1".parse().unwrap());
        service.verifier.issue(issue.clone()).await.unwrap();
        let done = operator(&service).revoke_of(&elsewhere).await.unwrap();
        assert_eq!(done.count, Count::Exactly(0));

        let now = service.verifier.store().ping().await.unwrap();
        let later = ChallengeQuery {
            issued_from: Some(now.saturating_add(Duration::from_secs(1))),
            ..ChallengeQuery::default()
        };
        let earlier = ChallengeQuery {
            issued_until: later.issued_from,
            key_id: Some(*service.keys.snapshot().current().id()),
            channel: Some(Channel::Sms),
            ..ChallengeQuery::default()
        };
        let none = operator(&service).revoke(later).await.unwrap();
        let one = operator(&service).revoke(earlier).await.unwrap();
        assert_eq!(
            (none.count, one.count),
            (Count::Exactly(0), Count::Exactly(1))
        );
    }
}

#[tokio::test]
async fn another_tenants_challenges_are_left_alone() {
    let acme = Tenant::new("acme").unwrap();
    let service = Service::new();
    service.issue().await;
    let everything = ChallengeQuery::default;
    let desk = operator(&service).for_tenant(acme);
    assert_eq!(
        desk.revoke(everything()).await.unwrap().count,
        Count::Exactly(0)
    );
    let own = operator(&service).revoke(everything()).await.unwrap();
    assert_eq!(own.count, Count::Exactly(1));
}

#[tokio::test]
async fn a_locked_person_is_let_in_again_by_hand_and_not_by_a_preview() {
    let whom = Whom::Destination(Destination::parse(PHONE, None).unwrap());
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        for number in 0..5 {
            guess(&service, &id, &code, from_anywhere(number)).await;
        }
        let issue = || Issue::to(PhoneNumber::parse(PHONE).unwrap()).for_purpose("login");
        let locked = |issued| matches!(issued, Err(IssueError::Locked(_)));
        assert!(locked(service.verifier.issue(issue().from(here())).await));

        let preview = operator(&service).preview().unlock(&whom).await.unwrap();
        assert_eq!(preview.count, Count::Exactly(1));
        assert_eq!(preview.sample, ["oob locked, 5 guesses"]);
        assert!(locked(service.verifier.issue(issue().from(here())).await));

        let done = operator(&service).unlock(&whom).await.unwrap();
        assert_eq!(done.count, Count::Exactly(1));
        service.issue().await;
        let words = words(&service).await;
        assert_eq!(words[0], "preview_unlock");
        assert!(words[1..].iter().all(|word| word == "unlock"), "{words:?}");
    }
}

#[tokio::test]
async fn limits_that_hit_the_wrong_one_are_cleared_by_hand() {
    let phone = Destination::parse(PHONE, None).unwrap();
    for service in Service::everywhere(|builder| builder).await {
        for _ in 0..5 {
            service.issue().await;
        }
        let issue = || Issue::to(phone.clone()).for_purpose("login").from(here());
        assert!(
            service.verifier.issue(issue()).await.is_err(),
            "the sixth of an hour"
        );
        let whom = Whom::Destination(phone.clone());
        let preview = operator(&service)
            .preview()
            .clear_limits(&whom)
            .await
            .unwrap();
        assert_eq!(preview.count, Count::Exactly(4), "{preview:?}");
        assert!(service.verifier.issue(issue()).await.is_err());
        operator(&service).clear_limits(&whom).await.unwrap();
        assert!(service.verifier.issue(issue()).await.is_ok());
        assert_eq!(
            words(&service).await,
            ["preview_clear_limits:4", "clear_limits"]
        );
    }
}

#[tokio::test]
async fn an_address_that_a_whole_office_shares_is_cleared_by_hand() {
    let service = Service::new();
    let network = from_anywhere(1);
    let (unknown, _) = Service::new().issue().await;
    let try_once = || service.verifier.verify(unknown, "123456", &network);
    for _ in 0..50 {
        assert!(matches!(try_once().await, Err(VerifyError::Rejected)));
    }
    assert!(matches!(try_once().await, Err(VerifyError::Throttled(_))));
    let whom = Whom::Address(network.address().unwrap());
    let done = operator(&service).clear_limits(&whom).await.unwrap();
    assert_eq!(
        done.count,
        Count::Exactly(2),
        "its /64 and its /48: {done:?}"
    );
    assert!(matches!(try_once().await, Err(VerifyError::Rejected)));
}
