//! Components written by hand, as small as they can be, for tests.

use wasm_encoder::{
    Alias, CanonicalOption, CodeSection, ComponentBuilder, ComponentExportKind, ComponentExportSection, ComponentInstanceSection,
    ComponentSection, ComponentTypeRef, ComponentValType, ConstExpr, EntityType, ExportKind, ExportSection, Function, FunctionSection,
    GlobalSection, GlobalType, ImportSection, InstanceType, MemorySection, MemoryType, ModuleArg, PrimitiveValType, TypeBounds,
    TypeSection, ValType,
};

/// What the handler does, given the numbers of the functions that it may call and of its memory.
pub enum Does {
    /// Responds with this status.
    Responds(u16),
    LoopsForEver,
    /// Wants this many pages of memory at once and ends itself where it does not get them.
    Grows(i32),
    ReturnsNothing,
}

/// A component whose `handle` does this.
pub fn component(does: &Does) -> Vec<u8> {
    let mut component = ComponentBuilder::default();
    let types = component.type_instance(None, &http_types());
    let types = component.import("wasi:http/types@0.2.0", ComponentTypeRef::Instance(types));
    let incoming_request = component.alias_export(types, "incoming-request", ComponentExportKind::Type);
    let outparam = component.alias_export(types, "response-outparam", ComponentExportKind::Type);
    let memory = component.core_module(None, &memory_module());
    let memory_instance = component.core_instantiate::<[(&str, ModuleArg); 0]>(None, memory, []);
    let memory = component.alias(None, Alias::CoreInstanceExport { instance: memory_instance, kind: ExportKind::Memory, name: "memory" });
    let mut imports = Vec::new();
    for (name, imported) in [
        ("[constructor]fields", "fields"),
        ("[constructor]outgoing-response", "response"),
        ("[method]outgoing-response.set-status-code", "status"),
        ("[static]response-outparam.set", "set"),
    ] {
        let function = component.alias_export(types, name, ComponentExportKind::Func);
        imports.push((
            imported,
            ExportKind::Func,
            component.lower_func(None, function, [CanonicalOption::Memory(memory), CanonicalOption::UTF8]),
        ));
    }
    imports.push(("memory", ExportKind::Memory, memory));
    let imports = component.core_instantiate_exports(None, imports);
    let handler = component.core_module(None, &handler_module(does));
    let handler = component.core_instantiate(None, handler, [("host", ModuleArg::Instance(imports))]);
    let handle = component.core_alias_export(None, handler, "handle", ExportKind::Func);
    let (own_request, encoder) = component.type_defined(None);
    encoder.own(incoming_request);
    let (own_outparam, encoder) = component.type_defined(None);
    encoder.own(outparam);
    let (kind, mut encoder) = component.type_function(None);
    encoder.params([("request", ComponentValType::Type(own_request)), ("response-out", ComponentValType::Type(own_outparam))]).result(None);
    let handle = component.lift_func::<[CanonicalOption; 0]>(None, handle, kind, []);
    let mut component = component.finish();
    let mut instances = ComponentInstanceSection::new();
    instances.export_items([("handle", ComponentExportKind::Func, handle)]);
    instances.append_to_component(&mut component);
    let mut exports = ComponentExportSection::new();
    exports.export("wasi:http/incoming-handler@0.2.0", ComponentExportKind::Instance, types + 1, None);
    exports.append_to_component(&mut component);
    component
}

