use otp_kit::prelude::*;

use crate::bench::{figure, wrong};
use crate::engine::on_every_engine;
use crate::proxy::{Line, Proxy};

/// Chooses where to cut: at every byte with `--long`, else at some three hundred places.
fn places(bytes: u64) -> impl Iterator<Item = u64> {
    let most = u64::from(figure("OTP_CUTS", 300));
    let step = usize::try_from(bytes.div_ceil(most).max(1)).unwrap();
    (0..bytes).step_by(step)
}

on_every_engine! {
    /// F03: a guess whose reply was lost at any byte is counted once, however often it is repeated.
    a_guess_is_counted_once_wherever_its_reply_is_cut(corner) {
        let proxy = Proxy::before(corner.server()).await;
        let cut = corner.through(proxy.address()).service().await;
        let whole = corner.service().await;
        let (id, code) = whole.issue(0).await;
        let before = proxy.replied();
        cut.insist(&id, &wrong(&code), "measure").await.unwrap_err();
        let bytes = proxy.replied() - before;
        assert!(bytes > 0, "it went through the proxy");
        for (person, place) in (1..).zip(places(bytes)) {
            let (id, code) = whole.issue(person).await;
            proxy.set(Line::CutAfter(place));
            let answer = cut.insist(&id, &wrong(&code), "guess").await;
            assert!(matches!(answer, Err(VerifyError::Rejected)), "{place}: {answer:?}");
            let challenge = whole.verifier.store().find(&id).await.unwrap().unwrap();
            assert_eq!((challenge.attempts, challenge.wrong), (1, 1), "cut after {place} bytes");
            proxy.set(Line::Whole);
        }
    }

    /// F04: a success whose reply was lost is answered again to the same attempt, and to no other.
    a_success_is_one_wherever_its_reply_is_cut(corner) {
        let proxy = Proxy::before(corner.server()).await;
        let cut = corner.through(proxy.address()).service().await;
        let whole = corner.service().await;
        let (id, code) = whole.issue(0).await;
        let before = proxy.replied();
        assert!(cut.insist(&id, &code, "measure").await.is_ok());
        let bytes = proxy.replied() - before;
        for (person, place) in (1..).zip(places(bytes)) {
            let (id, code) = whole.issue(person).await;
            proxy.set(Line::CutAfter(place));
            let answer = cut.insist(&id, &code, "try").await;
            assert!(answer.is_ok(), "cut after {place} bytes: {answer:?}");
            let other = whole.insist(&id, &code, "another").await;
            assert!(matches!(other, Err(VerifyError::Rejected)), "{place}: {other:?}");
            proxy.set(Line::Whole);
        }
    }
}
