//! Images that are in no folder: they hold what is the project's, which is never written to a disk.

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
