//! Sign-ins by link, as a browser and as whoever is in its way.

mod languages;

use serde_json::{Value, json};

use crate::support::twilio::{Answer, Twilio};
use crate::support::{Reply, Server};

const START: &str = "/browser/api/v1/identity/auth/magic-link/initiate";
const PAGE: &str = "/auth/link";
const VERIFY: &str = "/api/auth/verify-otp";
const MAIL: &str = "test-user@example.com";
const INBOX: &str = "https://app.example.com/inbox?from=link";
const BROWSER: &str = "__Host-otp_browser";
const SESSION: &str = "__Host-otp_session";

/// What a browser has after it asked: its cookie, and what the message carried.
struct Asked {
    cookie: String,
    link: String,
    token: String,
    code: String,
    id: String,
}

async fn ask(server: &Server, body: &Value) -> Asked {
    let reply = server.post(START, body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let set = reply.header("set-cookie").unwrap();
    assert!(set.ends_with("; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=Lax"));
    let link = reply.text("preview_link");
    Asked {
        cookie: set.split(';').next().unwrap().to_owned(),
        token: link.split_once("?token=").unwrap().1.to_owned(),
        link,
        code: reply.text("preview_code"),
        id: reply.text("challenge_id"),
    }
}

fn test_user() -> Value {
    json!({ "user_id": "test-user" })
}

/// What a browser sends when its button is pressed.
async fn press(server: &Server, token: &str, more: &str, cookie: Option<&str>) -> Reply {
    let mut request = server
        .client_that_stays()
        .post(server.url(PAGE))
        .header("accept", "text/html,*/*;q=0.8")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("token={token}{more}"));
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    Reply::of(request).await
}

/// What a program sends.
async fn post(server: &Server, body: &Value, cookie: Option<&str>) -> Reply {
    let mut request = server.client.post(server.url(PAGE)).json(body);
    if let Some(cookie) = cookie {
        request = request.header("cookie", cookie);
    }
    Reply::of(request).await
}

fn path(link: &str) -> &str {
    &link[link.find("/auth/link").unwrap()..]
}

#[tokio::test]
async fn a_hundred_scanners_open_a_link_and_its_person_signs_in_all_the_same() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "10000")]);
    let asked = ask(&server, &test_user()).await;
    assert!(
        asked
            .link
            .starts_with("http://127.0.0.1:8080/auth/link?token=")
    );
    let url = server.url(path(&asked.link));
    for number in 0..100 {
        let client = &server.client;
        let request = match number % 4 {
            0 => client.head(&url),
            1 => client.get(&url).header("purpose", "prefetch"),
            2 => client.get(&url).header("cookie", &asked.cookie),
            _ => client.get(format!("{url}&disown=1")),
        };
        let opened = Reply::of(request).await;
        assert_eq!(opened.status, 200, "{opened:?}");
    }
    let signed_in = press(&server, &asked.token, "", Some(&asked.cookie)).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    assert!(signed_in.body.contains("You are signed in"));
    let cookie = signed_in.header("set-cookie").unwrap();
    assert!(cookie.ends_with("; Path=/; HttpOnly; Secure; SameSite=Lax"));
    let session = cookie.split(';').next().unwrap();
    let me = server.client.get(server.url("/api/me"));
    let me = Reply::of(me.header("cookie", session)).await;
    assert_eq!(me.text("id"), "test-user");
    // The cookie reads and changes nothing: another page could send it along.
    let out = server.client.post(server.url("/api/v1/auth/logout"));
    let out = Reply::of(out.header("cookie", session)).await;
    assert_eq!(out.status, 401);
    assert!(session.starts_with(SESSION));
}

#[tokio::test]
async fn the_page_works_without_scripts_and_lends_nothing_to_anybody() {
    let server = Server::start();
    let asked = ask(&server, &test_user()).await;
    let page = server.get(path(&asked.link)).await;
    for (name, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(page.header(name), Some(value));
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    let style = page.body.split("<style>").nth(1).unwrap();
    let style = style.split("</style>").next().unwrap();
    use base64::Engine as _;
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(style.as_bytes());
    let hash = base64::engine::general_purpose::STANDARD.encode(hash);
    assert!(policy.contains(&format!("'sha256-{hash}'")), "{policy}");
    assert!(policy.contains("form-action 'self'; base-uri 'none'; frame-ancestors 'none'"));
    for never in ["<script", " src=", "onclick", "http:", "https:"] {
        assert!(!page.body.contains(never), "{never}");
    }
    assert_eq!(page.body.matches("method=\"post\"").count(), 2);
    for bad in [
        "",
        "?token=",
        "?token=a&token=b",
        "?token=%22%3E%3Cscript%3E",
    ] {
        let page = server.get(&format!("{PAGE}{bad}")).await;
        assert_eq!(page.status, 400, "{bad}");
        assert!(!page.body.contains("<script"), "{bad}");
    }
}

#[tokio::test]
async fn another_browsers_post_shows_the_code_and_signs_nobody_in() {
    let server = Server::start();
    let asked = ask(&server, &test_user()).await;
    let strange = format!("{BROWSER}={}", "0".repeat(64));
    for cookie in [None, Some(strange.as_str())] {
        let page = press(&server, &asked.token, "", cookie).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body.contains(&asked.code) && page.header("set-cookie").is_none());
    }
    let told = post(&server, &json!({ "token": asked.token }), None).await;
    assert_eq!(
        (told.status, told.text("code")),
        (409, "other_browser".to_owned())
    );
    assert_eq!(told.text("relay_code"), asked.code);
    let typed = json!({ "email": MAIL, "otp": asked.code, "challenge_id": asked.id });
    let typed = server.post(VERIFY, &typed).await;
    assert_eq!(typed.status, 200, "{typed:?}");
    let late = press(&server, &asked.token, "", Some(&asked.cookie)).await;
    assert_eq!(late.status, 400);
}

