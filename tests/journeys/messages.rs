use std::time::Duration;

use otp_kit::challenge::CodeFormat;
use otp_kit::delivery::{
    Brand, Catalogue, Layered, Locale, Rendered, Template, TemplateApproval, TemplateId,
    TemplateState, UnfitReason,
};
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::Outbox;
use otp_kit::verifier::{BuildError, NoSuchTemplate};

use crate::support::{PHONE, Service, here};

/// A host's words: so many letters and the code.
#[derive(Debug)]
struct Own {
    locale: &'static str,
    letters: usize,
}

impl Catalogue for Own {
    fn render(&self, template: &Template<'_>) -> Rendered {
        assert!(self.letters < 1000, "a bug in the host's words");
        let code = template.code.expose();
        Rendered {
            subject: None,
            text: format!("{}{code}", "x".repeat(self.letters)),
            html: None,
        }
    }

    fn locales(&self) -> Vec<Locale> {
        vec![Locale::new(self.locale).unwrap()]
    }
}

fn refused(catalogue: impl Catalogue, channel: Channel) -> Option<UnfitReason> {
    let keys = KeyRing::generate(&OsRandom).unwrap();
    let built = Verifier::builder(MemoryStore::new(), keys)
        .route(channel, Route::primary(Outbox::new()))
        .limits(Limits::recommended())
        .purpose(
            Purpose::new("pay").unwrap(),
            CodeFormat::digits(10).unwrap(),
        )
        .catalogue(catalogue)
        .build();
    match built {
        Ok(_) => None,
        Err(BuildError::Text(unfit)) => {
            assert_eq!(unfit.locale.as_str(), "fi");
            Some(unfit.reason)
        }
        Err(other) => panic!("{other}"),
    }
}

fn finnish(letters: usize) -> Own {
    Own {
        locale: "fi",
        letters,
    }
}

#[test]
fn a_host_whose_words_need_a_second_segment_does_not_start() {
    assert_eq!(refused(finnish(150), Channel::Sms), None);
    let long = UnfitReason::Segments {
        units: 161,
        places: 160,
    };
    assert_eq!(refused(finnish(151), Channel::Sms), Some(long));
    let beneath = Layered::over_shipped(finnish(151));
    assert_eq!(refused(beneath, Channel::Sms), Some(long));
    // No text message leaves, so none is measured.
    assert_eq!(refused(finnish(151), Channel::Email), None);
}

#[test]
fn a_host_whose_words_panic_does_not_start_and_says_why() {
    assert_eq!(
        refused(finnish(1000), Channel::Sms),
        Some(UnfitReason::Panicked)
    );
}

#[test]
fn shipped_words_that_cannot_fit_name_language_purpose_and_places() {
    let host = format!("{}.example", "h".repeat(200));
    let brand = Brand::default().with_origin(&host).unwrap();
    let keys = KeyRing::generate(&OsRandom).unwrap();
    let built = Verifier::builder(MemoryStore::new(), keys)
        .route(Channel::Sms, Route::primary(Outbox::new()))
        .limits(Limits::recommended())
        .brand(brand)
        .build();
    let Err(BuildError::Text(unfit)) = built else {
        panic!("built");
    };
    let said = unfit.to_string();
    assert!(said.starts_with("the text message in en for "), "{said}");
    assert!(
        said.ends_with(" of the 160 places of one segment"),
        "{said}"
    );
}

#[tokio::test]
async fn a_resend_speaks_the_language_of_the_first_message_on_every_store() {
    for service in Service::everywhere(|builder| builder).await {
        let french = Locale::new("fr-CA").unwrap();
        let issue = Issue::to(PhoneNumber::parse(PHONE).unwrap())
            .for_purpose("login")
            .in_locale(french.clone())
            .from(here());
        let issued = service.verifier.issue(issue).await.unwrap();
        service.advance(60);
        service
            .verifier
            .resend(&issued.challenge_id, here())
            .await
            .unwrap();
        let messages = service.outbox.take();
        assert_eq!(messages.len(), 2);
        for message in &messages {
            assert!(message.text().contains(" est votre code de connexion"));
            assert_eq!(message.locale(), &french);
        }
        let code = service_code(&messages[1]);
        let verified = service.verifier.verify(&issued.challenge_id, code, here());
        assert_eq!(verified.await.unwrap().destination().expose(), PHONE);
    }
}

#[tokio::test]
async fn a_template_that_lapses_sends_the_next_channel_and_its_approval_brings_the_first_back() {
    let name = TemplateId::new("sign_in_code").unwrap();
    let approval = TemplateApproval::new(name, TemplateState::Approved);
    let service = Service::with(|builder| {
        builder
            .route(Channel::WhatsApp, Route::primary(Outbox::named("meta")))
            .template(Channel::WhatsApp, approval)
            .channel_order([Channel::WhatsApp, Channel::Sms])
    });
    let verifier = &service.verifier;
    let over = async |number: &str| {
        let issue = Issue::to(PhoneNumber::parse(number).unwrap()).for_purpose("login");
        let issue = issue.over(Channel::WhatsApp).from(here());
        verifier.issue(issue).await.unwrap().channel
    };
    assert_eq!(over("+14155550101").await, Channel::WhatsApp);

    let report = |template: &str, state| {
        let templates = verifier.templates();
        templates.report(Channel::WhatsApp, template, "en_US", state)
    };
    report("newsletter", TemplateState::Disabled).unwrap();
    assert_eq!(over("+14155550102").await, Channel::WhatsApp);
    report("sign_in_code", TemplateState::Rejected).unwrap();
    assert_eq!(over("+14155550103").await, Channel::Sms);

    let status = verifier.status().await;
    assert_eq!(
        status.templates,
        [(Channel::WhatsApp, TemplateState::Rejected)]
    );
    assert!(!status.channels.contains(&"whatsapp"));

    report("sign_in_code", TemplateState::Approved).unwrap();
    assert_eq!(over("+14155550104").await, Channel::WhatsApp);
    // Both must be on: the operator's switch is not the vendor's.
    verifier.routes().disable(Channel::WhatsApp).unwrap();
    report("sign_in_code", TemplateState::Approved).unwrap();
    assert_eq!(over("+14155550105").await, Channel::Sms);
}

#[test]
fn a_channel_without_a_template_needs_no_approval() {
    let service = Service::new();
    let templates = service.verifier.templates();
    let told = templates.declare(Channel::WhatsApp, TemplateState::Disabled);
    assert_eq!(told, Err(NoSuchTemplate(Channel::WhatsApp)));
    assert_eq!(templates.status(), []);
}

fn service_code(message: &otp_kit::delivery::Message) -> String {
    assert!(message.expires_in() <= Duration::from_secs(240));
    message.code().expose().to_owned()
}
