use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use otp_kit::delivery::DeliveryErrorKind;
use otp_kit::event::{Event, EventKind};
use otp_kit::policy::ResendCode;
use otp_kit::prelude::*;
use otp_kit::testing::{Behaviour, Inbox, StandIn};
use otp_kit::verifier::{AuthenticationMethod, BuildError, IssueError, VerifierBuilder};

use crate::support::{Builder, PHONE, Service, here};

mod safety;

const DOWN: Behaviour = Behaviour::Refuse(DeliveryErrorKind::Unavailable);
const MAIL: &str = "owner@example.org";

/// A service with a provider a channel, and what arrives.
struct Trio {
    service: Service,
    inbox: Inbox,
    whatsapp: StandIn,
    sms: StandIn,
    email: StandIn,
}

type Order<'a> = &'a [Channel];
const USUAL: Order<'_> = &[Channel::WhatsApp, Channel::Sms, Channel::Email];

impl Trio {
    fn new(order: Order<'_>) -> Self {
        let (inbox, providers) = providers();
        let service = Service::with(|builder| configured(builder, &providers, order));
        Self::of(service, inbox, providers)
    }

    fn of(service: Service, inbox: Inbox, [whatsapp, sms, email]: [StandIn; 3]) -> Self {
        Self {
            service,
            inbox,
            whatsapp,
            sms,
            email,
        }
    }

    async fn events(&self) -> Vec<Event> {
        let store = self.service.verifier.store();
        let entries = store.outbox(None, 1_000).await.unwrap();
        entries.into_iter().map(|entry| entry.event).collect()
    }
}

fn providers() -> (Inbox, [StandIn; 3]) {
    let inbox = Inbox::new();
    let providers = ["meta", "twilio", "sendgrid"].map(|name| StandIn::new(name, &inbox));
    (inbox, providers)
}

fn configured(builder: Builder, providers: &[StandIn; 3], order: Order<'_>) -> Builder {
    let [whatsapp, sms, email] = providers.clone();
    builder
        .route(Channel::WhatsApp, Route::primary(whatsapp))
        .route(Channel::Sms, Route::primary(sms))
        .route(Channel::Email, Route::primary(email))
        .channel_order(order.iter().copied())
}

fn phone() -> Destination {
    Destination::parse(PHONE, None).unwrap()
}

fn mail() -> Destination {
    Destination::parse(MAIL, None).unwrap()
}

fn owner() -> SubjectId {
    SubjectId::new("owner").unwrap()
}

fn both() -> Issue {
    Issue::to(phone())
        .or_to(mail())
        .for_purpose("login")
        .for_subject(owner())
        .from(here())
}

#[tokio::test]
async fn what_whatsapp_did_not_send_comes_by_sms_under_the_same_challenge_on_every_store() {
    let (inbox, stand_ins) = providers();
    let services = Service::everywhere(|builder| configured(builder, &stand_ins, USUAL)).await;
    for service in services {
        let trio = Trio::of(service, inbox.clone(), stand_ins.clone());
        trio.whatsapp.then(DOWN);
        let issued = trio.service.verifier.issue(both()).await.unwrap();
        assert_eq!(issued.channel, Channel::Sms);
        assert_eq!(inbox.last_channel_for(&phone()), Some(Channel::Sms));
        let told: Vec<_> = trio
            .events()
            .await
            .into_iter()
            .map(|event| (event.kind, event.channel, event.provider, event.reason))
            .collect();
        let (meta, twilio) = (Some("meta".to_owned()), Some("twilio".to_owned()));
        assert_eq!(
            told,
            [
                (
                    EventKind::ChallengeIssued,
                    Some(Channel::WhatsApp),
                    None,
                    None
                ),
                (
                    EventKind::CodeNotSent,
                    Some(Channel::WhatsApp),
                    meta,
                    Some("unavailable".into())
                ),
                (EventKind::CodeSent, Some(Channel::Sms), twilio, None),
            ]
        );
        let code = inbox.last_code_for(&phone()).unwrap();
        let verifier = &trio.service.verifier;
        let verified = verifier
            .verify(&issued.challenge_id, code.expose(), here())
            .await
            .unwrap();
        assert_eq!(verified.channel(), Channel::Sms);
        assert_eq!(verified.challenge_id(), issued.challenge_id);
    }
}

