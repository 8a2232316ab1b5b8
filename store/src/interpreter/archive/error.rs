//! Why an interpreter's archive was refused.

/// An archive that was refused; nothing of it is in the store.
#[derive(Debug, thiserror::Error)]
#[error("cannot install from {archive}{}: {reason}", in_member(member))]
pub struct ArchiveError {
    /// Its file name.
    pub archive: String,
    /// The member that is at fault, if it is one.
    pub member: Option<String>,
    /// What is wrong.
    pub reason: String,
}

fn in_member(member: &Option<String>) -> String {
    member.as_ref().map(|member| format!(", member {member:?}")).unwrap_or_default()
}
