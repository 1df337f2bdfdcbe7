//! Reports that come late: signed here by `openssl`, with a key of its own.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::support::Server;

const REPORTS: &str = "/api/auth/webhooks/sendgrid";
const EVENT: &str = r#"[{"email":"ann@example.org","event":"delivered","sg_event_id":"ZGVsaXZlcmVk","sg_message_id":"14c5d75ce93.dfd.64b469","timestamp":1700000000}]"#;

/// Runs `openssl` over what it is given.
fn openssl(folder: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    std::fs::write(folder.join("input"), input).unwrap();
    let ran = Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    ran.stdout
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server under test has the real clock"
)]
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

/// A vendor with a key.
struct SendGrid {
    folder: tempfile::TempDir,
    public: String,
}

impl SendGrid {
    fn new() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        let made = [
            "ecparam",
            "-genkey",
            "-name",
            "prime256v1",
            "-noout",
            "-out",
            "key.pem",
        ];
        openssl(folder.path(), &made, b"");
        let shown = ["pkey", "-in", "key.pem", "-pubout", "-outform", "DER"];
        let public = STANDARD.encode(openssl(folder.path(), &shown, b""));
        Self { folder, public }
    }

    fn server(&self, more: &[(&str, &str)]) -> Server {
        let own = ("SENDGRID_WEBHOOK_PUBLIC_KEY", self.public.as_str());
        Server::with(&[&[own], more].concat())
    }

    /// Reports what it signed so many seconds from now.
    async fn reports(&self, server: &Server, seconds: i64) -> u16 {
        let timestamp = (now() + seconds).to_string();
        let message = [timestamp.as_bytes(), EVENT.as_bytes()].concat();
        let signed = ["dgst", "-sha256", "-sign", "key.pem", "input"];
        let signature = STANDARD.encode(openssl(self.folder.path(), &signed, &message));
        let request = server.client.post(server.url(REPORTS)).body(EVENT);
        let request = request
            .header("x-twilio-email-event-webhook-signature", signature)
            .header("x-twilio-email-event-webhook-timestamp", timestamp);
        request.send().await.unwrap().status().as_u16()
    }
}

const MINUTE: i64 = 60;
const DAY: i64 = 86_400;

#[tokio::test]
async fn a_report_of_ten_minutes_ago_is_refused_until_the_host_believes_it() {
    let vendor = SendGrid::new();
    let server = vendor.server(&[]);
    for (seconds, status) in [(-10 * MINUTE, 401), (10 * MINUTE, 401), (-4 * MINUTE, 200)] {
        assert_eq!(vendor.reports(&server, seconds).await, status, "{seconds}");
    }
    let server = vendor.server(&[("OTP_WEBHOOK_AGE", "1440")]);
    for (seconds, status) in [
        (-10 * MINUTE, 200),
        (-DAY + MINUTE, 200),
        (-DAY - MINUTE, 401),
    ] {
        assert_eq!(vendor.reports(&server, seconds).await, status, "{seconds}");
    }
    // The same event, signed anew: seen before, and noted as that.
    let log = server.whole_log();
    assert_eq!(log.matches("delivery report").count(), 1, "{log}");
}
