use std::time::Duration;

use otp_kit::operator::{BlockList, Count};
use otp_kit::prelude::*;
use otp_kit::request::DeviceId;
use otp_kit::store::{Block, BlockKind};
use otp_kit::verifier::VerifyError;

use super::{acts, operator, words};
use crate::support::{PHONE, Service, from_anywhere, here};

fn block(kind: BlockKind, value: &str) -> Block {
    Block::new(kind, value).unwrap()
}

async fn is_refused(service: &Service, to: &str, from: RequestContext) -> bool {
    let to = Destination::parse(to, None).unwrap();
    let issue = Issue::to(to).for_purpose("login").from(from);
    matches!(
        service.verifier.issue(issue).await,
        Err(IssueError::Blocked)
    )
}

#[tokio::test]
async fn a_blocked_one_is_refused_until_it_is_unblocked_or_its_time_is_over() {
    let phone = block(BlockKind::Phone, PHONE);
    for service in Service::everywhere(|builder| builder).await {
        let desk = operator(&service);
        let preview = desk
            .clone()
            .preview()
            .block(std::slice::from_ref(&phone), None)
            .await
            .unwrap();
        assert_eq!(preview.sample, ["phone +1415•••0123"]);
        assert!(
            !is_refused(&service, PHONE, here()).await,
            "a preview blocks nobody"
        );

        desk.block(std::slice::from_ref(&phone), None)
            .await
            .unwrap();
        assert!(is_refused(&service, PHONE, here()).await);
        let [entry] = &desk.blocks(9).await.unwrap()[..] else {
            panic!("one entry")
        };
        assert_eq!(
            (entry.author.as_str(), entry.note.as_str()),
            ("mike", super::WHY)
        );

        let gone = desk.unblock(std::slice::from_ref(&phone)).await.unwrap();
        assert_eq!(gone.count, Count::Exactly(1));
        assert!(!is_refused(&service, PHONE, here()).await);
        let nothing = desk.unblock(std::slice::from_ref(&phone)).await.unwrap();
        assert_eq!(nothing.count, Count::Exactly(0));

        let hour = Some(Duration::from_secs(3_600));
        desk.block(std::slice::from_ref(&phone), hour)
            .await
            .unwrap();
        assert!(is_refused(&service, PHONE, here()).await);
        service.advance(3_600);
        assert!(!is_refused(&service, PHONE, here()).await);
        let said = words(&service).await;
        let expected = [
            "preview_block:1",
            "block",
            "list_blocks",
            "unblock",
            "unblock",
            "block",
        ];
        assert_eq!(said, expected);
        for act in acts(&service).await {
            let shown = act.destination.unwrap_or_default();
            assert!(
                !shown.contains("4155550123"),
                "no full number on record: {shown}"
            );
        }
    }
}

#[tokio::test]
async fn a_whole_network_is_blocked_whatever_host_of_it_asks_and_no_other() {
    for service in Service::everywhere(|builder| builder).await {
        let mut networks = Block::covering(BlockKind::Ip, "203.0.112.0/22").unwrap();
        networks.push(block(BlockKind::Ip, "2001:db8:1::/48"));
        operator(&service).block(&networks, None).await.unwrap();
        for (address, inside) in [
            ("203.0.112.0", true),
            ("203.0.115.255", true),
            ("::ffff:203.0.113.7", true),
            ("203.0.116.0", false),
            ("203.0.111.255", false),
            ("2001:db8:1:ffff::1", true),
            ("2001:db8:2::1", false),
        ] {
            let from = RequestContext::from_address(address.parse().unwrap());
            assert_eq!(is_refused(&service, PHONE, from).await, inside, "{address}");
        }
    }
}

#[tokio::test]
async fn a_blocked_device_is_refused_from_wherever_it_asks_and_tries() {
    let device = || DeviceId::new("install-7f3a").unwrap();
    for service in Service::everywhere(|builder| builder).await {
        let (id, code) = service.issue().await;
        let blocked = block(BlockKind::Device, "install-7f3a");
        operator(&service).block(&[blocked], None).await.unwrap();
        for number in 0..3 {
            let from = from_anywhere(number).device_id(device());
            assert!(is_refused(&service, PHONE, from).await);
        }
        let tried = service
            .verifier
            .verify(&id, &code, here().device_id(device()))
            .await;
        assert!(matches!(tried, Err(VerifyError::Blocked)), "{tried:?}");
        assert!(!is_refused(&service, PHONE, here()).await);
        assert!(
            service.verifier.verify(&id, &code, here()).await.is_err(),
            "superseded"
        );
    }
}

/// A list, and an instance whose store takes it line by line.
async fn long_list() -> (BlockList, Service) {
    let lines: Vec<_> = (0..400)
        .map(|line| format!("phone,+1415556{line:04}"))
        .collect();
    let list = BlockList::parse(&lines.join("\n")).unwrap();
    let mut services = Service::everywhere(|builder| builder).await;
    (list, services.pop().unwrap())
}

#[tokio::test]
async fn an_import_that_nobody_waits_for_any_more_is_carried_to_its_end() {
    let (list, service) = long_list().await;
    let desk = operator(&service);
    let import = desk.import_blocks(&list);
    let hung_up = tokio::time::timeout(Duration::ZERO, import).await;
    assert!(hung_up.is_err(), "{hung_up:?}");
    let mut held = 0;
    for _ in 0..400 {
        held = desk.blocks(1_000).await.unwrap().len();
        if held == 400 {
            break;
        }
    }
    assert_eq!(held, 400);
}

#[tokio::test]
async fn an_import_that_the_store_ends_says_how_far_it_came() {
    let (list, service) = long_list().await;
    let desk = operator(&service);
    let other = desk.clone();
    let import = tokio::spawn(async move { other.import_blocks(&list).await });
    while desk.blocks(9).await.unwrap().is_empty() {}
    service.clock.step_back(Duration::from_secs(3_600));
    let error = import.await.unwrap().unwrap_err();
    service.advance(3_600);
    let held = desk.blocks(1_000).await.unwrap().len();
    assert!((1..400).contains(&held), "{held}");
    assert_eq!(error.written(), u64::try_from(held).unwrap());
}

#[tokio::test]
async fn a_list_goes_out_of_one_service_and_into_another() {
    let list = "phone,+250788000000,\"calls, mostly\",24h\nip,198.51.100.0/24\nprefix,+8835\n";
    let list = BlockList::parse(list).unwrap();
    for service in Service::everywhere(|builder| builder).await {
        let desk = operator(&service);
        let preview = desk.clone().preview().import_blocks(&list).await.unwrap();
        assert_eq!(preview.count, Count::Exactly(3));
        assert!(desk.blocks(9).await.unwrap().is_empty());
        desk.import_blocks(&list).await.unwrap();
        service.advance(3_600);
        let text = desk.export_blocks().await.unwrap().to_text();
        assert!(
            text.contains("phone,+250788000000,\"calls, mostly\",82800s\n"),
            "{text}"
        );
        assert!(
            text.contains("ip,198.51.100.0/24,incident #123\n"),
            "{text}"
        );

        let other = Service::new();
        let read = BlockList::parse(&text).unwrap();
        operator(&other).import_blocks(&read).await.unwrap();
        assert!(is_refused(&other, "+250788000000", here()).await);
    }
}
