use std::net::IpAddr;
use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::Challenge;
use crate::destination::Destination;
use crate::event::EventKind;
use crate::store::{Block, BlockEntry, BlockKind, Granted, Plan, Target};

const HOUR: Duration = Duration::from_secs(3_600);

/// A blocked number, address, client address or device is refused, in whichever spelling it was
/// blocked; its neighbours are not.
pub async fn what_is_blocked_is_refused_and_its_neighbours_are_not(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let phone = |number: &str| Block::of_destination(&destination(number));
    let device = |name: &str| vec![Block::new(BlockKind::Device, name).expect("a device")];
    let ip = |text: &str| {
        vec![Block::of_address(
            text.parse::<IpAddr>().expect("an address"),
        )]
    };
    for (kind, value, meant, neighbour) in [
        (
            BlockKind::Phone,
            "+14155550123",
            phone("+14155550123"),
            phone("+14155550124"),
        ),
        (
            BlockKind::Email,
            "Ann@Example.com",
            phone("ann@example.com"),
            phone("bob@example.com"),
        ),
        (
            BlockKind::Ip,
            "::ffff:192.0.2.7",
            ip("192.0.2.7"),
            ip("192.0.2.8"),
        ),
        (BlockKind::Device, "d'; --", device("d'; --"), device("d")),
    ] {
        block(&bench, kind, value, None).await;
        assert_eq!(blocked(&bench, &meant).await, 1, "{value} is blocked");
        assert_eq!(
            blocked(&bench, &neighbour).await,
            0,
            "what is near {value} is not"
        );
    }
}

/// A blocked prefix refuses every number that starts so, and a blocked domain every address of it.
pub async fn a_blocked_prefix_or_domain_refuses_all_of_it(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    block(&bench, BlockKind::Prefix, "+1415", None).await;
    block(&bench, BlockKind::Domain, "Example.COM", None).await;
    for (destination, expected) in [
        ("+14155550123", 1),
        ("+14155550199", 1),
        ("+12025550123", 0),
        ("ann@example.com", 1),
        ("bob@example.com", 1),
        ("ann@example.org", 0),
    ] {
        let blocks = Block::of_destination(&self::destination(destination));
        assert_eq!(blocked(&bench, &blocks).await, expected, "{destination}");
    }
}

/// A request that several entries refuse names each of them, and no other.
pub async fn every_entry_that_refuses_is_found(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    block(&bench, BlockKind::Prefix, "+1415", None).await;
    block(&bench, BlockKind::Phone, "+14155550123", None).await;
    block(&bench, BlockKind::Device, "another", None).await;
    let mut blocks = Block::of_destination(&destination("+14155550123"));
    blocks.push(Block::of_address(IpAddr::from([192, 0, 2, 7])));
    let challenge = kit::challenge("ann", bench.now().await);
    let admission = bench
        .admit(Plan {
            blocks,
            ..kit::issue_plan(&challenge)
        })
        .await;
    let mut kinds: Vec<BlockKind> = admission.findings.blocked.iter().map(Block::kind).collect();
    kinds.sort();
    assert_eq!(kinds, [BlockKind::Phone, BlockKind::Prefix]);
}

/// A blocked request reserves nothing: no guess, no send, no quota.
pub async fn a_blocked_request_reserves_nothing(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    bench.advance(kit::COOLDOWN);
    let device = block(&bench, BlockKind::Device, "stolen", None).await;
    let quota = kit::window("quota", 5, HOUR);
    for plan in [
        kit::attempt_plan(Target::Id(challenge.id), kit::attempt_claim()),
        kit::resend_plan(&challenge),
        kit::issue_plan(&challenge),
    ] {
        let plan = Plan {
            blocks: vec![device.clone()],
            quotas: vec![quota.clone()],
            ..plan
        };
        let admission = bench.admit(plan).await;
        assert!(
            admission.granted.is_none(),
            "a blocked request is granted nothing"
        );
        assert_eq!(admission.findings.objection(), Some("blocked"));
        assert_eq!(
            admission.findings.quotas.len(),
            1,
            "its quotas are read all the same"
        );
    }
    let found = bench.find(&challenge).await;
    assert_eq!(
        (found.attempts, found.sends),
        (0, 1),
        "no guess and no send"
    );
    assert_eq!(bench.guesses(&challenge).await, 0, "no guess of the budget");
    assert_eq!(bench.peek(&quota).await.remaining(), 5, "no quota");
}

