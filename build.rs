//! Builds the sandbox's JavaScript engine: QuickJS-ng and `src/sandbox/engine/glue.c`, for WebAssembly, with clang alone.
//!
//! The C sources, the C library's headers and its archive are those of the crates.io package `rquickjs-sys`, which `Cargo.lock` pins and
//! which is never compiled for the host. The linker is the one inside the Rust toolchain. Nothing is downloaded beside crates.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

const PACKAGE: &str = "rquickjs-sys";
const VERSION: &str = "0.14.0";
/// The C stack that the module has, in bytes; what JavaScript may use of it is set where the engine is booted.
const STACK_BYTES: u32 = 2 << 20;
const GLUE: &str = "src/sandbox/engine/glue.c";
const INSTALL: &str = "install it with `apt-get install clang` (Debian, Ubuntu), `dnf install clang` (Fedora) or `brew install llvm` (macOS), \
                       or name it by the environment variable EMU_CLANG";

fn main() {
    for file in ["build.rs", "Cargo.lock", "src/sandbox/engine"] {
        println!("cargo::rerun-if-changed={file}");
    }
    for variable in ["EMU_CLANG", "EMU_WASM_LD", "EMU_QUICKJS"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    // Addresses that are known need not be written at each start (ARCHITECTURE.md).
    if env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    if let Err(problem) = build() {
        println!("cargo::error={}", problem.replace('\n', " | "));
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?);
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets no CARGO_MANIFEST_DIR")?);
    let package = sources(&root)?;
    let quickjs = package.join("quickjs");
    let libc = package.join("vendor/wasi-libc");
    for needed in [quickjs.join("quickjs.c"), libc.join("include/stdlib.h"), libc.join("lib/libc.a")] {
        if !needed.is_file() {
            return Err(format!("{} is missing from the sources of {PACKAGE} {VERSION}", needed.display()));
        }
    }
    let clang = clang()?;
    let linker = linker()?;
    let units = [root.join(GLUE), quickjs.join("libregexp.c"), quickjs.join("libunicode.c"), quickjs.join("dtoa.c")];
    fs::write(out.join("quickjs.c"), changed(&quickjs.join("quickjs.c"))?)
        .map_err(|e| format!("cannot write the patched quickjs.c: {e}"))?;
    let objects = compile(&clang, &units, &quickjs, &libc, &out)?;
    let module = out.join("engine.wasm");
    let mut link = Command::new(&linker);
    if linker.file_stem().is_some_and(|stem| stem == "rust-lld") {
        link.args(["-flavor", "wasm"]);
    }
    // The stack comes first in memory, so that running over its end is a trap and not a write into data.
    link.args(["--no-entry", "--import-memory", "--stack-first", "--gc-sections", "--strip-all", "--export=input_area", "-O2", "-z"])
        .arg(format!("stack-size={STACK_BYTES}"))
        .arg("-o")
        .arg(&module)
        .args(&objects)
        .arg(libc.join("lib/libc.a"));
    run(&mut link)?;
    Ok(())
}

/// Where `RegExp.prototype[Symbol.split]` knows what constructs its splitter, and has not begun to.
const SPLIT: &str = "    flags = JS_ToStringFree(ctx, JS_GetProperty(ctx, rx, JS_ATOM_flags));\n    if (JS_IsException(flags))\n        \
                     goto exception;\n    strp = JS_VALUE_GET_STRING(flags);\n    unicodeMatching";

/// Where a property is defined of which the value is all that is given.
const DEFINE: &str = "int JS_DefinePropertyValue(JSContext *ctx, JSValueConst this_obj,\n                           JSAtom prop, JSValue val, int \
                      flags)\n{\n";

/// QuickJS with nine changes. The asynchronous scope: each promise reaction remembers the scope (`glue.c`) in which it was registered, and
/// runs in it. A bound for the parser: it uses much of the machine's stack for little of the C stack, by which it is measured, so it
/// may use a quarter of that. Reference counts that stand still from `JS_IMMORTAL` on: those of what is part of an image. Stacks of errors
/// are noted, and put into words when they are read. The flags and the `split` of a regular expression that nobody has changed are known
/// without asking its prototype, which the standard has them do property by property. JSON is read and written by `json.c`.
/// A property that a plain object lacks is put into it at once. And one empty arena of each size is kept: a sandbox that serves many calls
/// would make it anew in each. The interpreter's loop is entered in one place, where an error thrown into a generator is thrown: WebAssembly
/// has no other loops, and clang makes one of two entries by a variable that each instruction asks.
fn changed(quickjs: &Path) -> Result<String, String> {
    let mut source = fs::read_to_string(quickjs).map_err(|e| format!("cannot read {}: {e}", quickjs.display()))?;
    let count = "#define JS_REF_COUNT(p) (js_rc(p)->ref_count)";
    let counts = format!(
        "#define JS_IMMORTAL (1 << 30)\n{count}\n\
         #define JS_HOLD(p) ((void)(JS_REF_COUNT(p) < JS_IMMORTAL && JS_REF_COUNT(p)++))\n\
         #define JS_DROP(p) (JS_REF_COUNT(p) < JS_IMMORTAL ? --JS_REF_COUNT(p) : JS_IMMORTAL)"
    );
    let changes: [(&str, &str, usize); 20] = [
        (count, &counts, 1),
        ("typedef struct JSPromiseReactionData {", "struct JSPromiseReactionData {\n    JSValue scope;", 1),
        ("} JSPromiseReactionData;", "};", 1),
        ("rd->handler = js_dup(handler);", "rd->handler = js_dup(handler);\n        rd->scope = js_dup(scope);", 1),
        ("JS_FreeValueRT(rt, rd->handler);", "JS_FreeValueRT(rt, rd->handler);\n    JS_FreeValueRT(rt, rd->scope);", 1),
        (
            "JS_MarkValue(rt, rd->handler, mark_func);",
            "JS_MarkValue(rt, rd->handler, mark_func);\n            JS_MarkValue(rt, rd->scope, mark_func);",
            1,
        ),
        ("JS_EnqueueJob(ctx, promise_reaction_job, 5, args)", "enqueue_reaction(ctx, rd, args)", 2),
        ("js_check_stack_overflow(s->ctx->rt, 1000)", "js_check_stack_overflow(s->ctx->rt, 1000 + s->ctx->rt->stack_size / 4 * 3)", 2),
        ("static JSValue promise_reaction_job(", "static JSValue promise_reaction_job_unscoped(", 1),
        ("static void build_backtrace(", "static void build_backtrace_at_once(", 1),
        (
            "    if (p->class_id != JS_CLASS_ERROR)\n        return JS_UNDEFINED;\n    return js_dup(p->u.object_data);",
            "    if (p->class_id != JS_CLASS_ERROR)\n        return JS_UNDEFINED;\n    return stack_of(ctx, p);",
            1,
        ),
        (
            "    res = JS_ToBoolFree(ctx, JS_GetPropertyStr(ctx, this_val, \"hasIndices\"));",
            "    res = plain_flags(ctx, this_val);\n    if (res >= 0)\n        return flags_in_letters(ctx, res);\n\
             \x20   res = JS_ToBoolFree(ctx, JS_GetPropertyStr(ctx, this_val, \"hasIndices\"));",
            1,
        ),
        ("obj = JS_ParseJSON_internal(ctx, str, len, \"<input>\", NULL);", "obj = json_parse(ctx, str, len);", 1),
        ("return JS_JSONStringify(ctx, argv[0], argv[1], argv[2]);", "return json_stringify(ctx, argv[0], argv[1], argv[2]);", 1),
        (
            "    int opcode, arg_allocated_size, i;\n    JSValue *local_buf",
            "    int opcode, arg_allocated_size, i, thrown = 0;\n    JSValue *local_buf",
            1,
        ),
        (
            "            if (s->throw_flag)\n                goto exception;\n            else\n                goto restart;",
            "            thrown = s->throw_flag;\n            goto restart;",
            1,
        ),
        (
            "\n restart:\n    for(;;) {",
            "\n restart:\n    if (unlikely(thrown)) {\n        thrown = 0;\n        goto exception;\n    }\n    for(;;) {",
            1,
        ),
        (
            DEFINE,
            &format!(
                "{DEFINE}    if (JS_VALUE_GET_TAG(this_obj) == JS_TAG_OBJECT) {{\n\
                 \x20       JSObject *p = JS_VALUE_GET_OBJ(this_obj);\n\
                 \x20       if (!p->is_exotic && p->extensible && !find_own_property1(p, prop)) {{\n\
                 \x20           JSProperty *pr = add_property(ctx, p, prop, flags & JS_PROP_C_W_E);\n\
                 \x20           if (likely(pr))\n\
                 \x20               pr->u.value = val;\n\
                 \x20           else\n\
                 \x20               JS_FreeValue(ctx, val);\n\
                 \x20           return pr ? 1 : -1;\n\
                 \x20       }}\n\
                 \x20   }}\n"
            ),
            1,
        ),
        (
            "if (unlikely(ar->n_used_blocks == 0)) {",
            "if (unlikely(ar->n_used_blocks == 0 && ar->free_link.prev != ar->free_link.next)) {",
            1,
        ),
        (
            SPLIT,
            &format!(
                "    int plain = js_same_value(ctx, ctor, ctx->regexp_ctor) ? plain_flags(ctx, rx) : -1;\n\
                 \x20   if (plain >= 0 && !(plain & LRE_FLAG_STICKY) && js_is_standard_regexp(ctx, rx) == 1) {{\n\
                 \x20       lim = UINT32_MAX;\n\
                 \x20       if (!JS_IsUndefined(argv[1]) && JS_ToUint32(ctx, &lim, argv[1]) < 0)\n\
                 \x20           goto exception;\n\
                 \x20       A = split_plainly(ctx, rx, str, lim);\n\
                 \x20       if (JS_IsException(A))\n\
                 \x20           goto exception;\n\
                 \x20       goto done;\n\
                 \x20   }}\n{SPLIT}"
            ),
            1,
        ),
    ];
    for (from, to, times) in changes {
        let found = source.matches(from).count();
        if found != times {
            return Err(format!(
                "`{from}` is {found} times in {}, not {times} times: is this QuickJS-ng of {PACKAGE} {VERSION}?",
                quickjs.display()
            ));
        }
        source = source.replace(from, to);
    }
    let (head, rest) = source.split_once(&counts).ok_or("the reference counts are not where they were put")?;
    Ok(format!("{head}{counts}{}", counted(rest)?))
}

/// The places that change a reference count by one, made to leave those of images alone.
fn counted(source: &str) -> Result<String, String> {
    const NAME: &str = "JS_REF_COUNT(";
    let mut out = String::with_capacity(source.len());
    let (mut rest, mut held, mut dropped) = (source, 0, 0);
    while let Some(at) = rest.find(NAME) {
        let from = at + NAME.len();
        let length = rest[from..].find(')').ok_or("a reference count without an end")?;
        let (of, after) = (&rest[from..from + length], &rest[from + length + 1..]);
        let before = &rest[..at];
        if let Some(after) = after.strip_prefix("++") {
            out.push_str(&format!("{before}JS_HOLD({of})"));
            (rest, held) = (after, held + 1);
        } else if let Some(after) = after.strip_prefix("--") {
            out.push_str(&format!("{before}(void)JS_DROP({of})"));
            (rest, dropped) = (after, dropped + 1);
        } else if let Some(before) = before.strip_suffix("--") {
            out.push_str(&format!("{before}JS_DROP({of})"));
            (rest, dropped) = (after, dropped + 1);
        } else {
            out.push_str(&rest[..from + length + 1]);
            rest = after;
        }
    }
    out.push_str(rest);
    const EXPECTED: (usize, usize) = (19, 9);
    if (held, dropped) != EXPECTED {
        return Err(format!(
            "reference counts go up in {held} places and down in {dropped}, not in {EXPECTED:?}: is this QuickJS-ng of {PACKAGE} {VERSION}?"
        ));
    }
    Ok(out)
}

/// Compiles each unit in a process of its own, all at once.
fn compile(clang: &Path, units: &[PathBuf], quickjs: &Path, libc: &Path, out: &Path) -> Result<Vec<PathBuf>, String> {
    let mut running = Vec::new();
    for unit in units {
        let stem = unit.file_stem().ok_or_else(|| format!("{} is no file", unit.display()))?;
        let object = out.join(stem).with_extension("o");
        let mut command = Command::new(clang);
        command
            .args([
                "--target=wasm32-unknown-unknown",
                "-O2",
                "-msign-ext",
                "-mnontrapping-fptoint",
                // An interpreter jumps by each instruction. Where processors may not guess an indirect jump, as in many virtual machines
                // since Spectre, it waits for each: comparisons take two thirds to two fifths of the time, for all kinds of programs.
                "-fno-jump-tables",
                "-DNDEBUG",
                "-D_GNU_SOURCE",
                "-Wno-everything",
                "-c",
            ])
            .args(["-Werror=incompatible-pointer-types", "-Werror=implicit-function-declaration", "-Werror=int-conversion"])
            // QuickJS has switches for one other libc without threads and rounding modes; ours is alike.
            .args(["-DEMSCRIPTEN=1", "-DFE_DOWNWARD=0", "-DFE_UPWARD=0"])
            .arg("-isystem")
            .arg(libc.join("include"))
            .arg("-I")
            .arg(out)
            .arg("-I")
            .arg(quickjs)
            .arg("-o")
            .arg(&object)
            .arg(unit);
        let child = command
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot start {}: {e}", clang.display()))?;
        running.push((child, unit, object));
    }
    let mut objects = Vec::new();
    for (child, unit, object) in running {
        let output = child.wait_with_output().map_err(|e| format!("clang was lost: {e}"))?;
        if !output.status.success() {
            return Err(format!("clang cannot compile {}:\n{}", unit.display(), String::from_utf8_lossy(&output.stderr)));
        }
        objects.push(object);
    }
    Ok(objects)
}

/// The directory of the package's sources, as cargo has it: from the registry, a mirror of it, or a vendored copy.
fn sources(root: &Path) -> Result<PathBuf, String> {
    if let Some(given) = env::var_os("EMU_QUICKJS") {
        return Ok(given.into());
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut problem = String::new();
    for offline in [true, false] {
        let mut command = Command::new(&cargo);
        command.current_dir(root).args(["metadata", "--locked", "--format-version", "1"]);
        if offline {
            command.arg("--offline");
        }
        match run(&mut command) {
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stdout);
                return manifest_path(&text)
                    .and_then(|manifest| manifest.parent().map(Path::to_owned))
                    .ok_or_else(|| format!("cargo metadata names no {PACKAGE} {VERSION}; is it in Cargo.toml and Cargo.lock?"));
            }
            Err(e) => problem = e,
        }
    }
    // Without a network `cargo metadata` also wants the packages of other platforms; those already unpacked are enough for us.
    unpacked().ok_or(format!("cannot find the sources of {PACKAGE} {VERSION} (run `cargo fetch --locked` once): {problem}"))
}

