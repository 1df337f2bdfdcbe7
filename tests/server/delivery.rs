use crate::support::plivo::Plivo;
use crate::support::twilio::{Answer, Twilio};
use crate::support::{PHONE, Reply, Server, body_of_request, body_of_verify};

const START: &str = "/api/auth/otp/request";
const VERIFY: &str = "/api/auth/verify-otp";

#[tokio::test]
async fn a_code_leaves_once_and_is_in_no_answer() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let server = Server::with(&twilio.settings());
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(reply.json().get("preview_code").is_none());
    let posted = twilio.posted();
    assert_eq!(posted.len(), 1);
    let path = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Messages.json";
    assert_eq!(posted[0].path, path);
    assert_eq!(posted[0].field("To"), Some(PHONE));
    assert_eq!(posted[0].field("From"), Some("+15005550006"));
    let basic = "Basic QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTpmaXJzdC10b2tlbi1vZi10d28=";
    assert_eq!(
        posted[0].authorization, basic,
        "the first of the two tokens sends"
    );
    let code = posted[0].code();
    assert!(!reply.body.contains(&code));
    assert_eq!(
        server
            .post(VERIFY, &body_of_verify(PHONE, &code))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn what_the_primary_surely_did_not_send_the_backup_does_with_the_same_challenge() {
    let refused = Answer::Fails(401, r#"{"code":20003,"message":"Authenticate"}"#);
    let twilio = Twilio::start(refused).await;
    let plivo = Plivo::start().await;
    let settings = [&twilio.settings()[..], &plivo.settings()].concat();
    let server = Server::with(&settings);
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(twilio.posted().len(), 1);
    let codes = plivo.codes();
    assert_eq!(codes.len(), 1);
    assert_eq!(
        codes[0].0.trim_start_matches('+'),
        PHONE.trim_start_matches('+')
    );
    assert_eq!(codes[0].1, twilio.posted()[0].code());
    let verified = server
        .post(VERIFY, &body_of_verify(PHONE, &codes[0].1))
        .await;
    assert_eq!(verified.status, 200, "{verified:?}");
}

#[tokio::test]
async fn what_the_primary_may_have_sent_goes_to_nobody_else() {
    let twilio = Twilio::start(Answer::Fails(500, "")).await;
    let plivo = Plivo::start().await;
    let settings = [&twilio.settings()[..], &plivo.settings()].concat();
    let server = Server::with(&settings);
    let reply = server.post(START, &body_of_request(PHONE)).await;
    reply.is_error(500, "send_failed", "Failed to send verification code");
    assert_eq!((twilio.posted().len(), plivo.codes().len()), (1, 0));
}

#[tokio::test]
async fn a_provider_that_fails_is_not_quoted() {
    let answers = [
        Answer::Fails(500, "<html>canary-of-the-vendor</html>"),
        Answer::Fails(
            400,
            r#"{"code":21211,"message":"canary-of-the-vendor +14155550123"}"#,
        ),
        Answer::Fails(401, r#"{"code":20003,"message":"canary-of-the-vendor"}"#),
        Answer::Fails(307, ""),
    ];
    for answer in answers {
        let twilio = Twilio::start(answer).await;
        let server = Server::with(&twilio.settings());
        let reply = server.post(START, &body_of_request(PHONE)).await;
        reply.is_error(500, "send_failed", "Failed to send verification code");
        assert_eq!(twilio.posted().len(), 1);
        let log = server.whole_log();
        assert!(!log.contains("canary-of-the-vendor"), "{log}");
    }
}

#[tokio::test]
async fn a_provider_that_says_nothing_ends_in_the_same_error() {
    let twilio = Twilio::start(Answer::Hangs).await;
    let server = Server::with(&twilio.settings());
    let reply = server.post(START, &body_of_request(PHONE)).await;
    reply.is_error(500, "send_failed", "Failed to send verification code");
    assert_eq!(
        twilio.posted().len(),
        1,
        "what may have arrived is not sent again"
    );
}

#[tokio::test]
async fn a_channel_without_a_provider_is_not_available() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let server = Server::with(&twilio.settings());
    let reply = server
        .post(START, &serde_json::json!({ "email": "mike@example.org" }))
        .await;
    reply.is_error(400, "channel_unavailable", "Channel not available");
    let status = server.get("/otp/status").await.json();
    assert_eq!(status["channels"]["sms"], "enabled");
    assert_eq!(status["channels"]["email"], "disabled");
}

#[cfg(debug_assertions)]
#[tokio::test]
async fn in_development_nothing_leaves_even_where_a_provider_is_configured() {
    let twilio = Twilio::start(Answer::Accepts).await;
    let mut settings = twilio.settings();
    settings.push(("DEV_MODE", "true"));
    let server = Server::with(&settings);
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.text("preview_code").len(), 6);
    assert!(twilio.posted().is_empty());
}

#[tokio::test]
async fn a_published_policy_switches_to_the_backup_provider_while_the_server_runs() {
    const SWITCH: &str = "delivery:
  sms:
    primary_provider: plivo
    backup_provider: twilio
";
    let twilio = Twilio::start(Answer::Accepts).await;
    let plivo = Plivo::start().await;
    let operators = [("ADMIN_TOKEN", "token-of-mike-0123456789")];
    let settings = [&twilio.settings()[..], &plivo.settings(), &operators].concat();
    let server = Server::with(&settings);
    let publish = async |text: &'static str| {
        let url = format!("http://{}/admin/otp/policy", server.admin);
        let request = server.client.put(url).body(text);
        let request = request.header("content-type", "application/yaml");
        Reply::of(request.header("x-admin-token", operators[0].1)).await
    };
    let done = publish(SWITCH).await;
    assert_eq!(done.status, 200, "{done:?}");
    let said = done.json()["sample"].to_string();
    assert!(
        said.contains("delivery.sms.primary_provider: unset -> plivo"),
        "{said}"
    );
    let reply = server.post(START, &body_of_request(PHONE)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!((twilio.posted().len(), plivo.codes().len()), (0, 1));
    let unknown = publish("delivery:\n  sms:\n    primary_provider: nexmo\n").await;
    unknown.is_error(
        400,
        "invalid_policy",
        "delivery.sms: no provider is named nexmo",
    );
    let pool = publish("database:\n  max_open_conns: 50\n").await;
    assert_eq!(
        (pool.status, pool.text("code").as_str()),
        (400, "invalid_policy")
    );
}
