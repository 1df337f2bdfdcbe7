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
    assert_eq!(lane(&later, PHONE).await, Lane::Public, "a later expiry");
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

#[tokio::test]
async fn strangers_who_guess_for_months_close_the_public_lane_and_never_the_owners() {
    for service in Service::everywhere(|builder| builder).await {
        let owner = owner(&service).await;
        for day in 0..80_u32 {
            // Two wrong guesses a day, well inside every rolling window.
            if let Ok(theirs) = service.verifier.issue(start(from_anywhere(day))).await {
                for _ in 0..2 {
                    let guess = wrong(&service.code(PHONE));
                    let from = from_anywhere(day);
                    drop(
                        service
                            .verifier
                            .verify(&theirs.challenge_id, guess, from)
                            .await,
                    );
                }
            }
            service.advance(86_400);
        }
        let stranger = service.verifier.issue(start(from_anywhere(999))).await;
        let closed = matches!(stranger, Err(IssueError::Disabled | IssueError::Locked(_)));
        assert!(closed, "{stranger:?}");
        let issued = service.verifier.issue(start(owner.clone())).await.unwrap();
        let code = service.code(PHONE);
        let signed_in = service
            .verifier
            .verify(&issued.challenge_id, code, owner)
            .await;
        assert!(signed_in.is_ok(), "{signed_in:?}");
    }
}

#[tokio::test]
async fn asking_too_early_spends_none_of_the_owners_messages() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, _) = service.issue().await;
        for number in 0..40 {
            let early = service.verifier.resend(&id, from_anywhere(number)).await;
            assert!(early.is_err());
        }
        service.advance(60);
        let honest = service.verifier.resend(&id, here()).await;
        assert!(honest.is_ok(), "{honest:?}");
    }
}

#[tokio::test]
async fn an_idempotency_key_hands_nobody_the_challenge_of_another_door_or_browser() {
    use otp_kit::request::SessionBinding;
    let service = Service::new();
    let owner = owner(&service).await;
    let named = |context: RequestContext| start(context).idempotency_key("the-same");
    let mine = service.verifier.issue(named(owner.clone())).await.unwrap();
    let strangers = [
        from_anywhere(1),
        owner.bound_to(SessionBinding::of(b"another browser's cookie")),
    ];
    for stranger in strangers {
        let answer = service.verifier.issue(named(stranger)).await;
        assert!(
            matches!(answer, Err(IssueError::IdempotencyConflict)),
            "{answer:?}"
        );
    }
    let live = service
        .verifier
        .store()
        .find(&mine.challenge_id)
        .await
        .unwrap();
    assert_eq!(live.unwrap().state.name(), "live");
}
