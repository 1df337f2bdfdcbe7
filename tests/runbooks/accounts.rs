//! Incident Response Runbook, of accounts, tokens and second factors.

mod lockouts;
mod tokens;
