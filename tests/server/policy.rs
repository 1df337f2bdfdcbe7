//! The policy while the server runs: published to a fleet, overridden for a while, waived by the
//! environment.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::support::{PHONE, Reply, Server, body_of_request};

const TOKENS: (&str, &str) = ("ADMIN_TOKENS", "mike:token-of-mike-0123456789");
const TOKEN: &str = "token-of-mike-0123456789";
const POLICY: &str = "/admin/otp/policy";
const OVERRIDE: &str = "/admin/otp/override";
const START: &str = "/api/auth/otp/request";
const SMS_OFF: &str = "auth:\n  sms_otp:\n    enabled: false\n";
/// Long enough for a slow machine.
const PATIENCE: Duration = Duration::from_secs(30);

fn server() -> Server {
    Server::with(&[TOKENS])
}

fn request(server: &Server, method: Method, path: &str) -> reqwest::RequestBuilder {
    let url = format!("http://{}{path}", server.admin);
    let request = server.client.request(method, url);
    request
        .header("x-admin-token", TOKEN)
        .header("x-admin-reason", "an incident")
}

async fn put(server: &Server, path: &str, text: &'static str) -> Reply {
    let request = request(server, Method::PUT, path).header(CONTENT_TYPE, "application/yaml");
    Reply::of(request.body(text)).await
}

