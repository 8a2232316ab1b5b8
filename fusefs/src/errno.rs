//! The one table from errors to error numbers.

use crate::error::Error;
use nix::errno::Errno;

/// What a system call on the mount answers for an error.
///
/// Damage of any kind is `EIO`. `ESTALE` makes the kernel look a path up again.
pub fn errno(error: &Error) -> Errno {
    match error {
        Error::Unknown(_) => Errno::ESTALE,
        Error::NotDirectory(_) => Errno::ENOTDIR,
        Error::IsDirectory(_) => Errno::EISDIR,
        Error::WrongKind(_) => Errno::EINVAL,
        Error::NameTooLong(_) => Errno::ENAMETOOLONG,
        Error::ReadOnly => Errno::EROFS,
        Error::AccessDenied(_) => Errno::EACCES,
        Error::Clash { .. }
        | Error::ShortObject { .. }
        | Error::Object { .. }
        | Error::Store(_)
        | Error::Mount { .. }
        | Error::AlreadyMounted(_) => Errno::EIO,
    }
}

/// True if the error means damage that someone should read about.
pub fn is_damage(error: &Error) -> bool {
    errno(error) == Errno::EIO
}
