//! A day on which nothing happens, against which every alert must be silent.

use super::Incident;

pub(super) const DAY: Incident = Incident {
    name: "all is well",
    series: &[
        (
            r#"otp_messages_total{channel="sms",provider="twilio",outcome="success"}"#,
            "0+1000x30",
        ),
        (
            r#"otp_messages_total{channel="sms",provider="twilio",outcome="failed"}"#,
            "0+5x30",
        ),
        (
            r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="200"}"#,
            "0+1000x30",
        ),
        (
            r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="429"}"#,
            "0+5x30",
        ),
        (
            r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="503"}"#,
            "0+1x30",
        ),
        (
            r#"otp_webhooks_total{vendor="twilio",result="accepted"}"#,
            "0+1000x30",
        ),
        (
            r#"otp_webhooks_total{vendor="twilio",result="repeated"}"#,
            "0+5x30",
        ),
        (
            r#"otp_webhooks_total{vendor="twilio",result="bad_signature"}"#,
            "0+5x30",
        ),
        (
            r#"otp_breaker_open{channel="sms",provider="twilio"}"#,
            "0x30",
        ),
        (r#"otp_channel_state{channel="sms",state="down"}"#, "0x30"),
        (
            r#"otp_store_up{engine="postgres",duty="decisions",condition="connected"}"#,
            "1x30",
        ),
        (
            r#"otp_store_up{engine="postgres",duty="decisions",condition="unavailable"}"#,
            "0x30",
        ),
        (
            r#"db_connections{engine="postgres",state="in_use"}"#,
            "10x30",
        ),
        (r#"db_connections{engine="postgres",state="max"}"#, "25x30"),
        (r#"otp_fleet_alarm"#, "0x30"),
        (
            r#"otp_call_seconds_bucket{operation="issue",answer="done",le="0.5"}"#,
            "0+100x30",
        ),
        (
            r#"otp_call_seconds_bucket{operation="issue",answer="done",le="+Inf"}"#,
            "0+100x30",
        ),
        (
            r#"otp_call_seconds_count{operation="issue",answer="done"}"#,
            "0+100x30",
        ),
        (
            r#"otp_call_seconds_bucket{operation="verify",answer="done",le="0.2"}"#,
            "0+100x30",
        ),
        (
            r#"otp_call_seconds_bucket{operation="verify",answer="done",le="+Inf"}"#,
            "0+100x30",
        ),
        (
            r#"otp_call_seconds_count{operation="verify",answer="done"}"#,
            "0+100x30",
        ),
    ],
    fires: &[],
    is_gone: false,
};
