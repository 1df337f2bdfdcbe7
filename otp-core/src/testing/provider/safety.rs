use std::error::Error;

use super::fixture::{CODE, EMAIL, PHONE, ProviderFixture, Setup};
use super::harness::{AMPLE, Outcome, SHORT, build, fail, fault, must, run, send, start};
use super::leak::Log;
use super::{Behaviour, Reply, Vendor};
use crate::delivery::{DeliveryErrorKind, DispatchCertainty};

/// A redirect carries the message nowhere.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_redirect_is_not_followed(fixture: &ProviderFixture) {
    run(async {
        let elsewhere = start(Behaviour::Answer(fixture.accepted.clone())).await;
        for status in [301, 302, 303, 307, 308] {
            let redirect = Reply::new(status).header("Location", elsewhere.base_url());
            let vendor = start(Behaviour::Answer(redirect)).await;
            fail(send(fixture, vendor.base_url(), AMPLE).await, "a redirect");
        }
        assert!(elsewhere.requests().is_empty(), "a redirect was followed");
    });
}

/// Of a reply without end only so much is read; the call ends long before the vendor does.
///
/// # Panics
/// Where the promise does not hold.
pub fn a_reply_without_end_is_bounded(fixture: &ProviderFixture) {
    run(async {
        for reply in [fixture.accepted.clone(), Reply::new(500)] {
            let vendor = start(Behaviour::Endless(reply)).await;
            if let Err(error) = send(fixture, vendor.base_url(), AMPLE).await {
                assert_ne!(
                    error.kind(),
                    DeliveryErrorKind::Timeout,
                    "it read until the deadline"
                );
                assert_eq!(error.certainty(), DispatchCertainty::Unknown);
            }
            // What the sockets buffer goes out as well, hence far more than is read.
            let written = vendor.written();
            assert!(
                written < 16 * 1024 * 1024,
                "{written} bytes were read of a reply"
            );
        }
    });
}

/// Plain HTTP to another machine, and credentials in the URL, are refused when it is built; what
/// is refused is not shown.
///
/// # Panics
/// Where the promise does not hold.
pub fn plain_http_to_another_machine_does_not_build(fixture: &ProviderFixture) {
    run(async {
        for url in [
            "http://192.0.2.1",
            "http://vendor.example.com",
            "http://127.0.0.1.example.com:8080",
            "http://127.0.0.1@vendor.example.com",
            "https://user:hunter2@vendor.example.com",
            "ftp://vendor.example.com",
        ] {
            let setup = Setup {
                base_url: url.to_owned(),
                deadline: AMPLE,
            };
            match fixture.build(&setup) {
                Ok(_) => fault(&format!("a provider was built on {url}")),
                Err(error) => {
                    let shown = format!("{error} {error:?}");
                    assert!(!shown.contains("hunter2"), "the refusal shows a password");
                }
            }
        }
        build(fixture, "https://vendor.example.com", AMPLE);
    });
}

/// Neither code, address, credential nor URL is in any `Debug`, `Display`, error chain, span or
/// event, even where the vendor quotes the request.
///
/// # Panics
/// Where the promise does not hold.
pub fn nothing_shown_holds_a_secret(fixture: &ProviderFixture) {
    let log = Log::default();
    let (shown, mut hidden, private) = tracing::subscriber::with_default(log.subscriber(), || {
        run(async {
            let mut shown = String::new();
            let mut hidden = vec![CODE.to_owned(), EMAIL.to_owned(), PHONE.replace('+', "")];
            hidden.extend(fixture.secrets.iter().cloned());
            // A client's trace may name the machine it connects to; an error or a value may not.
            let mut private = Vec::new();
            let mut behaviours = vec![
                Behaviour::Answer(fixture.accepted.clone()),
                Behaviour::Close,
                Behaviour::CutShort(fixture.accepted.clone()),
                Behaviour::Endless(fixture.accepted.clone()),
                Behaviour::Hang,
            ];
            for refusal in &fixture.refusals {
                behaviours.push(Behaviour::Answer(refusal.reply.clone()));
            }
            for status in [200, 201, 202, 400, 401, 429, 500] {
                behaviours.push(Behaviour::Echo(Reply::new(status)));
            }
            let quoting = Reply::new(400).json(&format!(
                r#"{{"code":"{CODE}","message":"{PHONE} {EMAIL}","errors":[{{"field":"{CODE}"}}]}}"#
            ));
            behaviours.push(Behaviour::Answer(quoting.header("X-Message-Id", "m")));
            for behaviour in behaviours {
                let deadline = match behaviour {
                    Behaviour::Hang => SHORT,
                    _ => AMPLE,
                };
                let vendor = start(behaviour).await;
                let outcome = send(fixture, vendor.base_url(), deadline).await;
                show(&mut shown, &outcome);
                hidden.push(vendor.base_url().to_owned());
                private.push(vendor.base_url().replace("http://", ""));
                for request in vendor.requests() {
                    hidden.push(request.target.clone());
                    let credential = request.header("authorization").unwrap_or_default();
                    hidden.extend(credential.split(' ').next_back().map(str::to_owned));
                }
            }
            let port = must(Vendor::refusing(), "a loopback port");
            let refusing = port.base_url();
            show(&mut shown, &send(fixture, refusing, AMPLE).await);
            private.push(refusing.replace("http://", ""));
            shown.push_str(&format!("{:?}", build(fixture, refusing, AMPLE)));
            (shown, hidden, private)
        })
    });
    // The root path is in everything.
    hidden.retain(|secret| secret.len() > 1);
    for secret in hidden.iter().chain(&private) {
        assert!(
            !shown.contains(secret),
            "a value or an error shows {secret}"
        );
    }
    let log = log.text();
    for secret in &hidden {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "the log shows {secret}: {line:?}");
    }
}

fn show(shown: &mut String, outcome: &Outcome) {
    shown.push_str(&format!("{outcome:?} {outcome:#?}\n"));
    match outcome {
        Ok(receipt) => shown.push_str(&receipt.to_string()),
        Err(error) => {
            shown.push_str(&error.to_string());
            let mut cause = error.source();
            while let Some(current) = cause {
                shown.push_str(&format!("{current} {current:?}\n"));
                cause = current.source();
            }
        }
    }
}
