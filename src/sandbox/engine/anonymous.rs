//! Images that are in no folder: they hold what is the project's, which is written to no folder that is not.

/// Asks for large pages for what a buffer is about to be filled with: a fault for each small one takes longer than the copying.
#[cfg(target_os = "linux")]
pub fn advise(buffer: &mut Vec<u8>) {
    const PAGE_BYTES: usize = 4_096;
    let spare = buffer.spare_capacity_mut();
    let skipped = spare.as_ptr().align_offset(PAGE_BYTES);
    if let Some(whole) = spare.len().checked_sub(skipped).map(|bytes| bytes / PAGE_BYTES * PAGE_BYTES)
        && whole > 0
    {
        // SAFETY: the range is whole pages of memory that is ours. It is advice: where it cannot be taken nothing happens.
        unsafe { libc::madvise(spare.as_mut_ptr().add(skipped).cast(), whole, libc::MADV_HUGEPAGE) };
    }
}

#[cfg(not(target_os = "linux"))]
pub fn advise(_buffer: &mut Vec<u8>) {}

use wasmtime::{Engine, Module};

/// Compiles an image into a file that has no name and is in memory: sandboxes map that file. Compiled the usual way it would be in memory
/// twice, once for them and once for the module.
#[cfg(target_os = "linux")]
pub fn module(engine: &Engine, data_only: Vec<u8>) -> wasmtime::Result<Module> {
    use std::fs::File;
    use std::io::Write;
    use std::os::fd::FromRawFd;

    // SAFETY: the name is a string that ends in a zero.
    let descriptor = unsafe { libc::memfd_create(c"emu-image".as_ptr(), libc::MFD_CLOEXEC) };
    if descriptor < 0 {
        return Module::new(engine, data_only);
    }
    // SAFETY: the descriptor was made above, and nobody else has it.
    let mut file = unsafe { File::from_raw_fd(descriptor) };
    let compiled = engine.precompile_module(&data_only)?;
    drop(data_only);
    file.write_all(&compiled)?;
    drop(compiled);
    // SAFETY: it is what this engine has just compiled, in a file that nobody else can open.
    unsafe { Module::deserialize_open_file(engine, file) }
}

/// Compiles an image.
#[cfg(not(target_os = "linux"))]
pub fn module(engine: &Engine, data_only: Vec<u8>) -> wasmtime::Result<Module> {
    Module::new(engine, data_only)
}
