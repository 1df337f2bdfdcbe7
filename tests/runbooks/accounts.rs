//! Incident Response Runbook, of accounts, tokens and second factors.

mod lockouts;
mod second_factors;
mod tokens;