/// The package's `manifest_path` in the output of `cargo metadata`.
fn manifest_path(metadata: &str) -> Option<PathBuf> {
    let package = metadata.find(&format!("\"name\":\"{PACKAGE}\",\"version\":\"{VERSION}\""))?;
    let key = "\"manifest_path\":\"";
    let start = package + metadata[package..].find(key)? + key.len();
    let end = start + metadata[start..].find('"')?;
    Some(metadata[start..end].replace("\\\\", "\\").into())
}

fn unpacked() -> Option<PathBuf> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))?;
    let registries = fs::read_dir(home.join("registry/src")).ok()?;
    registries.flatten().map(|registry| registry.path().join(format!("{PACKAGE}-{VERSION}"))).find(|dir| dir.is_dir())
}

/// A clang that can build for WebAssembly (Apple's cannot).
fn clang() -> Result<PathBuf, String> {
    let mut names: Vec<PathBuf> = Vec::new();
    match env::var_os("EMU_CLANG") {
        Some(given) => names.push(given.into()),
        None => {
            names.push("clang".into());
            names.extend((14..=24).rev().map(|version| format!("clang-{version}").into()));
            names.extend(["/opt/homebrew/opt/llvm/bin/clang", "/usr/local/opt/llvm/bin/clang"].map(PathBuf::from));
        }
    }
    let mut found = None;
    for name in names {
        let Ok(output) = Command::new(&name).arg("--print-targets").output() else { continue };
        if output.status.success() && String::from_utf8_lossy(&output.stdout).contains("wasm32") {
            return Ok(name);
        }
        found = Some(name);
    }
    Err(match found {
        None => format!("clang is needed to build the JavaScript engine and was not found; {INSTALL}"),
        Some(name) => format!("{} cannot build for wasm32; install another clang: {INSTALL}", name.display()),
    })
}

