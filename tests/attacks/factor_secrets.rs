//! What is left of a secret that was used up, or that two accounts share.

use otp_kit::factor::OtpUri;
use otp_kit::policy::Assurance;
use otp_kit::prelude::*;
use otp_kit::verifier::Enrolment;

use crate::factors::{account, ann};
use crate::support::{Service, here};

#[tokio::test]
async fn g08_when_the_last_recovery_code_is_used_nothing_stands_in_for_it() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let set = service.recovery_of(&ann).await;
        for code in set.codes() {
            let code = code.to_text();
            let used = verifier.verify_recovery(&ann, code.expose(), here()).await;
            drop(used.unwrap());
        }
        let left = verifier.recovery_left(&Tenant::default(), &ann).await;
        assert_eq!(left.unwrap(), 0);
        for code in &set.codes()[..3] {
            let code = code.to_text();
            let again = verifier.verify_recovery(&ann, code.expose(), here()).await;
            assert!(matches!(again, Err(VerifyError::Rejected)), "{again:?}");
        }
        let nobody = SubjectId::new("nobody").unwrap();
        let code = set.codes()[0].to_text();
        let unknown = verifier.verify_recovery(&nobody, code.expose(), here());
        let unknown = unknown.await;
        assert!(matches!(unknown, Err(VerifyError::Rejected)), "{unknown:?}");
    }
}

#[tokio::test]
async fn g10_one_secret_in_two_accounts_burns_each_accounts_own_step() {
    for service in Service::everywhere(|builder| builder).await {
        let (verifier, ann) = (&service.verifier, ann());
        let bob = SubjectId::new("bob").unwrap();
        let phone = service.phone_of(&ann).await;
        let proven = service.proven(&ann, Assurance::Pair);
        let exported = verifier.export_factor(phone.id, account(), &proven, here());
        let text = exported.await.unwrap().to_text();
        let uri = OtpUri::parse(text.expose()).unwrap();
        let proven = service.proven(&bob, Assurance::Single);
        let pending = verifier.enrol_factor(Enrolment::import(&uri), &proven, here());
        let pending = pending.await.unwrap();
        let code = phone.code(&service);
        let confirmed = verifier.confirm_factor(&bob, pending.id(), &code, here());
        drop(confirmed.await.unwrap());
        // What one account burnt is fresh for the other, and once there as well.
        drop(service.show(&ann, &phone).await);
        for subject in [&ann, &bob] {
            let again = verifier.verify_totp(subject, code.as_str(), here()).await;
            assert!(matches!(again, Err(VerifyError::Rejected)), "{again:?}");
        }
        service.advance(30);
        for subject in [&bob, &ann] {
            drop(service.show(subject, &phone).await);
        }
    }
}
