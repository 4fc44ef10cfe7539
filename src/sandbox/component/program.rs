//! A program of WASI 0.1, written by hand for tests: it prints, copies its input, and ends.

use wasm_encoder::{
    BlockType, CodeSection, ConstExpr, DataSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection,
    MemArg, MemorySection, MemoryType, Module, TypeSection, ValType,
};

/// What it does: prints `head`, then its input, then `error` to its standard error, and exits with a code.
#[derive(Clone, Copy)]
pub struct Prints<'a> {
    pub head: &'a str,
    pub error: &'a str,
    pub exits: i32,
    pub for_ever: bool,
    /// The name of what it exports.
    pub start: &'a str,
}

impl Default for Prints<'_> {
    fn default() -> Self {
        Prints { head: "", error: "", exits: 0, for_ever: false, start: "_start" }
    }
}

/// Where its memory has the list of one piece, the count of bytes, the texts and the input.
const PIECE: i32 = 0;
const COUNT: i32 = 8;
const HEAD: i32 = 64;
const ERROR: i32 = 4_096;
const INPUT: i32 = 8_192;
const INPUT_MAX: i32 = 32_768;

/// The program's bytes.
pub fn program(does: Prints<'_>) -> Vec<u8> {
    use ValType::I32;
    let mut types = TypeSection::new();
    types.ty().function([I32, I32, I32, I32], [I32]);
    types.ty().function([I32], []);
    types.ty().function([], []);
    let mut imports = ImportSection::new();
    for (name, kind) in [("fd_write", 0), ("fd_read", 0), ("proc_exit", 1)] {
        imports.import("wasi_snapshot_preview1", name, EntityType::Function(kind));
    }
    let mut functions = FunctionSection::new();
    functions.function(2);
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0).export(does.start, ExportKind::Func, 3);
    let mut body = Function::new([]);
    let at = MemArg { offset: 0, align: 2, memory_index: 0 };
    let mut code = body.instructions();
    for (stream, from, length) in [(1, HEAD, does.head.len() as i32), (2, ERROR, does.error.len() as i32)] {
        code.i32_const(PIECE).i32_const(from).i32_store(at).i32_const(PIECE + 4).i32_const(length).i32_store(at);
        code.i32_const(stream).i32_const(PIECE).i32_const(1).i32_const(COUNT).call(0).drop();
    }
    code.i32_const(PIECE).i32_const(INPUT).i32_store(at).i32_const(PIECE + 4).i32_const(INPUT_MAX).i32_store(at);
    code.i32_const(0).i32_const(PIECE).i32_const(1).i32_const(COUNT).call(1).drop();
    code.i32_const(PIECE + 4).i32_const(COUNT).i32_load(at).i32_store(at);
    code.i32_const(1).i32_const(PIECE).i32_const(1).i32_const(COUNT).call(0).drop();
    if does.for_ever {
        code.loop_(BlockType::Empty).br(0).end();
    }
    if does.exits != 0 {
        code.i32_const(does.exits).call(2);
    }
    code.end();
    let mut bodies = CodeSection::new();
    bodies.function(&body);
    let mut data = DataSection::new();
    data.active(0, &ConstExpr::i32_const(HEAD), does.head.bytes()).active(0, &ConstExpr::i32_const(ERROR), does.error.bytes());
    let mut module = Module::new();
    module.section(&types).section(&imports).section(&functions).section(&memories).section(&exports).section(&bodies).section(&data);
    module.finish()
}
