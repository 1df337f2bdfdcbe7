mod stand_in;
mod tls;

use otp_core::clock::{ManualClock, Timestamp};
use otp_core::delivery::DeliveryErrorKind as Kind;
use otp_core::delivery::DispatchCertainty::{NotSent, Unknown};
use otp_core::delivery::MessageId;

use self::stand_in::{Act, Server};
use super::*;
use crate::kit;

const PASSWORD: &str = "the-password";

fn from() -> EmailAddress {
    EmailAddress::parse("no-reply@example.com").expect("an address")
}

fn on(url: &str) -> Smtp {
    let server = SmtpServer::parse(url)
        .and_then(|server| server.with_credentials("otp", PASSWORD))
        .expect("a server");
    built(server, Duration::from_millis(400))
}

fn built(server: SmtpServer, limit: Duration) -> Smtp {
    Smtp::builder(server, from())
        .from_name("Käse & Co")
        .timeout(limit)
        .clock(Arc::new(ManualClock::new(Timestamp::from_millis(
            1_735_689_600_000,
        ))))
        .build()
        .expect("a provider")
}

async fn outcome(server: &Server) -> Result<Receipt, DeliveryError> {
    on(&server.url).deliver(&kit::to_email()).await
}

#[tokio::test]
async fn a_mail_is_handed_over_once_as_it_is_described() {
    let server = Server::start(&[]).await;
    let receipt = outcome(&server).await.expect("accepted");
    assert_eq!(receipt.reference(), Some("challenge-1@example.com"));
    let seen = server.seen();
    let commands: Vec<&str> = seen
        .iter()
        .map(String::as_str)
        .filter(|line| !line.starts_with("| "))
        .collect();
    assert_eq!(
        commands,
        [
            "EHLO example.com",
            "AUTH PLAIN AG90cAB0aGUtcGFzc3dvcmQ=",
            "MAIL FROM:<no-reply@example.com>",
            "RCPT TO:<someone@example.org>",
            "DATA",
            "QUIT",
        ]
    );
    let mail: Vec<&str> = seen
        .iter()
        .filter_map(|line| line.strip_prefix("| "))
        .collect();
    for line in [
        "To: someone@example.org",
        "Subject: Your code",
        "Date: Wed, 01 Jan 2025 00:00:00 +0000",
        "Message-ID: <challenge-1@example.com>",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "MIME-Version: 1.0",
        "904173 is your code & no one's + else.",
        "<p>904173</p>",
    ] {
        assert_eq!(
            mail.iter().filter(|found| **found == line).count(),
            1,
            "{line}: {mail:#?}"
        );
    }
    let starting = |start: &str| mail.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!(starting("From: =?utf-8?"), 1, "{mail:#?}");
    assert_eq!(starting("Content-Type: multipart/alternative;"), 1);
    let place = |kind: &str| {
        mail.iter()
            .position(|line| line.starts_with(kind))
            .expect(kind)
    };
    assert!(place("Content-Type: text/plain") < place("Content-Type: text/html"));
}

#[tokio::test]
async fn a_refusal_at_any_stage_is_surely_not_sent() {
    let cases = [
        ("greeting", "554 5.3.2 not now", Kind::Unavailable, "5.3.2"),
        ("AUTH", "535 5.7.8 no", Kind::Unauthorized, "5.7.8"),
        ("AUTH", "454 4.7.0 later", Kind::Throttled, "4.7.0"),
        ("MAIL", "550 5.1.8 not yours", Kind::Invalid, "5.1.8"),
        ("MAIL", "421 4.3.2 closing", Kind::Unavailable, "4.3.2"),
        (
            "RCPT",
            "550 5.1.1 <someone@example.org> unknown",
            Kind::Unreachable,
            "5.1.1",
        ),
        (
            "RCPT",
            "550 <someone@example.org> unknown",
            Kind::Unreachable,
            "550",
        ),
        ("RCPT", "451 4.7.1 greylisted", Kind::Throttled, "4.7.1"),
        ("DATA", "554 5.7.1 policy", Kind::Invalid, "5.7.1"),
        (".", "554 5.7.1 spam 904173", Kind::Invalid, "5.7.1"),
        (".", "451 4.3.0 try later", Kind::Unavailable, "4.3.0"),
    ];
    for (verb, reply, kind, code) in cases {
        let server = Server::start(&[(verb, Act::Say(reply))]).await;
        let error = outcome(&server).await.expect_err(reply);
        assert_eq!(
            (error.kind(), error.certainty()),
            (kind, NotSent),
            "{verb} {reply}"
        );
        assert_eq!(error.code(), Some(code));
        let shown = format!("{error} {error:?} {error:#?}");
        for secret in ["someone", "904173", PASSWORD, "127.0.0.1"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert_eq!(server.connections(), 1, "a refused mail is not sent again");
    }
}

#[tokio::test]
async fn silence_and_breaks_are_unsent_until_the_mail_is_under_way() {
    for verb in ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."] {
        let certainty = if verb == "." { Unknown } else { NotSent };
        for (act, kind) in [(Act::Hang, Kind::Timeout), (Act::Close, Kind::Unavailable)] {
            let server = Server::start(&[(verb, act)]).await;
            let error = outcome(&server).await.expect_err(verb);
            assert_eq!(
                (error.kind(), error.certainty()),
                (kind, certainty),
                "{verb} {act:?}"
            );
            assert_eq!(server.connections(), 1, "{verb} {act:?} is not repeated");
        }
    }
}

