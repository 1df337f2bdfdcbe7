use std::sync::Arc;
use std::time::Duration;

use otp_kit::challenge::CodeFormat;
use otp_kit::delivery::{
    Brand, Catalogue, Layered, Locale, Rendered, ShippedCatalogue, Template, TemplateApproval,
    TemplateId, TemplateState, UnfitReason,
};
use otp_kit::prelude::*;
use otp_kit::store::MemoryStore;
use otp_kit::testing::{ManualClock, Outbox};
use otp_kit::verifier::{BuildError, TemplateError};

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

    let report = async |template: &str, state| {
        let templates = verifier.templates();
        let told = templates.report(Channel::WhatsApp, template, "en_US", state);
        told.await.unwrap()
    };
    report("newsletter", TemplateState::Disabled).await;
    assert_eq!(over("+14155550102").await, Channel::WhatsApp);
    report("sign_in_code", TemplateState::Rejected).await;
    assert_eq!(over("+14155550103").await, Channel::Sms);

    let status = verifier.status().await;
    assert_eq!(
        status.templates,
        [(Channel::WhatsApp, TemplateState::Rejected)]
    );
    assert!(!status.channels.contains(&"whatsapp"));

    report("sign_in_code", TemplateState::Approved).await;
    assert_eq!(over("+14155550104").await, Channel::WhatsApp);
    // Both must be on: the operator's switch is not the vendor's.
    verifier.routes().disable(Channel::WhatsApp).unwrap();
    report("sign_in_code", TemplateState::Approved).await;
    assert_eq!(over("+14155550105").await, Channel::Sms);
}

#[tokio::test]
async fn a_channel_without_a_template_needs_no_approval() {
    let service = Service::new();
    let templates = service.verifier.templates();
    let told = templates.declare(Channel::WhatsApp, TemplateState::Disabled);
    let told = told.await;
    let Err(TemplateError::NoSuchTemplate(Channel::WhatsApp)) = told else {
        panic!("{told:?}");
    };
    assert_eq!(templates.status(), []);
}

/// An instance of a build on a store.
fn instance(store: &MemoryStore, approval: TemplateApproval) -> Verifier {
    Verifier::builder(store.clone(), KeyRing::generate(&OsRandom).unwrap())
        .route(Channel::WhatsApp, Route::primary(Outbox::named("meta")))
        .template(Channel::WhatsApp, approval)
        .limits(Limits::recommended())
        .hasher(CodeHasher::keyed())
        .build()
        .unwrap()
}

fn stands(verifier: &Verifier) -> TemplateState {
    verifier.templates().status()[0].state
}

async fn report(
    verifier: &Verifier,
    language: &str,
    state: TemplateState,
) -> Result<TemplateState, TemplateError> {
    let templates = verifier.templates();
    let told = templates.report(Channel::WhatsApp, "sign_in_code", language, state);
    told.await
}

