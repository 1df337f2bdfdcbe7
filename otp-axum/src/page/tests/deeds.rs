use axum::http::StatusCode;
use otp_core::delivery::DeliveryErrorKind;
use otp_core::event::{EventKind, OperatorName};
use otp_core::prelude::*;

use super::super::OperatorPage;
use super::{Desk, PHONE, desk};
use crate::Edge;

/// What operators did, as `what: why`; looking is left out.
async fn deeds(desk: &Desk) -> Vec<String> {
    let entries = desk.verifier.store().outbox(None, 1_000).await.unwrap();
    let acts = entries
        .into_iter()
        .map(|entry| entry.event)
        .filter(|event| event.kind == EventKind::OperatorAction);
    let told = acts.filter_map(|event| {
        let what = event.reason.unwrap_or_default().into_owned();
        let looks = [
            "overview",
            "list_blocks",
            "explain",
            "failed_deliveries",
            "page_sign_in",
        ];
        let act = event.act.as_ref().unwrap();
        assert_eq!(act.operator.as_str(), "mike");
        (!looks.contains(&what.as_str())).then(|| format!("{what}: {}", act.reason.as_str()))
    });
    told.collect()
}

#[tokio::test]
async fn a_block_is_tried_then_done_then_found_and_taken_off() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    let block = [
        ("deed", "block"),
        ("kind", "phone"),
        ("value", "+1 (415) 555-0123"),
        ("life", "1h"),
        ("reason", "calls"),
    ];
    let tried = browser.post("/check", &block).await;
    assert!(
        tried
            .body
            .contains("+1415•••0123 would be on the blocklist."),
        "{}",
        tried.body
    );
    assert!(tried.body.contains("value=\"calls\""), "the reason is kept");
    assert!(desk.start().await.is_ok(), "a dry run blocks nobody");
    assert_eq!(browser.does(&block).await, "+1415•••0123 is blocked.");
    assert!(matches!(desk.start().await, Err(IssueError::Blocked)));

    let found = browser
        .post("/blocks", &[("q", "4155550123 INCIDENT")])
        .await;
    assert!(found.body.contains("1 of 1 fit."), "{}", found.body);
    let entry = found.field("entry").unwrap();
    let none = browser.post("/blocks", &[("q", "somebody")]).await;
    assert!(none.body.contains("Nothing fits."));
    let off = [("deed", "unblock"), ("entry", entry.as_str())];
    assert_eq!(
        browser.does(&off).await,
        "+1415•••0123 is off the blocklist."
    );
    desk.wait(120);
    assert!(desk.start().await.is_ok());
    assert_eq!(
        deeds(&desk).await,
        [
            "preview_block:1: calls",
            "preview_block:1: calls",
            "block: incident 123",
            "preview_unblock:1: dry run on the operator page",
            "unblock: incident 123",
        ]
    );
}

#[tokio::test]
async fn a_locked_person_is_found_among_the_locked_looked_up_and_unlocked() {
    let desk = desk();
    let issued = desk.start().await.unwrap();
    let context = RequestContext::new();
    let sent = desk
        .outbox
        .last_code_for(&PhoneNumber::parse(PHONE).unwrap().into())
        .unwrap();
    let flip = if sent.expose().starts_with('0') {
        "1"
    } else {
        "0"
    };
    let wrong = format!("{flip}{}", &sent.expose()[1..]);
    for _ in 0..5 {
        let tried = desk
            .verifier
            .verify(&issued.challenge_id, &wrong, &context)
            .await;
        assert!(tried.is_err());
    }
    assert!(matches!(desk.start().await, Err(IssueError::Locked(_))));
    let mut browser = desk.signed_in().await;
    let overview = browser.get("").await;
    assert!(
        overview.body.contains("<dt>Locked</dt><dd>1</dd>"),
        "{}",
        overview.body
    );
    let blocked = browser.get("/people?only=blocked").await;
    assert_eq!(blocked.field("whom"), None, "nobody was blocked");
    let locked = browser.get("/people?only=locked").await;
    let whom = locked.field("whom").unwrap();
    let told = browser.post("/people", &[("whom", &whom)]).await;
    assert!(told.body.contains("Refused now: locked"), "{}", told.body);
    let whom = told.field("whom").unwrap();
    let unlock = [("deed", "unlock"), ("whom", whom.as_str())];
    let said = browser.does(&unlock).await;
    assert_eq!(said, "1 guess budget was opened.");
    assert!(desk.start().await.is_ok());
}

