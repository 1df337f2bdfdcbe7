//! WhatsApp, then text messages, then mail: over stand-ins of all three.

use serde_json::{Value, json};

use crate::support::mailer::Mailer;
use crate::support::twilio::{Answer as Text, Twilio};
use crate::support::whatsapp::{Answer, WhatsApp};
use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";
const BY_NAME: &str = "/browser/api/v1/identity/auth/otp/initiate";
const WEBHOOK: &str = "/api/auth/webhooks/whatsapp";
const TOKEN: &str = "token-of-mike-0123456789";
const ORDER: (&str, &str) = ("OTP_CHANNEL_ORDER", "whatsapp, sms,email");

/// Whoever has no WhatsApp.
const UNREACHABLE: Answer = Answer::Refuses(131_026);
const OPTED_OUT: Answer = Answer::Refuses(131_050);
/// Surely not sent.
const NO_TEXT: Text = Text::Fails(400, r#"{"code":21408,"message":"not enabled"}"#);

/// A server and those who carry for it.
struct Service {
    server: Server,
    whatsapp: WhatsApp,
    twilio: Twilio,
    mailer: Mailer,
}

impl Service {
    async fn with(more: &[(&str, &str)]) -> Self {
        let whatsapp = WhatsApp::start(Answer::Accepts).await;
        let twilio = Twilio::start(Text::Accepts).await;
        let mailer = Mailer::answering(202).await;
        let own = [
            &whatsapp.settings()[..],
            &twilio.settings(),
            &mailer.settings(),
            &[("ADMIN_TOKEN", TOKEN)],
            more,
        ];
        let server = Server::with(&own.concat());
        Self {
            server,
            whatsapp,
            twilio,
            mailer,
        }
    }

    /// How many messages each got: WhatsApp, Twilio, the mailer.
    fn carried(&self) -> [usize; 3] {
        let mails = self.mailer.mails().len();
        [
            self.whatsapp.codes().len(),
            self.twilio.posted().len(),
            mails,
        ]
    }

    async fn start(&self) -> Reply {
        self.server.post(START, &body_of_request(PHONE)).await
    }

    async fn try_code(&self, started: &Reply, code: &str) -> Reply {
        let mut body = body_of_verify(PHONE, code);
        body["challenge_id"] = started.text("challenge_id").into();
        self.server.post(VERIFY, &body).await
    }

    async fn publish(&self, policy: &'static str) -> Reply {
        let url = format!("http://{}/admin/otp/policy", self.server.admin);
        let request = self.server.client.put(url).body(policy);
        let request = request.header("content-type", "application/yaml");
        Reply::of(request.header("x-admin-token", TOKEN)).await
    }

    /// The order that the dashboard shows.
    async fn order(&self) -> Value {
        let url = format!("http://{}/admin/otp/dashboard", self.server.admin);
        let request = self.server.client.get(url).header("x-admin-token", TOKEN);
        Reply::of(request).await.json()["channel_order"].clone()
    }

    /// Has Meta report of the template; the signatures are of `printf %s BODY | openssl dgst -sha256
    /// -hmac the-app-secret`.
    async fn reports(&self, event: &str, signature: &str) {
        let body = format!(
            r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[{{"field":"message_template_status_update","value":{{"event":"{event}","message_template_id":7,"message_template_name":"sign_in_code","message_template_language":"en_US","reason":"NONE"}}}}]}}]}}"#
        );
        let request = self.server.client.post(self.server.url(WEBHOOK));
        let request = request.header("x-hub-signature-256", signature).body(body);
        assert_eq!(request.send().await.unwrap().status().as_u16(), 200);
    }
}

#[tokio::test]
async fn whoever_has_no_whatsapp_gets_a_text_message_of_the_same_challenge() {
    let service = Service::with(&[ORDER]).await;
    let started = service.start().await;
    assert_eq!((started.status, service.carried()), (200, [1, 0, 0]));
    let code = &service.whatsapp.codes()[0];
    let verified = service.try_code(&started, code).await;
    assert_eq!(verified.status, 200, "{verified:?}");

    service.whatsapp.answers(UNREACHABLE);
    let started = service.start().await;
    assert_eq!((started.status, service.carried()), (200, [2, 1, 0]));
    let verified = service
        .try_code(&started, &service.twilio.posted()[0].code())
        .await;
    assert_eq!(verified.status, 200, "{verified:?}");
}

