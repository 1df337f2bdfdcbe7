use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use otp_kit::prelude::*;
use otp_kit::verifier::IssueError;

use crate::support::{PHONE, Service, here, wrong};

/// Everything that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_code_token_key_or_full_address_is_in_any_log_error_or_debug() {
    let log = Log::default();
    let sink = log.clone();
    // For the whole process: what the tests beside this one log is held to the same.
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .without_time()
        .with_writer(move || sink.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (shown, secrets) = story().await;
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        logged.contains("identity.auth.validation_attempt"),
        "the log was captured"
    );
    for secret in secrets {
        assert!(!logged.contains(&secret), "in the log: {secret}");
        assert!(!shown.contains(&secret), "in a Debug or Display: {secret}");
    }
}

/// Plays a sign-in with its failures, and shows everything that a host could print.
async fn story() -> (String, Vec<String>) {
    let service = Service::new();
    let mut shown = String::new();
    let phone = PhoneNumber::parse(PHONE).unwrap();
    let email = EmailAddress::parse("canary.person@example.org").unwrap();
    let issue = Issue::to(phone.clone()).for_purpose("login").from(here());
    write!(shown, "{issue:?} {phone} {phone:?} {email} {email:?}").unwrap();
    let issued = service.verifier.issue(issue).await.unwrap();
    let code = service.code(PHONE);
    let id = issued.challenge_id;
    write!(
        shown,
        "{issued:?} {:?} {:?}",
        service.verifier, service.outbox
    )
    .unwrap();
    let attempt = Attempt::new(&code);
    write!(shown, "{attempt:?}").unwrap();
    let slip = wrong(&code);
    let error = service
        .verifier
        .verify(&id, &slip, here())
        .await
        .unwrap_err();
    write!(shown, "{error} {error:?}").unwrap();
    let verified = service.verifier.verify(&id, attempt, here()).await.unwrap();
    write!(shown, "{verified:?}").unwrap();
    let token = service.verifier.remember_device(&verified).await.unwrap();
    let context = here().device_token(token.expose());
    write!(shown, "{token:?} {context:?} {:?}", service.keys).unwrap();
    service
        .outbox
        .fail_next(otp_kit::delivery::DeliveryErrorKind::Timeout);
    let mail = Issue::to(email.clone()).for_purpose("login").from(&context);
    let error = service.verifier.issue(mail).await.unwrap_err();
    write!(shown, "{error} {error:?}").unwrap();
    assert!(matches!(error, IssueError::NotSent(_)));
    for message in service.outbox.take() {
        write!(shown, "{message:?} {:?}", message.code()).unwrap();
    }
    let stored = service.verifier.store().find(&id).await.unwrap().unwrap();
    write!(shown, "{stored:?} {}", stored.digest).unwrap();
    for entry in service.verifier.store().outbox(None, 100).await.unwrap() {
        write!(shown, "{entry:?}").unwrap();
    }
    let secrets = vec![
        code,
        slip,
        token.expose().to_owned(),
        PHONE.to_owned(),
        PHONE[1..].to_owned(),
        email.address().to_owned(),
        id.to_string(),
    ];
    (shown, secrets)
}
