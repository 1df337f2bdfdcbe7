use crate::support::Server;

const TWILIO: [(&str, &str); 3] = [
    ("TWILIO_ACCOUNT_SID", "AC00000000000000000000000000000001"),
    ("TWILIO_AUTH_TOKEN", "canary-value-of-a-token"),
    ("TWILIO_FROM", "+15005550006"),
];
const SENDGRID: [(&str, &str); 2] = [
    ("SENDGRID_API_KEY", "SG.canary-value"),
    ("SENDGRID_FROM", "no-reply@example.com"),
];
const SEED: (&str, &str) = ("SECRET_KEY", "canary-value-0123456789-abcdefghij-klm");

/// Starts with settings and checks that one line names the key, and no value.
#[track_caller]
fn refuses(key: &str, settings: &[(&str, &str)]) {
    let refusal = Server::refused(settings);
    let stderr = refusal.stderr.trim_end();
    assert_eq!(refusal.code, Some(2), "{key}: {stderr}");
    assert_eq!(refusal.stdout, "");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.starts_with(&format!("error: {key}: ")), "{stderr}");
    for (_, value) in settings.iter().filter(|(_, value)| value.len() > 8) {
        assert!(!stderr.contains(value), "{stderr}");
    }
    assert!(!stderr.contains("canary"), "{stderr}");
}

fn without<'a>(key: &str, all: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    all.iter()
        .copied()
        .filter(|(name, _)| *name != key)
        .collect()
}

fn with<'a>(all: &[(&'a str, &'a str)], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [all, more].concat()
}

#[test]
fn half_a_provider_is_refused_in_development_too() {
    refuses(
        "TWILIO_ACCOUNT_SID",
        &without("TWILIO_ACCOUNT_SID", &TWILIO),
    );
    refuses("TWILIO_AUTH_TOKEN", &without("TWILIO_AUTH_TOKEN", &TWILIO));
    refuses("TWILIO_FROM", &without("TWILIO_FROM", &TWILIO));
    let service = (
        "TWILIO_MESSAGING_SERVICE_SID",
        "MG00000000000000000000000000000001",
    );
    refuses("TWILIO_FROM", &with(&TWILIO, &[service]));
    let nonsense = ("TWILIO_VERIFY_SERVICE_SID", "zz");
    refuses(nonsense.0, &with(&TWILIO, &[nonsense]));
    let half_key = ("TWILIO_API_KEY_SID", "SK00000000000000000000000000000001");
    refuses("TWILIO_API_KEY_SECRET", &with(&TWILIO, &[half_key]));
    refuses(
        "TWILIO_API_KEY_SID",
        &with(&TWILIO, &[("TWILIO_API_KEY_SECRET", "canary-value")]),
    );
    refuses("SENDGRID_FROM", &without("SENDGRID_FROM", &SENDGRID));
    refuses("SENDGRID_API_KEY", &without("SENDGRID_API_KEY", &SENDGRID));
    for provider in OTHERS {
        let values: Vec<_> = provider.iter().map(|key| (*key, "canary-value")).collect();
        for key in provider {
            refuses(key, &without(key, &values));
        }
    }
}

/// What each of the other providers needs.
const OTHERS: [&[&str]; 4] = [
    &["PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN", "PLIVO_FROM"],
    &["VONAGE_API_KEY", "VONAGE_API_SECRET", "VONAGE_FROM"],
    &[
        "WHATSAPP_TOKEN",
        "WHATSAPP_PHONE_NUMBER_ID",
        "WHATSAPP_TEMPLATE",
    ],
    &["SMTP_URL", "SMTP_FROM"],
];

