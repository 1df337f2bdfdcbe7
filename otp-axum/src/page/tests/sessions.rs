use axum::body::Body;
use axum::http::header::{ACCEPT, AUTHORIZATION, SET_COOKIE};
use axum::http::{Request, StatusCode};

use super::{TOKEN, desk, path};

#[tokio::test]
async fn a_token_opens_the_page_and_the_cookie_keeps_to_itself() {
    let desk = desk();
    let mut browser = desk.browser();
    let asked = browser.get("/blocks").await;
    assert_eq!(asked.status, StatusCode::UNAUTHORIZED);
    assert_eq!(asked.field("then").as_deref(), Some("blocks"));
    let reply = browser
        .post("/sign-in", &[("token", TOKEN), ("then", "blocks")])
        .await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert_eq!(reply.headers["location"], path("/blocks"));
    let cookie = reply.headers[SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.ends_with("; Path=/admin/sms/otp; Max-Age=1800; HttpOnly; SameSite=Strict; Secure")
    );
    assert!(!cookie.contains(TOKEN));
    assert_eq!(browser.get("/blocks").await.status, StatusCode::OK);
    // Over plain HTTP a browser would not take a cookie that is `Secure`.
    let plain = desk
        .browser()
        .post_from("/sign-in", &[("token", TOKEN)], "http://ops.example:9090")
        .await;
    assert!(
        plain.headers[SET_COOKIE]
            .to_str()
            .unwrap()
            .ends_with("SameSite=Strict")
    );
}

#[tokio::test]
async fn programs_send_the_token_itself_and_are_told_so_in_json() {
    let desk = desk();
    let ask = |name: &'static str, value: String| {
        Request::get(path(""))
            .header(name, value)
            .body(Body::empty())
            .unwrap()
    };
    for (name, value, status) in [
        (AUTHORIZATION.as_str(), format!("Bearer {TOKEN}"), 200),
        ("x-admin-token", TOKEN.to_owned(), 200),
        ("x-admin-token", "nobody".to_owned(), 401),
        (AUTHORIZATION.as_str(), format!("Basic {TOKEN}"), 401),
    ] {
        let reply = desk.ask(ask(name, value)).await;
        assert_eq!(reply.status, status, "{name}");
        assert!(!reply.headers.contains_key(SET_COOKIE));
        if status == 401 {
            let told = "{\"detail\":\"Operator token required\",\"code\":\"unauthorized\"}";
            assert_eq!(reply.body, told);
        }
    }
    let two = Request::get(path("")).header("x-admin-token", TOKEN);
    let two = two
        .header(AUTHORIZATION, "Bearer token-of-anna")
        .body(Body::empty());
    assert_eq!(
        desk.ask(two.unwrap()).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn tokens_are_tried_five_times_a_minute_and_a_right_one_does_not_come_sixth() {
    let desk = desk();
    let mut browser = desk.browser();
    for _ in 0..5 {
        let reply = browser.post("/sign-in", &[("token", "guess")]).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
        assert!(
            reply.body.contains("no operator&#x27;s token"),
            "{}",
            reply.body
        );
    }
    let reply = browser.post("/sign-in", &[("token", TOKEN)]).await;
    assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = reply.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    assert!(!reply.headers.contains_key(SET_COOKIE));
    desk.wait(61);
    let reply = browser.post("/sign-in", &[("token", TOKEN)]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_session_lives_on_clicks_and_not_on_what_the_script_asks_by_itself() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    desk.wait(1_500);
    assert_eq!(browser.get("/codes").await.status, StatusCode::OK);
    for _ in 0..3 {
        desk.wait(590);
        let live = browser.request("GET", "").header("x-live", "1");
        let reply = browser.send(live.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::OK);
        assert!(!reply.headers.contains_key(SET_COOKIE));
    }
    desk.wait(60);
    assert_eq!(browser.get("").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_cookie_that_was_copied_is_worth_nothing_once_its_operator_signed_out() {
    let desk = desk();
    let mut browser = desk.signed_in().await;
    let mut thief = desk.browser();
    thief.cookies = browser.cookies.clone();
    assert_eq!(thief.get("").await.status, StatusCode::OK);
    let reply = browser.post("/sign-out", &[]).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER);
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    assert_eq!(thief.get("").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn who_came_by_a_link_of_another_site_is_asked_again_by_this_one_before_signing_in() {
    let desk = desk();
    let mut browser = desk.browser();
    for (site, again) in [
        ("cross-site", true),
        ("same-origin", false),
        ("none", false),
    ] {
        let request = browser.request("GET", "").header("sec-fetch-site", site);
        let request = request
            .header(ACCEPT, "text/html")
            .body(Body::empty())
            .unwrap();
        let reply = browser.send(request).await;
        assert_eq!(
            reply.body.contains("http-equiv=\"refresh\""),
            again,
            "{site}"
        );
    }
}
