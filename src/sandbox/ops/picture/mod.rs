//! Pictures: what `sharp` does in a project's own Node, for the module of that name inside the sandbox.
//!
//! One request describes everything: the input, the steps in sharp's own order, the output. It is pure, and hostile in all its parts, so the
//! pixels that it may hold at once are bounded, and it can be stopped between any two rows.

mod blend;
mod decode;
mod encode;
mod geometry;
mod header;
mod pixels;
mod report;
mod resample;
mod source;
mod steps;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;
use serde_json::json;

use super::{Answer, OpError as Problem, read};

/// What stops work that nobody waits for any more, and how much memory it may take.
pub struct Halt {
    stopped: Arc<AtomicBool>,
    /// Bytes of pixels that may be held at once.
    bytes_max: u64,
    held: Cell<u64>,
}

impl Halt {
    /// Work that ends soon after `stopped` is set and holds at most so many bytes.
    pub fn new(stopped: Arc<AtomicBool>, bytes_max: u64) -> Halt {
        Halt { stopped, bytes_max, held: Cell::new(0) }
    }

    /// Fails once the work was stopped.
    fn check(&self) -> Result<(), Problem> {
        if self.stopped.load(Ordering::Relaxed) { Err(Problem::new("the work was stopped")) } else { Ok(()) }
    }

    /// Fails where these bytes, beside those that are held, would be too many.
    fn room(&self, bytes: u64) -> Result<(), Problem> {
        let all = self.held.get().saturating_add(bytes);
        if all <= self.bytes_max {
            return Ok(());
        }
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        Err(Problem::new(format!(
            "sharp: this picture needs about {} MiB of memory while it is worked on, and the function may use {} MiB; raise its `memorySize`",
            mebibytes(all),
            mebibytes(self.bytes_max)
        )))
    }

    fn holds(&self, bytes: usize) {
        self.held.set(bytes as u64);
    }
}

/// What the sandbox has no code for, said like everything that is missing inside.
fn missing(what: &str) -> Problem {
    Problem::new(format!(
        "sharp: {what} is not available inside the sandbox; run this code outside against the same services with `emu exec -- node …`"
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Want {
    Metadata,
    Picture,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    want: Want,
    input: source::Source,
    #[serde(default)]
    steps: Box<steps::Steps>,
    output: Option<encode::Output>,
    /// Lengths of the byte strings in the data: the input's, then the overlays'.
    #[serde(default)]
    parts: Vec<usize>,
}

/// Does what `meta` asks for. The answer's text is JSON: metadata, or what sharp calls `info`, with the file as the answer's bytes.
pub fn call(meta: &str, data: &[u8], halt: &Halt) -> Answer {
    let request: Request = read(meta)?;
    let mut parts = source::Parts::new(data, &request.parts);
    match request.want {
        Want::Metadata => report::metadata(&request.input, &mut parts, halt),
        Want::Picture => picture(&request, &mut parts, halt),
    }
}

fn picture(request: &Request, parts: &mut source::Parts<'_>, halt: &Halt) -> Answer {
    let output = request.output.as_ref().ok_or_else(|| Problem::usage("the output is missing"))?;
    let taken = request.input.take(parts, false, halt)?;
    let input_format = taken.format;
    let done = request.steps.run(taken, parts, halt)?;
    let size = done.pixels.size;
    let format = if output.format == "input" { input_format } else { &output.format };
    halt.holds(done.pixels.data.len());
    let encoded = encode::encode(done.pixels, format, output, halt)?;
    let has_opacity = encoded.format != "jpeg" && matches!(encoded.channels, 2 | 4);
    let mut info = json!({
        "format": encoded.format,
        "width": size.width,
        "height": size.height,
        "channels": encoded.channels,
        "premultiplied": done.was_premultiplied,
    });
    if encoded.format == "raw" {
        info["depth"] = json!("uchar");
    }
    if let Some((left, top)) = done.trim_offset {
        info["trimOffsetLeft"] = json!(left);
        info["trimOffsetTop"] = json!(top);
    }
    info["hasAlpha"] = json!(has_opacity);
    info["size"] = json!(encoded.data.len());
    Ok((info.to_string(), encoded.data))
}
