use std::net::IpAddr;
use std::time::Duration;

use super::bench::Bench;
use super::{StoreFixture, kit};
use crate::challenge::{Challenge, ChallengeId};
use crate::destination::Channel;
use crate::store::ChallengeQuery;

const SECOND: Duration = Duration::from_secs(1);

/// Live challenges are listed newest first, up to the limit.
pub async fn a_list_is_newest_first_and_bounded(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let mut newest_first = Vec::new();
    for name in ["a", "b", "c", "d"] {
        newest_first.insert(0, bench.issue(name).await.id);
        bench.advance(SECOND);
    }
    let all = ChallengeQuery::default();
    assert_eq!(
        ids(&bench.list(&all).await),
        newest_first,
        "the newest come first"
    );
    let two = bench.store.list(&all, 2).await.expect("an answer");
    assert_eq!(
        Some(ids(&two).as_slice()),
        newest_first.get(..2),
        "the newest ones"
    );
}

/// What has ended is not listed, however it ended.
pub async fn a_list_shows_live_challenges_only(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    bench.issue("expired").await;
    bench.advance(kit::LIFE);
    bench.win(&bench.issue("won").await).await;
    bench.exhaust(&bench.issue("spent").await).await;
    bench.issue("ann").await;
    let live = bench.issue("ann").await;
    assert_eq!(
        ids(&bench.list(&ChallengeQuery::default()).await),
        [live.id]
    );
}

/// Each part of a query fits exactly what it names, and all parts must fit.
pub async fn a_query_finds_what_fits_every_part(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let meant = bench.issue_as("ann", meant).await;
    for other in others(&meant) {
        bench.insert(&other).await;
    }
    for (part, query) in parts(&meant) {
        assert_eq!(ids(&bench.list(&query).await), [meant.id], "by {part}");
    }
    let mismatched = ChallengeQuery {
        subject: Some(kit::subject("bob")),
        ..whole(&meant)
    };
    assert!(
        bench.list(&mismatched).await.is_empty(),
        "one part that does not fit is enough"
    );
    assert_eq!(ids(&bench.list(&whole(&meant)).await), [meant.id]);
}

/// A span of time holds its beginning and not its end.
pub async fn a_span_of_time_is_half_open(fixture: &dyn StoreFixture) {
    let bench = Bench::new(fixture);
    let challenge = bench.issue("ann").await;
    let at = challenge.created_at;
    let next = at.saturating_add(Duration::from_millis(1));
    for (from, until, found) in [
        (Some(at), None, 1),
        (Some(next), None, 0),
        (None, Some(at), 0),
        (None, Some(next), 1),
        (Some(at), Some(next), 1),
        (Some(at), Some(at), 0),
    ] {
        let span = ChallengeQuery {
            issued_from: from,
            issued_until: until,
            ..ChallengeQuery::default()
        };
        assert_eq!(
            bench.list(&span).await.len(),
            found,
            "from {from:?} until {until:?}"
        );
    }
}

/// Gives a challenge the values that the queries of [`parts`] ask for.
pub(super) fn meant(challenge: Challenge) -> Challenge {
    Challenge {
        tenant: kit::tenant("acme"),
        channel: Channel::Email,
        key_id: kit::key_id("2026-11"),
        address: Some(IpAddr::from([192, 0, 2, 7])),
        ..challenge
    }
}

/// Makes challenges that fit no query of [`parts`]; they were issued earlier and later.
pub(super) fn others(meant: &Challenge) -> [Challenge; 3] {
    let minute = Duration::from_secs(60);
    let earlier = kit::challenge("bob", meant.created_at.saturating_sub(minute));
    let later = meant.created_at.saturating_add(minute);
    let later = Challenge {
        created_at: later,
        ..kit::challenge("cy", meant.created_at)
    };
    let address = Some(IpAddr::from([192, 0, 2, 8]));
    let near = Challenge {
        address,
        ..kit::challenge("di", later.created_at)
    };
    [earlier, later, near]
}

/// Asks for a challenge by each part alone.
pub(super) fn parts(meant: &Challenge) -> Vec<(&'static str, ChallengeQuery)> {
    let none = ChallengeQuery::default;
    let all = whole(meant);
    vec![
        (
            "tenant",
            ChallengeQuery {
                tenant: all.tenant,
                ..none()
            },
        ),
        (
            "challenge",
            ChallengeQuery {
                challenge: all.challenge,
                ..none()
            },
        ),
        (
            "subject",
            ChallengeQuery {
                subject: all.subject,
                ..none()
            },
        ),
        (
            "destination",
            ChallengeQuery {
                destination: all.destination,
                ..none()
            },
        ),
        (
            "channel",
            ChallengeQuery {
                channel: all.channel,
                ..none()
            },
        ),
        (
            "address",
            ChallengeQuery {
                address: all.address,
                ..none()
            },
        ),
        (
            "key id",
            ChallengeQuery {
                key_id: all.key_id,
                ..none()
            },
        ),
        (
            "time",
            ChallengeQuery {
                issued_from: all.issued_from,
                issued_until: all.issued_until,
                ..none()
            },
        ),
    ]
}

fn whole(meant: &Challenge) -> ChallengeQuery {
    ChallengeQuery {
        tenant: Some(meant.tenant.clone()),
        challenge: Some(meant.id),
        subject: Some(meant.subject.clone()),
        destination: Some(meant.destination_key.clone()),
        channel: Some(meant.channel),
        address: meant.address,
        key_id: Some(meant.key_id),
        issued_from: Some(meant.created_at),
        issued_until: Some(meant.created_at.saturating_add(SECOND)),
    }
}

fn ids(challenges: &[Challenge]) -> Vec<ChallengeId> {
    challenges.iter().map(|challenge| challenge.id).collect()
}
