//! Keeps web pages out: a page on some site must not drive emu through its visitor's browser.
//!
//! Two ways lead there. *DNS rebinding*: a site's name is made to point at this machine; so a request must name a host
//! that is this machine. *Cross-site requests*: a page posts to a local port; so a request that a browser sent for
//! another site's page is refused at the faces that change things unasked (AWS, admin). The project's own HTTP API
//! keeps to the CORS settings of the project, as in production.

use std::net::IpAddr;

use http::HeaderMap;

use crate::wire::http::header;

/// Why a request is not let in, as the answer says it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("emu does not answer to the host name `{0}`; use localhost, 127.0.0.1 or a name that ends in .localhost")]
    Host(String),
    #[error("emu does not take requests from web pages of `{0}`; only pages served from this machine may call it")]
    Origin(String),
}

/// Names beside the loopback's that stand for this machine: containers' name for their host, and the wildcard name that AWS tools use.
const LOCAL_SUFFIXES: [&str; 4] = ["localhost", "localhost.localstack.cloud", "host.docker.internal", "emu.internal"];

/// Whether the host that a request names is this machine.
pub fn host(named: Option<&str>) -> Result<(), Refused> {
    // HTTP/1.0 names none; no browser sends that.
    let Some(named) = named else { return Ok(()) };
    let name = without_port(named);
    if is_local(name) || name.parse::<IpAddr>().is_ok() { Ok(()) } else { Err(Refused::Host(name.to_owned())) }
}

/// Which web pages may have a browser send requests to a face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// Those of any site: the project's own CORS settings say who may read the answers.
    Any,
    /// Those that are served from this machine.
    Local,
    /// Scripts of pages that are served from this machine; links and pictures lead here from anywhere.
    LocalScripts,
}

/// Whether a request may come from the page that a browser says it comes from.
pub fn origin(headers: &HeaderMap, pages: Pages) -> Result<(), Refused> {
    if pages == Pages::Any {
        return Ok(());
    }
    let Some(origin) = header(headers, "origin") else {
        // Without an origin a browser still tells cross-site requests of its pages.
        return match header(headers, "sec-fetch-site") {
            Some("cross-site") if pages == Pages::Local => Err(Refused::Origin("another site".to_owned())),
            _ => Ok(()),
        };
    };
    let host = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let name = without_port(host);
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    // A page from another port of the same machine, by its address in the network.
    let same = header(headers, "host").is_some_and(|host| without_port(host) == name);
    if is_local(name) || loopback || same { Ok(()) } else { Err(Refused::Origin(origin.to_owned())) }
}

fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    LOCAL_SUFFIXES.iter().any(|suffix| name == *suffix || name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
}

/// The host of `host:port`, without the brackets of an IPv6 address.
pub fn without_port(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    host.rsplit_once(':').map_or(host, |(name, port)| if port.bytes().all(|b| b.is_ascii_digit()) { name } else { host })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for good in [
            "localhost:3000",
            "127.0.0.1:4566",
            "[::1]:4566",
            "shop.localhost",
            "images.s3.localhost.localstack.cloud:4566",
            "192.168.1.9:4566",
        ] {
            assert_eq!(host(Some(good)), Ok(()), "{good}");
        }
        for bad in ["evil.example:4566", "localhost.evil.example", "notlocalhost", ""] {
            assert!(host(Some(bad)).is_err(), "{bad}");
        }
        assert_eq!(host(None), Ok(()));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let check = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, http::HeaderValue::from_static(value));
            origin(&headers, Pages::Local).is_ok()
        };
        assert!(check("origin", "http://localhost:5173"));
        assert!(check("origin", "http://127.0.0.1:8000"));
        assert!(check("sec-fetch-site", "same-origin"));
        assert!(!check("origin", "https://evil.example"));
        assert!(!check("origin", "http://localhost.evil.example"));
        assert!(!check("origin", "http://192.168.1.9"));
        assert!(!check("origin", "null"));
        assert!(!check("sec-fetch-site", "cross-site"));
        assert!(origin(&HeaderMap::new(), Pages::Local).is_ok());
        let mut headers = HeaderMap::new();
        headers.insert("sec-fetch-site", http::HeaderValue::from_static("cross-site"));
        assert!(origin(&headers, Pages::LocalScripts).is_ok());
        headers.insert("origin", http::HeaderValue::from_static("http://192.168.1.9:5000"));
        assert!(origin(&headers, Pages::LocalScripts).is_err());
        headers.insert("host", http::HeaderValue::from_static("192.168.1.9:9099"));
        assert!(origin(&headers, Pages::LocalScripts).is_ok());
    }
}