#[tokio::test]
async fn nonsense_after_the_mail_may_be_sent_and_before_it_is_not() {
    for (verb, certainty) in [("RCPT", NotSent), (".", Unknown)] {
        let server = Server::start(&[(verb, Act::Say("hello there"))]).await;
        let error = outcome(&server).await.expect_err(verb);
        assert_eq!(
            (error.kind(), error.certainty()),
            (Kind::Protocol, certainty),
            "{verb}"
        );
    }
}

#[tokio::test]
async fn a_server_that_does_not_say_goodbye_accepted_all_the_same() {
    for act in [Act::Hang, Act::Close, Act::Say("554 no")] {
        let server = Server::start(&[("QUIT", act)]).await;
        let receipt = outcome(&server).await.expect("accepted");
        assert_eq!(receipt.reference(), Some("challenge-1@example.com"));
    }
}

#[tokio::test]
async fn without_starttls_nothing_is_said_in_the_clear() {
    for ehlo in [
        "250-stand-in\r\n250 AUTH PLAIN",
        "250-stand-in\r\n250 X-STARTTLS",
    ] {
        let server = Server::start(&[("EHLO", Act::Say(ehlo))]).await;
        let error = on(&format!("{}?tls=required", server.url))
            .deliver(&kit::to_email())
            .await;
        let error = error.expect_err("refused");
        assert_eq!((error.kind(), error.certainty()), (Kind::Protocol, NotSent));
        assert_eq!(error.code(), Some("no-starttls"));
        assert!(
            server
                .seen()
                .iter()
                .all(|line| line.starts_with("EHLO") || line == "QUIT")
        );
    }
}

#[tokio::test]
async fn what_is_not_tls_after_starttls_gets_no_credential() {
    let offered = Act::Say("250-stand-in\r\n250-STARTTLS\r\n250 AUTH PLAIN");
    for answer in ["220 go ahead", "454 4.7.0 not now"] {
        let server = Server::start(&[("EHLO", offered), ("STARTTLS", Act::Say(answer))]).await;
        let error = on(&format!("{}?tls=required", server.url))
            .deliver(&kit::to_email())
            .await;
        assert_eq!(error.expect_err("refused").certainty(), NotSent);
        let seen = server.seen().join("\n");
        assert!(!seen.contains("AUTH") && !seen.contains("MAIL"), "{seen}");
    }
}

#[tokio::test]
async fn implicit_tls_speaks_tls_first() {
    let server = Server::start(&[]).await;
    let url = server.url.replace("smtp://", "smtps://");
    let error = on(&url)
        .deliver(&kit::to_email())
        .await
        .expect_err("no tls");
    assert_eq!(error.certainty(), NotSent);
    assert!(!server.seen().iter().any(|line| line.starts_with("EHLO")));
}

fn over_tls(scheme: &str, address: &str, root: Option<Vec<u8>>) -> Smtp {
    let query = if scheme == "smtp" {
        "?tls=required"
    } else {
        ""
    };
    let server = SmtpServer::parse(&format!("{scheme}://{address}{query}"))
        .and_then(|server| server.with_credentials("otp", PASSWORD))
        .expect("a server");
    let builder = Smtp::builder(server, from()).timeout(Duration::from_secs(5));
    let builder = match root {
        Some(root) => builder.root_certificate(root),
        None => builder,
    };
    builder.build().expect("a provider")
}

#[tokio::test]
async fn a_mail_goes_over_tls_of_either_kind() {
    for (scheme, at_once) in [("smtp", false), ("smtps", true)] {
        let server = tls::start("127.0.0.1", at_once).await;
        let smtp = over_tls(scheme, &server.address, Some(server.root));
        let receipt = smtp.deliver(&kit::to_email()).await.expect(scheme);
        assert_eq!(receipt.reference(), Some("challenge-1@example.com"));
    }
}

#[tokio::test]
async fn a_certificate_of_another_name_or_authority_gets_nothing() {
    for (scheme, at_once) in [("smtp", false), ("smtps", true)] {
        let other_name = tls::start("mail.example.org", at_once).await;
        let smtp = over_tls(scheme, &other_name.address, Some(other_name.root));
        let error = smtp
            .deliver(&kit::to_email())
            .await
            .expect_err("another name");
        assert_eq!(
            (error.kind(), error.certainty()),
            (Kind::Unavailable, NotSent)
        );
        let other_root = tls::start("127.0.0.1", at_once).await;
        let smtp = over_tls(scheme, &other_root.address, None);
        let error = smtp
            .deliver(&kit::to_email())
            .await
            .expect_err("another root");
        assert_eq!(
            (error.kind(), error.certainty()),
            (Kind::Unavailable, NotSent)
        );
    }
}

