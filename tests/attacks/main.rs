//! What attackers do, each test named by the attack, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../examples/custom_store/counting.rs"]
mod counting;
#[path = "../support/factors.rs"]
mod factors;
#[path = "../support/telegram.rs"]
mod signed;
#[path = "../support/service.rs"]
mod support;

mod brute_force;
mod by_name;
mod captcha;
mod captcha_spending;
mod cases;
mod clock;
mod cross_use;
mod customers;
mod devices;
mod enumeration;
mod factor_secrets;
mod fleet;
mod guarded;
mod kept_back;
mod known_or_unknown;
mod lanes;
mod leak;
mod links;
mod managed;
mod outage;
mod pumping;
mod pumping_shapes;
mod race;
mod same_work;
mod second_factors;
mod starts;
mod telegram;
