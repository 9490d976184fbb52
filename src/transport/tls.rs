//! TLS: whom to trust, and what was wrong.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, KeyProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::SigningKey;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::runtime::blocking;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsErrorKind {
    Expired,
    NotYetValid,
    WrongHost,
    UnknownIssuer,
    Revoked,
    BadCertificate,
    Protocol,
}

#[derive(Clone, Debug)]
pub struct TlsError {
    pub kind: TlsErrorKind,
    pub detail: String,
}

impl TlsError {
    pub fn new(kind: TlsErrorKind, detail: String) -> TlsError {
        TlsError { kind, detail }
    }

    pub fn from_rustls(error: &rustls::Error) -> TlsError {
        let kind = match error {
            rustls::Error::InvalidCertificate(certificate) => match certificate {
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsErrorKind::Expired,
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    TlsErrorKind::NotYetValid
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    TlsErrorKind::WrongHost
                }
                CertificateError::UnknownIssuer => TlsErrorKind::UnknownIssuer,
                CertificateError::Revoked => TlsErrorKind::Revoked,
                _ => TlsErrorKind::BadCertificate,
            },
            _ => TlsErrorKind::Protocol,
        };
        TlsError::new(kind, error.to_string())
    }

    /// The TLS library's error inside one of the I/O layer.
    pub fn inside(error: &io::Error) -> Option<TlsError> {
        let inner = error.get_ref()?.downcast_ref::<rustls::Error>()?;
        Some(TlsError::from_rustls(inner))
    }

    /// The same, or what the I/O layer said.
    pub fn from_io(error: &io::Error) -> TlsError {
        TlsError::inside(error).unwrap_or_else(|| TlsError::new(TlsErrorKind::Protocol, error.to_string()))
    }
}

/// CA certificates of a PEM text; other sections are skipped, but one there must be.
pub fn parse_roots(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let roots: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let roots = roots.map_err(|error| error.to_string())?;
    let mut store = RootCertStore::empty();
    let (usable, _) = store.add_parsable_certificates(roots.iter().cloned());
    if usable == roots.len() && usable > 0 { Ok(roots) } else { Err("no usable certificate".into()) }
}

/// An app's TLS settings; the configuration is made at the first wss connect.
#[derive(Clone)]
pub struct ClientTls(Arc<Inner>);

struct Inner {
    extra_roots: Vec<CertificateDer<'static>>,
    insecure: bool,
    config: Mutex<Option<Arc<ClientConfig>>>,
}

impl ClientTls {
    pub fn new(extra_roots: Vec<CertificateDer<'static>>, insecure: bool) -> ClientTls {
        ClientTls(Arc::new(Inner { extra_roots, insecure, config: Mutex::new(None) }))
    }

    /// The configuration. The first call reads the system's trust store, on a thread that may block.
    pub async fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        if let Some(config) = &*self.0.config.lock() {
            return Ok(Arc::clone(config));
        }
        let inner = Arc::clone(&self.0);
        let built = blocking::run(move || build(&inner)).await;
        let config = built
            .map_err(|error| TlsError::from_io(&error))?
            .map_err(|error| TlsError::from_rustls(&error))?;
        // Two first connects may both have built one; sockets of one app share what is kept.
        Ok(Arc::clone(self.0.config.lock().get_or_insert(config)))
    }
}

fn build(settings: &Inner) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() });
    let verifier: Arc<dyn ServerCertVerifier> = if settings.insecure {
        Arc::new(AcceptAny(Arc::clone(&provider)))
    } else {
        platform_verifier(settings, &provider)?
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Of keys of our own there are none, as there are no client certificates. So what signs with them is left out of the
/// library.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(&self, _key: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("client certificates are not supported".into()))
    }
}

fn platform_verifier(
    settings: &Inner,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, rustls::Error> {
    let extra = settings.extra_roots.clone();
    match Verifier::new_with_extra_roots(extra, Arc::clone(provider)) {
        Ok(verifier) => Ok(Arc::new(verifier)),
        // A system without any trust store, as in a bare container: the given roots alone.
        Err(error) if settings.extra_roots.is_empty() => Err(error),
        Err(_) => {
            let mut store = RootCertStore::empty();
            store.add_parsable_certificates(settings.extra_roots.iter().cloned());
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider));
            let verifier = built.build().map_err(|error| rustls::Error::General(error.to_string()))?;
            Ok(verifier)
        }
    }
}

/// Accepts every certificate, for development tools; signatures of the handshake are still checked.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
