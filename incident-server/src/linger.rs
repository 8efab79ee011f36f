//! A connection that is closed so that the last answer arrives.
//!
//! A request may be answered before its body is read (401, 413, …). If the socket were then closed at once, the
//! bytes still under way would be answered with a reset, and the client would lose the answer (RFC 9112,
//! section 9.6). So the writing side is closed first, and what still comes is read and thrown away for a while.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep},
};

/// How long a client may be silent before it is taken to have understood.
const SILENCE: Duration = Duration::from_millis(500);
/// How long a client may go on sending at most.
const AT_MOST: Duration = Duration::from_secs(5);

/// A TCP stream that lingers when it is shut down.
pub(crate) struct Lingering {
    stream: TcpStream,
    farewell: Option<Farewell>,
}

/// The time after the last byte was written.
struct Farewell {
    until: Instant,
    silence: Pin<Box<Sleep>>,
}

impl Lingering {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, farewell: None }
    }

    /// Throws away what comes, until the client closes, is silent or has had its time.
    fn poll_farewell(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let farewell = self.farewell.get_or_insert_with(|| Farewell {
            until: Instant::now() + AT_MOST,
            silence: Box::pin(sleep(SILENCE)),
        });
        let mut scrap = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut scrap);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let silence = Instant::now() + SILENCE;
                    farewell.silence.as_mut().reset(silence.min(farewell.until));
                    if Instant::now() >= farewell.until {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return farewell.silence.as_mut().poll(context),
            }
        }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.farewell.is_none() {
            ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        }
        self.poll_farewell(context).map(Ok)
    }
}