/// What the component uses of `wasi:http/types`, as the interface's definition has it.
fn http_types() -> InstanceType {
    use ComponentValType::{Primitive, Type};
    let mut types = InstanceType::new();
    let mut resource = |name: &str| {
        types.export(name, ComponentTypeRef::Type(TypeBounds::SubResource));
    };
    let [request, outparam, fields, response] = [0, 1, 2, 3];
    resource("incoming-request");
    resource("response-outparam");
    resource("fields");
    resource("outgoing-response");
    let option = |types: &mut InstanceType, of: PrimitiveValType| {
        types.ty().defined_type().option(of);
        Type(types.type_count() - 1)
    };
    let text = option(&mut types, PrimitiveValType::String);
    let byte = option(&mut types, PrimitiveValType::U8);
    let short = option(&mut types, PrimitiveValType::U16);
    let word = option(&mut types, PrimitiveValType::U32);
    let long = option(&mut types, PrimitiveValType::U64);
    let record = |types: &mut InstanceType, name: &str, parts: [(&str, ComponentValType); 2]| {
        types.ty().defined_type().record(parts);
        types.export(name, ComponentTypeRef::Type(TypeBounds::Eq(types.type_count() - 1)));
        Type(types.type_count() - 1)
    };
    let dns = record(&mut types, "DNS-error-payload", [("rcode", text), ("info-code", short)]);
    let tls = record(&mut types, "TLS-alert-received-payload", [("alert-id", byte), ("alert-message", text)]);
    let field = record(&mut types, "field-size-payload", [("field-name", text), ("field-size", word)]);
    types.ty().defined_type().option(field);
    let some_field = Type(types.type_count() - 1);
    types.ty().defined_type().variant([
        ("DNS-timeout", None),
        ("DNS-error", Some(dns)),
        ("destination-not-found", None),
        ("destination-unavailable", None),
        ("destination-IP-prohibited", None),
        ("destination-IP-unroutable", None),
        ("connection-refused", None),
        ("connection-terminated", None),
        ("connection-timeout", None),
        ("connection-read-timeout", None),
        ("connection-write-timeout", None),
        ("connection-limit-reached", None),
        ("TLS-protocol-error", None),
        ("TLS-certificate-error", None),
        ("TLS-alert-received", Some(tls)),
        ("HTTP-request-denied", None),
        ("HTTP-request-length-required", None),
        ("HTTP-request-body-size", Some(long)),
        ("HTTP-request-method-invalid", None),
        ("HTTP-request-URI-invalid", None),
        ("HTTP-request-URI-too-long", None),
        ("HTTP-request-header-section-size", Some(word)),
        ("HTTP-request-header-size", Some(some_field)),
        ("HTTP-request-trailer-section-size", Some(word)),
        ("HTTP-request-trailer-size", Some(field)),
        ("HTTP-response-incomplete", None),
        ("HTTP-response-header-section-size", Some(word)),
        ("HTTP-response-header-size", Some(field)),
        ("HTTP-response-body-size", Some(long)),
        ("HTTP-response-trailer-section-size", Some(word)),
        ("HTTP-response-trailer-size", Some(field)),
        ("HTTP-response-transfer-coding", Some(text)),
        ("HTTP-response-content-coding", Some(text)),
        ("HTTP-response-timeout", None),
        ("HTTP-upgrade-failed", None),
        ("HTTP-protocol-error", None),
        ("loop-detected", None),
        ("configuration-error", None),
        ("internal-error", Some(text)),
    ]);
    types.export("error-code", ComponentTypeRef::Type(TypeBounds::Eq(types.type_count() - 1)));
    let code = Type(types.type_count() - 1);
    let own = |types: &mut InstanceType, resource: u32| {
        types.ty().defined_type().own(resource);
        Type(types.type_count() - 1)
    };
    let (own_outparam, own_fields, own_response) = (own(&mut types, outparam), own(&mut types, fields), own(&mut types, response));
    assert_eq!(request, 0, "the resources are the first types");
    types.ty().defined_type().borrow(response);
    let response = Type(types.type_count() - 1);
    types.ty().defined_type().result(Some(own_response), Some(code));
    let result = Type(types.type_count() - 1);
    types.ty().defined_type().result(None, None);
    let done = Type(types.type_count() - 1);
    let mut function = |name: &str, params: &[(&str, ComponentValType)], result: Option<ComponentValType>| {
        types.ty().function().params(params.iter().copied()).result(result);
        types.export(name, ComponentTypeRef::Func(types.type_count() - 1));
    };
    function("[constructor]fields", &[], Some(own_fields));
    function("[constructor]outgoing-response", &[("headers", own_fields)], Some(own_response));
    let status = [("self", response), ("status-code", Primitive(PrimitiveValType::U16))];
    function("[method]outgoing-response.set-status-code", &status, Some(done));
    function("[static]response-outparam.set", &[("param", own_outparam), ("response", result)], None);
    types
}

fn memory_module() -> wasm_encoder::Module {
    let mut memories = MemorySection::new();
    memories.memory(MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None });
    let mut exports = ExportSection::new();
    exports.export("memory", ExportKind::Memory, 0);
    let mut module = wasm_encoder::Module::new();
    module.section(&memories).section(&exports);
    module
}

fn handler_module(does: &Does) -> wasm_encoder::Module {
    use ValType::{I32, I64};
    let mut types = TypeSection::new();
    types.ty().function([], [I32]);
    types.ty().function([I32], [I32]);
    types.ty().function([I32, I32], [I32]);
    // The result and its error, flat.
    types.ty().function([I32, I32, I32, I32, I64, I32, I32, I32, I32], []);
    types.ty().function([I32, I32], []);
    let mut imports = ImportSection::new();
    for (position, name) in ["fields", "response", "status", "set"].into_iter().enumerate() {
        imports.import("host", name, EntityType::Function(position as u32));
    }
    let memory = MemoryType { minimum: 1, maximum: None, memory64: false, shared: false, page_size_log2: None };
    imports.import("host", "memory", EntityType::Memory(memory));
    let mut functions = FunctionSection::new();
    functions.function(4);
    let mut globals = GlobalSection::new();
    globals.global(GlobalType { val_type: I32, mutable: true, shared: false }, &ConstExpr::i32_const(0));
    let mut exports = ExportSection::new();
    exports.export("handle", ExportKind::Func, 4);
    let mut body = Function::new([]);
    let mut code = body.instructions();
    match does {
        Does::Responds(status) => {
            code.call(0).call(1).global_set(0);
            code.global_get(0).i32_const(i32::from(*status)).call(2).drop();
            code.local_get(1)
                .i32_const(0)
                .global_get(0)
                .i32_const(0)
                .i64_const(0)
                .i32_const(0)
                .i32_const(0)
                .i32_const(0)
                .i32_const(0)
                .call(3);
        }
        Does::LoopsForEver => {
            code.loop_(wasm_encoder::BlockType::Empty).br(0).end();
        }
        Does::Grows(pages) => {
            code.i32_const(*pages).memory_grow(0).i32_const(-1).i32_eq().if_(wasm_encoder::BlockType::Empty).unreachable().end();
        }
        Does::ReturnsNothing => {}
    }
    code.end();
    let mut bodies = CodeSection::new();
    bodies.function(&body);
    let mut module = wasm_encoder::Module::new();
    module.section(&types).section(&imports).section(&functions).section(&globals).section(&exports).section(&bodies);
    module
}