#[test]
fn a_bad_value_is_refused_by_the_name_of_its_key() {
    let cases = [
        ("BIND_ADDR", "canary-host"),
        ("ADMIN_BIND_ADDR", "canary:9090"),
        ("PUBLIC_BASE_URL", "ftp://canary.example"),
        ("NEXT_PUBLIC_APP_URL", "canary"),
        ("NEXT_PUBLIC_APP_URL", "canary.example?x=1"),
        ("SENDGRID_BASE_URL", "http://canary.example"),
        ("VONAGE_BASE_URL", "canary"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"),
        ("DATABASE_URL", "oracle://user:canary@db/otp"),
        ("DATABASE_FALLBACK_URL", "sqlite:canary.db"),
        ("DATABASE_URL", "canary.db"),
        ("DATABASE_URL", "sqlite:"),
        ("REDIS_URL", "memcached://:canary@localhost"),
        ("OTP_REDIS_OUTAGE", "canary"),
        ("OTP_INSTANCES", "0"),
        ("OTP_KEYS", "canary-without-a-colon"),
        ("OTP_KEYS", "short:Y2FuYXJ5"),
        ("OTP_KEYS_FILE", "/nowhere/canary"),
        ("SECRET_KEY", "canary"),
        ("OTP_HASHER", "canary-md5"),
        ("DEV_MODE", "canary"),
        ("DEV_PREVIEW_CODE", "12345"),
        ("DEV_PREVIEW_CODE", "canary"),
        ("RATE_LIMIT_REQUESTS", "0"),
        ("RATE_LIMIT_REQUESTS", "10001"),
        ("RATE_LIMIT_REQUESTS", "-1"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "0"),
        ("RUST_LOG", "otp_kit=canary"),
        ("CORS_ORIGINS", "canary"),
        ("OTP_CONFIG", "/etc/canary.yaml"),
        ("OTP_HASHR", "canary"),
        ("TWILIO_ACOUNT_SID", "canary"),
        ("OTP_BRAND", "canary\u{202e}name"),
        ("OTP_CHANNEL_ORDER", "sms,canary"),
        ("OTP_WEBHOOK_AGE", "4"),
        ("OTP_ORIGIN", "https://canary.example"),
    ];
    for (key, value) in cases {
        refuses(key, &[(key, value)]);
    }
    for (key, value) in [
        ("TWILIO_ACCOUNT_SID", "canary"),
        ("TWILIO_AUTH_TOKEN", "canary with spaces"),
        ("TWILIO_FROM", "canary-too-long-for-a-sender"),
        ("TWILIO_BASE_URL", "http://canary.example.com"),
    ] {
        refuses(key, &with(&without(key, &TWILIO), &[(key, value)]));
    }
    let base = ("SENDGRID_BASE_URL", "http://192.0.2.1");
    refuses("SENDGRID_BASE_URL", &with(&SENDGRID, &[base]));
    refuses("SENDGRID_FROM", &[SENDGRID[0], ("SENDGRID_FROM", "canary")]);
}

#[test]
fn production_needs_a_provider_and_keys_and_has_no_preview_code() {
    let production = ("DEV_MODE", "false");
    refuses("TWILIO_ACCOUNT_SID", &[production, SEED]);
    refuses("OTP_KEYS", &with(&TWILIO, &[production]));
    let both = [
        ("OTP_KEYS", "a:canary"),
        ("OTP_KEYS_FILE", "/nowhere/canary"),
    ];
    refuses("OTP_KEYS", &both);
    let code = [production, SEED, ("DEV_PREVIEW_CODE", "123456")];
    refuses("DEV_PREVIEW_CODE", &with(&TWILIO, &code));
}

#[test]
fn an_address_in_use_is_refused_by_the_name_of_its_key() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refusal = Server::refused(&[("BIND_ADDR", &address)]);
    assert_eq!(refusal.code, Some(1));
    assert!(
        refusal.stderr.contains("error: BIND_ADDR: "),
        "{}",
        refusal.stderr
    );
}

#[tokio::test]
async fn what_is_empty_is_not_set_and_a_collector_that_is_none_stops_the_start() {
    let server = Server::with(&[("TWILIO_FROM", ""), ("REDIS_URL", "")]);
    assert_eq!(server.get("/readyz").await.status, 200);
    for bad in ["collector:4317", "http://user:secret@collector.example"] {
        let refusal = Server::refused(&[("OTEL_EXPORTER_OTLP_ENDPOINT", bad)]);
        let line = "error: OTEL_EXPORTER_OTLP_ENDPOINT: must be an http or https address";
        assert!(refusal.stderr.contains(line), "{}", refusal.stderr);
        assert!(!refusal.stderr.contains("secret"), "{}", refusal.stderr);
    }
}

#[tokio::test]
async fn every_hasher_signs_in() {
    for hasher in ["argon2id", "bcrypt", "hmac"] {
        let server = Server::with(&[("OTP_HASHER", hasher)]);
        let phone = crate::support::PHONE;
        let body = crate::support::body_of_request(phone);
        let code = server
            .post("/api/auth/otp/request", &body)
            .await
            .text("preview_code");
        let body = crate::support::body_of_verify(phone, &code);
        assert_eq!(
            server.post("/api/auth/verify-otp", &body).await.status,
            200,
            "{hasher}"
        );
    }
}

/// Writes a policy and starts with it.
fn refuses_policy(text: &str, expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    std::fs::write(&path, text).unwrap();
    let refusal = Server::refused(&[("OTP_CONFIG", path.to_str().unwrap())]);
    assert_eq!(refusal.code, Some(2), "{}", refusal.stderr);
    assert_eq!(refusal.stderr, format!("error: OTP_CONFIG: {expected}\n"));
}

