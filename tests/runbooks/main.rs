//! The runbooks, played on the reference server: each numbered section is a test of its name that
//! causes the incident, sees the symptom in a signal, takes the steps and sees it mended.
//!
//! `docs/runbooks.md` says of every line of theirs what answers it here.
#![cfg(test)]
#![cfg(debug_assertions)]

mod accounts;
mod check;
mod deploy;
mod desk;
mod fallback;
mod otp_incidents;
mod own;
#[path = "../support/telegram.rs"]
mod signed;
#[expect(dead_code, reason = "the server's own tests use the rest")]
#[path = "../server/support.rs"]
mod support;
mod twilio;
mod twilio_verify;
