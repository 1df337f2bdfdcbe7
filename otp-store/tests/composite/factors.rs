//! Authenticators, while the engine that keeps them is away.

use otp_core::challenge::Lane;
use otp_core::event::EventKind;
use otp_core::policy::OutagePolicy;
use otp_core::quota::BudgetRules;
use otp_core::request::{FactorClass, Tenant};
use otp_core::store::{
    AuditStore as _, BudgetClaim, ChallengeStore as _, FactorOwner, FactorStore as _, Granted,
    Step, StoreErrorKind,
};
use otp_core::testing::store::kit;

use crate::fixture::House;

#[tokio::test]
async fn no_guess_is_counted_beneath_at_what_is_kept_above() {
    let house = House::new(OutagePolicy::memory());
    let owner = FactorOwner {
        tenant: Tenant::default(),
        subject: kit::subject("ann"),
    };
    let key = owner.budget(FactorClass::Totp);
    let budget = BudgetClaim::new(key, Lane::Public, BudgetRules::totp());
    let plan = kit::plan(
        EventKind::ValidationAttempt,
        Step::Guess {
            budget,
            named: None,
        },
    );
    let admitted = house.store.admit(&plan).await.unwrap();
    assert!(matches!(admitted.granted, Some(Granted::Guess)));
    house.cut().await;
    let refused = house.store.admit(&plan).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let refused = house.store.factors(&owner).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let event = kit::event(EventKind::FactorsReset);
    let refused = house.store.reset_factors(&owner, event).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Unavailable);
    let recorded = house.primary.inner.outbox(None, 10).await.unwrap();
    assert!(recorded.is_empty(), "nothing was done anywhere");
}
