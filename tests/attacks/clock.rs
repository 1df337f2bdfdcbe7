use std::time::Duration;

use otp_kit::prelude::*;

use crate::support::{Service, here};

#[tokio::test]
async fn an_expired_code_is_not_revived_by_a_clock_that_is_set_back() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        service.advance(300);
        let expired = service.verifier.verify(&id, &code, here()).await;
        assert!(matches!(expired, Err(VerifyError::Rejected)), "{expired:?}");
        service.clock.step_back(Duration::from_secs(3_600));
        let back = service.verifier.verify(&id, &code, here()).await;
        assert!(matches!(back, Err(VerifyError::Unavailable(_))), "{back:?}");
        service.advance(3_600);
        let again = service.verifier.verify(&id, &code, here()).await;
        assert!(matches!(again, Err(VerifyError::Rejected)), "{again:?}");
    }
}

#[tokio::test]
async fn the_code_lives_for_its_five_minutes_and_no_millisecond_longer() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        service.clock.advance(Duration::from_millis(299_999));
        let (other, other_code) = service.issue_to("+14155550124", "login").await;
        assert!(service.verifier.verify(&id, &code, here()).await.is_ok());
        service.clock.advance(Duration::from_millis(300_000));
        assert!(
            service
                .verifier
                .verify(&other, &other_code, here())
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn a_slightly_late_clock_stands_still_and_harms_nobody() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        service.clock.step_back(Duration::from_secs(5));
        assert!(service.verifier.verify(&id, &code, here()).await.is_ok());
    }
}

#[tokio::test]
async fn resends_never_move_the_end_of_a_challenge() {
    for service in Service::everywhere(|builder| builder).await {
        let (id, _) = service.issue().await;
        for wait in [60, 120] {
            service.advance(wait);
            service.verifier.resend(&id, here()).await.unwrap();
        }
        let code = service.code(crate::support::PHONE);
        service.advance(120);
        let late = service.verifier.verify(&id, code, here()).await;
        assert!(matches!(late, Err(VerifyError::Rejected)), "{late:?}");
    }
}
