//! The next step for an error: one line, apart from the error itself.

use crate::interpreters::MissingPython;
use omnipkg_resolver::Error as ResolveError;
use omnipkg_store::Error as StoreError;

/// What the user can do about an error, if that is known.
pub fn hint_for(error: &anyhow::Error) -> Option<String> {
    error
        .chain()
        .find_map(|cause| {
            if let Some(missing) = cause.downcast_ref::<MissingPython>() {
                return Some(missing.hint());
            }
            if let Some(error) = cause.downcast_ref::<ResolveError>() {
                return for_resolve(error);
            }
            if let Some(error) = cause.downcast_ref::<StoreError>() {
                return for_store(error);
            }
            if let Some(error) = cause.downcast_ref::<std::io::Error>() {
                return for_io(error);
            }
            None
        })
        .or_else(|| for_text(&error.to_string()))
}

fn for_resolve(error: &ResolveError) -> Option<String> {
    let text = match error {
        ResolveError::Requirement { reason, .. } if reason.contains("hashes that were given") => {
            "name the index that the hashes are of with --index-url, or make the file anew (`omnipkg export`)"
        }
        ResolveError::NoSolution(_) => "loosen one of these requirements, or try another Python with --python",
        ResolveError::UnknownProject { .. } => "check the name, or name the index that has it with --index-url",
        ResolveError::Status { status: 401 | 403, .. } => {
            "give credentials in the index URL, in ~/.netrc or by --keyring-provider subprocess, or another --index-url"
        }
        ResolveError::Transport { source, .. } if is_of_a_certificate(source) => {
            "name the file of the authority that vouches for it with SSL_CERT_FILE, if you trust that server"
        }
        ResolveError::Status { url, .. } | ResolveError::Transport { url, .. } if url.contains("install_only") => {
            "check the network, or name with --mirror a URL or a directory that has the archive"
        }
        ResolveError::Status { .. } | ResolveError::Transport { .. } | ResolveError::Interrupted { .. } => {
            "check the network and the index URL (`omnipkg doctor`); --offline uses only what is here"
        }
        ResolveError::Answer { .. } => "check that the URL is that of a package index (it ends in /simple/)",
        ResolveError::Offline { .. } => "run it once without --offline",
        ResolveError::HashMismatch { filename, .. } if filename.starts_with("cpython-") => {
            "nothing of it was kept: try again or another --mirror; --sha256 says what another archive must be"
        }
        ResolveError::HashMismatch { .. } => {
            "the file on the index is not the one it promised: try again, and tell the index's keeper if it stays so"
        }
        ResolveError::Store(error) => return for_store(error),
        ResolveError::Io { source, .. } => return for_io(source),
        _ => return None,
    };
    Some(text.to_owned())
}

fn is_of_a_certificate(error: &dyn std::error::Error) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|cause| cause.to_string().contains("certificate"))
}

fn for_store(error: &StoreError) -> Option<String> {
    let text = match error {
        _ if error.is_no_space() => "make room on that disk, or put the store elsewhere with OMNIPKG_HOME",
        StoreError::Io { source, .. } => return for_io(source),
        StoreError::Layout { .. } => "use the omnipkg that wrote it, or another store with OMNIPKG_HOME",
        StoreError::Wheel(_) => "the wheel is defective: choose another version, and tell its authors",
        StoreError::Damaged { what: "catalog", .. } => "delete that file: it is made again from the manifests",
        StoreError::Damaged { .. } => "delete that file and run the command again",
        StoreError::Archive(_) => "take another archive, and tell those who made this one",
        StoreError::Interpreter { .. } => "name another Python with --python",
        _ => return None,
    };
    Some(text.to_owned())
}

fn for_io(error: &std::io::Error) -> Option<String> {
    use std::io::ErrorKind;
    let text = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on that disk, or put the store elsewhere with OMNIPKG_HOME"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "check who owns that path, or put the store elsewhere with OMNIPKG_HOME"
        }
        ErrorKind::NotFound => "check the path",
        _ => return None,
    };
    Some(text.to_owned())
}

fn for_text(text: &str) -> Option<String> {
    if text.starts_with("no Python") {
        return Some("`omnipkg python list` lists what there is; --python takes a version or a path".to_owned());
    }
    if text.contains("has no interpreter: ") {
        let text = "`omnipkg python install VERSION` or `omnipkg python adopt PATH` gives it one of its kind";
        return Some(text.to_owned());
    }
    if text.starts_with("cannot use the lock file ") {
        return Some("have it written for this Python and platform, or name another Python with --python".to_owned());
    }
    if text.starts_with("no hash was given for ") || text.contains(" has no --hash: ") {
        return Some("`omnipkg resolve --format requirements` writes all of them with their hashes".to_owned());
    }
    if text.starts_with("the kept layer ") {
        return Some("choose another name with --keep; `omnipkg writable remove NAME` throws a layer away".to_owned());
    }
    text.contains("is not a requirement")
        .then(|| "write it as NAME, NAME==VERSION or 'NAME>=VERSION' (PEP 508)".to_owned())
}
