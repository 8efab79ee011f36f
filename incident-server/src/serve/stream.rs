//! The bytes of one connection: a deadline for peers that do not read, and a close behind which the last answer
//! arrives.
//!
//! A request may be answered before its body is read (401, 413, …). If the socket were then closed at once, the
//! bytes still under way would be answered with a reset, and the client would lose the answer (RFC 9112,
//! section 9.6). So the writing side is closed first, and what still comes is read and discarded for a while: a
//! lingering close.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::watch,
    time::{Instant, Sleep, sleep},
};

use crate::limits::{
    CLOSING_DEADLINE, CLOSING_SILENCE, WRITE_DEADLINE, WRITE_DEADLINE_WHILE_STOPPING, WRITE_PROGRESS,
};

/// A TCP stream whose peer has to read.
pub(super) struct Stream {
    tcp: TcpStream,
    stopping: watch::Receiver<bool>,
    stall: Option<Stall>,
    closing: Option<Closing>,
}

/// The time since the peer left no room for more.
struct Stall {
    until: Pin<Box<Sleep>>,
    /// How many bytes found room since then.
    taken: usize,
    /// Whether the deadline is that of a server that stops.
    stopping: bool,
}

/// The time after the last byte was written.
struct Closing {
    until: Instant,
    silence: Pin<Box<Sleep>>,
}

impl Stall {
    fn new() -> Self {
        Self { until: Box::pin(sleep(WRITE_DEADLINE)), taken: 0, stopping: false }
    }

    /// Brings the deadline nearer, once.
    fn hurry(&mut self) {
        if !self.stopping {
            let sooner = Instant::now() + WRITE_DEADLINE_WHILE_STOPPING;
            let until = self.until.deadline().min(sooner);
            self.until.as_mut().reset(until);
            self.stopping = true;
        }
    }
}

impl Stream {
    pub(super) fn new(tcp: TcpStream, stopping: watch::Receiver<bool>) -> Self {
        Self { tcp, stopping, stall: None, closing: None }
    }

    /// What becomes of a write: counts it against the deadline of a peer that did not read, if there is one.
    fn judge(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let stall = match (&written, &mut self.stall) {
            (Poll::Pending, stall) => stall.get_or_insert_with(Stall::new),
            (Poll::Ready(Ok(bytes)), Some(stall)) => {
                stall.taken += bytes;
                if stall.taken >= WRITE_PROGRESS {
                    self.stall = None;
                    return written;
                }
                stall
            }
            _ => return written,
        };
        if *self.stopping.borrow() {
            stall.hurry();
        }
        if stall.until.as_mut().poll(context).is_pending() {
            return written;
        }
        // A peer that does not read would not read the end either: it gets a reset.
        let _ = self.tcp.set_zero_linger();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Discards what comes, until the client closes, is silent or has had its time.
    fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let closing = self.closing.get_or_insert_with(|| Closing {
            until: Instant::now() + CLOSING_DEADLINE,
            silence: Box::pin(sleep(CLOSING_SILENCE)),
        });
        let mut discarded = [0; 16 * 1024];
        loop {
            let mut buffer = ReadBuf::new(&mut discarded);
            match Pin::new(&mut self.tcp).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let silence = Instant::now() + CLOSING_SILENCE;
                    closing.silence.as_mut().reset(silence.min(closing.until));
                    if Instant::now() >= closing.until {
                        return Poll::Ready(());
                    }
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return closing.silence.as_mut().poll(context),
            }
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(context, buffer)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write(context, bytes);
        self.judge(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.tcp).poll_write_vectored(context, slices);
        self.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    /// Asked for once all is written: the peer has left room for everything.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stall = None;
        Pin::new(&mut self.tcp).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.closing.is_none() {
            ready!(Pin::new(&mut self.tcp).poll_shutdown(context))?;
        }
        self.poll_closed(context).map(Ok)
    }
}
