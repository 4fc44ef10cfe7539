//! Listens on a port and hands each request to a face: HTTP/1.1, and HTTP/2 to those who begin with it.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::eager::Eager;
use super::ending::ending;
use crate::wire::http::{Body, BoxError, Request, Response};

/// Something that answers requests: one protocol family, or the project's own HTTP API.
pub trait Face: Send + Sync + 'static {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response>;
}

/// How a port was found.
#[derive(Debug)]
pub struct Bound {
    pub listener: TcpListener,
    pub address: SocketAddr,
    /// The port that was asked for and taken.
    pub instead_of: Option<u16>,
}

/// Ports that are tried after a taken one.
const PORTS_TRIED: u16 = 100;

/// Binds `port`, or the next free one where it is taken (unless `strict`). Port 0 takes any free one.
pub async fn bind(host: IpAddr, port: u16, strict: bool) -> io::Result<Bound> {
    let mut taken = None;
    for offset in 0..PORTS_TRIED {
        let Some(candidate) = port.checked_add(offset) else { break };
        match TcpListener::bind((host, candidate)).await {
            Ok(listener) => {
                let address = listener.local_addr()?;
                return Ok(Bound { listener, address, instead_of: (offset > 0).then_some(port) });
            }
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && !strict && port != 0 => taken = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(taken.unwrap_or_else(|| io::Error::from(io::ErrorKind::AddrInUse)))
}

/// How long a connection may take to send the head of a request.
const HEAD_MAX: Duration = Duration::from_secs(30);
/// Bytes of the head of a request.
const HEAD_BYTES_MAX: usize = 256 * 1024;
/// How long requests that are under way at shutdown may take to end.
const GRACE: Duration = Duration::from_secs(2);

/// Serves until `shutdown`; then lets requests that are under way end for a moment.
pub async fn serve(listener: TcpListener, face: Arc<dyn Face>, shutdown: CancellationToken) {
    let connections = TaskTracker::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(Eager::new(connection(stream, face.clone(), shutdown.clone())));
                }
                Err(error) => {
                    // Most often out of file descriptors: the next connection that ends frees one.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            },
        }
    }
    drop(listener);
    connections.close();
    let _ = tokio::time::timeout(GRACE, connections.wait()).await;
}

async fn connection(stream: TcpStream, face: Arc<dyn Face>, shutdown: CancellationToken) {
    // Answers are small and complete; waiting to fill a segment would only delay them.
    let _ = stream.set_nodelay(true);
    let stopping = shutdown.clone();
    let service = service_fn(move |request: http::Request<Incoming>| {
        let (face, stopping) = (face.clone(), stopping.clone());
        async move { Ok::<_, Infallible>(face.handle(request.map(body)).await.map(|body| ending(body, &stopping))) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_MAX).max_buf_size(HEAD_BYTES_MAX).half_close(false);
    builder.http2().timer(TokioTimer::new()).max_header_list_size(HEAD_BYTES_MAX as u32);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// The body of a request that came over a socket, as the wires take it.
fn body(incoming: Incoming) -> Body {
    let exact = hyper::body::Body::size_hint(&incoming).exact();
    if exact == Some(0) {
        return Body::empty();
    }
    let pieces = incoming.into_data_stream().map(|piece| piece.map_err(|error| Box::new(error) as BoxError));
    Body::stream(pieces, exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_taken_port_gives_the_next_one_unless_ports_are_strict() {
        let host = IpAddr::from([127, 0, 0, 1]);
        let first = bind(host, 0, false).await.expect("a free port");
        let port = first.address.port();
        let second = bind(host, port, false).await.expect("the next port");
        assert_eq!(second.instead_of, Some(port));
        assert!(second.address.port() > port);
        assert_eq!(bind(host, port, true).await.expect_err("taken").kind(), io::ErrorKind::AddrInUse);
    }
}
