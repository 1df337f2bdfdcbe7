//! Incident Response Runbook, of one-time codes and magic links.

mod abuse;
mod compromised;
mod database;
mod outage;
