//! System calls about this process's rights and signals that no library offers in safe form.

#![allow(unsafe_code)]

use nix::libc;
use std::io;

/// `_LINUX_CAPABILITY_VERSION_3` of `<linux/capability.h>`.
const VERSION: u32 = 0x2008_0522;

/// `CAP_SYS_ADMIN`, which mount(2) asks for.
const MOUNT: u32 = 1 << 21;

#[repr(C)]
struct Header {
    version: u32,
    process: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Sets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Gives up this thread's right to mount.
pub fn drop_mount_capability() -> io::Result<()> {
    let header = Header { version: VERSION, process: 0 };
    let mut sets = [Sets::default(); 2];
    // SAFETY: both structures have the layout of <linux/capability.h>; version 3 takes two sets.
    if unsafe { libc::syscall(libc::SYS_capget, &raw const header, sets.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    sets[0].effective &= !MOUNT;
    // SAFETY: as above; the kernel only reads both.
    if unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Undoes what Rust's runtime does to SIGPIPE, before another program takes this process over.
pub fn restore_pipe_signal() {
    // SAFETY: the default action involves no handler; it cannot fail for SIGPIPE.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
}
