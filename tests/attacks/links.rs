mod browsers;

use std::sync::{Arc, Mutex};

use otp_kit::delivery::{LinkSettings, OtherBrowser, ReturnAddress};
use otp_kit::event::{Event, EventKind, Observer};
use otp_kit::key::{Key, KeyId};
use otp_kit::policy::ResendCode;
use otp_kit::prelude::*;
use otp_kit::request::{AttemptId, SessionBinding};
use otp_kit::secret::SecretBytes;
use otp_kit::verifier::{Attempt, Link, LinkError};
use tokio::task::JoinSet;

use crate::support::{Builder, Service, from_anywhere, here};

const MAIL: &str = "someone@example.org";
const PAGE: &str = "https://id.example.com/auth/link";
const INBOX: &str = "https://app.example.com/inbox";

fn settings() -> LinkSettings {
    let inbox = ReturnAddress::parse(INBOX).unwrap();
    LinkSettings::at(PAGE).unwrap().allow_return(inbox)
}

fn linked(builder: Builder) -> Builder {
    builder.links(settings())
}

fn browser(name: &str) -> SessionBinding {
    SessionBinding::of(format!("cookie of {name}").as_bytes())
}

/// The browser that asks.
fn owner() -> RequestContext {
    here().bound_to(browser("owner"))
}

/// A message that was sent: its challenge, its code and the token of its link.
struct Sent {
    id: ChallengeId,
    code: String,
    token: String,
}

fn issue() -> Issue {
    let mail = EmailAddress::parse(MAIL).unwrap();
    Issue::to(mail)
        .for_purpose("login")
        .with_link(Link::for_browser(browser("owner")))
        .from(here())
}

async fn send(service: &Service, issue: Issue) -> Sent {
    let issued = service.verifier.issue(issue).await.unwrap();
    last(service, issued.challenge_id)
}

fn last(service: &Service, id: ChallengeId) -> Sent {
    let mail = Destination::parse(MAIL, None).unwrap();
    let link = service.outbox.last_link_for(&mail).expect("a link");
    let token = link.open().strip_prefix(&format!("{PAGE}?token="));
    Sent {
        id,
        code: service.code(MAIL),
        token: token.expect("the configured page").to_owned(),
    }
}