/// An entry with a life lapses at its end; one without never does, whatever is purged.
pub async fn an_entry_lapses_at_its_end(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let brief = block(&bench, BlockKind::Device, "brief", Some(HOUR)).await;
    let lasting = block(&bench, BlockKind::Device, "lasting", None).await;
    bench.advance(HOUR - Duration::from_millis(1));
    bench.store.purge(100).await.expect("an answer");
    assert_eq!(blocked(&bench, &[brief.clone(), lasting.clone()]).await, 2);
    bench.advance(Duration::from_millis(1));
    assert_eq!(blocked(&bench, &[brief]).await, 0, "its hour is over");
    bench.advance(Duration::from_secs(10 * 366 * 86_400));
    bench.store.purge(100).await.expect("an answer");
    assert_eq!(blocked(&bench, &[lasting]).await, 1);
    assert_eq!(list(&bench).await.len(), 1, "what lapsed is not listed");
}

/// Blocking again replaces note, author and life.
pub async fn blocking_again_replaces_the_entry(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    block(&bench, BlockKind::Device, "stolen", Some(HOUR)).await;
    bench.advance(Duration::from_secs(60));
    let block = Block::new(BlockKind::Device, "stolen").expect("a device");
    let event = kit::event(EventKind::OperatorAction);
    let note = "second note; 'quoted' \u{2028}";
    let again = bench.store.block(&block, note, "bob", None, event).await;
    again.expect("an answer");
    let [entry] = &list(&bench).await[..] else {
        panic!("one entry a value")
    };
    assert_eq!((entry.note.as_str(), entry.author.as_str()), (note, "bob"));
    assert_eq!(entry.block, block);
    assert_eq!(entry.expires_at, None, "the new entry has its own life");
    assert_eq!(entry.added_at, bench.now().await);
    bench.advance(2 * HOUR);
    assert_eq!(blocked(&bench, &[block]).await, 1);
}

/// What was unblocked is admitted; unblocking what is not blocked is no error.
pub async fn what_was_unblocked_is_admitted(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let first = block(&bench, BlockKind::Device, "first", None).await;
    let second = block(&bench, BlockKind::Device, "second", None).await;
    for _ in 0..2 {
        let event = kit::event(EventKind::OperatorAction);
        bench.store.unblock(&first, event).await.expect("an answer");
    }
    assert_eq!(blocked(&bench, &[first]).await, 0);
    assert_eq!(blocked(&bench, &[second]).await, 1, "others stay blocked");
}

/// Entries are listed newest first, up to the limit, with what was written beside them.
pub async fn entries_are_listed_newest_first(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let start = bench.now().await;
    for value in ["first", "second", "third"] {
        block(&bench, BlockKind::Device, value, Some(HOUR)).await;
        bench.advance(Duration::from_secs(1));
    }
    let entries = list(&bench).await;
    let values: Vec<&str> = entries.iter().map(|entry| entry.block.value()).collect();
    assert_eq!(values, ["third", "second", "first"]);
    let first = entries.last().expect("three entries");
    assert_eq!(
        (first.note.as_str(), first.author.as_str()),
        ("a note", "op")
    );
    assert_eq!(
        (first.added_at, first.expires_at),
        (start, Some(start.saturating_add(HOUR)))
    );
    let two = bench.store.blocks(2).await.expect("an answer");
    assert_eq!(two.len(), 2);
    assert_eq!(two.first().map(|entry| entry.block.value()), Some("third"));
}

async fn block(bench: &Bench<'_>, kind: BlockKind, value: &str, life: Option<Duration>) -> Block {
    let block = Block::new(kind, value).expect("a value of its kind");
    let event = kit::event(EventKind::OperatorAction);
    let done = bench.store.block(&block, "a note", "op", life, event).await;
    done.expect("an answer");
    block
}

/// Asks to issue, and counts the entries that refuse.
async fn blocked(bench: &Bench<'_>, blocks: &[Block]) -> usize {
    let challenge: Challenge = kit::challenge("ann", bench.now().await);
    let plan = Plan {
        blocks: blocks.to_vec(),
        ..kit::issue_plan(&challenge)
    };
    let admission = bench.admit(plan).await;
    let blocked = admission.findings.blocked;
    let granted = matches!(admission.granted, Some(Granted::Issue));
    assert_eq!(
        granted,
        blocked.is_empty(),
        "a request is granted where nothing blocks it"
    );
    blocked.len()
}

async fn list(bench: &Bench<'_>) -> Vec<BlockEntry> {
    bench.store.blocks(100).await.expect("an answer")
}

fn destination(text: &str) -> Destination {
    Destination::parse(text, None).expect("a destination")
}
