use otp_kit::prelude::*;
use otp_kit::request::SessionBinding;
use otp_kit::verifier::{Attempt, Claim};

use crate::support::{PHONE, Service, here};

fn tenant(name: &str) -> Tenant {
    Tenant::new(name).unwrap()
}

#[tokio::test]
async fn a_code_is_worth_nothing_for_another_tenant_purpose_subject_or_browser() {
    for service in Service::everywhere(|builder| builder).await {
        let phone = || PhoneNumber::parse(PHONE).unwrap();
        let cookie = SessionBinding::of(b"the browser's own cookie, 128 random bits");
        let owner = here().bound_to(cookie);
        let issue = Issue::to(phone())
            .for_purpose("login")
            .for_tenant(tenant("acme"))
            .for_subject(SubjectId::new("user-1").unwrap())
            .from(&owner);
        let issued = service.verifier.issue(issue).await.unwrap();
        let code = service.code(PHONE);
        let id = &issued.challenge_id;
        let right = || Attempt::new(&code).for_tenant(tenant("acme"));
        let stranger = here().bound_to(SessionBinding::of(b"another browser"));

        let tries = [
            service
                .verifier
                .verify(id, Attempt::new(&code), &owner)
                .await,
            service
                .verifier
                .verify(id, right().for_tenant(tenant("other")), &owner)
                .await,
            service
                .verifier
                .verify(id, right().for_purpose(Purpose::RECOVERY), &owner)
                .await,
            service.verifier.verify(id, right(), &stranger).await,
            service.verifier.verify(id, right(), here()).await,
            service
                .verifier
                .verify(
                    Claim::latest_of(&SubjectId::new("user-2").unwrap(), "login"),
                    right(),
                    &owner,
                )
                .await,
            service
                .verifier
                .verify(Claim::from_text("../../etc/passwd"), right(), &owner)
                .await,
        ];
        for answer in tries {
            assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
        }
        let challenge = service.verifier.store().find(id).await.unwrap().unwrap();
        assert_eq!(
            challenge.attempts, 0,
            "none of them spent a guess of the owner's"
        );
        let expected = right().for_purpose(Purpose::LOGIN);
        let verified = service.verifier.verify(id, expected, &owner).await.unwrap();
        assert_eq!(verified.subject().unwrap().as_str(), "user-1");
        assert_eq!(verified.tenant().as_str(), "acme");
    }
}

#[tokio::test]
async fn the_code_of_one_challenge_does_not_open_another() {
    for service in Service::everywhere(|builder| builder).await {
        let (one, one_code) = service.issue_to("+14155550123", "login").await;
        let (two, two_code) = service.issue_to("+14155550124", "login").await;
        if one_code != two_code {
            assert!(
                service
                    .verifier
                    .verify(&one, &two_code, here())
                    .await
                    .is_err()
            );
            assert!(
                service
                    .verifier
                    .verify(&two, &one_code, here())
                    .await
                    .is_err()
            );
        }
        assert!(
            service
                .verifier
                .verify(&one, &one_code, here())
                .await
                .is_ok()
        );
        assert!(
            service
                .verifier
                .verify(&two, &two_code, here())
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_digest_copied_into_another_row_verifies_nothing() {
    let service = Service::new();
    let (mine, my_code) = service.issue_to("+14155550123", "login").await;
    let (theirs, _) = service.issue_to("+14155550124", "login").await;
    let store = service.verifier.store();
    let own = store.find(&mine).await.unwrap().unwrap();
    let reissue = otp_kit::store::Reissue {
        challenge: theirs,
        channel: own.channel,
        key_id: own.key_id,
        digest: own.digest,
        sealed_code: None,
        delivery: None,
        event: otp_kit::event::Event::new(
            otp_kit::event::EventKind::ChallengeResent,
            &Tenant::default(),
        ),
    };
    store.reissue(reissue).await.unwrap();
    let answer = service.verifier.verify(&theirs, my_code, here()).await;
    assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
}

#[tokio::test]
async fn only_the_newest_of_five_codes_works() {
    for service in Service::everywhere(|builder| builder).await {
        let mut issued = Vec::new();
        for _ in 0..5 {
            issued.push(service.issue().await);
        }
        let (newest, newest_code) = issued.pop().unwrap();
        for (id, code) in &issued {
            assert!(service.verifier.verify(id, code, here()).await.is_err());
        }
        assert!(
            service
                .verifier
                .verify(&newest, &newest_code, here())
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_cancelled_challenge_stays_cancelled_and_only_its_tenant_cancels_it() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        service
            .verifier
            .cancel(&tenant("other"), &id, here())
            .await
            .unwrap();
        let live = service.verifier.store().find(&id).await.unwrap().unwrap();
        assert_eq!(live.state.name(), "live");
        service
            .verifier
            .cancel(&Tenant::default(), &id, here())
            .await
            .unwrap();
        let answer = service.verifier.verify(&id, code, here()).await;
        assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
    }
}
