use std::error::Error;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::{Environment, Refused};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Whose spans leave: the library's and this server's. Those of others may hold anything.
const TARGETS: [&str; 2] = ["otp_kit", "server"];

/// Where spans go: a collector that takes OTLP over HTTP, in protobuf.
pub(crate) struct Traces(url::Url);

/// Sends spans until it is ended; what waits then is sent first.
#[must_use = "spans that wait are lost unless it is ended"]
pub(crate) struct Exporting(SdkTracerProvider);

impl Traces {
    pub(super) fn read(env: &Environment) -> Result<Option<Self>, Refused> {
        let Some(text) = env.get(ENDPOINT) else {
            return Ok(None);
        };
        let fits = |url: &url::Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
        };
        let url = url::Url::parse(text).ok().filter(fits);
        let url = url.ok_or_else(|| Refused::must_be(ENDPOINT, "an http or https address"))?;
        Ok(Some(Self(url)))
    }

    /// Begins to export, and gives the layer that hears of spans.
    pub(super) fn begin<S>(&self) -> Result<(impl Layer<S> + use<S>, Exporting), Box<dyn Error>>
    where
        S: tracing::Subscriber + for<'span> LookupSpan<'span>,
    {
        // Its HTTP client takes whichever the process has; where there is one already, that stays.
        drop(rustls::crypto::ring::default_provider().install_default());
        let base = self.0.as_str().trim_end_matches('/');
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{base}/v1/traces"))
            .build()?;
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(Resource::builder().with_service_name("otp-kit").build())
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("otp-kit"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|of| {
                of.is_span()
                    && TARGETS.contains(&of.target().split("::").next().unwrap_or_default())
            }));
        Ok((layer, Exporting(provider)))
    }
}

impl Exporting {
    /// Sends what waits, for some seconds at the most.
    pub(crate) fn end(self) {
        if let Err(error) = self.0.shutdown() {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}