#[tokio::test(start_paused = true)]
async fn what_one_instance_hears_of_a_template_holds_on_all_and_after_a_restart() {
    let clock = ManualClock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let name = TemplateId::new("sign_in_code").unwrap();
    let approval = TemplateApproval::new(name, TemplateState::Approved).only_in("en_US");
    let start = || instance(&store, approval.clone());
    let (one, other) = (start(), start());
    let follow = |verifier: &Verifier| {
        let verifier = verifier.clone();
        let second = Duration::from_secs(1);
        tokio::spawn(async move { verifier.follow_policy(second).await })
    };
    let two_polls = async || {
        for _ in 0..20 {
            tokio::time::advance(Duration::from_millis(100)).await;
        }
    };
    let mut tasks = vec![follow(&one), follow(&other)];
    two_polls().await;
    let paused = report(&one, "en_US", TemplateState::Paused).await.unwrap();
    assert_eq!((paused, stands(&one)), (paused, TemplateState::Paused));
    assert_eq!(stands(&other), TemplateState::Approved, "before its poll");
    two_polls().await;
    assert_eq!(stands(&other), TemplateState::Paused);
    assert!(!other.status().await.channels.contains(&"whatsapp"));
    let late = start();
    tasks.push(follow(&late));
    two_polls().await;
    assert_eq!(stands(&late), TemplateState::Paused);

    // What cannot be kept is not believed by one instance alone: the vendor says it again.
    clock.step_back(Duration::from_secs(3_600));
    let lost = report(&late, "en_US", TemplateState::Approved).await;
    assert!(
        matches!(lost, Err(TemplateError::Unavailable(_))),
        "{lost:?}"
    );
    two_polls().await;
    clock.advance(Duration::from_secs(3_600));
    let all = [&one, &other, &late];
    assert_eq!(all.map(stands), [TemplateState::Paused; 3]);
    let approved = report(&late, "en_US", TemplateState::Approved).await;
    assert_eq!(approved.unwrap(), TemplateState::Approved);
    two_polls().await;
    assert_eq!(all.map(stands), [TemplateState::Approved; 3]);
    let pending = TemplateState::Pending;
    let templates = one.templates();
    templates.declare(Channel::WhatsApp, pending).await.unwrap();
    two_polls().await;
    assert_eq!(all.map(stands), [pending; 3]);
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn reports_of_languages_that_come_in_at_once_on_many_instances_are_all_kept() {
    // An instance makes one change at a time, so it takes as many of them as there are changes under
    // way: enough that some come between the look at the board and the post of another.
    const INSTANCES: usize = 8;
    const REPORTS: usize = 120;
    let store = MemoryStore::new();
    let name = TemplateId::new("sign_in_code").unwrap();
    let approval = TemplateApproval::new(name, TemplateState::Pending);
    let approval = (0..REPORTS).fold(approval, |one, number| one.only_in(&format!("l{number}")));
    let instances = [(); INSTANCES].map(|()| instance(&store, approval.clone()));
    let together = Arc::new(tokio::sync::Barrier::new(REPORTS));
    let told = (0..REPORTS).map(|number: usize| {
        let (verifier, together) = (instances[number % INSTANCES].clone(), Arc::clone(&together));
        tokio::spawn(async move {
            let language = format!("l{number}");
            together.wait().await;
            let told = report(&verifier, &language, TemplateState::Approved);
            told.await.unwrap();
        })
    });
    for told in told.collect::<Vec<_>>() {
        told.await.unwrap();
    }
    for verifier in &instances {
        let again = report(verifier, "l0", TemplateState::Approved).await;
        assert_eq!(again.unwrap(), TemplateState::Approved);
    }
}

fn service_code(message: &otp_kit::delivery::Message) -> String {
    assert!(message.expires_in() <= Duration::from_secs(240));
    message.code().expose().to_owned()
}

/// Says in which language a verifier with this catalogue shows pages to whoever asks for these.
fn spoken(catalogue: impl Catalogue, asked: &[&str]) -> String {
    let keys = KeyRing::generate(&OsRandom).unwrap();
    let verifier = Verifier::builder(MemoryStore::new(), keys)
        .route(Channel::Email, Route::primary(Outbox::new()))
        .catalogue(catalogue)
        .limits(Limits::recommended())
        .build()
        .unwrap();
    verifier
        .link_speech(&locales(asked))
        .language
        .as_str()
        .to_owned()
}

fn locales(tags: &[&str]) -> Vec<Locale> {
    tags.iter().map(|tag| Locale::new(tag).unwrap()).collect()
}

#[test]
fn pages_of_links_speak_the_first_language_asked_for_that_is_spoken_else_that_of_messages() {
    let all = ShippedCatalogue::default;
    let two = |tags: &[&str]| ShippedCatalogue::in_languages(&locales(tags));
    for (spoken, expected) in [
        (spoken(all(), &["fi", "pt-PT", "en"]), "pt"),
        (spoken(all(), &[]), "en"),
        (spoken(two(&["fr", "it"]), &["de", "it-CH"]), "it"),
        (spoken(two(&["fr", "it"]), &["de"]), "fr"),
        (spoken(two(&["fr", "en"]), &["de"]), "en"),
        // A host's own words for messages alone: its pages are in the shipped languages near them.
        (
            spoken(Layered::over_shipped(finnish(9)), &["fi", "ar"]),
            "ar",
        ),
        (spoken(finnish(9), &["fi", "ar"]), "en"),
    ] {
        assert_eq!(spoken, expected);
    }
}
