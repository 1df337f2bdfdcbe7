//! A captcha in front of `otp/request`, checked with a stand-in of its vendor.

use std::path::Path;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::Uri;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

/// A vendor that passes tokens that begin with `good`, and what it was asked.
struct Vendor {
    base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Vendor {
    async fn start() -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&asked));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base, asked }
    }

    fn settings<'a>(&'a self, after: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("CAPTCHA_PROVIDER", "hcaptcha"),
            ("CAPTCHA_SECRET", "canary-captcha-secret"),
            ("CAPTCHA_HOSTNAMES", "www.example.com, login.example.com"),
            ("CAPTCHA_BASE_URL", &self.base),
            ("CAPTCHA_AFTER", after),
        ]
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

async fn answer(State(asked): State<Arc<Mutex<Vec<String>>>>, uri: Uri, body: String) -> String {
    assert_eq!(uri.path(), "/siteverify");
    let passes = body.contains("response=good");
    asked.lock().unwrap().push(body);
    json!({ "success": passes, "hostname": "login.example.com" }).to_string()
}

fn with_token(field: &str, token: impl Into<Value>) -> Value {
    let mut body = body_of_request(PHONE);
    body[field] = token.into();
    body
}

#[tokio::test]
async fn three_wrong_codes_ask_for_a_captcha_and_a_solved_one_goes_on() {
    let vendor = Vendor::start().await;
    let server = Server::with(&vendor.settings("3"));
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let code = reply.text("preview_code");
    for _ in 0..3 {
        let guess = body_of_verify(PHONE, &wrong(&code));
        assert_eq!(server.post(VERIFY, &guess).await.status, 400);
    }
    let asked = server.post(START, &body_of_request(PHONE)).await;
    asked.is_error(403, "captcha_required", "Captcha required");
    // The address failed three times: whom it asks for makes no difference.
    let asked = server.post(START, &body_of_request(OTHER_PHONE)).await;
    asked.is_error(403, "captcha_required", "Captcha required");
    assert_eq!(vendor.asked(), 0);

    let bad = server
        .post(START, &with_token("captcha_token", "bad-1"))
        .await;
    bad.is_error(403, "captcha_failed", "Captcha failed");
    let good = server
        .post(START, &with_token("captcha_token", "good-1"))
        .await;
    assert_eq!(good.status, 200, "{good:?}");
    let again = server
        .post(START, &with_token("captcha_token", "good-1"))
        .await;
    again.is_error(403, "captcha_failed", "Captcha failed");
    assert_eq!(vendor.asked(), 2);
    let log = server.whole_log();
    for secret in ["good-1", "bad-1", "canary-captcha-secret"] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[tokio::test]
async fn the_token_is_found_where_each_vendors_widget_puts_it() {
    let vendor = Vendor::start().await;
    let server = Server::with(&vendor.settings("0"));
    let fields = [
        "captcha_token",
        "h-captcha-response",
        "cf-turnstile-response",
        "g-recaptcha-response",
    ];
    for (index, field) in fields.into_iter().enumerate() {
        let body = with_token(field, format!("good-{index}"));
        let reply = server.post(START, &body).await;
        assert_eq!(reply.status, 200, "{field}: {reply:?}");
    }
    for (no_token, code) in [
        (json!(null), "captcha_required"),
        (json!(""), "captcha_required"),
        (json!("two words"), "captcha_required"),
        (json!(7), "captcha_failed"),
        (json!(["good-9"]), "captcha_failed"),
    ] {
        let reply = server
            .post(START, &with_token("captcha_token", no_token))
            .await;
        assert_eq!((reply.status, reply.text("code").as_str()), (403, code));
    }
    let mut two = with_token("captcha_token", "good-8");
    two["h-captcha-response"] = json!("good-9");
    let reply = server.post(START, &two).await;
    reply.is_error(403, "captcha_failed", "Captcha failed");
    assert_eq!(vendor.asked(), 4);
}

#[tokio::test]
async fn a_vendor_that_is_away_is_an_outage_unless_it_is_said_otherwise() {
    let nowhere = ("CAPTCHA_BASE_URL", "http://127.0.0.1:1");
    let vendor = Vendor::start().await;
    let mut settings = vendor.settings("0");
    settings.retain(|(key, _)| *key != "CAPTCHA_BASE_URL");
    settings.push(nowhere);
    let server = Server::with(&settings);
    let reply = server
        .post(START, &with_token("captcha_token", "good-1"))
        .await;
    reply.is_error(503, "unavailable", "Service unavailable");
    assert!(reply.header("retry-after").is_some());
    let log = server.whole_log();
    assert!(log.contains("a request could not be served"), "{log}");
    assert!(log.contains("no verdict from outside"), "{log}");
    assert!(!log.contains("the store failed"), "{log}");
    settings.push(("CAPTCHA_OUTAGE", "allow"));
    let server = Server::with(&settings);
    let reply = server
        .post(START, &with_token("captcha_token", "good-1"))
        .await;
    assert_eq!(reply.status, 200, "{reply:?}");
}

/// The captcha that an operator turns on in an incident, its keys beside it.
fn incident(folder: &Path, rest: &str) -> String {
    let key = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let site = key(
        "hcaptcha_site_key.secret",
        "10000000-ffff-ffff-ffff-000000000001\n",
    );
    let secret = key("hcaptcha_secret_key.secret", "canary-captcha-secret\n");
    let policy = format!(
        "auth:\n  captcha:\n    provider: \"hcaptcha\"\n    site_key_file: \"{site}\"\n    \
         secret_key_file: \"{secret}\"\n{rest}",
    );
    key("policy.yaml", &policy)
}

#[tokio::test]
async fn the_captcha_of_an_incident_is_a_file_and_nothing_else() {
    let vendor = Vendor::start().await;
    let folder = tempfile::tempdir().unwrap();
    let policy = incident(folder.path(), "    enabled: true\n    threshold: 1\n");
    let server = Server::with(&[
        ("OTP_CONFIG", &policy),
        ("NEXT_PUBLIC_APP_URL", "https://login.example.com/app"),
        ("CAPTCHA_BASE_URL", &vendor.base),
    ]);
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let guess = body_of_verify(PHONE, &wrong(&reply.text("preview_code")));
    assert_eq!(server.post(VERIFY, &guess).await.status, 400);
    let asked = server.post(START, &body_of_request(PHONE)).await;
    asked.is_error(403, "captcha_required", "Captcha required");
    let body = with_token("captcha_token", "good-1");
    let good = server.post(START, &body).await;
    assert_eq!(good.status, 200, "{good:?}");
    let asked = vendor.asked.lock().unwrap().join("\n");
    for part in [
        "secret=canary-captcha-secret&",
        "sitekey=10000000-ffff-ffff-ffff-000000000001",
    ] {
        assert!(asked.contains(part), "{asked}");
    }

    // Without an address of its own, development is on this machine.
    let server = Server::with(&[("OTP_CONFIG", &policy)]);
    assert_eq!(server.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_captcha_that_is_turned_off_stays_off_until_a_variable_turns_it_on() {
    let vendor = Vendor::start().await;
    let folder = tempfile::tempdir().unwrap();
    let policy = incident(folder.path(), "    enabled: false\n");
    let mut settings = vendor.settings("0");
    settings.push(("OTP_CONFIG", &policy));
    let on = Server::with(&settings);
    let asked = on.post(START, &body_of_request(PHONE)).await;
    asked.is_error(403, "captcha_required", "Captcha required");

    settings.retain(|(key, _)| *key != "CAPTCHA_AFTER");
    let off = Server::with(&settings);
    let reply = off.post(START, &body_of_request(PHONE)).await;
    let guess = body_of_verify(PHONE, &wrong(&reply.text("preview_code")));
    for _ in 0..3 {
        assert_eq!(off.post(VERIFY, &guess).await.status, 400);
    }
    let reply = off.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");

    // What is off needs no keys.
    std::fs::remove_file(folder.path().join("hcaptcha_secret_key.secret")).unwrap();
    let off = Server::with(&[("OTP_CONFIG", &policy)]);
    assert_eq!(off.get("/readyz").await.status, 200);
}

#[tokio::test]
async fn a_variable_that_is_not_set_leaves_what_the_file_says_of_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let rest = "    on_outage: allow\n    enabled: true\n";
    let policy = incident(folder.path(), rest);
    let settings = [
        ("OTP_CONFIG", policy.as_str()),
        ("CAPTCHA_BASE_URL", "http://127.0.0.1:1"),
        ("CAPTCHA_OUTAGE", "refuse"),
    ];
    for (settings, status) in [(&settings[..2], 200), (&settings[..], 503)] {
        let server = Server::with(settings);
        let body = with_token("captcha_token", "good-1");
        let reply = server.post(START, &body).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
}

#[test]
fn a_captcha_of_a_file_that_cannot_be_built_stops_the_start_with_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let policy = incident(folder.path(), "    enabled: true\n");
    let refuses = |expected: &str| {
        let refusal = Server::refused(&[("OTP_CONFIG", &policy)]);
        assert_eq!(refusal.code, Some(2), "{}", refusal.stderr);
        assert_eq!(
            refusal.stderr.trim_end(),
            format!("error: OTP_CONFIG: {expected}")
        );
    };
    let edit = |from: &str, to: &str| {
        let text = std::fs::read_to_string(&policy).unwrap();
        std::fs::write(&policy, text.replace(from, to)).unwrap();
    };
    std::fs::remove_file(folder.path().join("hcaptcha_secret_key.secret")).unwrap();
    refuses("auth.captcha.secret_key_file: names a file that cannot be read");
    edit("\"hcaptcha\"", "canary");
    refuses("auth.captcha.provider: must be hcaptcha, turnstile, recaptcha_v2 or recaptcha_v3");
}

#[test]
fn half_a_captcha_stops_the_start_with_one_line() {
    let whole = [
        ("CAPTCHA_PROVIDER", "hcaptcha"),
        ("CAPTCHA_SECRET", "canary-captcha-secret"),
        ("CAPTCHA_HOSTNAMES", "login.example.com"),
    ];
    let refuses = |key: &str, settings: &[(&str, &str)]| {
        let refusal = Server::refused(settings);
        assert_eq!(refusal.code, Some(2), "{}", refusal.stderr);
        let line = refusal.stderr.trim_end();
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.starts_with(&format!("error: {key}: ")), "{line}");
        assert!(!line.contains("canary"), "{line}");
    };
    for (missing, _) in whole {
        let rest: Vec<_> = whole
            .into_iter()
            .filter(|(key, _)| *key != missing)
            .collect();
        refuses(missing, &rest);
    }
    refuses("CAPTCHA_PROVIDER", &[("CAPTCHA_AFTER", "3")]);
    refuses(
        "CAPTCHA_PROVIDER",
        &[("CAPTCHA_BASE_URL", "https://captcha.example.com")],
    );
    for (key, value) in [
        ("CAPTCHA_PROVIDER", "canary"),
        ("CAPTCHA_HOSTNAMES", "https://canary.example.com"),
        ("CAPTCHA_AFTER", "canary"),
        ("CAPTCHA_AFTER", "1001"),
        ("CAPTCHA_ACTION", "hcaptcha-has-none"),
        ("CAPTCHA_OUTAGE", "open"),
        ("CAPTCHA_BASE_URL", "http://captcha.example.com"),
        ("CAPTCHA_SITEKEY", "canary"),
    ] {
        let mut settings: Vec<_> = whole.into_iter().filter(|(name, _)| *name != key).collect();
        settings.push((key, value));
        refuses(key, &settings);
    }
    let v3 = [("CAPTCHA_PROVIDER", "recaptcha_v3"), whole[1], whole[2]];
    refuses("CAPTCHA_ACTION", &v3);
}

#[tokio::test]
async fn an_operator_sees_why_a_captcha_is_asked_for_and_takes_it_back() {
    const TOKEN: &str = "token-of-mike-0123456789";
    let vendor = Vendor::start().await;
    let mut settings = vendor.settings("3");
    settings.push(("ADMIN_TOKEN", TOKEN));
    let server = Server::with(&settings);
    let ask = async |path: &str, whom: &Value| {
        let request = server.client.post(format!("http://{}{path}", server.admin));
        let reply = Reply::of(request.header("x-admin-token", TOKEN).json(whom)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    };
    let reply = server.post(START, &body_of_request(PHONE)).await;
    let code = reply.text("preview_code");
    for _ in 0..3 {
        let guess = body_of_verify(PHONE, &wrong(&code));
        server.post(VERIFY, &guess).await;
    }
    let whole = [json!({ "phone": PHONE }), json!({ "ip": "127.0.0.1" })];
    for whom in &whole {
        let told = ask("/admin/otp/explain", whom).await;
        let captcha = told["captcha"].as_array().unwrap();
        assert_eq!(captcha.len(), 1, "{told}");
        let line = captcha[0].as_str().unwrap();
        assert!(line.contains(": 3 refused tries in "), "{line}");
        let refused = told["refused_by"].as_array().unwrap();
        assert!(refused.contains(&json!("captcha_required")), "{told}");
        let classes = told["budgets"].as_array().unwrap();
        assert_eq!(classes.len(), if whom.get("ip").is_some() { 0 } else { 3 });
    }
    let reply = server.post(START, &body_of_request(PHONE)).await;
    reply.is_error(403, "captcha_required", "Captcha required");
    for whom in &whole {
        let dry = ask("/admin/otp/limits/clear?dry_run=true", whom).await;
        assert_eq!(
            ask("/admin/otp/limits/clear", whom).await["sample"],
            dry["sample"]
        );
        assert_eq!(ask("/admin/otp/explain", whom).await["captcha"], json!([]));
    }
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
}
