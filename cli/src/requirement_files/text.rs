//! The text of a file of requirements: UTF-8, or what its byte order mark says, as in pip. PowerShell's `>` writes UTF-16.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// Reads a file; lines end as anywhere (`\n`, `\r\n`, `\r`), and there is no byte order mark left.
pub fn read(path: &Path) -> Result<String> {
    let text = fs::read(path).map_err(anyhow::Error::from).and_then(|bytes| decode(&bytes));
    let text = text.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn decode(bytes: &[u8]) -> Result<String> {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let text = char::decode_utf16(pairs.iter().copied().map(unit)).collect::<Result<String, _>>().ok();
        text.filter(|_| rest.is_empty())
    };
    let (text, name) = match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => bail!("it is in UTF-32: save it as UTF-8"),
        [0xff, 0xfe, rest @ ..] => (units(rest, u16::from_le_bytes), "UTF-16"),
        [0xfe, 0xff, rest @ ..] => (units(rest, u16::from_be_bytes), "UTF-16"),
        _ => {
            let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
            (std::str::from_utf8(text).ok().map(str::to_owned), "UTF-8")
        }
    };
    text.with_context(|| format!("it is not in {name}: save it as UTF-8"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_say_what_a_text_is_in() {
        let text = "rich==13.7.1\r\n# \u{e9}\u{1f40d}\n";
        let units: Vec<u16> = text.encode_utf16().collect();
        let of = |mark: &[u8], bytes: Vec<u8>| decode(&[mark, &bytes].concat()).unwrap();
        assert_eq!(of(&[], text.into()), text);
        assert_eq!(of("\u{feff}".as_bytes(), text.into()), text);
        assert_eq!(of(&[0xff, 0xfe], units.iter().flat_map(|unit| unit.to_le_bytes()).collect()), text);
        assert_eq!(of(&[0xfe, 0xff], units.iter().flat_map(|unit| unit.to_be_bytes()).collect()), text);
        for bad in [&b"caf\xe9"[..], b"\xff\xfea", b"\xfe\xff\xd8\x00", b"\xff\xfe\0\0a\0\0\0"] {
            assert!(decode(bad).unwrap_err().to_string().ends_with(": save it as UTF-8"));
        }
    }

    #[test]
    fn lines_end_in_any_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("r.txt");
        fs::write(&path, "a\r\nb\rc\nd").unwrap();
        assert_eq!(read(&path).unwrap(), "a\nb\nc\nd");
        let error = format!("{:#}", read(&folder.path().join("none")).unwrap_err());
        assert!(error.starts_with("cannot read ") && error.contains("none"), "{error}");
    }
}