#[tokio::test]
async fn what_whatsapp_may_have_sent_and_what_it_must_not_send_goes_over_no_other_channel() {
    let service = Service::with(&[ORDER]).await;
    for (calls, answer) in [Answer::Breaks, OPTED_OUT].into_iter().enumerate() {
        service.whatsapp.answers(answer);
        let failed = service.start().await;
        failed.is_error(500, "send_failed", "Failed to send verification code");
        assert_eq!(service.carried(), [calls + 1, 0, 0]);
    }
}

#[tokio::test]
async fn a_template_that_meta_pauses_has_the_order_begin_with_text_messages() {
    let service = Service::with(&[ORDER]).await;
    let channel = async || {
        let status = service.server.get("/otp/status").await.json();
        status["channels"]["whatsapp"].clone()
    };
    service
        .reports(
            "PAUSED",
            "sha256=c8598287b1363180ff8d333c36d00c70edf98bf532ff8ab49b5ba8caf53bc58d",
        )
        .await;
    assert_eq!(channel().await, "disabled");
    assert_eq!(service.start().await.status, 200);
    assert_eq!(service.carried(), [0, 1, 0]);
    service
        .reports(
            "APPROVED",
            "sha256=8d1376bd4eca080b107699bca94a0d0cc4bb9f1836661f9268a9255875aa13f4",
        )
        .await;
    assert_eq!(channel().await, "enabled");
    assert_eq!(service.start().await.status, 200);
    assert_eq!(service.carried(), [1, 1, 0]);
}

#[tokio::test]
async fn an_operator_opens_a_channel_whose_approval_was_missed() {
    let service = Service::with(&[ORDER]).await;
    let paused = "sha256=c8598287b1363180ff8d333c36d00c70edf98bf532ff8ab49b5ba8caf53bc58d";
    service.reports("PAUSED", paused).await;
    let declare = async |query: &str, channel: &str, state: &str| {
        let url = format!("http://{}/admin/otp/template{query}", service.server.admin);
        let said =
            serde_json::json!({ "channel": channel, "state": state, "reason": "Meta called" });
        let request = service.server.client.post(url).json(&said);
        Reply::of(request.header("x-admin-token", TOKEN)).await
    };
    let dry = declare("?dry_run=true", "whatsapp", "approved").await;
    assert_eq!(dry.status, 200, "{dry:?}");
    assert_eq!(service.start().await.status, 200);
    assert_eq!(service.carried(), [0, 1, 0]);

    let done = declare("", "whatsapp", "approved").await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(service.start().await.status, 200);
    assert_eq!(service.carried(), [1, 1, 0]);

    let words = "state must be approved, pending, rejected, paused or disabled";
    let unsaid = declare("", "whatsapp", "fine").await;
    unsaid.is_error(400, "invalid_template", words);
    let nowhere = declare("", "sms", "approved").await;
    assert_eq!(
        (nowhere.status, nowhere.text("code")),
        (400, "unknown_channel".to_owned())
    );
}

#[tokio::test]
async fn a_signed_in_user_who_is_reached_by_neither_gets_a_mail() {
    let service = Service::with(&[ORDER]).await;
    let started = service.start().await;
    let code = &service.whatsapp.codes()[0];
    let tokens = service.try_code(&started, code).await;
    let mut database = service.server.database().await;
    sqlx::query("UPDATE users SET email = 'ann@example.org' WHERE phone = $1")
        .bind(PHONE)
        .execute(&mut database)
        .await
        .unwrap();
    service.whatsapp.answers(UNREACHABLE);
    service.twilio.answers(NO_TEXT);
    let sent = service
        .server
        .post_as(&tokens, "/api/auth/mfa/send-code", &json!({}))
        .await;
    assert_eq!(sent.status, 200, "{sent:?}");
    assert_eq!(service.carried(), [2, 1, 1]);
}

