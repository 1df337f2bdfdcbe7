use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::{Environment, Refused};

/// Reads `TLS_CERT` and `TLS_KEY`, two files in PEM: the chain, the server's own certificate first,
/// and its key. Without them the listeners speak plain HTTP.
pub(super) fn read(env: &Environment) -> Result<Option<Arc<ServerConfig>>, Refused> {
    match (env.get("TLS_CERT"), env.get("TLS_KEY")) {
        (None, None) => Ok(None),
        (Some(chain), Some(key)) => config(Path::new(chain), Path::new(key)).map(Some),
        (Some(_), None) => Err(Refused::new("TLS_KEY", "is missing beside TLS_CERT")),
        (None, Some(_)) => Err(Refused::new("TLS_CERT", "is missing beside TLS_KEY")),
    }
}

fn config(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, Refused> {
    let unreadable = |key| Refused::must_be(key, "a file in PEM that can be read");
    let chain = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|_| unreadable("TLS_CERT"))?;
    if chain.is_empty() {
        return Err(Refused::new("TLS_CERT", "has no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|_| unreadable("TLS_KEY"))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|_| Refused::new("TLS_KEY", "does not belong to the certificate of TLS_CERT"))?;
    Ok(Arc::new(config))
}
