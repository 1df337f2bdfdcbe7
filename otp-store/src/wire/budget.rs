//! Guess budgets as names and values.

use otp_core::challenge::Lane;
use otp_core::quota::{Budget, Disabled};
use otp_core::store::StoreError;

use super::corrupt;
use super::reply::{Fields, time};

/// Reads a budget back.
pub(crate) fn read(row: &Fields) -> Result<Budget, StoreError> {
    let mut guesses = Vec::new();
    for guess in row.text("guesses")?.split_inclusive(['p', 'k']) {
        let lane = match guess.chars().next_back() {
            Some('p') => Lane::Public,
            Some('k') => Lane::KnownDevice,
            _ => return Err(corrupt("guesses")),
        };
        guesses.push((time(guess.trim_end_matches(['p', 'k']))?, lane));
    }
    let paused = |name| row.opt_text(name)?.map(time).transpose();
    Ok(Budget {
        guesses,
        consecutive: row.count("run")?,
        strikes: [row.count("strikes_p")?, row.count("strikes_k")?],
        paused_until: [paused("paused_p")?, paused("paused_k")?],
        disabled: match row.text("disabled")? {
            "0" => Disabled::No,
            "1" => Disabled::Yes,
            _ => return Err(corrupt("disabled")),
        },
    })
}
