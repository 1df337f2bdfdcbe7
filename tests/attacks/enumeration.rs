use otp_kit::prelude::*;
use otp_kit::verifier::{Claim, ResendError};

use crate::support::{PHONE, Service, here};

#[tokio::test]
async fn a_decoy_is_answered_limited_resent_and_refused_like_a_real_code() {
    for service in Service::everywhere(|builder| builder).await {
        let decoy = || {
            Issue::decoy("nobody@example.org", Channel::Email)
                .for_purpose("login")
                .dispatch(Dispatch::Background)
                .from(here())
        };
        let real = || {
            let subject = SubjectId::new("somebody").unwrap();
            Issue::to(EmailAddress::parse("somebody@example.org").unwrap())
                .for_purpose("login")
                .for_subject(subject)
                .dispatch(Dispatch::Background)
                .from(here())
        };
        let (false_one, true_one) = (
            service.verifier.issue(decoy()).await.unwrap(),
            service.verifier.issue(real()).await.unwrap(),
        );
        assert_eq!(false_one.expires_at, true_one.expires_at);
        assert_eq!(false_one.resend_at, true_one.resend_at);
        assert_eq!(false_one.channel, true_one.channel);
        let lengths = [&false_one, &true_one].map(|i| i.challenge_id.to_string().len());
        assert_eq!(lengths[0], lengths[1]);
        for issued in [&false_one, &true_one] {
            let early = service.verifier.resend(&issued.challenge_id, here()).await;
            assert!(matches!(early, Err(ResendError::TooEarly(_))), "{early:?}");
            let guess = service
                .verifier
                .verify(&issued.challenge_id, "00000000", here())
                .await;
            assert!(matches!(guess, Err(VerifyError::Rejected)), "{guess:?}");
        }
        for answers in [decoy as fn() -> Issue, real] {
            let mut taken = 1;
            while service.verifier.issue(answers()).await.is_ok() {
                taken += 1;
            }
            assert_eq!(taken, 5);
        }
    }
}

#[tokio::test]
async fn no_code_fits_a_decoy() {
    let service = Service::new();
    let decoy = Issue::decoy("nobody", Channel::Sms)
        .for_purpose("login")
        .from(here());
    let issued = service.verifier.issue(decoy).await.unwrap();
    assert!(service.outbox.is_empty());
    for typed in ["no code", "nocode", "", "00000000"] {
        let answer = service
            .verifier
            .verify(&issued.challenge_id, typed, here())
            .await;
        assert!(matches!(answer, Err(VerifyError::Rejected)), "{answer:?}");
    }
}

#[tokio::test]
async fn unknown_expired_consumed_cancelled_and_wrong_are_one_answer() {
    for service in Service::everywhere(|builder| builder).await {
        let mut answers = Vec::new();
        let unknown = Claim::from_text("AAAAAAAAAAAAAAAAAAAAAAAA");
        answers.push(service.verifier.verify(unknown, "12345678", here()).await);
        let (id, code) = service.issue_to("+14155550121", "login").await;
        drop(service.verifier.verify(&id, &code, here()).await.unwrap());
        answers.push(service.verifier.verify(&id, &code, here()).await);
        let (id, code) = service.issue_to("+14155550122", "login").await;
        service
            .verifier
            .cancel(&Tenant::default(), &id, here())
            .await
            .unwrap();
        answers.push(service.verifier.verify(&id, &code, here()).await);
        let (id, code) = service.issue_to(PHONE, "login").await;
        answers.push(
            service
                .verifier
                .verify(&id, crate::support::wrong(&code), here())
                .await,
        );
        answers.push(service.verifier.verify(&id, "abc", here()).await);
        service.advance(300);
        answers.push(service.verifier.verify(&id, &code, here()).await);
        for answer in answers {
            let error = answer.expect_err("refused");
            assert_eq!(format!("{error} {error:?}"), "invalid code Rejected");
        }
    }
}