#[tokio::test]
async fn limits_are_cleared_and_live_codes_revoked_of_one_and_of_all() {
    let desk = desk();
    desk.start().await.unwrap();
    let mut browser = desk.signed_in().await;
    let told = browser.post("/people", &[("who", PHONE)]).await;
    assert!(told.body.contains("1 live code"), "{}", told.body);
    let whom = told.field("whom").unwrap();
    let said = browser
        .does(&[("deed", "clear-limits"), ("whom", &whom)])
        .await;
    assert!(said.ends_with("limits were cleared."), "{said}");
    let said = browser
        .does(&[("deed", "revoke-of"), ("whom", &whom)])
        .await;
    assert_eq!(said, "1 live code was revoked.");
    desk.wait(120);
    desk.start().await.unwrap();
    let elsewhere = [("deed", "revoke"), ("which", "named"), ("channel", "email")];
    let tried = browser.post("/check", &elsewhere).await;
    assert!(
        tried.body.contains("No live code would be revoked."),
        "{}",
        tried.body
    );
    desk.wait(120);
    let all = [("deed", "revoke"), ("which", "all")];
    assert_eq!(browser.does(&all).await, "1 live code was revoked.");
}

#[tokio::test]
async fn failed_messages_are_listed_masked_and_sent_again_once() {
    let desk = desk();
    desk.outbox.fail_next(DeliveryErrorKind::Unavailable);
    assert!(desk.start().await.is_err());
    desk.wait(120);
    let mut browser = desk.signed_in().await;
    let listed = browser.get("/failed").await;
    assert!(listed.body.contains("+1415•••0123"), "{}", listed.body);
    let again = [("deed", "resend"), ("within", "1h")];
    let tried = browser.post("/check", &again).await;
    assert!(
        tried.body.contains("1 person would get a fresh code."),
        "{}",
        tried.body
    );
    assert_eq!(desk.outbox.len(), 0, "a dry run sends nothing");
    let said = browser.does(&again).await;
    assert_eq!(said, "1 person tried, 1 messages sent.");
    assert_eq!(desk.outbox.len(), 1);
    desk.wait(1);
    let tried = browser.post("/check", &again).await;
    assert!(
        tried.body.contains("No person would get a fresh code."),
        "{}",
        tried.body
    );
}

