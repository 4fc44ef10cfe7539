//! What the system's allocator is told, where it is the GNU C library's. Others look after themselves.

/// Pieces from this size on are given back to the system as soon as they are free, in bytes. The library raises its own bound when it sees
/// large pieces, and bundles and images are nothing else: they would stay for good.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE_BYTES: libc::c_int = 512 << 10;
/// Pools that threads share. By default there are eight a core, each with what bundling once took.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const POOLS_MAX: libc::c_int = 4;

/// Sets the bounds; to be called before there are threads.
pub fn limit() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the arguments are numbers; what the library does not take it leaves as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
        libc::mallopt(libc::M_ARENA_MAX, POOLS_MAX);
    }
}

/// Gives what is free back to the system, without waiting for that.
pub(super) fn release() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    drop(tokio::task::spawn_blocking(|| {
        // SAFETY: it has no conditions; the library guards its own state.
        unsafe { libc::malloc_trim(0) }
    }));
}