#[tokio::test]
async fn words_put_in_before_tls_are_not_taken_for_the_servers() {
    let injected = "220 go ahead\r\n250-stand-in\r\n250 AUTH PLAIN\r\n235 in\r\n250 in\r\n250 in\r\n354 in\r\n250 in";
    for words in [injected, "220 go ahead\r\n250 in"] {
        let server = tls::start_after("127.0.0.1", false, words).await;
        let smtp = over_tls("smtp", &server.address, Some(server.root));
        let error = smtp
            .deliver(&kit::to_email())
            .await
            .expect_err("no receipt");
        assert_eq!(error.certainty(), NotSent);
    }
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_sent() {
    let url = stand_in::nobody().await;
    let error = on(&url)
        .deliver(&kit::to_email())
        .await
        .expect_err("refused");
    assert_eq!(
        (error.kind(), error.certainty()),
        (Kind::Unavailable, NotSent)
    );
    assert!(error.is_transient());
}

#[tokio::test]
async fn a_server_without_credentials_is_not_asked_for_auth_and_one_without_a_mechanism_is_refused()
{
    let server = Server::start(&[]).await;
    let open = built(
        SmtpServer::parse(&server.url).expect("a server"),
        Duration::from_secs(5),
    );
    open.deliver(&kit::to_email()).await.expect("accepted");
    assert!(!server.seen().iter().any(|line| line.starts_with("AUTH")));
    let bare = Server::start(&[("EHLO", Act::Say("250 stand-in"))]).await;
    let error = outcome(&bare).await.expect_err("refused");
    assert_eq!(
        (error.kind(), error.certainty()),
        (Kind::Unauthorized, NotSent)
    );
}

#[tokio::test]
async fn a_subject_or_a_text_adds_no_header_and_ends_no_mail() {
    let server = Server::start(&[]).await;
    let email = EmailAddress::parse(kit::EMAIL).expect("an address");
    let text = "904173\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.dot".to_owned();
    let message = Message::builder(
        MessageId::new("c-1"),
        Channel::Email,
        email.into(),
        text,
        kit::code(),
    )
    .subject("Your code\r\nBcc: evil@example.com")
    .build();
    on(&server.url).deliver(&message).await.expect("accepted");
    let seen = server.seen();
    assert_eq!(
        seen.iter().filter(|line| line.starts_with("MAIL")).count(),
        1
    );
    assert!(
        !seen.iter().any(|line| line.starts_with("| Bcc:")),
        "{seen:#?}"
    );
    assert!(
        seen.iter()
            .any(|line| line.starts_with("| Subject: Your code  Bcc")),
        "{seen:#?}"
    );
    assert!(
        seen.iter()
            .any(|line| line == "| Message-ID: <c-1@example.com>")
    );
}

#[tokio::test]
async fn a_message_for_another_channel_never_reaches_the_server() {
    let server = Server::start(&[]).await;
    let smtp = on(&server.url);
    let phone = kit::to_phone(Channel::Sms, 300);
    let error = smtp.deliver(&phone).await.expect_err("refused");
    assert_eq!((error.kind(), error.certainty()), (Kind::Invalid, NotSent));
    assert_eq!(server.connections(), 0);
    assert_eq!(
        (smtp.name(), smtp.channels()),
        ("smtp", [Channel::Email].as_slice())
    );
}

#[tokio::test]
async fn a_dropped_call_leaves_the_next_one_working() {
    let server = Server::start(&[("RCPT", Act::Hang)]).await;
    let smtp = on(&server.url);
    let message = kit::to_email();
    let dropped = tokio::time::timeout(Duration::from_millis(100), smtp.deliver(&message));
    assert!(dropped.await.is_err());
    server.behave(&[]);
    smtp.deliver(&kit::to_email()).await.expect("accepted");
    assert_eq!(server.connections(), 2);
}

#[test]
fn malformed_settings_are_named_and_not_shown() {
    let server = || SmtpServer::parse("smtp://mail.example.com").expect("a server");
    let named = Smtp::builder(server(), from())
        .from_name("a\r\nBcc: x")
        .build();
    assert!(matches!(named, Err(ConfigError::FromName)));
    let rooted = Smtp::builder(server(), from())
        .root_certificate(*b"no certificate")
        .build();
    assert!(matches!(rooted, Err(ConfigError::Transport(_))));
    for bad in ["", "a\r\nb"] {
        assert!(matches!(
            server().with_credentials("otp", bad),
            Err(ConfigError::Credential)
        ));
        assert!(matches!(
            server().with_credentials(bad, "pw"),
            Err(ConfigError::Credential)
        ));
    }
    let shown = format!(
        "{:?} {:?}",
        Smtp::builder(server(), from()),
        on("smtp://mail.example.com")
    );
    assert!(
        !shown.contains(PASSWORD) && !shown.contains("mail.example"),
        "{shown}"
    );
}