#[tokio::test]
async fn what_no_deed_is_and_what_has_no_reason_is_said_and_not_done() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    let long = "x".repeat(257);
    for (fields, said) in [
        (vec![("deed", "drop")], "cannot be read"),
        (
            vec![("deed", "block"), ("kind", "phone"), ("value", "12")],
            "not a value of this kind",
        ),
        (
            vec![
                ("deed", "block"),
                ("kind", "phone"),
                ("value", PHONE),
                ("reason", &long),
            ],
            "256 characters",
        ),
        (
            vec![("deed", "revoke"), ("channel", "pigeon")],
            "cannot be read",
        ),
        (vec![("deed", "unblock"), ("entry", "AAAA")], "out of date"),
        (
            vec![("deed", "revoke"), ("deed", "revoke")],
            "cannot be read",
        ),
        (vec![("deed", "revoke"), ("color", "red")], "cannot be read"),
    ] {
        let reply = browser.post("/check", &fields).await;
        assert!(reply.status.is_client_error(), "{fields:?}");
        assert!(reply.body.contains(said), "{fields:?}: {}", reply.body);
    }
    let ticket = browser
        .post("/check", &[("deed", "revoke"), ("which", "all")])
        .await
        .field("ticket")
        .unwrap();
    let unsaid = browser.post("/apply", &[("ticket", &ticket)]).await;
    assert_eq!(unsaid.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_form_that_is_wrong_is_filled_in_again_with_what_was_typed_and_a_token_never_is() {
    let desk = desk();
    desk.start().await.unwrap();
    let mut browser = desk.signed_in().await;
    let long = "\u{e9}".repeat(257);
    for (value, reason, field) in [
        ("203.0.113.0/24", "Incident #1", "value"),
        (PHONE, &long, "reason"),
    ] {
        let form = [
            ("deed", "block"),
            ("kind", "phone"),
            ("value", value),
            ("life", "7d"),
            ("reason", reason),
        ];
        let again = browser.post("/check", &form).await;
        assert_eq!(again.status, StatusCode::BAD_REQUEST);
        let has = |part: &str| again.body.contains(part);
        assert!(
            has("<h1>Blocklist</h1>") && has("<option value=\"phone\" selected>"),
            "{}",
            again.body
        );
        assert!(has("<option value=\"7d\" selected>"));
        let typed = |name: &str| {
            let (_, input) = again
                .body
                .split_once(&format!("<input id=\"{name}\""))
                .unwrap();
            input.split_once('>').unwrap().0.replace("&#x2f;", "/")
        };
        assert!(
            typed("value").contains(&format!("value=\"{value}\"")),
            "{}",
            typed("value")
        );
        assert!(typed("reason").contains(&format!("value=\"{reason}\"")));
        for name in ["value", "reason"] {
            assert_eq!(
                typed(name).contains("aria-invalid"),
                name == field,
                "{name}"
            );
        }
        assert_eq!(again.body.matches("role=\"alert\"").count(), 1);
    }
    assert!(desk.start().await.is_ok(), "nobody was blocked");

    let nobody = browser.post("/people", &[("who", "+12 \"><b>")]).await;
    assert_eq!(nobody.status, StatusCode::BAD_REQUEST);
    assert!(nobody.body.contains("names nobody"));
    assert!(
        nobody.body.contains("value=\"+12 &quot;&gt;&lt;b&gt;\""),
        "{}",
        nobody.body
    );

    let revoke = [("deed", "revoke"), ("which", "all"), ("reason", "first")];
    let tried = browser.post("/check", &revoke).await;
    let focused = "placeholder=\"Incident #123\" autofocus>";
    assert!(tried.body.contains(focused), "{}", tried.body);
    let ticket = tried.field("ticket").unwrap();
    let unsaid = browser
        .post("/apply", &[("ticket", &ticket), ("reason", &long)])
        .await;
    assert_eq!(unsaid.status, StatusCode::BAD_REQUEST);
    assert!(unsaid.body.contains("Revoke every live code?") && unsaid.body.contains(&long));
    assert!(unsaid.body.contains("256 characters"), "{}", unsaid.body);
    let ticket = unsaid.field("ticket").unwrap();
    let said = [("ticket", ticket.as_str()), ("reason", "Incident #2")];
    assert_eq!(
        browser.post("/apply", &said).await.status,
        StatusCode::SEE_OTHER
    );
    let done = deeds(&desk).await;
    assert_eq!(done.last().unwrap(), "revoked:1: Incident #2");

    let mut stranger = desk.browser();
    let wrong = stranger
        .post("/sign-in", &[("token", "no-such-token")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNAUTHORIZED);
    assert!(wrong.body.contains("no operator") && !wrong.body.contains("no-such-token"));
}

#[tokio::test]
async fn a_confirmation_is_spent_once_and_a_second_click_hears_what_the_first_did() {
    let desk = desk();
    desk.start().await.unwrap();
    let mut browser = desk.signed_in().await;
    let all = [("deed", "revoke"), ("which", "all")];
    let tried = browser.post("/check", &all).await;
    let ticket = tried.field("ticket").unwrap();
    let confirmed = [("ticket", ticket.as_str()), ("reason", "incident 123")];
    let mut second = desk.signed_in().await;
    second.cookies.clone_from(&browser.cookies);
    second.form.clone_from(&browser.form);
    let both = tokio::join!(
        browser.post("/apply", &confirmed),
        second.post("/apply", &confirmed),
    );
    assert_eq!(both.0.status, StatusCode::SEE_OTHER, "{}", both.0.body);
    assert_eq!(both.1.status, StatusCode::SEE_OTHER, "{}", both.1.body);
    for browser in [&mut browser, &mut second] {
        let shown = browser.get("/codes").await;
        let said = shown.notice();
        assert_eq!(said.as_deref(), Some("1 live code was revoked."));
    }
    // Codes that came since are not its business.
    desk.wait(120);
    desk.start().await.unwrap();
    let again = browser.post("/apply", &confirmed).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER, "{}", again.body);
    assert_eq!(
        deeds(&desk).await,
        [
            "preview_revoke:1: dry run on the operator page",
            "revoked:1: incident 123",
        ]
    );

    // Another instance of the fleet knows that it is spent, and not what came of it.
    let elsewhere = OperatorPage::new(desk.verifier.clone(), |token: &str| {
        OperatorName::new(token.strip_prefix("token-of-")?).ok()
    });
    let elsewhere = elsewhere.clock(desk.clock.clone()).routes();
    let (cookies, form) = (second.cookies.clone(), second.form.clone());
    let desk = Desk {
        routes: Edge::new().around(elsewhere),
        ..desk
    };
    let mut there = desk.browser();
    (there.cookies, there.form) = (cookies, form);
    let again = there.post("/apply", &confirmed).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.body);
    assert!(again.body.contains("was used before"), "{}", again.body);
    assert_eq!(deeds(&desk).await.len(), 2);
}

#[tokio::test]
async fn nothing_done_names_nobody() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    let said = browser.does(&[("deed", "revoke"), ("which", "all")]).await;
    assert_eq!(said, "No live code was revoked.");
}
