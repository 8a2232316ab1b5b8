//! Little-endian fields from a byte slice; running out of bytes is `None`, never a panic.

/// The unread rest of some bytes.
#[derive(Clone, Copy)]
pub(super) struct Fields<'bytes>(pub &'bytes [u8]);

impl<'bytes> Fields<'bytes> {
    pub fn bytes(&mut self, count: usize) -> Option<&'bytes [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// Tag of the zip64 extra field.
const ZIP64: u16 = 0x0001;
/// Tag of the Info-ZIP Unicode path extra field: a second name for the same member.
const UNICODE_PATH: u16 = 0x7075;

/// Finds the zip64 extra field; `Err` says what is wrong with the extra fields.
///
/// Fewer than four bytes at the end are padding (zipalign writes such).
pub(super) fn zip64_extra(extra: &[u8]) -> Result<Option<Fields<'_>>, &'static str> {
    let mut rest = Fields(extra);
    let mut found = None;
    while rest.0.len() >= 4 {
        let tag = rest.u16().unwrap_or_default();
        let size = rest.u16().unwrap_or_default();
        let value = rest.bytes(size.into()).ok_or("an extra field is cut off")?;
        match tag {
            ZIP64 if found.is_some() => return Err("it has two zip64 extra fields"),
            ZIP64 => found = Some(Fields(value)),
            UNICODE_PATH => return Err("an extra field gives it a second name"),
            _ => {}
        }
    }
    Ok(found)
}