async fn seen(server: &Server) -> Value {
    let request = request(server, Method::GET, POLICY).header("accept", "application/json");
    let reply = Reply::of(request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

async fn override_with(server: &Server, method: Method, body: Value) -> Reply {
    Reply::of(request(server, method, OVERRIDE).json(&body)).await
}

async fn status(server: &Server) -> Value {
    server.get("/otp/status").await.json()
}

/// Asks again until the answer is there.
async fn until(mut there: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !there().await {
            tokio::task::yield_now().await;
        }
    };
    let came = tokio::time::timeout(PATIENCE, asked).await;
    came.expect("it comes");
}

async fn start(server: &Server) -> Reply {
    server.post(START, &body_of_request(PHONE)).await
}

#[tokio::test]
async fn a_document_that_turns_sms_off_holds_before_the_answer_and_goes_by_the_next_one() {
    let server = server();
    assert_eq!(start(&server).await.status, 200);
    let before = Reply::of(request(&server, Method::GET, POLICY)).await;
    assert_eq!(before.header("content-type"), Some("application/yaml"));
    assert_eq!(before.header("etag"), Some("\"0\""));
    for line in ["  mode: shadow\n", "  codes_longer_by: 0\n"] {
        assert!(before.body.contains(line), "{}", before.body);
    }

    let done = put(&server, POLICY, SMS_OFF).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(done.header("etag"), Some("\"1\""));
    let off = start(&server).await;
    off.is_error(400, "channel_unavailable", "Channel not available");
    assert_eq!(status(&server).await["channels"]["sms"], "disabled");
    let seen = seen(&server).await;
    assert_eq!(
        (&seen["version"], &seen["in_force"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(seen["text"], SMS_OFF);

    // Another fragment takes this one's place, and says what it takes back.
    let tight = "rate_limiting:\n  per_ip: [{ window: 5m, max: 10 }]\n";
    let dry = put(&server, "/admin/otp/policy?dry_run=true", tight).await;
    let said = dry.json()["sample"].clone();
    let takes_back = |line: &Value| *line == "auth.sms_otp.enabled: false -> true";
    assert!(said.as_array().unwrap().iter().any(takes_back), "{said}");
    assert_eq!(
        (&seen["author"], &seen["reason"]),
        (&json!("mike"), &json!("an incident"))
    );

    // What the first answer showed is the whole policy, and may be put back as it is.
    let back = request(&server, Method::PUT, POLICY).header(CONTENT_TYPE, "text/yaml");
    let back = Reply::of(back.header("if-match", "\"1\"").body(before.body)).await;
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(start(&server).await.status, 200);
}

#[tokio::test]
async fn a_document_that_is_empty_takes_nothing_back_unless_it_says_so() {
    let server = server();
    assert_eq!(put(&server, POLICY, SMS_OFF).await.status, 200);
    for empty in [
        "",
        "\n \n",
        "null\n",
        "~",
        "---\n# later\n...\n",
        "\u{feff}# none",
    ] {
        let refused = put(&server, POLICY, empty).await;
        let why = "the document is empty; {} puts the defaults in force";
        refused.is_error(400, "invalid_policy", why);
    }
    assert_eq!(status(&server).await["channels"]["sms"], "disabled");
    assert_eq!(put(&server, POLICY, "{}\n").await.status, 200);
    assert_eq!(start(&server).await.status, 200);
}

#[tokio::test]
async fn a_second_server_on_the_store_follows_within_seconds_and_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("shared.db").display());
    let place = ("DATABASE_URL", url.as_str());
    let (one, other) = (
        Server::with(&[TOKENS, place]),
        Server::with(&[TOKENS, place]),
    );
    assert_eq!(put(&one, POLICY, SMS_OFF).await.status, 200);
    until(async || status(&other).await["channels"]["sms"] == "disabled").await;
    let other = other.kill_and_restart();
    until(async || status(&other).await["channels"]["sms"] == "disabled").await;
    let stale = put(&other, &format!("{POLICY}?version=0"), SMS_OFF).await;
    stale.is_error(409, "conflict", "version 1 was published meanwhile");
}

#[tokio::test]
async fn of_two_who_write_over_one_version_the_second_hears_of_the_first() {
    let server = server();
    let over = format!("{POLICY}?version=0");
    assert_eq!(put(&server, &over, SMS_OFF).await.status, 200);
    for path in [over, format!("{POLICY}?version=0&dry_run=true")] {
        let late = put(&server, &path, "level: standard\n").await;
        late.is_error(409, "conflict", "version 1 was published meanwhile");
        assert_eq!(late.header("etag"), Some("\"1\""));
    }
    assert_eq!(seen(&server).await["text"], SMS_OFF);
    for path in ["?version=one", "?version="] {
        let wrong = put(&server, &format!("{POLICY}{path}"), SMS_OFF).await;
        assert_eq!(
            (wrong.status, wrong.text("code").as_str()),
            (400, "invalid_version")
        );
    }
    let two = request(&server, Method::PUT, &format!("{POLICY}?version=1"));
    let two = two
        .header("if-match", "\"0\"")
        .header(CONTENT_TYPE, "text/yaml");
    assert_eq!(
        Reply::of(two.body(SMS_OFF)).await.text("code"),
        "invalid_version"
    );
    let misspelt = put(&server, &format!("{POLICY}?vesion=0"), SMS_OFF).await;
    misspelt.is_error(400, "unknown_query", "Unknown query");
}

#[tokio::test]
async fn a_dry_run_checks_a_document_and_publishes_nothing() {
    let server = server();
    let dry = format!("{POLICY}?dry_run=true");
    let fine = put(&server, &dry, SMS_OFF).await;
    assert_eq!(
        fine.json(),
        json!({
            "status": "ok", "dry_run": true, "count": 1,
            "sample": ["version 1", "auth.sms_otp.enabled: true -> false"],
        })
    );
    let wrong = put(&server, &dry, "auth:\n  sms_otp:\n    enabeld: false\n").await;
    wrong.is_error(
        400,
        "invalid_policy",
        "line 3: auth.sms_otp.enabeld: is not a setting",
    );
    assert_eq!(start(&server).await.status, 200);
    assert_eq!(seen(&server).await["version"], 0);
}

#[tokio::test]
async fn a_bad_document_is_answered_with_its_line_in_either_language_and_changes_nothing() {
    let server = server();
    let bad = put(&server, POLICY, "auth: {}\nchallenge:\n  attempts: many\n").await;
    bad.is_error(
        400,
        "invalid_policy",
        "line 3: challenge.attempts: must be a number that is not too large",
    );
    let toml = async |text: &'static str| {
        let request = request(&server, Method::PUT, POLICY);
        let request = request.header(CONTENT_TYPE, "application/toml; charset=utf-8");
        Reply::of(request.body(text)).await
    };
    let wrong = toml("[auth.sms_otp]\nenabled = 1\n").await;
    wrong.is_error(
        400,
        "invalid_policy",
        "line 2: auth.sms_otp.enabled: must be true or false",
    );
    let problem = request(&server, Method::PUT, POLICY).header(CONTENT_TYPE, "text/yaml");
    let problem = problem
        .header("accept", "application/problem+json")
        .body("x: 1\n");
    let problem = Reply::of(problem).await.json();
    assert_eq!(problem["detail"], "line 1: x: is not a setting");
    // No captcha can be solved on this server.
    let captcha = put(&server, POLICY, "auth: { captcha: { enabled: true } }\n").await;
    assert_eq!(
        (captcha.status, captcha.text("code").as_str()),
        (400, "invalid_policy")
    );
    let json = Reply::of(request(&server, Method::PUT, POLICY).json(&json!({}))).await;
    assert_eq!(
        (json.status, json.text("code").as_str()),
        (415, "unsupported_media_type")
    );
    assert_eq!(seen(&server).await["version"], 0);
    assert_eq!(toml("[auth.sms_otp]\nenabled = false\n").await.status, 200);
    assert_eq!(seen(&server).await["text"], SMS_OFF);
}

#[tokio::test]
async fn an_override_holds_until_it_is_ended_and_says_whose_it_is() {
    let server = server();
    let off = json!({ "what": "channel_off", "channel": "sms", "reason": "x", "expires_in": 3600 });
    let path = format!("{OVERRIDE}?dry_run=true");
    let dry = Reply::of(request(&server, Method::POST, &path).json(&off)).await;
    assert_eq!(dry.json()["sample"], json!(["channel_off sms"]));
    assert_eq!(start(&server).await.status, 200);

    let begun = override_with(&server, Method::POST, off).await;
    assert_eq!(begun.status, 200, "{begun:?}");
    let id = begun.json()["sample"][0].clone();
    let refused = start(&server).await;
    refused.is_error(400, "channel_unavailable", "Channel not available");
    assert_eq!(status(&server).await["overrides"], json!(["channel_off"]));
    let held = seen(&server).await["overrides"][0].clone();
    assert_eq!((&held["id"], &held["by"]), (&id, &json!("mike")));
    let dashboard = request(&server, Method::GET, "/admin/otp/dashboard");
    let dashboard = Reply::of(dashboard).await.json();
    assert_eq!(dashboard["overrides"][0], held);
    let routes = dashboard["routes"].as_array().unwrap();
    let sms = routes.iter().find(|route| route["channel"] == "sms");
    assert_eq!(sms.unwrap()["health"], "Off", "{dashboard}");
    assert_eq!(
        dashboard["toll_fraud"],
        json!({ "mode": "shadow", "suspicions": [] })
    );
    assert_eq!(
        dashboard["fleet_alarm"],
        json!({ "alarmed": false, "wrong_codes_a_minute": 1000 })
    );

    let ended = override_with(&server, Method::DELETE, json!({ "id": id })).await;
    assert_eq!(ended.json()["sample"], json!(["channel_off sms"]));
    assert_eq!(start(&server).await.status, 200);
    let again = override_with(&server, Method::DELETE, json!({ "id": id })).await;
    again.is_error(404, "unknown_override", "No override in force has this id");
}

#[tokio::test]
async fn an_override_holds_on_every_server_of_the_store_and_any_of_them_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("shared.db").display());
    let place = ("DATABASE_URL", url.as_str());
    let (one, other) = (
        Server::with(&[TOKENS, place]),
        Server::with(&[TOKENS, place]),
    );
    let off = json!({ "what": "channel_off", "channel": "sms", "expires_in": 3600 });
    let germany = json!({ "what": "country_denied", "country": "DE", "expires_in": 3600 });
    let (first, second) = tokio::join!(
        override_with(&one, Method::POST, off),
        override_with(&other, Method::POST, germany),
    );
    assert_eq!((first.status, second.status), (200, 200));
    let id = first.json()["sample"][0].clone();
    for server in [&one, &other] {
        until(async || status(server).await["overrides"].as_array().map(Vec::len) == Some(2)).await;
        let refused = start(server).await;
        refused.is_error(400, "channel_unavailable", "Channel not available");
    }
    // Another document, and a restart, leave them.
    let text = "challenge: { attempts: 4 }\n";
    assert_eq!(put(&one, POLICY, text).await.status, 200);
    let other = other.kill_and_restart();
    until(async || status(&other).await["overrides"].as_array().map(Vec::len) == Some(2)).await;
    until(async || seen(&other).await["in_force"] == 1).await;

    let ended = override_with(&other, Method::DELETE, json!({ "id": id })).await;
    assert_eq!(
        ended.json()["sample"],
        json!(["channel_off sms"]),
        "{ended:?}"
    );
    assert_eq!(start(&other).await.status, 200);
    until(async || start(&one).await.status == 200).await;
    let again = override_with(&one, Method::DELETE, json!({ "id": id })).await;
    again.is_error(404, "unknown_override", "No override in force has this id");
    let left = json!(["country_denied"]);
    assert_eq!(status(&one).await["overrides"], left);
    assert_eq!(seen(&other).await["text"], text);
}