#[tokio::test]
async fn a_link_without_a_token_is_refused_in_the_form_that_is_asked_for() {
    let server = Server::start();
    for (accept, kind) in [
        ("application/problem+json", "application/problem+json"),
        ("application/json", "application/json"),
        ("text/html,application/json", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
    ] {
        let request = server.client.get(server.url("/auth/link"));
        let reply = Reply::of(request.header("accept", accept)).await;
        assert_eq!(reply.status, 400, "{reply:?}");
        assert_eq!(reply.header("content-type"), Some(kind), "{accept}");
        if kind.ends_with("json") {
            assert_eq!(reply.json()["code"], "invalid_link");
        }
    }
}

#[tokio::test]
async fn a_program_gets_tokens_once() {
    let server = Server::start();
    let asked = ask(&server, &test_user()).await;
    let body = json!({ "token": asked.token });
    let signed_in = post(&server, &body, Some(&asked.cookie)).await;
    assert_eq!(signed_in.status, 200, "{signed_in:?}");
    assert_eq!(signed_in.json()["user"]["id"], "test-user");
    assert_eq!(signed_in.text("token_type"), "bearer");
    let replayed = post(&server, &body, Some(&asked.cookie)).await;
    replayed.is_error(400, "invalid_link", "Invalid or expired link");
    let unknown = post(
        &server,
        &json!({ "token": "A".repeat(79) }),
        Some(&asked.cookie),
    )
    .await;
    assert_eq!(
        (unknown.status, &unknown.body),
        (replayed.status, &replayed.body)
    );
    let headers = |reply: &Reply| {
        let names = reply.headers.keys().map(ToString::to_string);
        names.collect::<Vec<_>>()
    };
    assert_eq!(headers(&unknown), headers(&replayed));
    let code = json!({ "email": MAIL, "otp": asked.code, "challenge_id": asked.id });
    server
        .post(VERIFY, &code)
        .await
        .is_error(400, "invalid_otp", "Invalid OTP");
}

#[tokio::test]
async fn whoever_did_not_ask_stops_it_from_the_page_and_from_the_message() {
    let server = Server::start();
    for from_message in [false, true] {
        let asked = ask(&server, &test_user()).await;
        if from_message {
            let page = server.get(&format!("{}&disown=1", path(&asked.link))).await;
            let main = page.body.split("class=\"main\">").nth(1).unwrap();
            assert!(main.starts_with("This was not me"), "{}", page.body);
        }
        let stopped = press(&server, &asked.token, "&disown=1", None).await;
        assert!(
            stopped.status == 200 && stopped.body.contains("stopped"),
            "{stopped:?}"
        );
        let link = press(&server, &asked.token, "", Some(&asked.cookie)).await;
        assert_eq!(link.status, 400);
        let code = json!({ "email": MAIL, "otp": asked.code, "challenge_id": asked.id });
        let code = server.post(VERIFY, &code).await;
        code.is_error(400, "invalid_otp", "Invalid OTP");
    }
    assert_eq!(
        server
            .log()
            .matches("identity.auth.challenge_disowned")
            .count(),
        2
    );
}

#[tokio::test]
async fn open_redirects_are_refused_and_the_allowed_address_is_gone_on_to() {
    let server = Server::with(&[("OTP_RETURN_URLS", INBOX)]);
    for strange in [
        "https://evil.example/",
        "//evil.example",
        "/inbox",
        "https://app.example.com/inbox",
        "https://app.example.com/inbox?from=link#x",
        "https://app.example.com/inbox?from=link&next=https://evil.example",
        "https://app.example.com@evil.example/inbox?from=link",
        "javascript:alert(1)",
    ] {
        let body = json!({ "user_id": "test-user", "return_to": strange });
        let reply = server.post(START, &body).await;
        reply.is_error(400, "invalid_return_to", "Return address not allowed");
    }
    let body = json!({ "user_id": "test-user", "return_to": INBOX });
    let asked = ask(&server, &body).await;
    let page = server.get(path(&asked.link)).await;
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://app.example.com;"),
        "{policy}"
    );
    let more = "&return_to=https://evil.example/";
    let gone = press(&server, &asked.token, more, Some(&asked.cookie)).await;
    assert_eq!((gone.status, gone.header("location")), (303, Some(INBOX)));
}

