//! Logins that Telegram signed, in the wrong hands.

use std::sync::Arc;

use otp_kit::clock::{Clock as _, Timestamp};
use otp_kit::event::Outcome;
use otp_kit::prelude::*;
use otp_kit::providers::webhook::{TelegramPerson, TelegramRefusal, WebhookSecret};
use otp_kit::providers::{TelegramBot, TelegramLogin};
use otp_kit::quota::{Quota, Scope};
use otp_kit::store::{Block, BlockKind};
use tokio::task::JoinSet;

use crate::signed::{TOKEN, init_data};
use crate::support::{Service, from_anywhere, here};

fn read(data: &str, now: Timestamp) -> Result<TelegramPerson, &'static str> {
    let bot = TelegramBot::new(WebhookSecret::new(TOKEN).unwrap());
    let login = bot.mini_app(data, now).and_then(TelegramLogin::person);
    login.map_err(TelegramRefusal::name)
}

fn seconds(service: &Service) -> u64 {
    let now = service.clock.now().since(Timestamp::UNIX_EPOCH);
    now.as_secs()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_parallel_uses_of_one_login_are_one_acceptance() {
    for service in Service::everywhere(|builder| builder).await {
        let (now, at) = (service.clock.now(), seconds(&service));
        let data = Arc::new(init_data(TOKEN, 42, at));
        let mut tries = JoinSet::new();
        for number in 0..100 {
            let (verifier, data) = (service.verifier.clone(), Arc::clone(&data));
            tries.spawn(async move {
                let context = from_anywhere(number);
                let tenant = Tenant::default();
                let accepted = verifier.accept(&tenant, read(&data, now), context).await;
                match accepted {
                    Ok(accepted) => Some(accepted.assertion().id()),
                    Err(VerifyError::Rejected) => None,
                    Err(error) => panic!("{error}"),
                }
            });
        }
        let accepted: Vec<_> = tries.join_all().await.into_iter().flatten().collect();
        assert_eq!(accepted, [42]);
    }
}

#[tokio::test]
async fn a_login_that_waited_until_it_was_forgotten_is_too_old_by_then() {
    let service = Service::new();
    let (tenant, at) = (Tenant::default(), seconds(&service));
    // Signed by a clock that is ahead: believed for as long as there is.
    let data = init_data(TOKEN, 42, at + 300);
    let first = service
        .verifier
        .accept(&tenant, read(&data, service.clock.now()), here());
    assert!(first.await.is_ok());
    for _ in 0..11 {
        service.advance(60);
        let now = service.clock.now();
        let again = service.verifier.accept(&tenant, read(&data, now), here());
        assert!(matches!(again.await, Err(VerifyError::Rejected)));
    }
}

#[tokio::test]
async fn who_sends_forged_logins_runs_into_the_limit_of_the_address_and_is_on_record() {
    let three = Quota::window(3, std::time::Duration::from_secs(60)).unwrap();
    let limits = Limits::recommended().on_verify(Scope::Address, three);
    let service = Service::with(|builder| builder.limits(limits));
    let (tenant, now) = (Tenant::default(), service.clock.now());
    let forged = init_data("1000:another-token", 42, seconds(&service));
    for _ in 0..3 {
        let refused = service.verifier.accept(&tenant, read(&forged, now), here());
        assert!(matches!(refused.await, Err(VerifyError::Rejected)));
    }
    let good = init_data(TOKEN, 42, seconds(&service));
    let refused = service.verifier.accept(&tenant, read(&good, now), here());
    assert!(matches!(refused.await, Err(VerifyError::Throttled(_))));

    let elsewhere = from_anywhere(1);
    let accepted = service
        .verifier
        .accept(&tenant, read(&good, now), elsewhere);
    assert!(
        accepted.await.is_ok(),
        "what was turned away is not used up"
    );

    let told: Vec<_> = service.verifier.store().outbox(None, 100).await.unwrap();
    let told = told.iter().map(|entry| {
        let event = &entry.event;
        (
            event.provider.as_deref(),
            event.outcome,
            event.reason.as_deref().unwrap_or_default(),
        )
    });
    let refused = (Some("telegram"), Outcome::Refused, "bad_signature");
    let limited = (Some("telegram"), Outcome::Refused, "quota_address");
    let accepted = (Some("telegram"), Outcome::Success, "asserted");
    let told: Vec<_> = told.collect();
    assert_eq!(told, [refused, refused, refused, limited, accepted]);
}

#[tokio::test]
async fn a_blocked_address_signs_nobody_in_by_telegram_either() {
    let service = Service::new();
    let act = otp_kit::event::Act::new("mike", "incident #123").unwrap();
    let network = Block::new(BlockKind::Ip, "203.0.113.0/24").unwrap();
    let operator = service.verifier.operator(act);
    operator.block(&[network], None).await.unwrap();
    let data = init_data(TOKEN, 42, seconds(&service));
    let (tenant, read) = (Tenant::default(), read(&data, service.clock.now()));
    let refused = service.verifier.accept(&tenant, read, here());
    assert!(matches!(refused.await, Err(VerifyError::Blocked)));
}