#[tokio::test]
async fn an_override_ends_by_itself() {
    let server = server();
    let off = json!({ "what": "channel_off", "channel": "sms", "expires_in": 1 });
    assert_eq!(override_with(&server, Method::POST, off).await.status, 200);
    until(async || status(&server).await["overrides"] == json!([])).await;
    assert_eq!(start(&server).await.status, 200);
}

#[tokio::test]
async fn every_kind_of_override_is_taken_and_one_with_a_member_too_many_is_not() {
    let server = server();
    let taken = [
        json!({ "what": "quota", "operation": "issue", "scope": "address", "max": 40, "window_seconds": 300 }),
        json!({ "what": "vip", "user_id": "test-user", "times": 3 }),
        json!({ "what": "vip", "phone": PHONE, "times": 2 }),
        json!({ "what": "channel_off", "channel": "voice" }),
        json!({ "what": "channel_on", "channel": "voice" }),
        json!({ "what": "country_denied", "country": "GB" }),
        json!({ "what": "second_factor_waived" }),
    ];
    for mut body in taken.clone() {
        body["expires_in"] = json!(60);
        let reply = override_with(&server, Method::POST, body.clone()).await;
        assert_eq!(reply.status, 200, "{body}: {reply:?}");
    }
    let held = status(&server).await["overrides"].clone();
    // A user is a VIP by id, phone and e-mail address.
    let names = taken.iter().flat_map(|body| {
        let times = if body["user_id"].is_string() { 3 } else { 1 };
        std::iter::repeat_n(body["what"].clone(), times)
    });
    assert_eq!(held, json!(names.collect::<Vec<_>>()));
    for body in [
        json!({ "what": "channel_off", "channel": "sms", "country": "US", "expires_in": 60 }),
        json!({ "what": "vip", "user_id": "a", "times": 11, "expires_in": 60 }),
        json!({ "what": "quota", "operation": "verify", "scope": "subject", "max": 1, "window_seconds": 60, "expires_in": 60 }),
        json!({ "what": "captcha_required", "expires_in": 60 }),
        json!({ "what": "nothing", "expires_in": 60 }),
        json!({ "expires_in": 60 }),
    ] {
        let reply = override_with(&server, Method::POST, body.clone()).await;
        assert_eq!(reply.status, 400, "{body}: {reply:?}");
        assert_eq!(reply.text("code"), "invalid_override", "{body}");
    }
    for life in [json!(0), json!(604_801), Value::Null] {
        let body = json!({ "what": "second_factor_waived", "expires_in": life });
        let reply = override_with(&server, Method::POST, body).await;
        reply.is_error(
            400,
            "invalid_expiry",
            "expires_in must be 1 to 604800 seconds",
        );
    }
    assert_eq!(status(&server).await["overrides"], held);
}

