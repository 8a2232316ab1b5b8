//! What an index says of a file beyond what the file itself says.

/// What an index says of a file beyond what the wheel itself says.
#[derive(Debug, Clone, Default)]
pub struct FileOptions {
    pub(crate) yanked: Option<String>,
    pub(crate) requires_python: Option<String>,
    pub(crate) upload_time: Option<String>,
    pub(crate) wrong_hash: bool,
    pub(crate) claimed_bytes: Option<Vec<u8>>,
    pub(crate) without_hash: bool,
    pub(crate) without_metadata: bool,
}

impl FileOptions {
    /// Marks the file as yanked (PEP 592); the reason may be empty.
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = Some(reason.to_owned());
        self
    }

    /// What the page says of `Requires-Python`, whatever the wheel says.
    pub fn requires_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self
    }

    /// The page names the hash of these bytes, whatever the file's are.
    pub fn claims_to_be(mut self, bytes: &[u8]) -> Self {
        self.claimed_bytes = Some(bytes.to_vec());
        self
    }

    /// The time of upload (PEP 700), `2024-01-31T12:00:00.000000Z`.
    pub fn upload_time(mut self, time: &str) -> Self {
        self.upload_time = Some(time.to_owned());
        self
    }

    /// The page names the hash of other bytes.
    pub fn wrong_hash(mut self) -> Self {
        self.wrong_hash = true;
        self
    }

    /// The page names no hash.
    pub fn without_hash(mut self) -> Self {
        self.without_hash = true;
        self
    }

    /// There is no metadata file beside this one.
    pub fn without_metadata(mut self) -> Self {
        self.without_metadata = true;
        self
    }
}
