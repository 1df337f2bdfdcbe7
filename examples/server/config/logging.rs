use std::io::IsTerminal as _;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use super::traces::{Exporting, Traces};
use super::{Environment, Refused};

/// Where log lines go: standard error, as much as `RUST_LOG` asks for. And where spans go.
pub(crate) struct Logging {
    lines: EnvFilter,
    traces: Option<Traces>,
}

impl Logging {
    pub(super) fn read(env: &Environment) -> Result<Self, Refused> {
        let refused = || Refused::must_be("RUST_LOG", "a filter such as info or otp_kit=debug");
        let filter = EnvFilter::builder()
            .parse(env.get("RUST_LOG").unwrap_or("info"))
            .map_err(|_| refused())?;
        // Number plans trace whole numbers; no setting of the operator's opens that.
        let silent = "rlibphonenumber=off".parse().map_err(|_| refused())?;
        // At each start PostgreSQL notes every table that is there already.
        let quiet = "sqlx::postgres::notice=warn".parse();
        let quiet = quiet.map_err(|_| refused())?;
        Ok(Self {
            lines: filter.add_directive(silent).add_directive(quiet),
            traces: Traces::read(env)?,
        })
    }

    /// Starts logging; from here on nothing is printed in any other way. Gives what sends spans,
    /// where somebody takes them.
    pub(crate) fn install(&self) -> Option<Exporting> {
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr)
            .with_filter(self.lines.clone());
        let (spans, exporting) = match self.traces.as_ref().map(Traces::begin).transpose() {
            Ok(begun) => begun.unzip(),
            Err(_) => (None, None),
        };
        let begun = tracing_subscriber::registry().with(lines).with(spans);
        if begun.try_init().is_err() {
            tracing::warn!("logging was set up already");
        }
        if self.traces.is_some() && exporting.is_none() {
            tracing::error!("no spans are exported: the exporter does not start");
        }
        exporting
    }
}
