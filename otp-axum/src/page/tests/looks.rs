use std::sync::Arc;

use axum::http::StatusCode;
use otp_core::delivery::DeliveryErrorKind;
use otp_core::event::Act;
use otp_core::policy::Exception;
use otp_core::prelude::*;
use otp_core::store::{Block, BlockKind};
use otp_core::testing::ManualClock;
use otp_core::testing::store::ReferenceStore;

use super::super::WebhookCounts;
use super::{PHONE, desk};

#[tokio::test]
async fn no_page_has_a_number_or_an_address_of_somebodys_in_full() {
    let desk = desk();
    desk.outbox.fail_next(DeliveryErrorKind::Unavailable);
    assert!(desk.start().await.is_err());
    let operator = desk.verifier.operator(Act::new("mike", "x").unwrap());
    let blocks = [
        Block::new(BlockKind::Phone, PHONE).unwrap(),
        Block::new(BlockKind::Email, "ada.lovelace@example.org").unwrap(),
    ];
    operator.block(&blocks, None).await.unwrap();
    assert!(desk.start().await.is_err());
    let mut browser = desk.signed_in().await;
    let mut pages = Vec::new();
    for rest in ["", "/people", "/blocks", "/failed", "/codes"] {
        pages.push(browser.get(rest).await);
    }
    for who in [PHONE, "ada.lovelace@example.org"] {
        let told = browser.post("/people", &[("who", who)]).await;
        let whom = told.field("whom").unwrap();
        pages.push(told);
        for deed in ["unlock", "clear-limits", "revoke-of", "block"] {
            pages.push(
                browser
                    .post("/check", &[("deed", deed), ("whom", &whom)])
                    .await,
            );
        }
    }
    for page in &pages {
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        assert!(
            !page.body.contains("4155550123") && !page.body.contains("lovelace"),
            "{}",
            page.body
        );
    }
    assert!(pages[2].body.contains("+1415•••0123"));
}

#[tokio::test]
async fn the_first_page_says_what_needs_a_look_by_the_marks_of_the_runbooks() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    let calm = browser.get("").await;
    assert!(
        calm.body.contains("All is as it should be"),
        "{}",
        calm.body
    );
    desk.outbox.fail_next(DeliveryErrorKind::Unavailable);
    assert!(desk.start().await.is_err());
    let end = desk.verifier.store().ping().await.unwrap();
    let end = end
        .saturating_add(std::time::Duration::from_secs(3_600))
        .into();
    let act = Act::new("anna", "Twilio is down").unwrap();
    let policies = desk.verifier.policies();
    let waived = policies
        .override_until(Exception::SecondFactorWaived, end, act)
        .await;
    waived.unwrap();
    let within = browser.get("").await;
    assert!(
        within.body.contains("All is as it should be"),
        "of some seconds ago"
    );
    desk.wait(6);
    let alarmed = browser.get("?within=24h").await;
    for said in [
        "things need a look",
        "Delivery at 0.0 %",
        "Override in force: second factor waived",
        "anna: Twilio is down, ends",
        "target &gt; 99 %, alarm &lt; 95 %",
    ] {
        assert!(alarmed.body.contains(said), "{said}: {}", alarmed.body);
    }
    let garbled = browser.get("?within=forever").await;
    assert_eq!(garbled.status, StatusCode::OK);
}

#[tokio::test]
async fn webhooks_are_shown_where_the_host_counts_them() {
    let clock = ManualClock::new(otp_core::clock::Timestamp::from_millis(1_700_000_000_000));
    let store = ReferenceStore::new(Arc::new(clock.clone()));
    let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom).unwrap())
        .route(
            Channel::Sms,
            Route::primary(otp_core::testing::Outbox::new()),
        )
        .limits(Limits::recommended())
        .build()
        .unwrap();
    let counts = || WebhookCounts {
        believed: 95,
        refused: 5,
        repeated: 3,
    };
    let whose = |token: &str| otp_core::event::OperatorName::new(token).ok();
    let page = crate::OperatorPage::new(verifier, whose)
        .webhooks(counts)
        .clock(clock);
    let routes: axum::Router = page.routes().into();
    let request = axum::http::Request::get(super::path("")).header("x-admin-token", "mike");
    let request = request.body(axum::body::Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(routes, request).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX)
        .await
        .unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("Webhook signatures at 95.0 %"), "{body}");
    assert!(body.contains("Webhook replays at 3.0 %"), "{body}");
}