/// What a refused link says; all of them must be the same.
fn refusal(answer: Result<Verified, LinkError>) -> String {
    match answer {
        Err(LinkError::NotAccepted(error)) => format!("{error:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_link_signs_in_the_browser_that_asked_once_and_its_code_is_spent_with_it() {
    for service in Service::everywhere(linked).await {
        let inbox = settings().return_address(INBOX).cloned().unwrap();
        let link = Link::for_browser(browser("owner")).returning_to(inbox);
        let sent = send(&service, issue().with_link(link)).await;
        let verified = service.verifier.verify_link(&sent.token, owner()).await;
        let verified = verified.unwrap();
        assert_eq!(verified.challenge_id(), sent.id);
        assert_eq!(verified.purpose().as_str(), "login");
        assert_eq!(verified.destination().canonical(), MAIL);
        let return_to = verified.return_to().map(ReturnAddress::as_str);
        assert_eq!(return_to, Some(INBOX));
        let again = service.verifier.verify_link(&sent.token, owner()).await;
        assert_eq!(refusal(again), "Rejected");
        let code = service.verifier.verify(sent.id, &sent.code, owner()).await;
        assert!(matches!(code, Err(VerifyError::Rejected)), "{code:?}");
    }
}

#[tokio::test]
async fn a_code_that_was_typed_first_leaves_its_link_worthless() {
    for service in Service::everywhere(linked).await {
        let sent = send(&service, issue()).await;
        let code = service.verifier.verify(sent.id, &sent.code, here()).await;
        assert!(code.is_ok(), "{code:?}");
        for context in [owner(), here()] {
            let link = service.verifier.verify_link(&sent.token, context).await;
            assert_eq!(refusal(link), "Rejected");
        }
    }
}

#[tokio::test]
async fn another_browser_is_shown_the_code_and_never_signed_in() {
    for service in Service::everywhere(linked).await {
        let sent = send(&service, issue()).await;
        let other = || here().bound_to(browser("other"));
        for context in [other(), here(), other()] {
            let answer = service.verifier.verify_link(&sent.token, context).await;
            let Err(LinkError::OtherBrowser(relay)) = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(relay.code().expose(), sent.code);
            assert!(!format!("{relay:?}").contains(&sent.code));
        }
        let found = service.verifier.store().find(&sent.id).await.unwrap();
        assert_eq!(found.unwrap().attempts, 0, "nothing was counted");
        // Typed where the sign-in began, it signs in there.
        let typed = service.verifier.verify(sent.id, &sent.code, here()).await;
        assert!(typed.is_ok(), "{typed:?}");
        let late = service.verifier.verify_link(&sent.token, other()).await;
        assert_eq!(refusal(late), "Rejected");
    }
}

#[tokio::test]
async fn a_link_that_no_browser_asked_for_signs_in_none() {
    for service in Service::everywhere(linked).await {
        let sent = send(&service, issue().with_link(Link::new())).await;
        for context in [here(), owner()] {
            let answer = service.verifier.verify_link(&sent.token, context).await;
            assert!(
                matches!(answer, Err(LinkError::OtherBrowser(_))),
                "{answer:?}"
            );
        }
        // Bound by the request, link and code are both that browser's.
        let bound = issue().with_link(Link::new()).from(owner());
        let sent = send(&service, bound).await;
        let stranger = here().bound_to(browser("other"));
        let typed = service.verifier.verify(sent.id, &sent.code, stranger).await;
        assert!(typed.is_err());
        let answer = service.verifier.verify_link(&sent.token, owner()).await;
        assert!(answer.is_ok(), "{answer:?}");
    }
}

#[tokio::test]
async fn where_policy_says_so_another_browser_is_refused_like_a_wrong_link() {
    let service =
        Service::with(|builder| builder.links(settings().other_browser(OtherBrowser::Refuse)));
    let sent = send(&service, issue()).await;
    let answer = service.verifier.verify_link(&sent.token, here()).await;
    assert_eq!(refusal(answer), "Rejected");
    assert!(
        service
            .verifier
            .verify_link(&sent.token, owner())
            .await
            .is_ok()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_parallel_posts_of_one_link_are_one_sign_in() {
    for service in Service::everywhere(linked).await {
        let service = Arc::new(service);
        let sent = Arc::new(send(&service, issue()).await);
        let mut tasks = JoinSet::new();
        for number in 0..200 {
            let (service, sent) = (Arc::clone(&service), Arc::clone(&sent));
            tasks.spawn(async move {
                let context = from_anywhere(number).bound_to(browser("owner"));
                service.verifier.verify_link(&sent.token, context).await
            });
        }
        let answers = tasks.join_all().await;
        let wins = answers.iter().filter(|answer| answer.is_ok()).count();
        assert_eq!(wins, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_link_and_its_code_that_race_are_one_sign_in() {
    for service in Service::everywhere(linked).await {
        let service = Arc::new(service);
        for round in 0..20 {
            let mail = EmailAddress::parse(&format!("someone.{round}@example.org")).unwrap();
            let to = Destination::from(mail.clone());
            let ask = Issue::to(mail)
                .for_purpose("login")
                .with_link(Link::for_browser(browser("owner")))
                .from(from_anywhere(round));
            let id = service.verifier.issue(ask).await.unwrap().challenge_id;
            let code = service.outbox.last_code_for(&to).unwrap();
            let link = service.outbox.last_link_for(&to).unwrap();
            let token = link.open().split_once("?token=").unwrap().1.to_owned();
            let context = from_anywhere(round).bound_to(browser("owner"));
            let (one, other) = (Arc::clone(&service), Arc::clone(&service));
            let at = context.clone();
            let link =
                tokio::spawn(async move { one.verifier.verify_link(&token, at).await.is_ok() });
            let code = tokio::spawn(async move {
                let code = code.expose().to_owned();
                other.verifier.verify(id, code, context).await.is_ok()
            });
            let wins = [link.await.unwrap(), code.await.unwrap()];
            assert_eq!(wins.iter().filter(|won| **won).count(), 1);
        }
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_link_is_heard_again_and_wins_once() {
    for service in Service::everywhere(linked).await {
        let sent = send(&service, issue()).await;
        let named = |name| Attempt::new(&sent.token).with_id(AttemptId::new(name).unwrap());
        let first = service.verifier.verify_link(named("try-1"), owner()).await;
        let again = service.verifier.verify_link(named("try-1"), owner()).await;
        assert!(!first.unwrap().is_repeated() && again.unwrap().is_repeated());
        let other = service.verifier.verify_link(named("try-2"), owner()).await;
        assert_eq!(refusal(other), "Rejected");
    }
}

#[tokio::test]
async fn links_that_are_unknown_wrong_foreign_or_over_are_one_answer() {
    for service in Service::everywhere(linked).await {
        let verifier = &service.verifier;
        let flipped = |token: &str| {
            let (name, secret) = token.split_at(40);
            let flip = if secret.starts_with('A') { "B" } else { "A" };
            format!("{name}{flip}{}", &secret[1..])
        };
        let fresh = send(&service, issue()).await;
        let mut tries = vec![
            ("malformed", Attempt::new("not-a-token")),
            ("empty", Attempt::new("")),
            ("a megabyte", Attempt::new("A".repeat(1_000_000))),
            ("unknown", Attempt::new("A".repeat(79))),
            ("wrong", Attempt::new(flipped(&fresh.token))),
            ("the code in its place", Attempt::new(&fresh.code)),
            (
                "another tenant's",
                Attempt::new(&fresh.token).for_tenant(Tenant::new("other").unwrap()),
            ),
            (
                "another purpose's",
                Attempt::new(&fresh.token).for_purpose(Purpose::RECOVERY),
            ),
        ];
        let resent = send(&service, issue()).await;
        tries.push(("superseded", Attempt::new(&fresh.token)));
        service.advance(61);
        verifier.resend(&resent.id, here()).await.unwrap();
        tries.push(("replaced by a resend", Attempt::new(&resent.token)));
        let newest = last(&service, resent.id);
        let cancelled = newest.token.clone();
        verifier
            .cancel(&Tenant::default(), &newest.id, here())
            .await
            .unwrap();
        tries.push(("revoked", Attempt::new(cancelled)));
        for (what, attempt) in tries {
            let contexts = [owner(), here()].into_iter().enumerate();
            for (place, context) in contexts {
                let answer = verifier.verify_link(attempt.clone(), context).await;
                assert_eq!(refusal(answer), "Rejected", "{what} in browser {place}");
            }
        }
    }
}

#[tokio::test]
async fn a_link_lives_to_the_last_second_of_its_challenge_and_no_longer() {
    for service in Service::everywhere(linked).await {
        let sent = send(&service, issue()).await;
        service.advance(599);
        let relayed = service.verifier.verify_link(&sent.token, here()).await;
        assert!(matches!(relayed, Err(LinkError::OtherBrowser(_))));
        service.advance(1);
        for context in [owner(), here()] {
            let late = service.verifier.verify_link(&sent.token, context).await;
            assert_eq!(refusal(late), "Rejected");
        }
    }
}

#[tokio::test]
async fn wrong_links_spend_none_of_the_owners_guesses_and_spent_guesses_end_the_link() {
    for service in Service::everywhere(linked).await {
        let sent = send(&service, issue()).await;
        let forged = format!("{}{}", &sent.token[..36], "A".repeat(43));
        for number in 0..20 {
            let context = from_anywhere(number).bound_to(browser("owner"));
            let answer = service.verifier.verify_link(&forged, context).await;
            assert_eq!(refusal(answer), "Rejected");
        }
        let found = service.verifier.store().find(&sent.id).await.unwrap();
        assert_eq!(found.unwrap().attempts, 0);
        for number in 0..5 {
            let wrong = crate::support::wrong(&sent.code);
            let tried = service
                .verifier
                .verify(sent.id, wrong, from_anywhere(number));
            assert!(tried.await.is_err());
        }
        let spent = service.verifier.verify_link(&sent.token, owner()).await;
        assert!(matches!(spent, Err(LinkError::NotAccepted(_))), "{spent:?}");
    }
}

#[tokio::test]
async fn nobody_can_tell_a_decoy_by_links_that_are_tried_on_it() {
    for service in Service::everywhere(linked).await {
        let mut counted = Vec::new();
        for decoy in [false, true] {
            let addressed = if decoy {
                Issue::decoy("nobody@example.org", Channel::Email)
            } else {
                Issue::to(EmailAddress::parse(MAIL).unwrap())
            };
            let ask = addressed
                .for_purpose("login")
                .with_link(Link::for_browser(browser("owner")))
                .from(here());
            let id = service.verifier.issue(ask).await.unwrap().challenge_id;
            for number in 0..6 {
                use base64::Engine as _;
                let token = [id.as_bytes().as_slice(), &[7; 32]].concat();
                let token = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(token);
                let context = from_anywhere(number).bound_to(browser("owner"));
                let answer = service.verifier.verify_link(token, context).await;
                assert_eq!(refusal(answer), "Rejected");
            }
            let found = service.verifier.store().find(&id).await.unwrap().unwrap();
            counted.push((found.attempts, found.wrong, found.state.name()));
        }
        assert_eq!(counted[0], counted[1]);
    }
}

/// Keeps what was said about links.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Observer for Told {
    fn observe(&self, event: &Event) {
        if event.kind == EventKind::ChallengeDisowned {
            self.0.lock().unwrap().push(event.clone());
        }
    }
}

#[tokio::test]
async fn whoever_it_was_not_ends_the_challenge_from_any_browser_and_somebody_hears_of_it() {
    let told = Told::default();
    for service in Service::everywhere(|builder| linked(builder).observer(told.clone())).await {
        told.0.lock().unwrap().clear();
        let verifier = &service.verifier;
        let sent = send(&service, issue()).await;
        let forged = format!("{}{}", &sent.token[..36], "A".repeat(43));
        let wrong = verifier.disown_link(&forged, here()).await;
        assert!(matches!(wrong, Err(VerifyError::Rejected)), "{wrong:?}");
        let other = Attempt::new(&sent.token).for_tenant(Tenant::new("other").unwrap());
        assert!(verifier.disown_link(other, here()).await.is_err());
        assert!(
            told.0
                .lock()
                .unwrap()
                .iter()
                .all(|event| event.reason.is_some())
        );

        verifier.disown_link(&sent.token, here()).await.unwrap();
        let event = told.0.lock().unwrap().last().cloned().unwrap();
        assert_eq!(
            (event.reason.as_deref(), event.outcome.name()),
            (None, "success")
        );
        assert_eq!(event.challenge, Some(sent.id.fingerprint()));
        let link = verifier.verify_link(&sent.token, owner()).await;
        assert_eq!(refusal(link), "Rejected");
        assert!(verifier.verify(sent.id, &sent.code, here()).await.is_err());
        // Said again, and said too late: the event tells what had become of it.
        verifier.disown_link(&sent.token, here()).await.unwrap();
        let reason = |told: &Told| told.0.lock().unwrap().last().unwrap().reason.clone();
        assert_eq!(reason(&told).as_deref(), Some("revoked"));
        let used = send(&service, issue()).await;
        drop(verifier.verify_link(&used.token, owner()).await.unwrap());
        verifier.disown_link(&used.token, here()).await.unwrap();
        assert_eq!(reason(&told).as_deref(), Some("consumed"));
    }
}

#[tokio::test]
async fn a_resend_replaces_the_link_with_the_code_or_repeats_both() {
    for (policy, same) in [(ResendCode::Fresh, false), (ResendCode::Same, true)] {
        for service in Service::everywhere(|builder| linked(builder).resend_code(policy)).await {
            let first = send(&service, issue()).await;
            service.advance(61);
            service.verifier.resend(&first.id, here()).await.unwrap();
            let second = last(&service, first.id);
            assert_eq!(first.token == second.token, same);
            assert_eq!(first.code == second.code, same);
            let relayed = service.verifier.verify_link(&second.token, here()).await;
            let Err(LinkError::OtherBrowser(relay)) = relayed else {
                panic!("{relayed:?}");
            };
            assert_eq!(relay.code().expose(), second.code);
            let answer = service.verifier.verify_link(&second.token, owner()).await;
            assert!(answer.is_ok(), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn an_address_that_is_not_allowed_is_never_returned_to() {
    let service = Service::with(linked);
    let strange = ReturnAddress::parse("https://evil.example/inbox").unwrap();
    let link = Link::for_browser(browser("owner")).returning_to(strange);
    let refused = service.verifier.issue(issue().with_link(link)).await;
    assert!(
        matches!(refused, Err(IssueError::ReturnAddress)),
        "{refused:?}"
    );
    assert!(service.outbox.is_empty());
    let none = Service::new();
    let refused = none.verifier.issue(issue()).await;
    assert!(matches!(refused, Err(IssueError::NoLinks)), "{refused:?}");
}

#[tokio::test]
async fn only_mail_carries_links() {
    let service = Service::with(linked);
    let phone = PhoneNumber::parse(crate::support::PHONE).unwrap();
    let ask = Issue::to(phone.clone()).for_purpose("login");
    let ask = ask
        .with_link(Link::for_browser(browser("owner")))
        .from(here());
    let id = service.verifier.issue(ask).await.unwrap().challenge_id;
    assert!(service.outbox.last_link_for(&phone.into()).is_none());
    let found = service.verifier.store().find(&id).await.unwrap().unwrap();
    assert!(!found.digest.contains("otp-link"));
    let code = service.code(crate::support::PHONE);
    assert!(service.verifier.verify(id, &code, here()).await.is_ok());
}

#[tokio::test]
async fn a_link_outlives_a_rotation_of_keys_and_dies_with_its_own() {
    let service = Service::with(linked);
    let (kept, lost) = (send(&service, issue()).await, "someone.else@example.org");
    let next = |id, byte| {
        let secret: Vec<u8> = (0..32_u8).map(|at| at ^ byte).collect();
        Key::new(KeyId::new(id).unwrap(), &SecretBytes::new(secret)).unwrap()
    };
    let first = *service.keys.snapshot().current().id();
    service.keys.rotate(next("next", 1)).unwrap();
    assert!(
        service
            .verifier
            .verify_link(&kept.token, owner())
            .await
            .is_ok()
    );
    let to = EmailAddress::parse(lost).unwrap();
    let ask = Issue::to(to.clone()).for_purpose("login");
    let ask = ask
        .with_link(Link::for_browser(browser("owner")))
        .from(here());
    service.verifier.issue(ask).await.unwrap();
    let link = service.outbox.last_link_for(&to.into()).unwrap();
    service.keys.rotate(next("third", 2)).unwrap();
    service.keys.retire(&first).unwrap();
    service.keys.retire(&KeyId::new("next").unwrap()).unwrap();
    let token = link.open().split_once("?token=").unwrap().1;
    let answer = service.verifier.verify_link(token, owner()).await;
    assert_eq!(refusal(answer), "Rejected");
}
