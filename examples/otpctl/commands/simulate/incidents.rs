//! What the metrics look like in each incident, minute by minute, and which alerts must speak.

mod quiet;

/// An incident on paper.
pub(super) struct Incident {
    pub(super) name: &'static str,
    /// Series, and their values as promtool has them.
    pub(super) series: &'static [(&'static str, &'static str)],
    /// The alerts that it sets off, by name.
    pub(super) fires: &'static [(&'static str, &'static str)],
    /// There is no service any more.
    pub(super) is_gone: bool,
}

const WARNING: &str = "warning";
const PAGE: &str = "page";

pub(super) const ALL: &[Incident] = &[
    quiet::DAY,
    Incident {
        name: "few messages say nothing",
        series: &[(
            r#"otp_messages_total{channel="sms",provider="twilio",outcome="failed"}"#,
            "0+1x30",
        )],
        fires: &[],
        is_gone: false,
    },
    Incident {
        name: "a provider is down",
        series: &[
            (
                r#"otp_messages_total{channel="sms",provider="twilio",outcome="success"}"#,
                "1000+0x30",
            ),
            (
                r#"otp_messages_total{channel="sms",provider="twilio",outcome="failed"}"#,
                "0+20x30",
            ),
            (
                r#"otp_breaker_open{channel="sms",provider="twilio"}"#,
                "1x30",
            ),
            (r#"otp_channel_state{channel="sms",state="down"}"#, "1x30"),
        ],
        fires: &[
            ("OtpChannelDown", PAGE),
            ("OtpDeliveryLow", WARNING),
            ("OtpDeliveryVeryLow", PAGE),
            ("OtpProviderLeftAlone", WARNING),
        ],
        is_gone: false,
    },
    Incident {
        name: "a backup serves, and a channel that is switched off is nobody's night",
        series: &[
            (
                r#"otp_breaker_open{channel="sms",provider="twilio"}"#,
                "1x30",
            ),
            (
                r#"otp_channel_state{channel="sms",state="degraded"}"#,
                "1x30",
            ),
            (r#"otp_channel_state{channel="sms",state="down"}"#, "0x30"),
            (r#"otp_channel_state{channel="voice",state="off"}"#, "1x30"),
            (r#"otp_channel_state{channel="voice",state="down"}"#, "0x30"),
        ],
        fires: &[("OtpProviderLeftAlone", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "nothing was ever delivered",
        series: &[(
            r#"otp_messages_total{channel="sms",provider="twilio",outcome="failed"}"#,
            "0+20x30",
        )],
        fires: &[("OtpDeliveryVeryLow", PAGE)],
        is_gone: false,
    },
    Incident {
        name: "delivery slips",
        series: &[
            (
                r#"otp_messages_total{channel="sms",provider="twilio",outcome="success"}"#,
                "0+97x30",
            ),
            (
                r#"otp_messages_total{channel="sms",provider="twilio",outcome="failed"}"#,
                "0+3x30",
            ),
        ],
        fires: &[("OtpDeliveryLow", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "delivery is bad",
        series: &[
            (
                r#"otp_messages_total{channel="sms",provider="twilio",outcome="success"}"#,
                "0+90x30",
            ),
            (
                r#"otp_messages_total{channel="sms",provider="twilio",outcome="failed"}"#,
                "0+10x30",
            ),
        ],
        fires: &[("OtpDeliveryLow", WARNING), ("OtpDeliveryVeryLow", PAGE)],
        is_gone: false,
    },
    Incident {
        name: "messages are taken and do not arrive",
        series: &[
            (
                r#"otp_receipts_total{channel="sms",provider="twilio",state="delivered"}"#,
                "0+80x30",
            ),
            (
                r#"otp_receipts_total{channel="sms",provider="twilio",state="failed"}"#,
                "0+20x30",
            ),
        ],
        fires: &[("OtpReceiptsFailing", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "a provider is slow",
        series: &[
            (
                r#"otp_provider_seconds_bucket{channel="sms",provider="twilio",le="1.024"}"#,
                "0+10x30",
            ),
            (
                r#"otp_provider_seconds_bucket{channel="sms",provider="twilio",le="2.048"}"#,
                "0+100x30",
            ),
            (
                r#"otp_provider_seconds_bucket{channel="sms",provider="twilio",le="+Inf"}"#,
                "0+100x30",
            ),
            (
                r#"otp_provider_seconds_count{channel="sms",provider="twilio"}"#,
                "0+100x30",
            ),
        ],
        fires: &[("OtpProviderSlow", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "a template is taken back",
        series: &[(r#"otp_template_approved{channel="whatsapp"}"#, "0x30")],
        fires: &[("OtpTemplateNotApproved", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "limits are too tight",
        series: &[
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="200"}"#,
                "0+98x30",
            ),
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="429"}"#,
                "0+2x30",
            ),
        ],
        fires: &[("OtpLimited", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "somebody floods the service",
        series: &[
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="200"}"#,
                "0+90x30",
            ),
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="429"}"#,
                "0+10x30",
            ),
        ],
        fires: &[("OtpLimited", WARNING), ("OtpLimitedOften", PAGE)],
        is_gone: false,
    },
    Incident {
        name: "codes are guessed at many accounts",
        series: &[
            (
                r#"otp_refusals_total{operation="verify",reason="invalid_otp"}"#,
                "0+75x30",
            ),
            (
                r#"otp_call_seconds_count{operation="verify",answer="rejected"}"#,
                "0+75x30",
            ),
            (
                r#"otp_call_seconds_count{operation="verify",answer="done"}"#,
                "0+25x30",
            ),
            (r#"otp_fleet_alarm"#, "1x30"),
        ],
        fires: &[("OtpFleetAlarm", PAGE), ("OtpWrongCodes", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "messages are pumped",
        series: &[(r#"otp_toll_fraud_total{verdict="high_risk"}"#, "0+10x30")],
        fires: &[("OtpTollFraud", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "signatures slip",
        series: &[
            (
                r#"otp_webhooks_total{vendor="twilio",result="accepted"}"#,
                "0+97x30",
            ),
            (
                r#"otp_webhooks_total{vendor="twilio",result="bad_signature"}"#,
                "0+3x30",
            ),
        ],
        fires: &[("OtpSignaturesFailing", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "the token of the webhook is wrong",
        series: &[
            (
                r#"otp_webhooks_total{vendor="twilio",result="accepted"}"#,
                "0+1x30",
            ),
            (
                r#"otp_webhooks_total{vendor="twilio",result="bad_signature"}"#,
                "0+99x30",
            ),
        ],
        fires: &[
            ("OtpSignaturesFailing", WARNING),
            ("OtpSignaturesFailingOften", PAGE),
        ],
        is_gone: false,
    },
    Incident {
        name: "a vendor repeats itself",
        series: &[
            (
                r#"otp_webhooks_total{vendor="twilio",result="accepted"}"#,
                "0+98x30",
            ),
            (
                r#"otp_webhooks_total{vendor="twilio",result="repeated"}"#,
                "0+2x30",
            ),
        ],
        fires: &[("OtpReplays", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "reports are replayed",
        series: &[
            (
                r#"otp_webhooks_total{vendor="twilio",result="accepted"}"#,
                "0+90x30",
            ),
            (
                r#"otp_webhooks_total{vendor="twilio",result="repeated"}"#,
                "0+10x30",
            ),
        ],
        fires: &[("OtpReplays", WARNING), ("OtpReplaysOften", PAGE)],
        is_gone: false,
    },
    Incident {
        name: "the service is gone",
        series: &[(r#"up{job="otp"}"#, "0x30")],
        fires: &[("OtpGone", PAGE)],
        is_gone: true,
    },
    Incident {
        name: "some requests fail",
        series: &[
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="200"}"#,
                "0+98x30",
            ),
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="500"}"#,
                "0+2x30",
            ),
        ],
        fires: &[("OtpErrors", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "the database is away",
        series: &[
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="200"}"#,
                "0+50x30",
            ),
            (
                r#"otp_http_requests_total{route="/api/auth/verify-otp",method="POST",status="503"}"#,
                "0+50x30",
            ),
            (
                r#"otp_store_up{engine="postgres",duty="decisions",condition="connected"}"#,
                "0x30",
            ),
            (
                r#"otp_store_up{engine="postgres",duty="decisions",condition="unavailable"}"#,
                "1x30",
            ),
        ],
        fires: &[
            ("OtpErrors", WARNING),
            ("OtpStoreAway", PAGE),
            ("OtpUnavailable", PAGE),
        ],
        is_gone: false,
    },
    Incident {
        name: "redis is away and memory stands in",
        series: &[(
            r#"otp_store_up{engine="redis",duty="decisions",condition="memory fallback"}"#,
            "1x30",
        )],
        fires: &[("OtpStoreAway", PAGE)],
        is_gone: false,
    },
    Incident {
        name: "a pool is nearly full",
        series: &[
            (
                r#"db_connections{engine="postgres",state="in_use"}"#,
                "22x30",
            ),
            (r#"db_connections{engine="postgres",state="max"}"#, "25x30"),
        ],
        fires: &[("OtpPoolNearlyFull", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "a pool is used up",
        series: &[
            (
                r#"db_connections{engine="postgres",state="in_use"}"#,
                "25x30",
            ),
            (r#"db_connections{engine="postgres",state="max"}"#, "25x30"),
        ],
        fires: &[("OtpPoolFull", PAGE), ("OtpPoolNearlyFull", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "starts are slow",
        series: &[
            (
                r#"otp_call_seconds_bucket{operation="issue",answer="done",le="0.5"}"#,
                "0+10x30",
            ),
            (
                r#"otp_call_seconds_bucket{operation="issue",answer="done",le="1"}"#,
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
        ],
        fires: &[("OtpIssueSlow", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "checks are slow",
        series: &[
            (
                r#"otp_call_seconds_bucket{operation="verify",answer="done",le="0.2"}"#,
                "0+10x30",
            ),
            (
                r#"otp_call_seconds_bucket{operation="verify",answer="done",le="0.3"}"#,
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
        fires: &[("OtpVerifySlow", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "the database is slow",
        series: &[
            (
                r#"otp_call_seconds_bucket{operation="issue",answer="done",le="1"}"#,
                "0+0x30",
            ),
            (
                r#"otp_call_seconds_bucket{operation="issue",answer="done",le="2.5"}"#,
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
        ],
        fires: &[("OtpCallsVerySlow", PAGE), ("OtpIssueSlow", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "the hashing pool is nearly full",
        series: &[
            (r#"otp_hash_pool_places{state="taken"}"#, "500x30"),
            (r#"otp_hash_pool_places{state="all"}"#, "514x30"),
        ],
        fires: &[("OtpHashingBusy", WARNING)],
        is_gone: false,
    },
    Incident {
        name: "no second factor is asked for",
        series: &[(
            r#"otp_overrides_active{kind="second_factor_waived"}"#,
            "1x30",
        )],
        fires: &[("OtpSecondFactorWaived", WARNING)],
        is_gone: false,
    },
];
