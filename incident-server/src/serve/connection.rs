//! One connection: requests one after another, until the peer has had enough or the server has.

use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Request, Response, header},
    response::IntoResponse,
};
use bytes::Bytes;
use hyper::{
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpStream, sync::watch};
use tower_service::Service;

use super::{
    permits::{ConnectionPermit, WithoutPermit, no_connection_left},
    stream::Stream,
};
use crate::{
    limits::{CONNECTION_AGE, HEAD_BYTES, HEADER_DEADLINE, HEALTH_HEADER_DEADLINE},
    routes,
};

/// Serves one connection to its end; when the server stops, to the end of the request under way.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    permit: ConnectionPermit,
    mut stopping: watch::Receiver<bool>,
) {
    // Nagle's algorithm would hold back small answers; not being able to switch it off is no fault.
    let _ = stream.set_nodelay(true);
    let for_health_only = permit.for_health_only;
    let answerer = Answerer { router, for_health_only, began: Instant::now(), unread: Arc::default() };
    let service = service_fn(move |request| {
        let answerer = answerer.clone();
        async move { Ok::<_, Infallible>(answerer.answer(request).await) }
    });
    let stream = TokioIo::new(Stream::new(stream, stopping.clone()));
    let mut connection = pin!(http(for_health_only).serve_connection(stream, service));
    // A broken connection is the client's affair.
    tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

fn http(for_health_only: bool) -> http1::Builder {
    let mut http = http1::Builder::new();
    let deadline = if for_health_only { HEALTH_HEADER_DEADLINE } else { HEADER_DEADLINE };
    http.timer(TokioTimer::new()).header_read_timeout(deadline);
    http.half_close(true).max_buf_size(HEAD_BYTES);
    http
}

/// Answers the requests of one connection.
#[derive(Clone)]
struct Answerer {
    router: Router,
    for_health_only: bool,
    began: Instant,
    /// Whether the body of the request under way is not read to its end.
    unread: Arc<AtomicBool>,
}

impl Answerer {
    async fn answer(mut self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path();
        let has_permit = !self.for_health_only || routes::is_for_operators(path);
        let mut response = if has_permit || routes::asks_for_a_token(path) {
            let mut request = self.watch_body(request);
            if !has_permit {
                request.extensions_mut().insert(WithoutPermit);
            }
            let Ok(response) = self.router.call(request).await;
            response
        } else {
            no_connection_left().into_response()
        };
        if self.closes_after_this() {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    fn watch_body(&self, request: Request<Incoming>) -> Request<Body> {
        let empty = request.body().is_end_stream();
        self.unread.store(!empty, Ordering::Relaxed);
        request.map(|body| {
            if empty { Body::empty() } else { Body::new(WatchedBody { body, unread: self.unread.clone() }) }
        })
    }

    /// RFC 9112, section 9.6: whoever closes says so. What nobody read of a body cannot be told apart from the next
    /// request, so there is none.
    fn closes_after_this(&self) -> bool {
        self.for_health_only || self.unread.load(Ordering::Relaxed) || self.began.elapsed() > CONNECTION_AGE
    }
}

/// A request's body that tells when it was read to its end.
struct WatchedBody {
    body: Incoming,
    unread: Arc<AtomicBool>,
}

impl HttpBody for WatchedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.unread.store(false, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
