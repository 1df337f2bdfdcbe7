//! How long a start takes for somebody and for nobody, by the clock of whoever asks.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;

use super::{Asker, BY_PHONE};
use crate::support::Server;
use crate::support::twilio::{Answer, Twilio};

/// The largest distance between the distributions of two samples of one size, after Kolmogorov and
/// Smirnov.
fn distance(one: &[Duration], other: &[Duration]) -> f64 {
    let below = |sample: &[Duration], time: &Duration| sample.partition_point(|it| it <= time);
    let most = one
        .iter()
        .chain(other)
        .map(|time| below(one, time).abs_diff(below(other, time)))
        .max()
        .unwrap_or(0);
    f64::from(u32::try_from(most).unwrap()) / f64::from(u32::try_from(one.len()).unwrap())
}

#[test]
fn the_distance_of_samples_is_none_of_equal_ones_and_all_of_ones_apart() {
    let times = |from: u64| {
        (from..from + 100)
            .map(Duration::from_micros)
            .collect::<Vec<_>>()
    };
    let is = |found: f64, expected: f64| (found - expected).abs() < 1e-9;
    assert!(is(distance(&times(0), &times(0)), 0.0));
    assert!(is(distance(&times(0), &times(50)), 0.5));
    assert!(is(distance(&times(0), &times(1_000)), 1.0));
}

/// Whose the names are that are asked for.
const WHOSE: [&str; 3] = ["stranger", "user", "blocked"];

async fn add(server: &Server, people: u32) {
    let mut database = server.database().await;
    let all = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
        INSERT INTO users (sub, phone)
        SELECT printf('user-%06d', i), printf('+1415%03d%04d', 555 + i / 10000, i % 10000) FROM n
        UNION ALL
        SELECT printf('blocked-%06d', i), printf('+1416%03d%04d', 555 + i / 10000, i % 10000) FROM n";
    let added = sqlx::query(all).bind(people).execute(&mut database).await;
    assert_eq!(added.unwrap().rows_affected(), 2 * u64::from(people));
}

#[tokio::test]
#[ignore = "measures time: run it by its name, on a quiet machine"]
async fn r18_the_time_of_a_start_tells_nobody_who_is_known() {
    let names = std::env::var("ENUMERATED_NAMES").ok();
    let names: u32 = names.map_or(10_000, |text| text.parse().unwrap());
    let twilio = Twilio::start(Answer::Accepts).await;
    let mut settings = twilio.settings();
    settings.push(("TRUSTED_PROXIES", "127.0.0.1/32"));
    settings.push(("OTP_HASHER", "hmac"));
    settings.push(("ADMIN_TOKENS", "mike:token-of-mike-0123456789"));
    let server = Server::with(&settings);
    add(&server, names).await;
    let mut asker = Asker {
        server: &server,
        from: 0,
    };
    asker.block("prefix", "+1416").await;
    let (mut times, mut dice) = ([const { Vec::new() }; WHOSE.len()], 42_u64);
    for number in 0..names {
        // Who comes first is drawn: nothing comes after the one more often than after the other.
        let mut order: Vec<usize> = (0..WHOSE.len()).collect();
        for last in (1..order.len()).rev() {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let other = usize::try_from(dice >> 33).unwrap() % (last + 1);
            order.swap(last, other);
        }
        for whose in order {
            let body = json!({ "user_id": format!("{}-{number:06}", WHOSE[whose]) });
            let begun = Instant::now();
            let reply = asker.post(BY_PHONE, &body).await;
            times[whose].push(begun.elapsed());
            assert_eq!(reply.status, 200, "{reply:?}");
        }
    }
    let sent = u32::try_from(twilio.posted().len()).unwrap();
    assert!(
        sent + 10 >= names && sent <= names,
        "{sent} of {names} were sent one"
    );
    for sample in &mut times {
        sample.sort_unstable();
    }
    let [stranger, known @ ..] = &times;
    let median = |sample: &[Duration]| sample[sample.len() / 2];
    // Beyond this two samples differ at p = 0.01.
    let noise = 1.628 * (2.0 / f64::from(names)).sqrt();
    let found: Vec<_> = known
        .iter()
        .map(|sample| distance(stranger, sample))
        .collect();
    for (whose, (sample, found)) in WHOSE[1..].iter().zip(known.iter().zip(&found)) {
        println!(
            "{whose} {:?}, nobody {:?}, distance {found:.4}, noise up to {noise:.4}",
            median(sample),
            median(stranger)
        );
    }
    for (sample, found) in known.iter().zip(&found) {
        let gap = median(stranger).abs_diff(median(sample));
        assert!(gap < Duration::from_millis(1), "{gap:?}");
        assert!(*found < noise, "{found}");
    }
}