#[tokio::test]
async fn a_code_that_came_by_mail_proves_the_mailbox_and_is_sent_there_again() {
    let (inbox, stand_ins) = providers();
    let services = Service::everywhere(|builder| configured(builder, &stand_ins, USUAL)).await;
    for service in services {
        let trio = Trio::of(service, inbox.clone(), stand_ins.clone());
        trio.whatsapp.then(DOWN);
        trio.sms.then(DOWN);
        let verifier = &trio.service.verifier;
        let issued = verifier.issue(both()).await.unwrap();
        assert_eq!(issued.channel, Channel::Email);
        let before = inbox.count_for(&mail());
        trio.service.advance(60);
        let resent = verifier.resend(&issued.challenge_id, here()).await.unwrap();
        assert_eq!(resent.channel, Channel::Email);
        assert_eq!(inbox.count_for(&mail()), before + 1);
        assert_eq!(inbox.count_for(&phone()), 0);
        let code = inbox.last_code_for(&mail()).unwrap();
        let verified = verifier
            .verify(&issued.challenge_id, code.expose(), here())
            .await
            .unwrap();
        assert_eq!(verified.destination(), &mail());
        assert_eq!(verified.method(), AuthenticationMethod::Email);
        assert_eq!(verified.subject(), Some(owner()));
    }
}

#[tokio::test]
async fn an_order_that_reaches_nobody_says_what_each_channel_said_and_takes_the_challenge_back() {
    let trio = Trio::new(USUAL);
    for provider in [&trio.whatsapp, &trio.sms, &trio.email] {
        provider.set(DOWN);
    }
    let verifier = &trio.service.verifier;
    let answer = verifier.issue(both()).await;
    let Err(IssueError::NotSent(failure)) = answer else {
        panic!("{answer:?}");
    };
    let asked: Vec<_> = failure
        .failure()
        .errors()
        .iter()
        .map(|e| e.provider())
        .collect();
    assert_eq!(asked, ["meta", "twilio", "sendgrid"]);
    let id = failure.issued().challenge_id;
    let found = verifier.store().find(&id).await.unwrap().unwrap();
    assert_eq!(found.state.name(), "revoked");
}

#[tokio::test]
async fn a_channel_that_is_off_is_skipped_and_one_that_is_chosen_begins_the_order() {
    let trio = Trio::new(USUAL);
    let verifier = &trio.service.verifier;
    verifier.routes().disable(Channel::WhatsApp).unwrap();
    let issued = verifier.issue(both()).await.unwrap();
    assert_eq!((issued.channel, trio.whatsapp.calls()), (Channel::Sms, 0));
    let chosen = both().over(Channel::WhatsApp);
    assert_eq!(verifier.issue(chosen).await.unwrap().channel, Channel::Sms);
    verifier.routes().enable(Channel::WhatsApp).unwrap();
    trio.sms.set(DOWN);
    let chosen = verifier.issue(both().over(Channel::Sms)).await.unwrap();
    assert_eq!((chosen.channel, trio.whatsapp.calls()), (Channel::Email, 0));
    verifier.routes().reorder([]).unwrap();
    let alone = verifier.issue(both().over(Channel::Sms)).await;
    assert!(matches!(alone, Err(IssueError::NotSent(_))), "{alone:?}");
}

#[tokio::test]
async fn a_repeated_request_is_the_same_one_though_a_channel_was_switched_off_meanwhile() {
    let trio = Trio::new(USUAL);
    let verifier = &trio.service.verifier;
    let named = || both().idempotency_key("request-1");
    let first = verifier.issue(named()).await.unwrap();
    verifier.routes().disable(Channel::WhatsApp).unwrap();
    let again = verifier.issue(named()).await.unwrap();
    assert_eq!(again.challenge_id, first.challenge_id);
    assert_eq!(trio.inbox.len(), 1);
}

