//! Memory: the allocator, and what is given back to the system.

use mimalloc::MiMalloc;

/// A request allocates some hundred small pieces, on one thread, and frees many on another: that was a seventh of a call's processor time
/// with the C library's allocator. Without the system's huge pages, of which a start would fill only a part.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h: milliseconds until what is free goes back to the system.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
/// Pools of the C library's allocator, which SQLite uses. By default there are eight a core.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const POOLS_MAX: libc::c_int = 4;

/// Sets the bounds; to be called before there are threads.
pub fn limit() {
    // SAFETY: the arguments are numbers.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 0) };
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: the arguments are numbers; what the library does not take it leaves as it was.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, POOLS_MAX);
    }
}

/// Gives back to the system what is free, and what of the program's own code only the work that has just ended ran: most of it is needed
/// for a start or a build and then not again. Does not wait for that.
pub(super) fn release() {
    drop(tokio::task::spawn_blocking(|| {
        // SAFETY: it has no conditions; the library guards its own state.
        unsafe { libmimalloc_sys::mi_collect(true) };
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        {
            // SAFETY: as above.
            unsafe { libc::malloc_trim(0) };
            forget_code();
        }
    }));
}

/// Makes the system forget the code and the constants of the program and its libraries that it has read so far: they are read again from
/// the files, which it keeps in memory for everybody, when they are needed. Answers how many bytes may have been forgotten.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn forget_code() -> usize {
    unsafe extern "C" fn forget(object: *mut libc::dl_phdr_info, _size: libc::size_t, bytes: *mut libc::c_void) -> libc::c_int {
        // SAFETY: the loader passes an object that stays while this runs, with as many headers as it says, and what it was given.
        let (object, bytes) = unsafe { (&*object, &mut *bytes.cast::<usize>()) };
        if object.dlpi_phdr.is_null() {
            return 0;
        }
        // SAFETY: see above.
        let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
        // What can be written to has pages that are no file's: relocated tables, for one, which are made read-only only later.
        for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0) {
            let begin = (object.dlpi_addr + header.p_vaddr) as usize;
            let from = begin & !(PAGE_BYTES - 1);
            let length = begin - from + header.p_filesz as usize;
            // SAFETY: the pages are the file's own, for they could never be written to, and the loader keeps the object meanwhile.
            if unsafe { libc::madvise(from as *mut libc::c_void, length, libc::MADV_DONTNEED) } == 0 {
                *bytes += length;
            }
        }
        0
    }
    let mut bytes = 0_usize;
    // SAFETY: the function keeps to what the loader promises it, and `bytes` outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(forget), (&raw mut bytes).cast()) };
    bytes
}

/// The smallest page of the machines that this is built for, in bytes: a segment begins on one.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const PAGE_BYTES: usize = 4 << 10;

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn a_program_goes_on_after_its_code_was_forgotten() {
        assert!(forget_code() > 1 << 20, "the test's own code alone is larger");
        assert_eq!(format!("{:?}", "a b".split(' ').collect::<Vec<_>>()), r#"["a", "b"]"#);
    }
}
