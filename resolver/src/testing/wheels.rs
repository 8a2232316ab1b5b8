//! Small, valid wheels, made in memory.

use std::io::Write;

/// A wheel to be made and how its index row looks.
#[derive(Clone, Debug)]
pub(crate) struct Wheel {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) tag: String,
    pub(crate) requires: Vec<String>,
    pub(crate) extras: Vec<String>,
    pub(crate) requires_python: Option<String>,
    pub(crate) yanked: Option<String>,
    /// Bytes of a member that make the archive larger than one range request.
    pub(crate) padding: usize,
    /// The index does not say what Python it needs.
    pub(crate) is_silent: bool,
    /// A source distribution instead; only its name is made.
    pub(crate) is_source: bool,
}

/// A pure wheel with requirements.
pub(crate) fn wheel(name: &str, version: &str, requires: &[&str]) -> Wheel {
    Wheel {
        name: name.to_owned(),
        version: version.to_owned(),
        tag: "py3-none-any".to_owned(),
        requires: requires.iter().map(|text| (*text).to_owned()).collect(),
        extras: Vec::new(),
        requires_python: None,
        yanked: None,
        padding: 0,
        is_silent: false,
        is_source: false,
    }
}

impl Wheel {
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        self.tag = tag.to_owned();
        self
    }

    pub(crate) fn extra(mut self, extra: &str) -> Self {
        self.extras.push(extra.to_owned());
        self
    }

    pub(crate) fn python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self
    }

    pub(crate) fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_owned());
        self
    }

    pub(crate) fn padding(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }

    pub(crate) fn filename(&self) -> String {
        let stem = format!("{}-{}", self.name.replace('-', "_"), self.version);
        if self.is_source { format!("{stem}.tar.gz") } else { format!("{stem}-{}.whl", self.tag) }
    }

    pub(crate) fn metadata(&self) -> String {
        let mut text = format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.name, self.version);
        for requirement in &self.requires {
            text.push_str(&format!("Requires-Dist: {requirement}\n"));
        }
        if let Some(python) = &self.requires_python {
            text.push_str(&format!("Requires-Python: {python}\n"));
        }
        for extra in &self.extras {
            text.push_str(&format!("Provides-Extra: {extra}\n"));
        }
        text
    }

    /// The archive; members are stored, METADATA comes first so that it is far from the end.
    pub(crate) fn archive(&self) -> Vec<u8> {
        let info = format!("{}-{}.dist-info", self.name.replace('-', "_"), self.version);
        let members = [
            (format!("{info}/METADATA"), self.metadata().into_bytes()),
            (format!("{info}/WHEEL"), format!("Wheel-Version: 1.0\nTag: {}\n", self.tag).into_bytes()),
            ("padding.bin".to_owned(), vec![b'x'; self.padding]),
            (format!("{info}/RECORD"), Vec::new()),
        ];
        zip(&members)
    }
}

fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in members {
        let offset = out.len() as u32;
        let mut common = Vec::new();
        common.write_all(&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x28]).unwrap();
        common.write_all(&crc32(bytes).to_le_bytes()).unwrap();
        common.write_all(&(bytes.len() as u32).to_le_bytes()).unwrap();
        common.write_all(&(bytes.len() as u32).to_le_bytes()).unwrap();
        common.write_all(&(name.len() as u16).to_le_bytes()).unwrap();
        common.write_all(&[0, 0]).unwrap();
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&common);
        directory.extend([0, 0, 0, 0, 0, 0]);
        directory.extend((0o100_644u32 << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = out.len() as u32;
    let count = (members.len() as u16).to_le_bytes();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count);
    out.extend(count);
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}
