//! Values made of the fuzzer's bytes. Where they run out, the rest is zeros.

/// What is left of the bytes.
pub(crate) struct Input<'a>(pub(crate) &'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        head
    }

    pub(crate) fn number<const N: usize>(&mut self) -> [u8; N] {
        let mut number = [0; N];
        let bytes = self.bytes(N);
        number[..bytes.len()].copy_from_slice(bytes);
        number
    }

    pub(crate) fn byte(&mut self) -> u8 {
        self.number::<1>()[0]
    }

    /// So many bytes as text; what is no UTF-8 becomes U+FFFD.
    pub(crate) fn text(&mut self, bytes: usize) -> String {
        String::from_utf8_lossy(self.bytes(bytes)).into_owned()
    }
}
