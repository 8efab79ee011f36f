//! Records of SQLite ("Database File Format", section 2.1 at sqlite.org/fileformat2.html), from bytes that may be anything.

/// A value of a record.
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

/// The values of a record (section 2.1). Ours hold no floats.
pub(crate) fn values(record: &[u8]) -> Option<Vec<Value>> {
    let mut head = Cursor { bytes: record, at: 0 };
    let head_size = usize::try_from(head.varint()?).ok().filter(|size| *size <= record.len())?;
    let mut body = Cursor { bytes: record, at: head_size };
    let mut values = Vec::new();
    while head.at < head_size {
        values.push(match head.varint()? {
            0 => Value::Null,
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            kind @ 1..=6 => body.integer(*[1, 2, 3, 4, 6, 8].get(usize::try_from(kind - 1).ok()?)?)?,
            kind if kind >= 13 && kind % 2 == 1 => body.text(usize::try_from((kind - 13) / 2).ok()?)?,
            kind if kind >= 12 => Value::Blob(body.take(usize::try_from((kind - 12) / 2).ok()?)?.to_owned()),
            _ => return None,
        });
    }
    Some(values)
}

/// Reads on through bytes that may be anything.
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl Cursor<'_> {
    /// One to nine bytes, seven bits each, the ninth whole (section 1.6).
    pub(crate) fn varint(&mut self) -> Option<i64> {
        let mut value = 0_i64;
        for count in 1..=9 {
            let byte = *self.bytes.get(self.at)?;
            self.at += 1;
            if count == 9 {
                return Some(value << 8 | i64::from(byte));
            }
            value = value << 7 | i64::from(byte & 0x7f);
            if byte < 0x80 {
                break;
            }
        }
        Some(value)
    }

    fn take(&mut self, size: usize) -> Option<&[u8]> {
        let bytes = self.bytes.get(self.at..self.at.checked_add(size)?)?;
        self.at += size;
        Some(bytes)
    }

    fn integer(&mut self, size: usize) -> Option<Value> {
        let bytes = self.take(size)?;
        let sign = if *bytes.first()? >= 0x80 { -1 } else { 0 };
        Some(Value::Integer(bytes.iter().fold(sign, |value, byte| value << 8 | i64::from(*byte))))
    }

    fn text(&mut self, size: usize) -> Option<Value> {
        let bytes = self.take(size)?;
        String::from_utf8(bytes.to_owned()).ok().map(Value::Text)
    }
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(*bytes.get(at)?) << 8 | usize::from(*bytes.get(at + 1)?))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16_at(bytes, at)? << 16 | u16_at(bytes, at + 2)?)
}
