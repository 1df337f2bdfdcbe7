//! `GET /metrics`, by what was caused.

use crate::support::twilio::{Answer, Twilio};
use crate::support::{OTHER_PHONE, PHONE, Reply, Server, body_of_request, body_of_verify, wrong};

const TOKEN: &str = "token-of-mike-0123456789";
const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
const WEBHOOK: &str = "/api/auth/mfa/webhook";
/// Made by `openssl dgst -sha1 -hmac` over the public URL and the sorted fields.
const SIGNATURE: &str = "6ILxOzLvKoI9fmrMG7HHOa/em1U=";
const FORM: &str = "MessageSid=SM00000000000000000000000000000009&MessageStatus=delivered\
    &AccountSid=AC00000000000000000000000000000001";

async fn scrape(server: &Server) -> Reply {
    let request = server
        .client
        .get(format!("http://{}/metrics", server.admin));
    Reply::of(request.header("x-admin-token", TOKEN)).await
}

#[track_caller]
fn says(text: &str, line: &str) {
    assert!(text.lines().any(|found| found == line), "{line} in {text}");
}

/// Finds the series of a family that has these labels, and gives its value.
#[track_caller]
fn value(text: &str, family: &str, labels: &[&str]) -> f64 {
    let starts = format!("{family}{{");
    let mut lines = text.lines().filter(|line| {
        line.starts_with(&starts) && labels.iter().all(|label| line.contains(label))
    });
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("{family}{labels:?} in {text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

async fn report(server: &Server, signature: &str) -> u16 {
    let request = server.client.post(server.url(WEBHOOK));
    let request = request
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-twilio-signature", signature)
        .body(FORM);
    request.send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn only_an_operator_reads_the_metrics_and_nobody_on_the_public_listener() {
    let server = Server::with(&[("ADMIN_TOKEN", TOKEN)]);
    let bare = server
        .client
        .get(format!("http://{}/metrics", server.admin));
    assert_eq!(Reply::of(bare).await.status, 401);
    let public = server.client.get(server.url("/metrics"));
    assert_eq!(
        Reply::of(public.header("x-admin-token", TOKEN))
            .await
            .status,
        404
    );
    let bearer = server
        .client
        .get(format!("http://{}/metrics", server.admin));
    let reply = Reply::of(bearer.bearer_auth(TOKEN)).await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
}

#[tokio::test]
async fn the_four_ratios_of_the_playbook_move_with_what_is_caused() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let mut settings = twilio.settings();
    settings.retain(|(key, _)| *key != "TWILIO_AUTH_TOKEN");
    settings.extend([
        ("TWILIO_AUTH_TOKEN", "first-token, second-token"),
        ("PUBLIC_BASE_URL", "https://otp.example"),
        ("ADMIN_TOKEN", TOKEN),
        ("RATE_LIMIT_REQUESTS", "4"),
    ]);
    let server = Server::with(&settings);
    assert_eq!(
        server.post(START, &body_of_request(PHONE)).await.status,
        200
    );
    let code = twilio.posted()[0].code();
    let typo = body_of_verify(PHONE, &wrong(&code));
    assert_eq!(server.post(VERIFY, &typo).await.status, 400);
    let right = body_of_verify(PHONE, &code);
    assert_eq!(server.post(VERIFY, &right).await.status, 200);
    twilio.answers(Answer::Fails(400, r#"{"code":21211,"message":"no"}"#));
    let failed = server.post(START, &body_of_request(OTHER_PHONE)).await;
    assert_eq!(failed.status, 500);
    for _ in 0..4 {
        server.post(START, &body_of_request("+14155550177")).await;
    }
    for status in [200, 200] {
        assert_eq!(report(&server, SIGNATURE).await, status);
    }
    assert_eq!(report(&server, "AAAA").await, 401);

    let text = scrape(&server).await.body;
    for line in [
        // Delivery.
        "otp_messages_total{channel=\"sms\",provider=\"twilio\",outcome=\"success\"} 1",
        "otp_messages_total{channel=\"sms\",provider=\"twilio\",outcome=\"failed\"} 3",
        "otp_country_messages_total{channel=\"sms\",country=\"US\",outcome=\"success\"} 1",
        "otp_receipts_total{channel=\"sms\",provider=\"twilio\",state=\"delivered\"} 1",
        // Signatures and replays.
        "otp_webhooks_total{vendor=\"twilio\",result=\"accepted\"} 1",
        "otp_webhooks_total{vendor=\"twilio\",result=\"repeated\"} 1",
        "otp_webhooks_total{vendor=\"twilio\",result=\"bad_signature\"} 1",
        // Limits.
        "otp_http_requests_total{route=\"/api/auth/verify-otp\",method=\"POST\",status=\"400\"} 1",
        // The rest that a dashboard shows.
        "otp_breaker_open{channel=\"sms\",provider=\"twilio\"} 0",
        "otp_store_up{engine=\"sqlite\",duty=\"decisions\",condition=\"connected\"} 1",
        "db_connections{engine=\"users\",state=\"max\"} 4",
        "otp_channel_up{channel=\"sms\"} 1",
        "otp_channel_state{channel=\"sms\",state=\"up\"} 1",
        "otp_channel_state{channel=\"sms\",state=\"down\"} 0",
        "otp_fleet_alarm 0",
    ] {
        says(&text, line);
    }
    // Nothing goes over WhatsApp here, so nobody waits for its template.
    assert!(!text.contains("otp_template_approved{"), "{text}");
    let page = format!("http://{}/admin/sms/otp", server.admin);
    let page = server.client.get(page).header("x-admin-token", TOKEN);
    let page = Reply::of(page).await.body;
    for gauge in ["Webhook signatures", "Webhook replays"] {
        assert!(page.contains(gauge), "{gauge} in {page}");
    }
    assert!(!page.contains("The template"), "{page}");
    let limited = ["route=\"/api/auth/otp/request\"", "status=\"429\""];
    let exceeded = value(&text, "otp_http_requests_total", &limited);
    assert!(exceeded >= 1.0, "{text}");
    let told = ["event=\"identity.ratelimit.exceeded\""];
    assert_eq!(value(&text, "otp_events_total", &told), exceeded);
    for operation in ["issue", "verify"] {
        let done = [&*format!("operation=\"{operation}\""), "answer=\"done\""];
        assert_eq!(value(&text, "otp_call_seconds_count", &done), 1.0);
    }
    let asked = ["provider=\"twilio\""];
    assert_eq!(value(&text, "otp_provider_seconds_count", &asked), 4.0);
    for secret in [&code, PHONE, "4155550123", "SM0000", TOKEN] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn paths_methods_and_purposes_that_a_stranger_makes_up_add_no_series() {
    let server = Server::with(&[("ADMIN_TOKEN", TOKEN)]);
    scrape(&server).await;
    let samples = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count();
    let unknown = |number: usize| server.url(&format!("/made-up/{number}?q={number}"));
    server.client.get(unknown(0)).send().await.unwrap();
    let odd = reqwest::Method::from_bytes(b"MADEUP").unwrap();
    server.client.request(odd, unknown(0)).send().await.unwrap();
    let before = samples(&scrape(&server).await.body);
    for number in 1..200 {
        server.client.get(unknown(number)).send().await.unwrap();
        let method = format!("MADE{number}");
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        server
            .client
            .request(method, unknown(number))
            .send()
            .await
            .unwrap();
    }
    let text = scrape(&server).await.body;
    assert_eq!(samples(&text), before, "{text}");
    says(
        &text,
        "otp_http_requests_total{route=\"none\",method=\"GET\",status=\"404\"} 200",
    );
}