/// The linker for WebAssembly inside the Rust toolchain, or one of the system.
fn linker() -> Result<PathBuf, String> {
    if let Some(given) = env::var_os("EMU_WASM_LD") {
        return Ok(given.into());
    }
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = run(Command::new(rustc).args(["--print", "sysroot"]))?;
    let lib = Path::new(String::from_utf8_lossy(&sysroot.stdout).trim()).join("lib/rustlib");
    let host = env::var("HOST").unwrap_or_default();
    let inside = lib.join(host).join("bin").join(format!("rust-lld{}", env::consts::EXE_SUFFIX));
    if inside.is_file() {
        return Ok(inside);
    }
    let mut names = vec!["wasm-ld".to_string()];
    names.extend((14..=24).rev().map(|version| format!("wasm-ld-{version}")));
    let works = |name: &String| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    names.into_iter().find(works).map(PathBuf::from).ok_or(format!(
        "no linker for WebAssembly: neither {} nor wasm-ld exists; use a Rust toolchain of rustup, or install lld (`apt-get install lld`)",
        inside.display()
    ))
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|e| format!("cannot start {}: {e}", command.get_program().to_string_lossy()))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{} failed ({}):\n{}", command.get_program().to_string_lossy(), output.status, String::from_utf8_lossy(&output.stderr)))
}
