use otp_kit::challenge::Lane;
use otp_kit::prelude::*;
use otp_kit::verifier::IssueError;

use crate::support::{PHONE, Service, from_anywhere, here, wrong};

fn start(context: RequestContext) -> Issue {
    let phone = PhoneNumber::parse(PHONE).unwrap();
    Issue::to(phone).for_purpose("login").from(context)
}

/// Signs the owner in once, and remembers the device.
async fn owner(service: &Service) -> RequestContext {
    let (id, code) = service.issue().await;
    let verified = service.verifier.verify(&id, code, here()).await.unwrap();
    let token = service.verifier.remember_device(&verified).await.unwrap();
    here().device_token(token.expose())
}

#[tokio::test]
async fn an_attacker_with_a_million_addresses_neither_locks_out_nor_cancels_nor_drains_the_owner() {
    for service in Service::everywhere(|builder| builder).await {
        let owner = owner(&service).await;
        // The owner begins to sign in on a known device.
        let issued = service.verifier.issue(start(owner.clone())).await.unwrap();
        let code = service.code(PHONE);
        // Strangers start and guess until nothing of the public lane is left.
        let mut locked = 0;
        for number in 0..200 {
            match service.verifier.issue(start(from_anywhere(number))).await {
                Ok(theirs) => {
                    for _ in 0..5 {
                        let guess = wrong(&service.code(PHONE));
                        let from = from_anywhere(number);
                        drop(
                            service
                                .verifier
                                .verify(&theirs.challenge_id, guess, from)
                                .await,
                        );
                    }
                }
                Err(IssueError::Locked(_) | IssueError::Throttled(_)) => locked += 1,
                Err(error) => panic!("{error:?}"),
            }
            service.advance(1);
        }
        assert!(locked > 150, "the public lane closes: {locked}");
        // The owner's code still works, and so does the next one.
        let verified = service
            .verifier
            .verify(&issued.challenge_id, code, owner.clone())
            .await;
        assert_eq!(verified.unwrap().lane(), Lane::KnownDevice);
        let next = service.verifier.issue(start(owner.clone())).await.unwrap();
        let code = service.code(PHONE);
        assert!(
            service
                .verifier
                .verify(&next.challenge_id, code, owner)
                .await
                .is_ok()
        );
    }
}

#[tokio::test]
async fn a_forged_expired_or_borrowed_device_token_is_no_token() {
    let service = Service::new();
    let (id, code) = service.issue().await;
    let verified = service.verifier.verify(&id, code, here()).await.unwrap();
    let token = service.verifier.remember_device(&verified).await.unwrap();
    let token = token.expose();
    let lane = async |token: &str, phone: &str| {
        let phone = PhoneNumber::parse(phone).unwrap();
        let context = here().device_token(token);
        let issue = Issue::to(phone).for_purpose("login").from(context);
        let issued = service.verifier.issue(issue).await.unwrap();
        let found = service
            .verifier
            .store()
            .find(&issued.challenge_id)
            .await
            .unwrap();
        found.unwrap().lane
    };
    assert_eq!(lane(token, PHONE).await, Lane::KnownDevice);
    assert_eq!(
        lane(token, "+14155550124").await,
        Lane::Public,
        "another subject's"
    );
    let later = token.replacen(&token[..1], "f", 1);
    assert_eq!(
        lane(&later, "+14155550125").await,
        Lane::Public,
        "a later expiry"
    );
    assert_eq!(
        lane(&token[..token.len() - 1], PHONE).await,
        Lane::Public,
        "cut"
    );
    for forged in ["", "~~~", "ffffffffffff~AAAA~k1~AAAA", &"~".repeat(200)] {
        assert_eq!(lane(forged, "+14155550126").await, Lane::Public, "{forged}");
        service.advance(3_600);
    }
    service.advance(91 * 86_400);
    assert_eq!(lane(token, PHONE).await, Lane::Public, "expired");
}
