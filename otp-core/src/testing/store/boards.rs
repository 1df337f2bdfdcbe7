use std::sync::Arc;
use std::time::Duration;

use super::bench::{Bench, RACERS, count, race};
use super::{StoreFixture, kit};
use crate::event::EventKind;
use crate::store::{Board, BoardText, PolicyDocument, Posted, Published, StoreErrorKind};

const ANSWERS: &str = "an answer";
const HOUR: Duration = Duration::from_secs(3_600);

/// Of a thousand who post over one revision, one does; all others hear what is there.
pub async fn one_of_a_thousand_posts_over_a_revision_wins(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let mut expected = 0;
    for _ in 0..2 {
        let answers = race(RACERS, |racer| {
            let store = Arc::clone(&bench.store);
            let event = kit::event(EventKind::OperatorAction);
            async move {
                let text = text(&format!("racer {racer}"));
                let posted = store
                    .post(Board::Overrides, expected, text, vec![event])
                    .await;
                posted.expect(ANSWERS)
            }
        })
        .await;
        let current = read(&bench, Board::Overrides, 0).await.revision;
        assert!(current > expected, "a revision grows");
        let won = count(&answers, |answer| *answer == Published::As(current));
        let lost = count(&answers, |answer| {
            *answer == Published::Conflict { current }
        });
        assert_eq!((won, lost), (1, RACERS - 1), "exactly one posts");
        expected = current;
    }
    let records = bench.events().await.len();
    assert_eq!(records, 2, "whoever posted is on record, and nobody else");
}

/// A text is read as it was posted, the longest, the strangest and the empty one; and not at all by
/// whoever knows its revision.
pub async fn a_board_is_read_as_it_was_posted(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let nothing = read(&bench, Board::Templates, 0).await;
    let now = bench.now().await;
    assert_eq!((nothing.revision, nothing.text), (0, None));
    assert_eq!(nothing.now, now, "it tells the time");
    let strange = "1\t'\\0; --\"\r\n\tb: %{x} \u{202e}\u{1f512} $1 ? {}\n";
    let longest = "\u{1f512}".repeat(65_536);
    let mut known = 0;
    for words in [strange, longest.as_str(), ""] {
        let posted = post(&bench, Board::Templates, known, words).await;
        let at = bench.now().await;
        let revision = Posted::following(known, at);
        assert_eq!(posted, Published::As(revision));
        let read = read(&bench, Board::Templates, known).await;
        assert!(read.text == Some(text(words)), "it reads the same");
        assert_eq!((read.revision, read.now), (revision, at));
        known = revision;
        let again = self::read(&bench, Board::Templates, known).await;
        assert_eq!((again.revision, again.text), (known, None));
        bench.advance(HOUR);
    }
    bench.advance(10_000 * HOUR);
    bench.store.purge(1_000).await.expect(ANSWERS);
    let kept = read(&bench, Board::Templates, 0).await;
    assert_eq!((kept.revision, kept.text), (known, Some(text(""))));
}

/// What is posted on a board changes neither another one nor the policy, and the other way round.
pub async fn boards_and_the_policy_are_apart(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let posted = post(&bench, Board::Overrides, 0, "one").await;
    let Published::As(one) = posted else {
        panic!("{posted:?}");
    };
    assert_eq!(read(&bench, Board::Templates, 0).await.text, None);
    assert_eq!(bench.store.version().await.expect(ANSWERS), 0);
    let document = PolicyDocument::new("level: standard", "ann", "because").expect("a document");
    let event = kit::event(EventKind::PolicyChanged);
    let published = bench.store.publish(None, document, event).await;
    assert_eq!(published.expect(ANSWERS), Published::As(1));
    let posted = post(&bench, Board::Templates, 0, "two").await;
    assert!(matches!(posted, Published::As(_)), "{posted:?}");
    let kept = read(&bench, Board::Overrides, 0).await;
    assert_eq!((kept.revision, kept.text), (one, Some(text("one"))));
    let kept = bench.store.current().await.expect(ANSWERS);
    assert_eq!(kept.map(|record| record.version), Some(1));
    let kinds: Vec<_> = bench.events().await.into_iter().map(|e| e.kind).collect();
    let posts = EventKind::OperatorAction;
    assert_eq!(kinds, [posts, EventKind::PolicyChanged, posts]);
}

/// All records of a post are there in their order, or none is.
pub async fn a_post_leaves_all_its_records(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let kinds = [EventKind::OverrideBegan, EventKind::OverrideEnded];
    let events = || kinds.map(kit::event).to_vec();
    let posted = bench.store.post(Board::Overrides, 0, text("one"), events());
    let posted = posted.await.expect(ANSWERS);
    assert!(matches!(posted, Published::As(_)), "{posted:?}");
    let posted = bench.store.post(Board::Overrides, 0, text("two"), events());
    let posted = posted.await.expect(ANSWERS);
    assert!(matches!(posted, Published::Conflict { .. }), "{posted:?}");
    let now = bench.now().await;
    let kept = bench.events().await;
    let kept: Vec<_> = kept.into_iter().map(|e| (e.kind, e.at)).collect();
    assert_eq!(kept, kinds.map(|kind| (kind, now)));
}

/// A board tells the time, so that it tells nothing while the clock stands wrong; nothing is posted
/// then, and what was there is there when it is right again.
pub async fn a_board_is_not_read_while_the_clock_stands_wrong(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let posted = post(&bench, Board::Overrides, 0, "one").await;
    let Published::As(one) = posted else {
        panic!("{posted:?}");
    };
    bench.step_back(HOUR);
    let read_then = bench.store.posted(Board::Overrides, 0).await;
    let kind = read_then.expect_err("no time").kind();
    assert_eq!(kind, StoreErrorKind::ClockAnomaly);
    let event = kit::event(EventKind::OperatorAction);
    let refused = bench
        .store
        .post(Board::Overrides, one, text("two"), vec![event]);
    let kind = refused.await.expect_err("nothing is posted").kind();
    assert_eq!(kind, StoreErrorKind::ClockAnomaly);
    bench.advance(HOUR);
    let kept = read(&bench, Board::Overrides, 0).await;
    assert_eq!((kept.revision, kept.text), (one, Some(text("one"))));
}

fn text(words: &str) -> BoardText {
    BoardText::new(words).expect("a text")
}

async fn post(bench: &Bench<'_>, board: Board, expected: u64, words: &str) -> Published {
    let events = vec![kit::event(EventKind::OperatorAction)];
    let posted = bench.store.post(board, expected, text(words), events);
    posted.await.expect(ANSWERS)
}

async fn read(bench: &Bench<'_>, board: Board, known: u64) -> Posted {
    bench.store.posted(board, known).await.expect(ANSWERS)
}