#[test]
fn an_order_of_channels_without_routes_does_not_build() {
    let (_, stand_ins) = providers();
    for order in [
        &[Channel::Sms, Channel::Voice][..],
        &[Channel::Sms, Channel::Sms],
    ] {
        let store = otp_kit::store::MemoryStore::new();
        let keys = KeyRing::generate(&OsRandom).unwrap();
        let builder: VerifierBuilder<_, _> = Verifier::builder(store, keys)
            .limits(Limits::recommended())
            .route(Channel::Sms, Route::primary(stand_ins[1].clone()));
        let built = builder.channel_order(order.iter().copied()).build();
        assert!(
            matches!(built, Err(BuildError::ChannelOrder(_))),
            "{order:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_paid_for_waits_for_a_place_to_hash_and_is_not_shed() {
    let (inbox, stand_ins) = providers();
    let hasher = CodeHasher::argon2id().workers(NonZeroUsize::MIN).queue(0);
    let service =
        Service::with(|builder| configured(builder.hasher(hasher.clone()), &stand_ins, USUAL));
    let trio = Arc::new(Trio::of(service, inbox, stand_ins));
    let slowly = Behaviour::RefuseAfter(Duration::from_secs(1), DeliveryErrorKind::Unavailable);
    trio.whatsapp.then(slowly);
    let issued = tokio::spawn({
        let trio = Arc::clone(&trio);
        async move { trio.service.verifier.issue(both()).await }
    });
    while trio.whatsapp.under_way() == 0 {
        tokio::task::yield_now().await;
    }
    let held = hasher.reserve().unwrap();
    for _ in 0..20 {
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    assert_eq!((trio.whatsapp.under_way(), trio.sms.calls()), (0, 0));
    drop(held);
    let issued = issued.await.unwrap().unwrap();
    assert_eq!(issued.channel, Channel::Sms);
}

#[tokio::test]
async fn in_the_background_a_message_goes_on_over_the_next_channel_too() {
    let trio = Trio::new(USUAL);
    trio.whatsapp.set(DOWN);
    let verifier = &trio.service.verifier;
    let issued = verifier
        .issue(both().dispatch(Dispatch::Background))
        .await
        .unwrap();
    verifier.drain(Duration::from_secs(10)).await.unwrap();
    let code = trio.inbox.last_code_for(&phone()).unwrap();
    let verified = verifier
        .verify(&issued.challenge_id, code.expose(), here())
        .await
        .unwrap();
    assert_eq!(verified.channel(), Channel::Sms);
}

#[tokio::test]
async fn where_a_resend_repeats_the_code_it_repeats_that_of_the_channel_that_took_it() {
    let (inbox, stand_ins) = providers();
    let service = Service::with(|builder| {
        configured(builder.resend_code(ResendCode::Same), &stand_ins, USUAL)
    });
    let trio = Trio::of(service, inbox, stand_ins);
    trio.whatsapp.set(DOWN);
    let verifier = &trio.service.verifier;
    let issued = verifier.issue(both()).await.unwrap();
    trio.service.advance(60);
    verifier.resend(&issued.challenge_id, here()).await.unwrap();
    let codes = trio.inbox.codes_for(&phone());
    assert_eq!((codes.len(), codes[0] == codes[1]), (2, true));
    let verified = verifier
        .verify(&issued.challenge_id, codes[1].as_str(), here())
        .await;
    assert!(verified.is_ok(), "{verified:?}");
}

#[tokio::test]
async fn an_order_that_begins_with_e_mail_goes_there_first_though_the_phone_is_named_first() {
    let trio = Trio::new(&[Channel::Email, Channel::Sms]);
    let verifier = &trio.service.verifier;
    let issued = verifier.issue(both()).await.unwrap();
    assert_eq!(issued.channel, Channel::Email);
    let code = trio.inbox.last_code_for(&mail()).unwrap();
    let verified = verifier
        .verify(&issued.challenge_id, code.expose(), here())
        .await
        .unwrap();
    assert_eq!(verified.destination(), &mail());
    assert_eq!(trio.sms.calls(), 0);
}
