use otp_kit::delivery::Brand;
use otp_kit::destination::Channel;
use otp_kit::prelude::*;
use otp_kit::verifier::IssueError;

use crate::support::{PHONE, Service, here};

#[tokio::test]
async fn a_code_comes_by_mail_where_an_address_is_given() {
    let service = Service::new();
    let (id, code) = service.issue_to("Mike@Example.org", "sign-up").await;
    let verified = service.verifier.verify(&id, code, here()).await.unwrap();
    assert_eq!(verified.channel(), Channel::Email);
    assert_eq!(verified.destination().expose(), "Mike@example.org");
    assert_eq!(verified.method().name(), "email");
}

#[tokio::test]
async fn the_message_names_the_product_and_binds_the_code_to_its_origin() {
    let brand = Brand::new("Acme")
        .unwrap()
        .with_origin("acme.example")
        .unwrap();
    let service = Service::with(|builder| builder.brand(brand));
    let (_, code) = service.issue().await;
    let messages = service.outbox.take();
    let text = messages[0].text();
    assert!(
        text.starts_with(&format!("{code} is your Acme sign-in code.")),
        "{text}"
    );
    assert!(
        text.ends_with(&format!("\n\n@acme.example #{code}")),
        "{text}"
    );
}

#[tokio::test]
async fn a_channel_without_a_route_and_a_purpose_nobody_registered_are_errors() {
    let service = Service::new();
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let voice = Issue::to(phone.clone())
        .for_purpose("login")
        .over(Channel::Voice);
    let answer = service.verifier.issue(voice.from(here())).await;
    assert!(
        matches!(answer, Err(IssueError::NoRoute(Channel::Voice))),
        "{answer:?}"
    );
    let invented = Issue::to(phone.clone())
        .for_purpose("grant-me-all")
        .from(here());
    let answer = service.verifier.issue(invented).await;
    assert!(
        matches!(answer, Err(IssueError::UnknownPurpose)),
        "{answer:?}"
    );
    let mismatch = Issue::to(phone).for_purpose("login").over(Channel::Email);
    let answer = service.verifier.issue(mismatch.from(here())).await;
    assert!(matches!(answer, Err(IssueError::Channel(_))), "{answer:?}");
}

#[tokio::test]
async fn a_provider_that_does_not_serve_the_channel_does_not_build() {
    let keys = KeyRing::generate(&OsRandom).unwrap();
    let built = Verifier::builder(otp_kit::store::MemoryStore::new(), keys)
        .route(Channel::Sms, Route::primary(MailOnly))
        .limits(Limits::recommended())
        .build();
    let error = built.expect_err("a mail provider on the SMS route");
    assert_eq!(error.to_string(), "provider mail-only does not serve sms");
}

#[derive(Debug)]
struct MailOnly;

#[async_trait::async_trait]
impl otp_kit::delivery::DeliveryProvider for MailOnly {
    fn name(&self) -> &str {
        "mail-only"
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::Email]
    }

    async fn deliver(
        &self,
        _: &otp_kit::delivery::Message,
    ) -> Result<otp_kit::delivery::Receipt, otp_kit::delivery::DeliveryError> {
        Ok(otp_kit::delivery::Receipt::accepted("mail-only"))
    }
}
