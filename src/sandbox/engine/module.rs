//! Taking the engine's module apart, and wrapping a memory as a module of its own.

use wasm_encoder::{ConstExpr, Encode, ExportKind, ExportSection, MemorySection, MemoryType, RawSection, SectionId};
use wasmparser::{DataKind, ExternalKind, Operator, Parser, Payload, TypeRef};

/// WebAssembly's page, in bytes.
pub const PAGE_BYTES: usize = 65_536;
/// What an image is mapped by, in bytes.
const HOST_PAGE_BYTES: usize = 4_096;

/// What there is to know of the engine's module before it is compiled.
pub struct Engine {
    module: &'static [u8],
    memory_pages: u64,
    /// Where the engine takes small inputs.
    pub input_area: u32,
}

/// Looks at the parts before the code; cheap.
pub fn inspect(module: &'static [u8]) -> Result<Engine, String> {
    let mut memory_pages = None;
    let mut globals = Vec::new();
    let mut input_area = None;
    for payload in Parser::new(0).parse_all(module) {
        match payload.map_err(text)? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    if let TypeRef::Memory(memory) = import.map_err(text)?.ty {
                        memory_pages = Some(memory.initial);
                    }
                }
            }
            Payload::GlobalSection(section) => {
                for global in section {
                    globals.push(constant(&global.map_err(text)?.init_expr)?);
                }
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.map_err(text)?;
                    if export.kind == ExternalKind::Global && export.name == "input_area" {
                        input_area = globals.get(export.index as usize).copied();
                    }
                }
            }
            Payload::CodeSectionStart { .. } => break,
            _ => {}
        }
    }
    Ok(Engine {
        module,
        memory_pages: memory_pages.ok_or("the engine imports no memory")?,
        input_area: input_area.ok_or("the engine names no input area")?,
    })
}

impl Engine {
    /// The module without its data: what is compiled once and runs on every image. Without its start function too, by which the linker
    /// clears memory that might not be blank.
    pub fn code(&self) -> Result<Vec<u8>, String> {
        let mut out = wasm_encoder::Module::new();
        for payload in Parser::new(0).parse_all(self.module) {
            let payload = payload.map_err(text)?;
            use Payload::{CustomSection, DataCountSection, DataSection, StartSection};
            if matches!(payload, DataSection(_) | DataCountSection { .. } | CustomSection(_) | StartSection { .. }) {
                continue;
            }
            if let Some((id, range)) = payload.as_section() {
                let data = self.module.get(range).ok_or("a section ends outside of the engine")?;
                out.section(&RawSection { id, data });
            }
        }
        Ok(out.finish())
    }

    /// The memory as linked, a data-only module.
    pub fn initial(&self) -> Result<Vec<u8>, String> {
        let mut memory = vec![0u8; self.memory_pages as usize * PAGE_BYTES];
        for payload in Parser::new(0).parse_all(self.module) {
            let Payload::DataSection(section) = payload.map_err(text)? else { continue };
            for segment in section {
                let segment = segment.map_err(text)?;
                let DataKind::Active { offset_expr, .. } = &segment.kind else { return Err("the engine has passive data".into()) };
                let start = constant(offset_expr)? as usize;
                let into = memory.get_mut(start..start + segment.data.len()).ok_or("the engine's data exceeds its memory")?;
                into.copy_from_slice(segment.data);
            }
        }
        Ok(wrap(&memory))
    }
}

fn constant(expression: &wasmparser::ConstExpr<'_>) -> Result<u32, String> {
    match expression.get_operators_reader().read().map_err(text)? {
        Operator::I32Const { value } => Ok(value as u32),
        other => Err(format!("the engine has a computed constant: {other:?}")),
    }
}

fn text(e: wasmparser::BinaryReaderError) -> String {
    format!("the engine is no valid module: {e}")
}

/// A module that only defines and exports a memory of this content.
pub fn wrap(memory: &[u8]) -> Vec<u8> {
    let runs = runs(memory);
    let mut memories = MemorySection::new();
    let minimum = memory.len().div_ceil(PAGE_BYTES) as u64;
    memories.memory(MemoryType { minimum, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let mut module = wasm_encoder::Module::new();
    module.section(&memories).section(&exports);
    let mut module = module.finish();
    // The data is most of it and written once, into memory of the right size: a section of the encoder's would copy it three times.
    let mut count = Vec::new();
    (runs.len() as u32).encode(&mut count);
    let heads: Vec<Vec<u8>> = runs
        .iter()
        .map(|run| {
            // An active segment of memory 0.
            let mut head = vec![0];
            ConstExpr::i32_const(run.start as u32 as i32).encode(&mut head);
            (run.len() as u32).encode(&mut head);
            head
        })
        .collect();
    let length = count.len() + heads.iter().zip(&runs).map(|(head, run)| head.len() + run.len()).sum::<usize>();
    module.reserve_exact(length + 8);
    super::anonymous::advise(&mut module);
    module.push(SectionId::Data as u8);
    (length as u32).encode(&mut module);
    module.extend_from_slice(&count);
    for (head, run) in heads.iter().zip(runs) {
        module.extend_from_slice(head);
        module.extend_from_slice(&memory[run]);
    }
    module
}

/// The parts of a memory that are not blank, in whole pages of the host (the last may be shorter).
fn runs(memory: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for (page, content) in memory.chunks(HOST_PAGE_BYTES).enumerate() {
        if is_zero(content) {
            continue;
        }
        let start = page * HOST_PAGE_BYTES;
        match runs.last_mut() {
            Some(run) if run.end == start => run.end = start + content.len(),
            _ => runs.push(start..start + content.len()),
        }
    }
    runs
}

fn is_zero(bytes: &[u8]) -> bool {
    // SAFETY: any bytes are a valid u64.
    let (head, words, tail) = unsafe { bytes.align_to::<u64>() };
    head.iter().chain(tail).all(|b| *b == 0) && words.iter().all(|w| *w == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(module: &[u8]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            let Payload::DataSection(section) = payload.expect("a valid module") else { continue };
            for segment in section {
                let segment = segment.expect("a valid segment");
                let DataKind::Active { offset_expr, .. } = &segment.kind else { panic!("all data is active") };
                found.push((constant(offset_expr).expect("a constant"), segment.data.len()));
            }
        }
        found
    }

    #[test]
    fn blank_pages_are_left_out_of_an_image() {
        let mut memory = vec![0u8; PAGE_BYTES * 2];
        memory[5] = 1;
        memory[HOST_PAGE_BYTES] = 1;
        *memory.last_mut().expect("not empty") = 1;
        let last = PAGE_BYTES * 2 - HOST_PAGE_BYTES;
        assert_eq!(segments(&wrap(&memory)), [(0, HOST_PAGE_BYTES * 2), (last as u32, HOST_PAGE_BYTES)]);
        assert_eq!(segments(&wrap(&vec![0u8; PAGE_BYTES])), []);
    }
}