#[tokio::test]
async fn the_kill_switch_of_the_second_factor_ends_by_itself_and_shows_everywhere() {
    let switch = [
        TOKENS,
        ("ADMIN_MFA_REQUIRED", "false"),
        ("ADMIN_MFA_OVERRIDE_HOURS", "168"),
    ];
    let server = Server::with(&switch);
    assert_eq!(
        status(&server).await["overrides"],
        json!(["second_factor_waived"])
    );
    let held = seen(&server).await["overrides"][0].clone();
    assert_eq!(
        (&held["by"], &held["why"]),
        (&json!("environment"), &json!("ADMIN_MFA_REQUIRED=false"))
    );
    assert!(held["expires_at"].is_string());
    let audit = Reply::of(request(&server, Method::GET, "/admin/otp/audit")).await;
    let id = held["id"].as_str().unwrap();
    assert!(
        audit.body.contains(&format!("{id} second_factor_waived")),
        "{audit:?}"
    );
    let log = server.whole_log();
    assert!(
        log.contains("no second factor is asked for until "),
        "{log}"
    );

    assert_eq!(
        status(&Server::with(&[TOKENS])).await["overrides"],
        json!([])
    );
    for (key, value) in [
        ("ADMIN_MFA_OVERRIDE_HOURS", "0"),
        ("ADMIN_MFA_OVERRIDE_HOURS", "169"),
        ("ADMIN_MFA_REQUIRED", "no"),
    ] {
        let refused = Server::refused(&[(key, value)]);
        assert_eq!(refused.code, Some(2), "{key}={value}");
        assert!(refused.stderr.starts_with(&format!("error: {key}: ")));
    }
}

#[tokio::test]
async fn what_the_guard_would_say_of_a_phone_is_explained_and_it_refuses_nobody() {
    let server = server();
    // Numbers that follow one another, and codes that nobody types.
    for last in 0..12 {
        let phone = format!("+1415555{:04}", 200 + last);
        let reply = server.post(START, &body_of_request(&phone)).await;
        assert_eq!(reply.status, 200, "in shadow nobody is refused: {reply:?}");
    }
    let explain = request(&server, Method::POST, "/admin/otp/explain");
    let explain = Reply::of(explain.json(&json!({ "phone": "+14155550206" }))).await;
    let verdict = explain.json()["toll_fraud"].clone();
    assert_eq!(verdict["mode"], "shadow");
    assert_ne!(verdict["action"], "allow", "{verdict}");
    let whom = json!({ "user_id": "nobody" });
    let user = request(&server, Method::POST, "/admin/otp/explain").json(&whom);
    assert_eq!(Reply::of(user).await.json()["toll_fraud"], Value::Null);
    let dashboard = request(&server, Method::GET, "/admin/otp/dashboard");
    let dashboard = Reply::of(dashboard).await.json();
    let latest = &dashboard["toll_fraud"]["suspicions"][0];
    assert_eq!(latest["mode"], "shadow", "{dashboard}");
    assert!(!dashboard.to_string().contains("4155550"), "{dashboard}");
}