#[tokio::test]
async fn a_start_by_name_begins_where_the_order_does_and_tells_nothing_of_nobody() {
    let service = Service::with(&[ORDER]).await;
    let mut database = service.server.database().await;
    sqlx::query("INSERT INTO users (sub, phone) VALUES ('user-1', '+14155550177')")
        .execute(&mut database)
        .await
        .unwrap();
    service.whatsapp.answers(UNREACHABLE);
    for user in ["user-1", "user-2"] {
        let body = json!({ "user_id": user });
        let reply = service.server.post(BY_NAME, &body).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    // The message goes in the background.
    service.twilio.reached().await;
    assert_eq!(service.carried(), [1, 1, 0]);
}

#[tokio::test]
async fn a_published_policy_sets_the_order_while_the_server_runs_and_its_end_gives_the_old_one_back()
 {
    const FIRST: &str = "delivery:\n  channel_order: [whatsapp, sms, email]\n";
    let service = Service::with(&[]).await;
    assert_eq!(service.order().await, json!(["sms", "email"]));
    assert_eq!(service.start().await.status, 200);
    assert_eq!(service.carried(), [0, 1, 0]);
    let done = service.publish(FIRST).await;
    assert_eq!(done.status, 200, "{done:?}");
    let said = done.json()["sample"].to_string();
    let change = "delivery.channel_order: unset -> [whatsapp, sms, email]";
    assert!(said.contains(change), "{said}");
    assert_eq!(service.order().await, json!(["whatsapp", "sms", "email"]));
    service.whatsapp.answers(UNREACHABLE);
    assert_eq!(service.start().await.status, 200);
    assert_eq!(service.carried(), [1, 2, 0]);
    let nobody = service
        .publish("delivery:\n  channel_order: [telegram, sms]\n")
        .await;
    let why = "delivery.channel_order: no route for telegram";
    nobody.is_error(400, "invalid_policy", why);
    let done = service.publish("level: standard\n").await;
    assert_eq!(done.status, 200, "{done:?}");
    assert_eq!(service.order().await, json!(["sms", "email"]));
}

#[tokio::test]
async fn an_order_from_the_file_is_in_force_and_the_environment_has_the_last_word() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("policy.yaml");
    std::fs::write(&path, "delivery:\n  channel_order: [email, whatsapp]\n").unwrap();
    let file = ("OTP_CONFIG", path.to_str().unwrap());
    let service = Service::with(&[file]).await;
    assert_eq!(service.order().await, json!(["email", "whatsapp"]));
    let service = Service::with(&[file, ORDER]).await;
    assert_eq!(service.order().await, json!(["whatsapp", "sms", "email"]));
}

#[tokio::test]
async fn an_order_that_cannot_be_stops_the_start_by_the_name_of_who_says_it() {
    let twilio = Twilio::start(Text::Accepts).await;
    let refused = |more: (&str, &str)| {
        let refusal = Server::refused(&[&twilio.settings()[..], &[more]].concat());
        assert_ne!(refusal.code, Some(0));
        refusal.stderr
    };
    for (order, problem) in [
        ("whatsapp,sms", "no provider is set up for whatsapp"),
        ("sms,sms", "must be channels in their order, each once"),
        ("sms,pigeon", "must be channels in their order, each once"),
    ] {
        let said = refused(("OTP_CHANNEL_ORDER", order));
        assert!(
            said.contains(&format!("OTP_CHANNEL_ORDER: {problem}")),
            "{said}"
        );
        assert!(!said.contains("pigeon"), "{said}");
    }
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("policy.yaml");
    std::fs::write(&path, "delivery:\n  channel_order: [email]\n").unwrap();
    let said = refused(("OTP_CONFIG", path.to_str().unwrap()));
    let why = "OTP_CONFIG: delivery.channel_order: no provider is set up for email";
    assert!(said.contains(why), "{said}");
}
