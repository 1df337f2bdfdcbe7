use otp_kit::verifier::VerifyError;

use crate::support::{PHONE, Service, here, wrong};

#[tokio::test]
async fn a_person_signs_in_with_the_code_that_arrived() {
    let service = Service::new();
    let (id, code) = service.issue().await;
    let verified = service.verifier.verify(&id, code, here()).await.unwrap();
    assert_eq!(verified.destination().expose(), PHONE);
    assert_eq!(verified.purpose().as_str(), "login");
    assert_eq!(verified.method().name(), "sms");
}

#[tokio::test]
async fn a_code_works_once() {
    let service = Service::new();
    let (id, code) = service.issue().await;
    drop(service.verifier.verify(&id, &code, here()).await.unwrap());
    let again = service.verifier.verify(&id, &code, here()).await;
    assert!(matches!(again, Err(VerifyError::Rejected)), "{again:?}");
}

#[tokio::test]
async fn a_slip_of_the_finger_is_forgiven() {
    let service = Service::new();
    let (id, code) = service.issue().await;
    let slip = service.verifier.verify(&id, wrong(&code), here()).await;
    assert!(matches!(slip, Err(VerifyError::Rejected)), "{slip:?}");
    assert!(service.verifier.verify(&id, code, here()).await.is_ok());
}
