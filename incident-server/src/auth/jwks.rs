//! Where a JWK set comes from: a file, or a URL.

use std::{error::Error, iter, net::IpAddr, path::PathBuf, str::FromStr, time::Duration};

use reqwest::{Client, Url, redirect};
use serde::Deserialize;

use super::keys::{KeySet, KeySetError};

const TIMEOUT: Duration = Duration::from_secs(5);
const MAX_BYTES: usize = 1024 * 1024;

/// Where a JWK set is.
#[derive(Debug, Clone)]
pub enum JwksSource {
    /// A file, read again when a token names an unknown key.
    File(PathBuf),
    /// A URL, fetched again when a token names an unknown key.
    Url(Url),
    /// An issuer that says where its set is, asked again when a token names an unknown key.
    Discovered(OidcIssuer),
}

/// An issuer's URL (`OpenID` Connect Discovery 1.0, section 4): its key set is found by asking it.
#[derive(Debug, Clone)]
pub struct OidcIssuer {
    name: String,
    configuration: Url,
}

/// What an issuer says of itself; section 3 of the same.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

impl OidcIssuer {
    /// What `iss` of its tokens is, letter by letter.
    pub fn name(&self) -> &str {
        &self.name
    }

    async fn key_set(&self) -> Result<Url, JwksError> {
        let said: Discovered =
            serde_json::from_slice(&fetch(self.configuration.clone()).await?).map_err(|_| {
                JwksError::Fetch("the issuer's configuration is not that of OpenID Connect".into())
            })?;
        if said.issuer != self.name {
            return Err(JwksError::Fetch(format!(
                "the issuer calls itself {:?}, and {:?} is configured; configure exactly the `issuer` that it publishes",
                said.issuer, self.name
            )));
        }
        secure(&said.jwks_uri)
    }
}

impl FromStr for OidcIssuer {
    type Err = JwksError;

    fn from_str(text: &str) -> Result<Self, JwksError> {
        let configuration = format!("{}/.well-known/openid-configuration", text.trim_end_matches('/'));
        Ok(Self { name: text.to_owned(), configuration: secure(&configuration)? })
    }
}

/// Why a JWK set is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum JwksError {
    /// Plain `http` to another machine: anybody between could put keys in.
    #[error("a JWK set is fetched over https, or over http on loopback only")]
    Insecure,
    /// The URL cannot be read.
    #[error("the JWK set's URL is not valid")]
    Url,
    /// The file cannot be read.
    #[error("cannot read the JWK set {}: {source}", file.display())]
    File {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The URL does not answer with a set.
    #[error("cannot fetch the JWK set: {0}")]
    Fetch(String),
    /// What came is no set.
    #[error(transparent)]
    KeySet(#[from] KeySetError),
    /// With this file nobody could ever be let in.
    #[error("the JWK set {} has no key that can be used here (RS256, ES256, EdDSA)", .0.display())]
    NoUsableKey(PathBuf),
}

impl FromStr for JwksSource {
    type Err = JwksError;

    fn from_str(text: &str) -> Result<Self, JwksError> {
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        secure(text).map(Self::Url)
    }
}

fn secure(text: &str) -> Result<Url, JwksError> {
    let url = Url::parse(text).map_err(|_| JwksError::Url)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err(JwksError::Insecure),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

impl JwksSource {
    /// Whether the server could let anybody in with it now.
    pub(crate) async fn has_usable_key(&self) -> Result<bool, JwksError> {
        Ok(!self.load().await?.is_empty())
    }

    pub(super) async fn load(&self) -> Result<KeySet, JwksError> {
        let text = match self {
            Self::File(file) => tokio::fs::read(file)
                .await
                .map_err(|source| JwksError::File { file: file.clone(), source })?,
            Self::Url(url) => fetch(url.clone()).await?,
            Self::Discovered(issuer) => fetch(issuer.key_set().await?).await?,
        };
        Ok(KeySet::parse(&text)?)
    }
}

/// Follows no redirect: it could lead from https to http. Goes through no proxy to this machine: plain http would
/// leave it.
async fn fetch(url: Url) -> Result<Vec<u8>, JwksError> {
    let host = url.host_str().unwrap_or_default().to_owned(); // the rest of a URL may be a secret
    let refused = |because: String| JwksError::Fetch(format!("{host}: {because}"));
    let failed = |error: reqwest::Error| refused(with_causes(&error.without_url()));
    let client = Client::builder().timeout(TIMEOUT).redirect(redirect::Policy::none());
    let client = if is_loopback(&url) { client.no_proxy() } else { client };
    let client = client.build().map_err(failed)?;
    let mut response = client.get(url).send().await.map_err(failed)?;
    if !response.status().is_success() {
        return Err(refused(format!("the answer's status is {}", response.status())));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_BYTES {
            return Err(refused("the answer is larger than 1 MiB".into()));
        }
    }
    Ok(body)
}

/// The outermost error only says that nothing came; that a name is not known or a certificate not trusted, those behind.
fn with_causes(error: &dyn Error) -> String {
    let causes = iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_may_have_a_mebibyte() {
        let mebibyte = 1 << 20;
        for (bytes, is_taken) in [(mebibyte, true), (mebibyte + 1, false), (2 * mebibyte, false)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
            let issuer = Router::new().route("/", get(move || async move { vec![b' '; bytes] }));
            tokio::spawn(axum::serve(listener, issuer).into_future());

            let fetched = fetch(url).await;

            assert_eq!(fetched.is_ok_and(|body| body.len() == bytes), is_taken, "{bytes}");
        }
    }

    #[test]
    fn plain_http_is_taken_on_loopback_only() {
        for allowed in
            ["http://localhost:1/k", "http://127.0.0.1/k", "http://[::1]/k", "https://id.example/k"]
        {
            assert!(matches!(allowed.parse(), Ok(JwksSource::Url(_))), "{allowed}");
        }
        for refused in ["http://id.example/k", "http://127.0.0.1.example/k", "ftp://localhost/k", "http://"] {
            assert!(refused.parse::<JwksSource>().is_err(), "{refused}");
        }
        assert!(matches!("keys.json".parse(), Ok(JwksSource::File(_))));
    }
}
