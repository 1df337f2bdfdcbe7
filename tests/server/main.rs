//! The reference server from outside: the built binary, on a loopback port, spoken to in HTTP.
//!
//! Most of it is asked of a development build, which shows its codes. What a production build
//! refuses is asked of one: `cargo test --release --test server`.
#![cfg(test)]
#![cfg_attr(
    not(debug_assertions),
    expect(
        dead_code,
        unused_imports,
        reason = "the tests of a development build use it"
    )
)]

#[cfg(debug_assertions)]
mod alike;
#[cfg(debug_assertions)]
mod audit;
#[cfg(debug_assertions)]
mod brand;
#[cfg(debug_assertions)]
mod captcha;
#[cfg(debug_assertions)]
mod channel_order;
#[cfg(debug_assertions)]
mod configuration;
mod delivery;
#[cfg(debug_assertions)]
mod engines;
#[cfg(debug_assertions)]
mod forwarding;
#[cfg(debug_assertions)]
mod initiate;
#[cfg(debug_assertions)]
mod late_reports;
#[cfg(debug_assertions)]
mod limits;
#[cfg(debug_assertions)]
mod links;
#[cfg(debug_assertions)]
mod load;
mod log_lines;
mod managed;
#[cfg(debug_assertions)]
mod metrics;
#[cfg(debug_assertions)]
mod mfa;
#[cfg(debug_assertions)]
mod openapi;
#[cfg(debug_assertions)]
mod operator;
#[cfg(debug_assertions)]
mod outage;
#[cfg(debug_assertions)]
mod outside;
#[cfg(debug_assertions)]
mod page;
#[cfg(debug_assertions)]
mod patience;
#[cfg(debug_assertions)]
mod policy;
#[cfg(debug_assertions)]
mod process;
#[cfg(debug_assertions)]
#[expect(dead_code, reason = "the fault tests use the rest of it")]
#[path = "../support/proxy.rs"]
mod proxy;
#[cfg(not(debug_assertions))]
mod release;
#[cfg(debug_assertions)]
mod repeats;
#[cfg(debug_assertions)]
mod request;
#[cfg(debug_assertions)]
mod second_factors;
#[cfg(debug_assertions)]
mod secrecy;
#[cfg(debug_assertions)]
mod sessions;
#[cfg(debug_assertions)]
#[path = "../support/telegram.rs"]
mod signed;
#[cfg(debug_assertions)]
mod status_pages;
#[cfg(debug_assertions)]
mod storm;
#[cfg(debug_assertions)]
mod strict;
mod support;
#[cfg(debug_assertions)]
mod telegram;
mod traces;
#[cfg(debug_assertions)]
mod verify;
#[cfg(debug_assertions)]
mod webhooks;
