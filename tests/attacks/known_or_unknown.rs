//! Is there such an account? Asked ten thousand times of accounts that there are, and as often of
//! ones that there are not.

use std::time::Duration;

use otp_kit::prelude::*;

use crate::support::{Service, figure, from_anywhere};

/// A start for somebody, or for nobody, each by a name and from an address of its own.
fn start(known: bool, number: u32) -> Issue {
    let name = format!("person-{number:06}@example.org");
    let issue = if known {
        let subject = SubjectId::new(format!("account-{number:06}")).unwrap();
        let address = EmailAddress::parse(&name).unwrap();
        Issue::to(address).for_purpose("login").for_subject(subject)
    } else {
        Issue::decoy(&name, Channel::Email).for_purpose("login")
    };
    let client = number * 2 + u32::from(known);
    issue
        .dispatch(Dispatch::Background)
        .from(from_anywhere(client))
}

/// Starts for both in turn, and shows what each was answered.
async fn ask(service: &Service, number: u32) -> [String; 2] {
    let mut seen = [String::new(), String::new()];
    for turn in 0..2 {
        let known = (number + turn).is_multiple_of(2);
        let issued = service.verifier.issue(start(known, number)).await.unwrap();
        let shown = format!(
            "{} {:?} {:?} {}",
            issued.challenge_id.to_string().len(),
            issued.expires_at,
            issued.resend_at,
            issued.channel.name(),
        );
        seen[usize::from(known)] = shown;
        // The message of the one must not be in the other's way.
        service
            .verifier
            .drain(Duration::from_secs(5))
            .await
            .unwrap();
    }
    seen
}

#[tokio::test]
async fn r18_twenty_thousand_starts_tell_nobody_who_is_known() {
    let service = Service::new();
    let calls = figure("ENUMERATED_NAMES", 10_000);
    for number in 0..calls {
        let [unknown, known] = ask(&service, number).await;
        assert_eq!(unknown, known, "{number}");
    }
    let reached = u32::try_from(service.outbox.len()).unwrap();
    assert_eq!(reached, calls, "each of the known was sent one");
}