#[tokio::test]
async fn a_hostile_host_header_is_in_no_link_and_no_page() {
    let settings = [("PUBLIC_BASE_URL", "https://id.example.com")];
    let server = Server::with(&settings);
    let start = server.client.post(server.url(START)).json(&test_user());
    let start = start
        .header("host", "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let reply = Reply::of(start).await;
    let link = reply.text("preview_link");
    assert!(
        link.starts_with("https://id.example.com/auth/link?token="),
        "{link}"
    );
    let page = server.client.get(server.url(path(&link)));
    let page = Reply::of(page.header("host", "evil.example")).await;
    let shown = format!("{page:?}{reply:?}");
    assert!(!shown.contains("evil.example"), "{shown}");
}

#[tokio::test]
async fn over_plain_http_to_the_outside_no_link_is_sent() {
    let server = Server::with(&[("PUBLIC_BASE_URL", "http://id.example.com")]);
    let reply = server.post(START, &test_user()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.json().get("preview_link").is_none());
    assert!(reply.header("set-cookie").is_none());
    let refused = Server::refused(&[("OTP_RETURN_URLS", "http://app.example.com/")]);
    assert!(
        refused.stderr.contains("OTP_RETURN_URLS"),
        "{}",
        refused.stderr
    );
}

#[tokio::test]
async fn two_hundred_parallel_posts_are_one_sign_in() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "10000")]);
    let asked = ask(&server, &test_user()).await;
    let body = json!({ "token": asked.token });
    let posts = (0..200).map(|_| {
        let request = server.client.post(server.url(PAGE)).json(&body);
        tokio::spawn(Reply::of(request.header("cookie", &asked.cookie)))
    });
    let posts: Vec<_> = posts.collect();
    let mut wins = 0;
    for post in posts {
        wins += usize::from(post.await.unwrap().status == 200);
    }
    assert_eq!(wins, 1);
}

#[tokio::test]
async fn nobody_learns_from_a_start_whether_there_is_such_a_user() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let mut settings = twilio.settings();
    settings.extend([
        ("SENDGRID_API_KEY", "SG.key-of-tests"),
        ("SENDGRID_FROM", "noreply@example.com"),
        ("SENDGRID_BASE_URL", "http://127.0.0.1:9"),
    ]);
    let server = Server::with(&settings);
    let mut shapes = Vec::new();
    for user in ["test-user", "nobody"] {
        let reply = server.post(START, &json!({ "user_id": user })).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let names: Vec<String> = reply.headers.keys().map(ToString::to_string).collect();
        let cookie = reply.header("set-cookie").map(str::len);
        shapes.push((names, cookie, reply.body.len()));
    }
    assert_eq!(shapes[0], shapes[1]);
}

#[tokio::test]
async fn no_log_line_of_any_level_and_no_file_has_a_link_in_it() {
    let server = Server::with(&[("RUST_LOG", "trace")]);
    let asked = ask(&server, &test_user()).await;
    server.get(path(&asked.link)).await;
    press(&server, &asked.token, "", None).await;
    press(&server, &asked.token, "", Some(&asked.cookie)).await;
    press(&server, &asked.token, "&disown=1", None).await;
    // The first half names the challenge; the secret is in the second.
    let secret = &asked.token[asked.token.len() - 40..];
    let value = asked.cookie.split_once('=').unwrap().1.to_owned();
    for (file, content) in server.files() {
        for secret in [secret, &value] {
            let found = content
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{file}");
        }
    }
    let log = server.whole_log();
    assert!(
        log.contains("identity.auth.challenge_disowned"),
        "the log was captured"
    );
    for secret in [secret, &value] {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn whoever_was_signed_in_hears_it_again_and_nobody_else_does() {
    let server = Server::start();
    let asked = ask(&server, &test_user()).await;
    let first = press(&server, &asked.token, "", Some(&asked.cookie)).await;
    let set = first.header("set-cookie").unwrap();
    let session = set.split(';').next().unwrap();
    let both = format!("{}; {session}", asked.cookie);
    let again = press(&server, &asked.token, "", Some(&both)).await;
    assert_eq!(again.status, 200, "{again:?}");
    assert!(again.body.contains("You are signed in already"));
    assert!(again.header("set-cookie").is_none());
    let forged = format!("{}; {SESSION}=nobodys", asked.cookie);
    for (more, cookie) in [("", asked.cookie.as_str()), ("", &forged)] {
        let refused = press(&server, &asked.token, more, Some(cookie)).await;
        assert_eq!(refused.status, 400, "{more} {cookie}: {refused:?}");
        assert!(!refused.body.contains("signed in already"));
    }
    let program = post(&server, &json!({ "token": asked.token }), Some(&both)).await;
    program.is_error(400, "invalid_link", "Invalid or expired link");
}
