use axum::http::StatusCode;
use otp_core::event::Act;

use super::{PHONE, desk};

const BLOCK: [(&str, &str); 4] = [
    ("deed", "block"),
    ("kind", "phone"),
    ("value", PHONE),
    ("reason", "incident 123"),
];

#[tokio::test]
async fn a_form_that_another_site_sends_does_nothing() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    let tried = browser.post("/check", &BLOCK).await;
    let ticket = tried.field("ticket").unwrap();
    let form = browser.form.clone();
    let fields = [
        ("ticket", ticket.as_str()),
        ("reason", "x"),
        ("form", form.as_str()),
    ];
    for origin in ["https://evil.example", "null", "https://ops.example"] {
        let reply = browser.post_from("/apply", &fields, origin).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let sign_in = browser.post_from(
        "/sign-in",
        &[("token", super::TOKEN)],
        "https://evil.example",
    );
    assert_eq!(sign_in.await.status, StatusCode::FORBIDDEN);
    assert!(desk.start().await.is_ok(), "nobody is blocked");
}

#[tokio::test]
async fn a_form_without_the_sessions_token_or_with_anothers_does_nothing() {
    let desk = desk();
    let mut other = desk.signed_in().await;
    other.get("/blocks").await;
    let mut browser = desk.signed_in().await;
    let own = browser.form.clone();
    for form in [
        String::new(),
        other.form.clone(),
        format!("{own}A"),
        own[1..].to_owned(),
    ] {
        let mut fields = BLOCK.to_vec();
        fields.push(("form", &form));
        let reply = browser
            .post_from("/check", &fields, "https://ops.example:9090")
            .await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{form}");
    }
    assert_eq!(
        browser.post("/sign-out", &[("form", "x")]).await.status,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        browser.get("").await.status,
        StatusCode::OK,
        "still signed in"
    );
}

#[tokio::test]
async fn what_is_confirmed_is_what_this_operator_tried_a_moment_ago() {
    let desk = desk();
    let mut anna = desk.browser();
    anna.post("/sign-in", &[("token", "token-of-anna")]).await;
    anna.get("").await;
    let mut mike = desk.signed_in().await;
    let ticket = mike.post("/check", &BLOCK).await.field("ticket").unwrap();
    let apply = |ticket: &str| {
        vec![
            ("ticket".to_owned(), ticket.to_owned()),
            ("reason".to_owned(), "x".to_owned()),
        ]
    };
    let altered = {
        let flip = if ticket.as_bytes()[60] == b'A' {
            "B"
        } else {
            "A"
        };
        format!("{}{flip}{}", &ticket[..60], &ticket[61..])
    };
    let of_whom = mike
        .post("/people", &[("who", PHONE)])
        .await
        .field("whom")
        .unwrap();
    for (browser, ticket) in [(&mut anna, &ticket), (&mut mike, &altered)] {
        let fields = apply(ticket);
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            browser.post("/apply", &fields).await.status,
            StatusCode::CONFLICT
        );
    }
    let fields = [("ticket", of_whom.as_str()), ("reason", "x")];
    assert_eq!(
        mike.post("/apply", &fields).await.status,
        StatusCode::CONFLICT,
        "another use"
    );
    let late = [("ticket", ticket.as_str()), ("reason", "x")];
    desk.wait(601);
    assert_eq!(
        mike.post("/apply", &late).await.status,
        StatusCode::CONFLICT,
        "too late"
    );
    let tried_at = [BLOCK.to_vec(), vec![("tried_at", "1700000000000")]].concat();
    assert_eq!(
        mike.post("/check", &tried_at).await.status,
        StatusCode::BAD_REQUEST
    );
    assert!(desk.start().await.is_ok(), "nobody is blocked");
}

#[tokio::test]
async fn a_hostile_note_stays_text() {
    let desk = desk();
    let hostile =
        "</style><script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7654321*7 }}";
    let operator = desk.verifier.operator(Act::new("mike", hostile).unwrap());
    let block = otp_core::store::Block::new(otp_core::store::BlockKind::Device, hostile).unwrap();
    operator.block(&[block], None).await.unwrap();
    let mut browser = desk.signed_in().await;
    let mut pages = vec![browser.get("/blocks").await];
    pages.push(browser.post("/blocks", &[("q", "<script>")]).await);
    pages.push(
        browser
            .post("/people", &[("who", "<script>alert(3)</script>")])
            .await,
    );
    pages.push(
        browser
            .get("/blocks?kind=phone&value=%22%3E%3Cscript%3E")
            .await,
    );
    let fields = [
        ("deed", "block"),
        ("kind", "device"),
        ("value", hostile),
        ("reason", hostile),
    ];
    pages.push(browser.post("/check", &fields).await);
    for page in pages {
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        let (_, rest) = policy.split_once("script-src 'nonce-").unwrap();
        let (nonce, _) = rest.split_once('\'').unwrap();
        // One script, ours, and nothing else that could be one.
        assert_eq!(page.body.matches("<script").count(), 1, "{}", page.body);
        assert!(page.body.contains(&format!("<script nonce=\"{nonce}\">")));
        assert!(!page.body.contains("<img") && !page.body.contains("53580247"));
    }
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need_and_no_two_have_one_nonce() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    let mut seen = Vec::new();
    for rest in ["", "/people", "/blocks", "/failed", "/codes", "/sign-in"] {
        let reply = browser.get(rest).await;
        let policy = reply.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(policy.starts_with("default-src 'none'; style-src 'nonce-"));
        assert!(policy.ends_with("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.headers["x-frame-options"], "DENY");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert!(!seen.contains(&policy), "a nonce is used once");
        seen.push(policy);
    }
}
