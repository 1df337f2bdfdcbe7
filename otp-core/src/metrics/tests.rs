use super::*;
use crate::destination::{Channel, Region};
use crate::event::Answer;

fn event(kind: EventKind) -> Event {
    Event::new(kind, &Tenant::default())
}

fn text(metrics: &Metrics) -> String {
    let mut page = Page::default();
    metrics.0.write(&mut page);
    page.into_text()
}

#[track_caller]
fn says(metrics: &Metrics, line: &str) {
    let text = text(metrics);
    assert!(text.lines().any(|found| found == line), "{line} in {text}");
}

fn sent<'a>(tenant: &'a Tenant, provider: &'a str, country: Option<Region>) -> Measure<'a> {
    Measure::Sent {
        tenant,
        channel: Channel::Sms,
        provider: Some(provider),
        country,
        outcome: Outcome::Success,
        took: Duration::from_millis(120),
    }
}

/// Writes a number in letters.
fn letters(number: usize) -> String {
    let digits = number.to_string();
    digits.bytes().map(|digit| char::from(digit + 49)).collect()
}

#[test]
fn events_are_counted_by_the_names_of_the_audit_log() {
    let metrics = Metrics::new();
    metrics.observe(
        &event(EventKind::RateLimitExceeded).with_outcome(Outcome::Refused, "quota_address"),
    );
    let refused = event(EventKind::ValidationAttempt).with_outcome(Outcome::Refused, "locked");
    metrics.observe(&refused);
    metrics.observe(&refused);
    says(
        &metrics,
        "otp_events_total{event=\"identity.ratelimit.exceeded\",action=\"RATE_LIMIT_EXCEEDED\",outcome=\"refused\"} 1",
    );
    says(
        &metrics,
        "otp_refusals_total{operation=\"verify\",reason=\"locked\"} 2",
    );
}

#[test]
fn receipts_verdicts_calls_webhooks_and_requests_each_have_a_family() {
    let metrics = Metrics::for_tenants([Tenant::default()]);
    let mut reported =
        event(EventKind::DeliveryReported).with_outcome(Outcome::Success, "delivered");
    reported.provider = Some("twilio".into());
    reported.channel = Some(Channel::Sms);
    metrics.observe(&reported);
    metrics.observe(&reported.with_outcome(Outcome::Failed, "unreachable"));
    let word = "shadow_deny_number_block";
    metrics.observe(&event(EventKind::TollFraudSuspected).with_outcome(Outcome::Success, word));
    metrics.measure(&Measure::Answered {
        operation: Operation::Issue,
        answer: Answer::Throttled,
        took: Duration::from_millis(3),
    });
    metrics.measure(&sent(
        &Tenant::default(),
        "twilio",
        Region::parse("GB").ok(),
    ));
    metrics.webhook("twilio", Webhook::BadSignature);
    metrics.request("/api/me", "GET", 429, Duration::from_millis(1));
    for line in [
        "otp_receipts_total{channel=\"sms\",provider=\"twilio\",state=\"delivered\"} 1",
        "otp_receipts_total{channel=\"sms\",provider=\"twilio\",state=\"failed\"} 1",
        "otp_toll_fraud_total{verdict=\"shadow_deny_number_block\"} 1",
        "otp_call_seconds_bucket{operation=\"issue\",answer=\"throttled\",le=\"0.005\"} 1",
        "otp_messages_total{channel=\"sms\",provider=\"twilio\",outcome=\"success\"} 1",
        "otp_country_messages_total{channel=\"sms\",country=\"GB\",outcome=\"success\"} 1",
        "otp_tenant_messages_total{tenant=\"default\",outcome=\"success\"} 1",
        "otp_route_seconds_bucket{channel=\"sms\",le=\"0.2\"} 1",
        "otp_webhooks_total{vendor=\"twilio\",result=\"bad_signature\"} 1",
        "otp_http_requests_total{route=\"/api/me\",method=\"GET\",status=\"429\"} 1",
        "otp_http_request_seconds_count{route=\"/api/me\"} 1",
    ] {
        says(&metrics, line);
    }
}

#[test]
fn ten_thousand_tenants_providers_reasons_and_routes_stay_a_few_hundred_series() {
    let tenants = (0..10_000).map(|number| Tenant::new(&letters(number)).expect("a slug"));
    let tenants: Vec<Tenant> = tenants.collect();
    let metrics = Metrics::for_tenants(tenants.iter().cloned());
    let pairs = (b'A'..=b'Z').flat_map(|a| (b'A'..=b'Z').map(move |b| [a, b]));
    let countries = pairs.filter_map(|pair| Region::parse(str::from_utf8(&pair).ok()?).ok());
    let countries: Vec<Region> = countries.collect();
    for (number, tenant) in tenants.iter().enumerate() {
        let name = letters(number);
        let country = countries.get(number % countries.len()).copied();
        metrics.measure(&sent(tenant, &name, country));
        let refused =
            event(EventKind::ChallengeIssued).with_outcome(Outcome::Refused, name.clone());
        metrics.observe(&refused);
        metrics.webhook(&name, Webhook::Accepted);
        metrics.request(&name, &name, 200, Duration::ZERO);
    }
    let text = text(&metrics);
    let samples = text.lines().filter(|line| !line.starts_with('#')).count();
    assert!(samples < 2_500, "{samples}");
    let counted = |family: &str| -> u64 {
        let lines = text
            .lines()
            .filter(|line| line.starts_with(&format!("{family}{{")));
        let values = lines.filter_map(|line| line.rsplit_once(' '));
        values
            .filter_map(|(_, value)| value.parse::<u64>().ok())
            .sum()
    };
    for family in [
        "otp_messages_total",
        "otp_country_messages_total",
        "otp_tenant_messages_total",
        "otp_refusals_total",
        "otp_webhooks_total",
        "otp_http_requests_total",
    ] {
        assert_eq!(counted(family), 10_000, "{family} counts everything");
    }
    let countries_named = text.lines().filter(|line| line.starts_with("otp_country"));
    assert!(countries_named.count() > 240, "no country is other");
}

#[test]
fn no_number_address_or_code_becomes_a_label() {
    let metrics = Metrics::new();
    for hostile in [
        "+14155550123",
        "482913",
        "203.0.113.7",
        "user-12345",
        "a\"} 1\nb",
    ] {
        metrics.observe(
            &event(EventKind::ChallengeIssued).with_outcome(Outcome::Refused, hostile.to_owned()),
        );
        metrics.measure(&sent(&Tenant::default(), hostile, None));
        metrics.webhook(hostile, Webhook::Malformed);
        metrics.request(hostile, hostile, 200, Duration::ZERO);
    }
    let text = text(&metrics);
    for hostile in ["14155550123", "482913", "203.0.113", "12345", "\nb"] {
        assert!(!text.contains(hostile), "{hostile:?} in {text}");
    }
    says(
        &metrics,
        "otp_refusals_total{operation=\"issue\",reason=\"other\"} 5",
    );
}
