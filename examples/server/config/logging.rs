use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use super::{Environment, Refused};

/// Where log lines go: standard error, as much as `RUST_LOG` asks for.
pub(crate) struct Logging(EnvFilter);

impl Logging {
    pub(super) fn read(env: &Environment) -> Result<Self, Refused> {
        let refused = || Refused::must_be("RUST_LOG", "a filter such as info or otp_kit=debug");
        let filter = EnvFilter::builder()
            .parse(env.get("RUST_LOG").unwrap_or("info"))
            .map_err(|_| refused())?;
        // Number plans trace whole numbers; no setting of the operator's opens that.
        let silent = "rlibphonenumber=off".parse().map_err(|_| refused())?;
        Ok(Self(filter.add_directive(silent)))
    }

    /// Starts logging; from here on nothing is printed in any other way.
    pub(crate) fn install(&self) {
        let lines = tracing_subscriber::fmt()
            .with_env_filter(self.0.clone())
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        if lines.try_init().is_err() {
            tracing::warn!("logging was set up already");
        }
    }
}