#[test]
fn a_policy_that_cannot_be_is_refused_by_line_and_key() {
    refuses_policy(
        "auth:\n  sms_otp:\n    enabeld: false\n",
        "line 3: auth.sms_otp.enabeld: is not a setting",
    );
    refuses_policy(
        "rate_limiting:\n  per_ip: { window: soon, max_attempts: 3 }\n",
        "line 2: rate_limiting.per_ip.window: must be a time such as 90s, 5m, 1h or 30d",
    );
    refuses_policy(
        "auth:\n  captcha:\n    enabled: true\n    threshold: 3\n",
        "auth.captcha: needs provider and secret_key_file, or CAPTCHA_PROVIDER and CAPTCHA_SECRET",
    );
    refuses_policy(
        "database:\n  primary: postgres\n  fallback: sqlite\n  fallback_mode: readonly\n",
        "database.primary: is not what DATABASE_URL names",
    );
}

#[test]
fn twilio_verify_beside_a_sender_is_not_asked_and_the_log_says_so() {
    let service = (
        "TWILIO_VERIFY_SERVICE_SID",
        "VA00000000000000000000000000000001",
    );
    let server = Server::with(&with(&TWILIO, &[("DEV_MODE", "false"), service]));
    let log = server.whole_log();
    assert!(
        log.contains("TWILIO_VERIFY_SERVICE_SID is set beside"),
        "{log}"
    );
}

#[test]
fn a_name_that_is_nearly_one_of_ours_stops_the_start_and_says_which_was_meant() {
    for (slip, meant) in [
        ("TRUSTED_PROXY", "TRUSTED_PROXIES"),
        ("TRUSTED_PROXYS", "TRUSTED_PROXIES"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("REDIS_URI", "REDIS_URL"),
        ("ADMIN_TOKNS", "ADMIN_TOKENS"),
        ("SECRETKEY", "SECRET_KEY"),
        ("DEVMODE", "DEV_MODE"),
        ("RATE_LIMIT", "RATE_LIMIT_REQUESTS"),
        ("PUBLIC_URL", "PUBLIC_BASE_URL"),
        ("DATABASE_FALLBACK", "DATABASE_FALLBACK_URL"),
        ("DATABSE_URL", "DATABASE_URL"),
        ("TLS_CERTS", "TLS_CERT"),
        ("OTP_HASHR", "OTP_HASHER"),
    ] {
        refuses(slip, &[(slip, "canary-value")]);
        let said = Server::refused(&[(slip, "canary-value")]).stderr;
        let line = format!("error: {slip}: is not a setting of this server: {meant} is\n");
        assert_eq!(said, line);
    }
}

#[test]
fn names_of_other_programs_stop_nobody() {
    drop(Server::with(&[
        ("DATABASE_HOST", "db"),
        ("DATABASE_PORT", "5432"),
        ("DATABASE_USER", "app"),
        ("DATABASE_SSL", "true"),
        ("REDIS_TLS_URL", "rediss://redis"),
        ("REDIS_TTL", "60"),
        ("ACCESS_TOKEN", "abc"),
        ("AWS_SECRET_KEY", "abc"),
        ("NEXT_PUBLIC_URL", "/"),
        ("SECRET", "abc"),
        ("TLS_CA", "/etc/ca.pem"),
        // A platform gives both, and one of them is ours.
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("TRUSTED_PROXY", "10.0.0.1"),
    ]));
}

/// Counts the warnings of a start that name a setting.
fn warned(settings: &[(&str, &str)], name: &str) -> usize {
    let log = Server::with(settings).whole_log();
    log.lines()
        .filter(|line| line.contains("WARN") && line.contains(name))
        .count()
}

#[test]
fn proxies_that_strangers_are_among_are_a_warning_and_one_s_own_are_none() {
    for (networks, warnings) in [("0.0.0.0/0", 1), ("10.0.0.0/8, ::/0", 1), ("10.0.0.0/8", 0)] {
        let settings = [("TRUSTED_PROXIES", networks)];
        assert_eq!(warned(&settings, "TRUSTED_PROXIES"), warnings, "{networks}");
    }
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_is_a_warning_once() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("keys");
    std::fs::write(&file, crate::support::server::KEYS).unwrap();
    for (mode, warnings) in [(0o644, 1), (0o640, 1), (0o600, 0), (0o400, 0)] {
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        let settings = [("OTP_KEYS", ""), ("OTP_KEYS_FILE", file.to_str().unwrap())];
        assert_eq!(warned(&settings, "OTP_KEYS_FILE"), warnings, "{mode:o}");
    }
}
